import Base
import Client
import Data
import Scenario

/// A part of the local work of a round, where a dry run of all of it would never end.
///
/// A dry run goes through every step, and a scenario may ask for a thousand million of them.
struct LesserWork {
  /// Steps of all clients of a round that a dry run goes through.
  static let mostSteps = 100_000.0

  /// The part that is run dry.
  let work: LocalSettings.Work
  let twice: LocalSettings.Work
  /// How often the part goes into the whole.
  let factor: Double

  /// Nil where a dry run can go through everything.
  init?(_ scenario: Scenario, _ client: LocalSettings, _ split: Split) {
    let work = client.work
    let batch = client.batch
    var steps = 0.0
    for client in split.clients where !client.isEmpty {
      steps += Double(work.steps(examples: client.count, batch: batch))
    }
    steps *= min(1, scenario.federation.expectedCohort / Double(max(1, split.clients.count)))
    guard steps > Self.mostSteps else { return nil }
    let share = Self.mostSteps / steps
    switch work {
    case .epochs(let epochs):
      // Whole epochs: each is like the others, down to its last, shorter batch.
      let part = max(1, (epochs * share).rounded(.down))
      guard part < epochs else { return nil }
      (self.work, twice, factor) = (.epochs(part), .epochs(2 * part), epochs / part)
    case .steps(let all):
      let part = max(1, Int(clamping: Double(all) * share))
      guard part < all else { return nil }
      (self.work, twice, factor) = (.steps(part), .steps(2 * part), Double(all) / Double(part))
    }
  }
}

extension DryRun {
  /// Takes what grows with the work from a part of it to the whole: f(n·w) = f(w) + (n − 1) ·
  /// (f(2w) − f(w)), which is exact where every step costs the same.
  mutating func extrapolate(to lesser: LesserWork, from more: DryRun) {
    guard more.rounds == rounds else {
      doubts.append("the dry run covers local work in part only")
      return
    }
    let extra = lesser.factor - 1
    func whole(_ part: Double, _ twice: Double) -> Double { part + extra * max(0, twice - part) }
    steps = whole(steps, more.steps)
    examples = whole(examples, more.examples)
    flops = whole(flops, more.flops)
    serverFLOPs = whole(serverFLOPs, more.serverFLOPs)
    evaluationFLOPs = whole(evaluationFLOPs, more.evaluationFLOPs)
    bytesUp = whole(bytesUp, more.bytesUp)
    bytesDown = whole(bytesDown, more.bytesDown)
    if let now = virtualSeconds, let later = more.virtualSeconds {
      virtualSeconds = whole(now, later)
    }
    if let now = seconds, let later = more.seconds { seconds = whole(now, later) }
    // What was released depends on every batch; a part of it would promise too much.
    epsilons = []
    privacy = nil
    doubts.append("from a part of each client's steps")
  }
}
