/// Codes of comparisons between runs.
extension MessageCatalogue {
  package static let comparison: [Entry] = [
    Entry(
      "E2012", "unknown metric or strategy",
      "compare was asked for a metric, or a baseline, that there is not.",
      "Take a path as in summary.json, such as generic.accuracy, and a label of the runs."),
    Entry(
      "E2013", "a report without a place", "A report over several folders belongs to none of them.",
      "Name a file for it: fedsim report DIR... --html FILE."),
    Entry(
      "E4101", "damaged diagnostics", "A run's diagnostics.json is not what fedsim writes.",
      "Remove it; fedsim resume DIR measures finished models again and writes it."),
    Entry(
      "E4102", "nothing to report", "None of the folders holds a run with a finished round.",
      "Continue them with fedsim resume DIR."),
    Entry(
      "E4100", "no finished run",
      "None of the folders holds a run that has reached its last round.",
      "Continue them with fedsim resume DIR."),
    Entry(
      "E7001", "unlike runs",
      "The folders were made under different conditions: data, partition, model, clients, "
        + "federation, privacy or another setting beside the strategies. Their differences would "
        + "mix what is compared with how it was measured.",
      "Run them under the same conditions; fedsim compare DIR... --only-changed shows what differs."
    ),
    Entry(
      "E7002", "one run with two results",
      "Two folders hold the same strategy under the same seed and settings, but their digests "
        + "differ: another version, build or kind of machine made them.",
      "Make both with one program on one kind of machine, or leave one of the folders out."),
    Entry(
      "E7003", "not measured",
      "Runs lack the metric that is compared, or the cost that is held equal.",
      "Choose another --metric, --baseline or --budget that all runs have."),
  ]
}
