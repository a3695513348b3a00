/// Messages about `system`, the virtual clock.
extension MessageCatalogue {
  static let clock: [Entry] = [
    Entry(
      "E3114",
      "not a quantity",
      "The text is not a number with one of the units named. Units are case-sensitive, so that a "
        + "thousandth and a million, bits and bytes stay apart.",
      "Write a number, at most one space and a unit, such as \"10 Mbit/s\", \"40 ms\" or "
        + "\"20 GFLOP/s\"; or a plain number in the base unit."
    ),
    Entry(
      "E3340",
      "a table without speeds",
      "compute \"table\" needs a speed for each client.",
      "Give \"path\" of a file with a speed per line, or \"values\"."
    ),
    Entry(
      "E3341",
      "speeds and clients differ in number",
      "A table of speeds has one for each client, client 0 first.",
      "Give as many speeds as federation.clients says."
    ),
    Entry(
      "E3342",
      "partial work without a deadline",
      "Stragglers make fewer steps so that they meet a deadline; there is none.",
      "Give system.deadline, or leave stragglers out."
    ),
    Entry(
      "E3343",
      "the clock does not fit client-level privacy",
      "The accountant knows how cohorts are drawn and that the noise of a release is whole. Cohorts "
        + "of those who arrive first, who are there, or who keep a server busy are drawn otherwise; "
        + "shares of noise that do not arrive are missing.",
      "Leave the field named away, protect examples instead, or let the server add the noise."
    ),
    Entry(
      "W3040",
      "settings of synchronous rounds",
      "Asynchronous methods wait for nobody: deadlines, over-selection and partial work have no "
        + "meaning for them.",
      "Nothing, if the section is meant for the synchronous methods of the comparison."
    ),
    Entry(
      "W3041",
      "not enough clients to over-select",
      "overSelection times the cohort is more than all clients; all of them are drawn.",
      "Lower federation.participation or overSelection."
    ),
    Entry(
      "W3042",
      "a deadline that messages alone miss",
      "Two messages take two latencies, and the deadline is not longer: whoever sends and receives "
        + "comes too late.",
      "Give a longer deadline or a shorter latency."
    ),
  ]
}
