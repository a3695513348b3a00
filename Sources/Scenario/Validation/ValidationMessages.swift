import Base

extension MessageCatalogue {
  package static let validation: [Entry] = [
    Entry(
      "E3001", "not JSON", "The scenario breaks the grammar of JSON at the line and column named.",
      "Mend the text there. Comments are keys that start with //; keys may be given once."),
    Entry(
      "E3002", "no object", "The scenario must be one JSON object.",
      "Start it with { and end it with }."),
    Entry(
      "E3003", "version", "The file is of another version of the scenario format.",
      "Use a fedsim that reads it, or rewrite it for version 1."),
    Entry(
      "E3004", "override", "A --set cannot be applied.",
      "Write --set path=value with a JSON value or a bare word: --set strategies[0].mu=0.1."),
    Entry(
      "E3005", "no inheritance", "extends and preset are not supported by this version.",
      "Copy the other file's fields into this one."),
    Entry(
      "E3006", "section not available",
      "The scenario format has this section, but this version of fedsim cannot do it. It is "
        + "refused and not ignored, because the results would not be what the file says.",
      "Remove the section."),
    Entry(
      "E3101", "unknown field", "No field has this name here. Unknown fields are never ignored.",
      "Take the suggested name, or one of the fields listed."),
    Entry(
      "E3102", "wrong type", "The value is of another type than the field.",
      "Write a value of the type named: numbers without quotes, words with them."),
    Entry(
      "E3103", "out of range", "The number is outside the legal range.",
      "Choose a number within the range named."),
    Entry("E3104", "missing", "A required field is missing.", "Add it."),
    Entry(
      "E3105", "unknown word", "The field takes one of a few words, and this is none of them.",
      "Choose one of the words listed."),
    Entry(
      "E3106", "two ways at once", "Two fields that say the same in two ways are both given.",
      "Remove one of them."),
    Entry("E3107", "not whole", "The field takes whole numbers only.", "Write a whole number."),
    Entry(
      "E3108", "length of a list", "The list has too few or too many elements.",
      "Give as many as named."),
    Entry("E3109", "given twice", "An element of the list is repeated.", "Remove one of them."),
    Entry(
      "E3110", "unusable text", "The text cannot be a name of a folder, or a path.",
      "Names: letters, digits and . _ + -, at most 100. Paths: not empty."),
    Entry(
      "E3111", "field of another kind", "The field exists, but not for the kind chosen here.",
      "Remove it, or choose the kind it belongs to."),
    Entry(
      "E3112", "inverse imbalance factor",
      "The factor is n_max / n_min >= 1. Many code bases give n_min / n_max <= 1, such as 0.01.",
      "Write the inverse, such as 100."),
    Entry(
      "E3113", "strategies is a list", "strategies always is a list, even of one.",
      "Put the object into [ ]."),
    Entry(
      "E3114", "not a quantity",
      "The text is not a number with one of the units named. Units are case-sensitive, so that a "
        + "thousandth and a million, bits and bytes stay apart.",
      "Write a number, at most one space and a unit, such as \"10 Mbit/s\", \"40 ms\" or "
        + "\"20 GFLOP/s\"; or a plain number in the base unit."),
    Entry(
      "E3430", "a sweep, not a scenario",
      "The file describes many scenarios, where one is expected.",
      "Run it with fedsim sweep FILE, or give the scenario that it names as base."),
  ]
}
