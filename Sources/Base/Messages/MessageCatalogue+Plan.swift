/// Codes of limits, of checkpoints and of runs that are run again.
extension MessageCatalogue {
  package static let limits: [Entry] = [
    Entry(
      "E4091", "checkpoint of another version",
      "The checkpoint was written by a version of fedsim with another format of checkpoints.",
      "Resume with the version that wrote it, or start the run anew in another folder."),
    Entry(
      "E4103", "no rounds to compare", "verify was asked for rounds that no run of the folder has.",
      "Leave --rounds out, or look into rounds.jsonl for the rounds that there are."),
    Entry(
      "E6001", "memory limit too small",
      "What a run certainly needs is more than limits.memory; nothing was written.",
      "Raise the limit, or take a smaller model, smaller batches or fewer --threads."),
    Entry(
      "E6002", "limit reached",
      "A run of a sweep reached one of its limits and stands behind a checkpoint.",
      "Raise the limit in the scenario's limits; calling the sweep again goes on from there."),
    Entry(
      "E7010", "verification failed",
      "Rounds that were run again are not what the folder says: digests, measures or bytes differ. "
        + "The first difference of each run is listed.",
      "Where program or machine changed, bits may differ; else files were changed or damaged."),
    Entry(
      "E7011", "scenario changed",
      "The folder's scenario.json and overrides.json no longer mean what the folder was made for.",
      "Verify with the version that wrote the folder, or restore the files."),
  ]
}
