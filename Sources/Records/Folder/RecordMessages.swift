import Base

extension MessageCatalogue {
  package static let records: [Entry] = [
    Entry(
      "E1014", "damaged trace", "A line of rounds.jsonl is not a round record.",
      "Restore the file from a copy, or delete the folder of this run: fedsim resume DIR "
        + "repeats it."),
    Entry(
      "E2012", "unknown metric or strategy",
      "compare was asked for a metric, or a baseline, that there is not.",
      "Take a path as in summary.json, such as generic.accuracy, and a label of the runs."),
    Entry(
      "E4095", "no run folder", "The folder has no scenario.json.",
      "Name a folder that fedsim run wrote."),
    Entry(
      "E4098", "resolved scenario unreadable",
      "scenario.resolved.json in the run folder is damaged or of another version.",
      "Restore the file; fedsim resume DIR writes it again."),
    Entry(
      "E4100", "no finished run",
      "None of the folders holds a run that has reached its last round.",
      "Continue them with fedsim resume DIR."),
    Entry(
      "E4101", "damaged diagnostics", "A run's diagnostics.json is not what fedsim writes.",
      "Remove it; fedsim resume DIR measures finished models again and writes it."),
    Entry(
      "E4120", "damaged table",
      "The beginning of a table of a run is not what was written there: its length or its checksum "
        + "differs from the record in tables.json. The line is named where it is known.",
      "Restore the file from a copy, or delete the folder of this run: fedsim resume DIR "
        + "repeats it."),
    Entry(
      "E4121", "rounds out of order",
      "A line of rounds.jsonl is a record, but cannot follow the lines before it: rounds count "
        + "1, 2, "
        + "3, … without a gap, with the same classes, and with numbers that a run can have.",
      "Restore the file from a copy, or delete the folder of this run: fedsim resume DIR "
        + "repeats it."),
    Entry(
      "E4122", "no record of tables",
      "tables.json in the folder of a run is lost or damaged, or an earlier version of fedsim, "
        + "which "
        + "kept no such record, wrote the run. Nothing else says whether its tables are whole.",
      "Restore the file, resume with the version that wrote it, or delete the folder of this run: "
        + "fedsim resume DIR repeats it."),
    Entry(
      "E4124", "damaged line", "A line of a table is none that a run writes.",
      "Restore the file from a copy, or delete the folder of this run: fedsim resume DIR "
        + "repeats it."),
    Entry(
      "E4125", "environment damaged",
      "environment.json of a run folder is not what was written: its checksum differs.",
      "Restore it, or delete it: fedsim resume DIR writes it again."),
    Entry(
      "E4126", "file of a run folder damaged",
      "A split or the summary of a run folder is not what was written: its checksum differs.",
      "Restore it; fedsim resume DIR writes it again from the scenario and the runs."),
    Entry(
      "E4127", "resolved scenario changed",
      "scenario.resolved.json is not the scenario that the folder was made for.",
      "Restore it; fedsim resume DIR writes it again from scenario.json."),
    Entry(
      "E7002", "one run with two results",
      "Two folders hold the same strategy under the same seed and settings, but their digests "
        + "differ: another version, build or kind of machine made them.",
      "Make both with one program on one kind of machine, or leave one of the folders out."),
    Entry(
      "E7003", "not measured",
      "Runs lack the metric that is compared, or the cost that is held equal.",
      "Choose another --metric, --baseline or --budget that all runs have."),
    Entry(
      "W4001", "no checksums",
      "An earlier version of fedsim wrote the folder, or its environment.json is lost: damage "
        + "in its " + "files cannot be seen.", "fedsim verify runs it again and compares."),
    Entry(
      "W4002", "no record of a run's tables",
      "A run has neither tables.json nor a checkpoint: it was killed before the first, or they "
        + "were " + "deleted. Damage in its tables cannot be seen.",
      "fedsim verify runs it again and compares."),
  ]
}
