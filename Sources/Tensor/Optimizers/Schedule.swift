import Base

extension LearningRateSchedule {
  /// The factor on the learning rate in a round.
  ///
  /// - Parameters:
  ///   - round: from 1.
  ///   - rounds: R, the length of the run.
  /// - Returns: a number in (0, 1]; the shapes and warm-up as their cases state.
  public func factor(round: Int, rounds: Int) -> Double {
    guard round > warmupRounds else { return Double(round) / Double(warmupRounds + 1) }
    let elapsed = round - warmupRounds - 1
    switch shape {
    case .constant: return 1
    case .step(let every, let factor): return pow(factor, Double(elapsed / max(1, every)))
    case .cosine(let floor):
      let span = max(1, rounds - warmupRounds)
      return floor + (1 - floor) * (1 + cos(Double.pi * Double(elapsed) / Double(span))) / 2
    }
  }
}
