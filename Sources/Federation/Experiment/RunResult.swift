import Base
import Records

package enum RunEnd: Equatable {
  case finished
  /// It has a checkpoint of the round that it was to reach.
  case paused
  case diverged(DivergenceReport)
  case interrupted(ExitCode)
}

/// What a run leaves in memory, for summaries and for the runs after it.
package struct RunResult {
  package var records: [RoundRecord] = []
  /// Accuracy of each client by evaluated round.
  package var scores: [Int: [Int: Double]] = [:]
  package var end = RunEnd.finished
  /// The best round by validation so far.
  package var best = BestRound()
  /// What to say when its rounds moved nothing.
  var stillness: Stillness?
  /// What was found lost and was made anew, in sentences.
  package var notes: [String] = []

  package init(
    records: [RoundRecord] = [], scores: [Int: [Int: Double]] = [:], end: RunEnd = RunEnd.finished,
    stillness: Stillness? = nil, notes: [String] = []
  ) {
    self.records = records
    best = BestRound(records)
    self.scores = scores
    self.end = end
    self.stillness = stillness
    self.notes = notes
  }
}
