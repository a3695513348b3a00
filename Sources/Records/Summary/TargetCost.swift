import Base
import Scenario

extension AccuracyTarget {
  /// What a record says of the model; nil when it was not evaluated.
  func measured(_ record: RoundRecord) -> Double? {
    switch model {
    case .generic: record.generic?.accuracy
    case .personal: record.personal?.accuracy
    }
  }
}

/// What a run had spent when it reached an accuracy for the first time: totals over all rounds up
/// to that one, which is always a round that was evaluated.
package struct TargetCost: Sendable, Equatable {
  package var round: Int
  /// Bytes from clients to the server.
  package var bytesUp: Double
  /// Bytes from the server to clients.
  package var bytesDown: Double
  /// Bytes in both directions before the first round.
  package var bytesSetup: Double
  /// Floating-point operations of training; nil when a round's are not known, or nobody trained.
  package var flops: Double?
  /// Seconds on the federation's clock; nil when it has none.
  package var seconds: Double?

  /// The quantities in the order of files and tables; those that are absent, or were never spent
  /// before the first round, are nil.
  static let quantities: [Quantity] = [
    Quantity("round", "", "The round.") { Double($0.round) },
    Quantity("bytes.up", "bytes", "From clients to the server.") { $0.bytesUp },
    Quantity("bytes.down", "bytes", "From the server to clients.") { $0.bytesDown },
    Quantity("bytes.setup", "bytes", "Before the first round.", absent: "nothing was sent then") {
      $0.bytesSetup > 0 ? $0.bytesSetup : nil
    },
    Quantity("train.flops", "FLOP", "Operations of training.", absent: "not known in all rounds") {
      $0.flops
    },
    Quantity("time.virtual", "s", "On the virtual clock.", absent: "the scenario has no system") {
      $0.seconds
    },
  ]

  /// Something that a run spends.
  struct Quantity: Sendable {
    let name: String
    let unit: String
    let meaning: String
    let absent: String
    let read: @Sendable (TargetCost) -> Double?

    init(
      _ name: String, _ unit: String, _ meaning: String, absent: String = "",
      read: @escaping @Sendable (TargetCost) -> Double?
    ) {
      (self.name, self.unit, self.meaning) = (name, unit, meaning)
      (self.absent, self.read) = (absent, read)
    }
  }

  /// Reads a run; nil when no evaluated round reaches the target.
  package init?(_ run: StrategyRun, reaching target: AccuracyTarget) {
    let first = run.records.firstIndex { record in
      target.measured(record).map { $0 >= target.accuracy } ?? false
    }
    guard let first else { return nil }
    let spent = run.records[...first]
    round = run.records[first].round
    bytesUp = spent.reduce(0) { $0 + Double($1.bytes.up) }
    bytesDown = spent.reduce(0) { $0 + Double($1.bytes.down) }
    bytesSetup = spent.reduce(0) { $0 + Double($1.bytes.setup) }
    let trained = spent.compactMap(\.train)
    let flops = trained.compactMap(\.flops)
    self.flops = flops.isEmpty || flops.count < trained.count ? nil : flops.reduce(0, +)
    seconds = run.records[first].time.virtual
  }
}

/// What a strategy spent to reach an accuracy, over its seeds.
package struct TargetSummary: Sendable {
  package let target: AccuracyTarget
  /// All seeds, in the order given.
  package let seeds: [UInt64]
  /// Seeds under which the model was measured at all.
  package let measured: Int
  /// The cost by seed, of the seeds that reached it.
  package let costs: [UInt64: TargetCost]

  /// Reads the runs of a strategy.
  package init(_ runs: [StrategyRun], _ target: AccuracyTarget) {
    self.target = target
    seeds = runs.map(\.seed)
    measured = runs.count { run in run.records.contains { target.measured($0) != nil } }
    var costs: [UInt64: TargetCost] = [:]
    for run in runs { costs[run.seed] = TargetCost(run, reaching: target) }
    self.costs = costs
  }

  /// Seeds that reached it.
  package var reached: Int { costs.count }

  /// "2 of 3", or "-" where nothing was measured: a mean is never shown without it.
  package var reachedText: String { measured == 0 ? "-" : "\(reached) of \(seeds.count)" }

  /// The mean of a quantity over the seeds that reached it; nil without one, or when it is absent
  /// in some of them.
  package func mean(_ quantity: String) -> Double? {
    guard let read = TargetCost.quantities.first(where: { $0.name == quantity })?.read else {
      return nil
    }
    let values = seeds.compactMap { costs[$0].flatMap(read) }
    return values.isEmpty || values.count < reached ? nil : Metrics.mean(values)
  }

  /// The entry of `summary.json`.
  static let keys = Keys<Self>([
    Key("model", .text, "generic or personal.") { $0.target.model.rawValue },
    Key("accuracy", .number, unit: "share", "The accuracy asked for.") { $0.target.accuracy },
    Key("seeds", .integer, "Number of seeds.") { $0.seeds.count },
    Key("reached", .integer, "Seeds that reached it.") { $0.reached },
    Key(
      "mean",
      .object(costKeys { (summary: TargetSummary, quantity) in summary.mean(quantity.name) }),
      "Spent until then, over the seeds that reached it.",
      absent: "no seed did"
    ) { summary in summary.reached > 0 ? summary : nil },
    Key(
      "values",
      .list(.orNull(.object(costKeys { (cost: TargetCost, quantity) in quantity.read(cost) }))),
      "The same by seed; null where it was not reached."
    ) { summary in summary.seeds.map { summary.costs[$0] } },
  ])

  private static func costKeys<Cost>(
    _ read: @escaping @Sendable (Cost, TargetCost.Quantity) -> Double?
  ) -> Keys<Cost> {
    Keys(
      TargetCost.quantities.map { quantity in
        Key(quantity.name, .number, unit: quantity.unit, quantity.meaning, absent: quantity.absent)
        {
          read($0, quantity)
        }
      })
  }
}

extension ResultsTable {
  /// The rows of targets in `results.csv`: `target.reached` with 1 and the round, or 0 and the last
  /// round, and what was spent; the accuracy asked for is part of the path.
  static func targetRows(_ result: StrategyResult, _ targets: [AccuracyTarget]) -> [(
    seed: UInt64, round: Int, row: Row
  )] {
    result.runs.flatMap { run in
      targets.flatMap { target -> [(seed: UInt64, round: Int, row: Row)] in
        guard run.records.contains(where: { target.measured($0) != nil }) else { return [] }
        let cost = TargetCost(run, reaching: target)
        let spent = TargetCost.quantities.compactMap { quantity in
          cost.flatMap(quantity.read).map { (quantity.name, $0) }
        }
        return ([("reached", cost == nil ? 0 : 1)] + spent).map { metric, value in
          let path = "target.\(target.model.rawValue).\(CSV.number(target.accuracy))"
          let row = Row(metric: "\(path).\(metric)", value: value)
          return (run.seed, cost?.round ?? run.records.last?.round ?? 0, row)
        }
      }
    }
  }
}
