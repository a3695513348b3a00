/// Codes of files that are not what was written, and of what cannot be written.
extension MessageCatalogue {
  static let durability: [Entry] = [
    Entry(
      "E1030", "too many open files",
      "The system lets this process, or all processes, open no more files.",
      "Allow more with ulimit -n, and go on with fedsim resume DIR: the last checkpoint is whole."),
    Entry(
      "E1031", "file too long", "A file would be longer than this process may write (ulimit -f).",
      "Raise the limit, and go on with fedsim resume DIR: the last checkpoint is whole."),
    Entry(
      "E1032", "stdout lost",
      "Not all of the result arrived on stdout: what it goes to is full, or failed. Exit 6 "
        + "where room "
        + "is missing, else 4; a command that failed by itself keeps its own exit. A reader that "
        + "goes away, as head does, is no failure.",
      "Send the result elsewhere, or make room; files in run folders are not touched by this."),
    Entry(
      "E1033", "stopped in pre-training",
      "Somebody asked to stop while the network was trained before the first round.",
      "Go on with fedsim resume DIR; pre-training begins anew, for nothing of it is kept."),
    Entry(
      "E1034", "nobody reads",
      "The reader of a pipe went away; the program goes on and says nothing of it.",
      "Nothing is to be done."),
    Entry(
      "E4120", "damaged table",
      "The beginning of a table of a run is not what was written there: its length or its checksum "
        + "differs from the record in tables.json. The line is named where it can be told.",
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
      "E4123", "checkpoint of other rounds",
      "The checkpoint of a run and its rounds.jsonl are of different runs.",
      "Restore both from one copy, or delete the folder of this run: fedsim resume DIR "
        + "repeats it."),
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
      "E4128", "note of a sweep damaged", "A file that a sweep keeps for itself cannot be read.",
      "Restore it; for sweep.resolved.json, name the sweep file again: fedsim sweep FILE --out DIR."
    ),
    Entry(
      "E4129", "sweep changed",
      "The sweep.json and base.json of a sweep's folder no longer give the runs that it was "
        + "made for.", "Restore them, or say that others are meant: fedsim sweep FILE --out DIR."),
    Entry(
      "E7012", "rounds are missing",
      "A run folder does not hold all rounds of all runs of its scenario: a run is lost, has not "
        + "finished, or was not begun. What is there is the same.",
      "fedsim resume DIR runs what is missing; verify --rounds A..B compares what is there."),
    Entry(
      "E7013", "files beside the runs differ",
      "All runs are what their scenario gives, but a split, the summary, the table of results "
        + "or the " + "resolved scenario is not what they give.",
      "fedsim resume DIR writes these files again."),
    Entry(
      "E9005", "scenario edited",
      "The scenario.json or overrides.json of a run folder was changed since the folder was "
        + "made, or " + "this version reads it differently. The fields that differ are listed.",
      "Take the change back to go on. The changed scenario has a folder of its own: fedsim run "
        + "DIR/scenario.json --out OTHER."),
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
