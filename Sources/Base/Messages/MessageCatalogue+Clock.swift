/// Messages about `system`, the virtual clock.
extension MessageCatalogue {
  package static let clock: [Entry] = [
    Entry(
      "E3114", "not a quantity",
      "The text is not a number with one of the units named. Units are case-sensitive, so that a "
        + "thousandth and a million, bits and bytes stay apart.",
      "Write a number, at most one space and a unit, such as \"10 Mbit/s\", \"40 ms\" or "
        + "\"20 GFLOP/s\"; or a plain number in the base unit."),
    Entry(
      "E3360", "a table without speeds", "compute \"table\" needs a speed for each client.",
      "Give \"path\" of a file with a speed per line, or \"values\"."),
    Entry(
      "E3361", "speeds and clients differ in number",
      "A table of speeds has one for each client, client 0 first.",
      "Give as many speeds as federation.clients says."),
    Entry(
      "E3362", "partial work without a deadline",
      "Stragglers make fewer steps so that they meet a deadline; there is none.",
      "Give system.deadline, or leave stragglers out."),
    Entry(
      "E3363", "the clock does not fit client-level privacy",
      "The accountant knows how cohorts are drawn and that the noise of a release is whole. "
        + "Cohorts of those who arrive first, who are there, or who keep a server busy are drawn "
        + "otherwise; shares of noise that do not arrive are missing.",
      "Leave the field named away, protect examples instead, or let the server add the noise."),
    Entry(
      "E3364", "sums that the clock would break",
      "EF21's estimates and the factors of a cohort's mean are summed from all clients of an "
        + "exchange before anybody knows who comes too late, and from one cohort at a time.",
      "Leave system.deadline, overSelection and traces out, take a synchronous method, or "
        + "\"feedback\": \"ef-sgd\" and \"sums\": \"updates\"."),
    Entry(
      "E3365", "selection by losses does not know who is there",
      "Cohorts that are chosen by losses are chosen among all clients, and are never larger.",
      "Leave system.availability and overSelection out, or draw cohorts uniformly."),
    Entry(
      "W3063", "no cohorts to select",
      "Asynchronous methods draw who starts next among idle clients by lot, whatever "
        + "federation.sampling says.",
      "Nothing, if the selection is meant for the synchronous methods of the comparison."),
    Entry(
      "W3060", "settings of synchronous rounds",
      "Asynchronous methods wait for nobody: deadlines, over-selection and partial work have no "
        + "meaning for them.",
      "Nothing, if the section is meant for the synchronous methods of the comparison."),
    Entry(
      "W3061", "not enough clients to over-select",
      "overSelection times the cohort is more than all clients; all of them are drawn.",
      "Lower federation.participation or overSelection."),
    Entry(
      "W3062", "a deadline that messages alone miss",
      "Two messages take two latencies, and the deadline is not longer: whoever sends and receives "
        + "comes too late.", "Give a longer deadline or a shorter latency."),
  ]
}
