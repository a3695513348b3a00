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
  static let quantities: [(name: String, read: @Sendable (TargetCost) -> Double?)] = [
    ("round", { Double($0.round) }), ("bytes.up", { $0.bytesUp }), ("bytes.down", { $0.bytesDown }),
    ("bytes.setup", { $0.bytesSetup > 0 ? $0.bytesSetup : nil }), ("train.flops", { $0.flops }),
    ("time.virtual", { $0.seconds }),
  ]

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
  ///
  /// | key | |
  /// |---|---|
  /// | `model`, `accuracy` | the target |
  /// | `seeds`, `reached` | number of seeds, and of those that reached it |
  /// | `mean` | over the seeds that reached it; absent without one |
  /// | `values` | per seed, in the order of the strategy's `seeds`: what was spent, or null |
  ///
  /// `mean` and `values` have `round`, `bytes.up`, `bytes.down`, and where they are known
  /// `bytes.setup`, `train.flops`, `time.virtual`.
  package var json: JSON {
    let quantities = TargetCost.quantities
    return .known([
      ("model", .string(target.model.rawValue)), ("accuracy", .number(target.accuracy)),
      ("seeds", .int(seeds.count)), ("reached", .int(reached)),
      ("mean", reached > 0 ? .numbers(quantities.map { ($0.name, mean($0.name)) }) : nil),
      (
        "values",
        .array(
          seeds.map { costs[$0] }.map { cost in
            cost.map { cost in .numbers(quantities.map { ($0.name, $0.read(cost)) }) } ?? .null
          })
      ),
    ])
  }
}

extension ResultsTable {
  /// The rows of targets in `results.csv`: `target.reached` with 1 and the round, or 0 and the last
  /// round, and what was spent; `group` is the accuracy asked for.
  static func targetLines(_ result: StrategyResult, _ targets: [AccuracyTarget]) -> [String] {
    result.runs.flatMap { run in
      targets.flatMap { target -> [String] in
        guard run.records.contains(where: { target.measured($0) != nil }) else { return [] }
        let cost = TargetCost(run, reaching: target)
        func line(_ metric: String, _ value: Double) -> String {
          CSV.line([
            result.label, "\(run.seed)", "\(cost?.round ?? run.records.last?.round ?? 0)",
            "target.\(target.model.rawValue).\(CSV.number(target.accuracy)).\(metric)",
            CSV.number(value),
          ])
        }
        let spent = TargetCost.quantities.compactMap { quantity in
          cost.flatMap(quantity.read).map { line(quantity.name, $0) }
        }
        return [line("reached", cost == nil ? 0 : 1)] + spent
      }
    }
  }
}
