import Base

extension MessageCatalogue {
  static let commands: [Entry] = [
    Entry(
      "E1032", "stdout lost",
      "Not all of the result arrived on stdout: what it goes to is full, or failed. Exit 6 "
        + "where room "
        + "is missing, else 4; a command that failed by itself keeps its own exit. A reader that "
        + "goes away, as head does, is no failure.",
      "Send the result elsewhere, or make room; files in run folders are not touched by this."),
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
      "E2010", "privacy target out of reach",
      "No value of the number asked for meets the epsilon and delta given.",
      "Raise --epsilon or --delta, or lower --rate or --steps."),
    Entry(
      "E2011", "no accountant for this",
      "The kind of sampling and the neighbours do not go together: no bound is known to fedsim, "
        + "and it does not guess.", "Choose --sampling poisson or --sampling without-replacement."),
    Entry(
      "E2013", "a report without a place", "A report over several folders belongs to none of them.",
      "Name a file for it: fedsim report DIR... --html FILE."),
    Entry(
      "E2020", "wrong shard", "--shard names no part of the runs.",
      "Write --shard i/n, as 2/4 for the second of four parts."),
    Entry(
      "E4103", "no rounds to compare", "verify was asked for rounds that no run of the folder has.",
      "Leave --rounds out, or look into rounds.jsonl for the rounds that there are."),
    Entry(
      "E4110", "no sweep", "The folder was not written by fedsim sweep.",
      "Name a sweep file, or a folder that fedsim sweep wrote."),
    Entry(
      "E4129", "sweep changed",
      "The sweep.json and base.json of a sweep's folder no longer give the runs that it was "
        + "made for.", "Restore them, or say that others are meant: fedsim sweep FILE --out DIR."),
    Entry(
      "E7001", "unlike runs",
      "The folders were made under different conditions: data, partition, model, clients, "
        + "federation, privacy or another setting beside the strategies. Their differences would "
        + "mix what is compared with how it was measured.",
      "Run them under the same conditions; fedsim compare DIR... --only-changed shows what differs."
    ),
    Entry(
      "E7010", "verification failed",
      "Rounds that were run again are not what the folder says: digests, measures or bytes differ. "
        + "The first difference of each run is listed.",
      "Where program or machine changed, bits may differ; else files were changed or damaged."),
    Entry(
      "E7011", "scenario changed",
      "The folder's scenario.json and overrides.json no longer mean what the folder was made for.",
      "Verify with the version that wrote the folder, or restore the files."),
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
      "E7014", "claimed epsilon contradicted",
      "An audit found more leakage than the epsilon of the run allows, with 95 % confidence for "
        + "each claim that was tried.",
      "Do not publish the epsilon. Look at the rows named on top, and at other seeds; under "
        + "--weaken this is what the audit should say."),
  ]
}
