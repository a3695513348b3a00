import Aggregation
import Base
import Client
import Records
import Scenario
import Tensor

/// A run whose rounds moved nothing, or in which nobody took part: its numbers are those of the
/// initial model, and look like results.
///
/// It is seen in the state at the end and in the records of the rounds, not in a history that an
/// interruption could lose.
package struct Stillness: Equatable {
  let label: String
  let seed: UInt64
  let rounds: Int
  /// Whether what is measured is what the run began with.
  let isUnmoved: Bool
  /// Why, as far as it shows.
  let cause: String

  /// Sentences for the reader: runs of one strategy with the same fate in one.
  static func sentences(_ list: [Stillness]) -> [String] {
    var groups: [[Stillness]] = []
    for still in list {
      let place = groups.firstIndex { group in
        let first = group[0]
        return first.label == still.label && first.cause == still.cause
          && first.isUnmoved == still.isUnmoved && first.rounds == still.rounds
      }
      if let place { groups[place].append(still) } else { groups.append([still]) }
    }
    return groups.map { group in
      let first = group[0]
      let seeds = group.map { String($0.seed) }.joined(separator: ", ")
      let what =
        first.isUnmoved
        ? "nothing moved in \(first.rounds) round\(first.rounds == 1 ? "" : "s"): the numbers are "
          + "those of the model before the first one"
        : "nobody took part in \(first.rounds) round\(first.rounds == 1 ? "" : "s")"
      return "\(first.label) (seed\(group.count == 1 ? "" : "s") \(seeds)): \(what); "
        + "\(first.cause) (fedsim explain W3080)"
    }
  }
}

extension Run {
  /// What to say when the rounds so far have moved nothing; nil when they did, or when there was
  /// none.
  func stillness(_ records: [RoundRecord]) -> Stillness? {
    guard simulation.round > 0, !records.isEmpty else { return nil }
    let nobody = records.allSatisfy { $0.train == nil }
    let start = simulation.method.start(context.problem)
    let isUnmoved: Bool
    if simulation.method.models.contains(.generic) {
      isUnmoved = simulation.method.genericModel(simulation.server) == genericStart(start)
    } else {
      // Who has only models of one's own keeps them, or what they are made of, at the clients.
      isUnmoved =
        nobody && simulation.state.clients.isEmpty && simulation.server.model == start.model
    }
    guard isUnmoved || nobody else { return nil }
    return Stillness(
      label: label, seed: context.seed, rounds: simulation.round, isUnmoved: isUnmoved,
      cause: cause(records, nobody: nobody))
  }

  private func genericStart(_ start: ServerState) -> [Float]? {
    simulation.method.genericModel(start)
  }

  /// The likeliest reason, most certain first.
  private func cause(_ records: [RoundRecord], nobody: Bool) -> String {
    let federation = context.scenario.federation
    let system = context.scenario.system
    if nobody {
      if records.contains(where: { !($0.clock?.dropped ?? []).isEmpty }) {
        return "every client vanished before its work was done (system.dropout, availability)"
      }
      if records.contains(where: { !$0.sampled.isEmpty }) {
        return "no client that was drawn had anything to train on, or a budget left"
      }
      if let system, system.availability != .always {
        return "no client was there when it could be asked (system.availability)"
      }
      if context.privacy != nil, !simulation.state.clients.isEmpty {
        return "no client had a budget left (privacy.target)"
      }
      return "every cohort was empty: federation.\(federation.sampling.word) sampling draws "
        + "\(NumberText.short(federation.expectedCohort)) clients on average"
    }
    if case .buffered(let size) = simulation.method.schedule, simulation.asynchronousSteps == 0 {
      let arrived = records.reduce(0) { $0 + ($1.clock?.completed.count ?? 0) }
      return
        "the server waits for \(size) uploads before each step (buffer), and \(arrived) came in "
        + "all rounds"
    }
    let nothingCame = records.allSatisfy { $0.clock?.completed.isEmpty ?? true }
    if let seen = records.first?.clock, nothingCame {
      let words = seen.late.isEmpty ? "lost on the way (system.loss)" : "late (system.deadline)"
      return "no upload was taken in: all were \(words)"
    }
    if context.problem.settings.optimizer.learningRate == 0 { return "the learning rate is 0" }
    if context.compression != nil {
      return "what clients sent was nothing once it was decoded: the codec left no value over "
        + "(compression)"
    }
    return "what clients sent was no change: look at the learning rate, its schedule, and what the "
      + "method trains"
  }
}
