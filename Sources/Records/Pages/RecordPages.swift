import Base

extension FilePage {
  private static let run = "folder of each run"

  /// The files of runs and what is made of them here.
  package static let records: [FilePage] =
    [
      FilePage(
        "rounds.jsonl", in: run, "A line for each round: what happened, and how good models are.",
        RoundRecord.keys),
      FilePage(
        "clients.csv", in: run, "Clients on their local tests, in rounds that were evaluated.",
        ClientRow.table),
      FilePage(
        "classes.csv", in: run, "Accuracy by class, in rounds that were evaluated.",
        ClassRow.table),
      FilePage(
        "messages.csv", in: run, "Every tensor that went over the network.", MessageRow.table),
      FilePage("digest.txt", in: run, "A line for each round, no header.", DigestRow.fields),
      FilePage(
        "events.jsonl", in: run + ", with a system", "What happened in virtual time.",
        ClockEvent.keys),
      FilePage(
        ModelDiagnostics.fileName, in: run + ", for methods with a generic model",
        "The final generic model on the test set.", ModelDiagnostics.keys.fields + [.checksum]),
      FilePage(
        TableRecord.fileName, in: run, "How long the other files were at the last checkpoint.",
        TableRecord.keys.fields + [.checksum]),
      FilePage(
        SummaryFile.fileName, in: "run folder", "What all runs add up to.",
        Summary.keys.fields + [.checksum]), ResultsTable.page,
    ] + Comparison.pages
}
