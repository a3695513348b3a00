import Client

/// How a run ended.
enum RunEnd: Equatable {
  case finished
  /// It stands behind a checkpoint at the round that it was to reach.
  case paused
  case diverged(DivergenceReport)
  case interrupted(ExitCode)
}

/// What a run leaves behind in memory, for summaries and for the runs after it.
struct RunResult {
  var records: [RoundRecord] = []
  /// Accuracy of each client by evaluated round.
  var scores: [Int: [Int: Double]] = [:]
  var end = RunEnd.finished
  /// What to say when its rounds moved nothing.
  var stillness: Stillness?
  /// What was found lost and was made anew, in sentences.
  var notes: [String] = []
}
