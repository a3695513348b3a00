/// Every error and warning code, with what it means and what to do: `fedsim explain CODE`.
public enum MessageCatalogue {
  /// One code.
  public struct Entry: Sendable {
    /// Such as "E3103".
    public let code: String
    /// In a few words.
    public let title: String
    /// What has happened.
    public let meaning: String
    /// What to do about it.
    public let remedy: String

    package init(_ code: String, _ title: String, _ meaning: String, _ remedy: String) {
      self.code = code
      self.title = title
      self.meaning = meaning
      self.remedy = remedy
    }
  }

  /// The entry of a code; nil when there is none.
  public static func entry(_ code: String) -> Entry? {
    entries.first { $0.code == code.uppercased() }
  }

  /// All codes: the digit after the letter is the exit code of errors, but for those with 1, which
  /// are the system's; they say with which code they exit.
  public static let entries: [Entry] =
    program + system + files + shape + fields + relations + sets + fitting + privacy + compression
    + selection + clock + comparison + sweep + limits + inputs + durability + warnings

  private static let program: [Entry] = [
    Entry(
      "E1000", "internal error", "fedsim has contradicted itself; this is a bug, not your mistake.",
      "Report it with the scenario and the output of fedsim version; do not retry."),
    Entry(
      "E2001", "unknown command", "The first word is no command of fedsim.",
      "Run fedsim help for the list."),
    Entry(
      "E2002", "unknown option", "The command does not have this option.",
      "Run fedsim help COMMAND for its options."),
    Entry(
      "E2003", "option without its value", "The option needs a value after it.",
      "Write --option VALUE or --option=VALUE."),
    Entry(
      "E2004", "value of an option out of range", "The option's value cannot be used.",
      "Run fedsim help COMMAND for what is allowed."),
    Entry(
      "E2005", "too many or too few arguments", "The command takes other arguments.",
      "Run fedsim help COMMAND for how it is called."),
    Entry(
      "E2006", "unknown name", "Nothing with this name can be listed or explained.",
      "Run fedsim list strategies, models, datasets or partitions for names."),
    Entry(
      "E2007", "options that need others",
      "An option was given without the one it belongs to, or where it cannot apply.",
      "Run fedsim help COMMAND for which options go together."),
    Entry(
      "E2008", "a workload does not fit in memory",
      "bench would need more memory than is free. Nothing was allocated.",
      "Lower --clients, --samples or --threads, or end other programs."),
  ]

  private static let shape: [Entry] = [
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
  ]

  private static let fields: [Entry] = [
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
  ]

  private static let relations: [Entry] = [
    Entry(
      "E3201", "groups do not divide", "Group normalisation needs groups of equal size.",
      "Take the suggested number, or leave groups out."),
    Entry(
      "E3202", "cohort larger than the federation", "perRound exceeds clients.",
      "Lower perRound or raise clients."),
    Entry(
      "E3203", "label given twice", "Labels name folders; capitals do not make a difference.",
      "Give each strategy its own label."),
    Entry(
      "E3204", "no natural clients", "Only leaf data sets know who made which example.",
      "Choose another partition."),
    Entry(
      "E3205", "impossible class sizes", "The long tail asks for class sizes that the data lacks.",
      "Give one size per class, at most the size of the full class, and not only zeros."),
    Entry(
      "E3206", "not enough data", "There are fewer training images than the clients need.",
      "Lower the number of clients or the minimum, or use more data."),
    Entry(
      "E3207", "Nesterov without momentum", "Nesterov's form is defined for momentum > 0.",
      "Set momentum, or nesterov to false."),
    Entry(
      "E3208", "number of dropout rates", "The model has another number of places for dropout.",
      "cnn: two rates; mlp: one per hidden layer; [] for none."),
    Entry(
      "E3209", "data set too large", "The synthetic data set would not fit into memory.",
      "Ask for fewer classes or images."),
    Entry(
      "E3230", "heads do not divide", "Attention needs heads of equal width.",
      "Take the suggested number, or another width."),
    Entry(
      "E3231", "empty hidden layer", "width x mlpRatio is less than one channel.",
      "Raise model.mlpRatio; the usual ratio is 4."),
  ]

  private static let warnings: [Entry] = [
    Entry(
      "W3001", "single seed", "With one seed no interval can be given.",
      "Use three seeds or more; eight for tests after correction for four rivals."),
    Entry(
      "W3002", "disabled method", "With this value, or this model, the method equals another one.",
      "Use the paper's value, another model, or the simpler method."),
    Entry(
      "W3003", "batch larger than a client", "Most clients have fewer images than a batch.",
      "Lower client.batch or the number of clients."),
    Entry(
      "W3004", "clients that never take part", "So few are drawn that some are never drawn.",
      "Raise participation or rounds."),
    Entry(
      "W3005", "another optimizer than the paper's",
      "The method is made for plain SGD steps: SCAFFOLD's control variates correct those, and a "
        + "pool's unused adapters rest only under those.",
      "Set client.optimizer.kind to sgd and client.optimizer.momentum to 0."),
    Entry(
      "W3006", "no long tail", "A factor of 1 leaves all classes equal.",
      "Remove longTail, or give a larger factor."),
    Entry("W3007", "no rounds", "Nothing is trained.", "Set federation.rounds."),
    Entry(
      "W3008", "same strategy twice", "Two strategies have the same kind and settings.",
      "Remove one of them."),
    Entry(
      "W3009", "mirrored digits", "A mirrored digit or letter is another one, or none.",
      "Leave flip out, unless the images are of things."),
    Entry(
      "W3010", "endless warm-up", "The learning rate never reaches its value.",
      "Shorten the warm-up or raise the rounds."),
    Entry(
      "W3021", "a setting without effect",
      "The field is given, and nothing would change without it: another field, the number of "
        + "rounds or the method has made it meaningless. Results are those of its default.",
      "Do what the message says, or nothing if the field is meant for the other strategies of the "
        + "comparison."),
    Entry(
      "W3020", "what to know of a method",
      "The method can run, but its numbers need a remark: a setting that others do not have, or a "
        + "network that suits it badly.",
      "The message says what it is; the remark stands in the report, too."),
  ]
}
