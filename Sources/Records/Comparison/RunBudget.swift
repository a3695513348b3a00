import Base

/// What a comparison may hold equal: runs are then read where they have spent the same.
package enum RunBudget: String, Sendable, CaseIterable {
  case rounds
  /// Optimizer steps of all clients.
  case steps
  /// Floating-point operations of training.
  case flops
  /// Encoded bytes both ways, and those before the first round.
  case bytes
  /// Seconds on the federation's clock.
  case seconds
  /// The largest ε of a run's clients.
  case epsilon

  /// What a run has spent up to and with each of its records; nil from where it is not known.
  ///
  /// O(records). Nobody trained: no steps and no operations.
  package func spent(_ records: [RoundRecord]) -> [Double?] {
    var total: Double? = 0
    return records.map { record in
      switch self {
      case .rounds: return Double(record.round)
      case .seconds: return record.time.virtual
      case .epsilon:
        // Between evaluations there is a bound by another accountant, which no run has spent: what
        // was spent at the last evaluation stands.
        guard let privacy = record.privacy, privacy.hasGuarantee else { return nil }
        if privacy.accountant == "pld" { total = privacy.epsilonMax }
      case .steps: total = total.map { $0 + Double(record.train?.steps ?? 0) }
      case .flops:
        let flops: Double? = record.train == nil ? 0 : record.train?.flops
        total = total.flatMap { sum in flops.map { sum + $0 } }
      case .bytes:
        let bytes = record.bytes
        total = total.map { $0 + Double(bytes.up) + Double(bytes.down) + Double(bytes.setup) }
      }
      return total
    }
  }

  /// The amount with its unit.
  package func text(_ amount: Double) -> String {
    switch self {
    case .rounds: "\(NumberText.fixed(amount, 0)) rounds"
    case .steps: "\(NumberText.fixed(amount, 0)) steps"
    case .flops: "\(NumberText.fixed(amount / 1e12, amount < 1e14 ? 4 : 1)) TFLOP"
    case .bytes: "\(NumberText.fixed(amount / 1e6, amount < 1e8 ? 3 : 0)) MB"
    case .seconds: "\(NumberText.fixed(amount, 2)) simulated seconds"
    case .epsilon: "epsilon \(NumberText.epsilon(amount, 3))"
    }
  }

  /// Why it is not known of a run.
  var absence: String {
    switch self {
    case .rounds, .steps, .bytes: "it has no rounds"
    case .flops: "its records do not count operations"
    case .seconds: "it has no clock: the scenario has no system"
    case .epsilon: "it has no guarantee"
    }
  }
}

extension RunBudget {
  /// The largest budget that every run has used: the smallest total of those that spend anything.
  ///
  /// Runs that spend nothing, such as local training in bytes, stay within any budget. nil when no
  /// run spends anything.
  package static func common(_ totals: [Double]) -> Double? { totals.filter { $0 > 0 }.min() }

  /// The records up to the last evaluated one whose cost is within `limit`; nil without one.
  ///
  /// - Parameters:
  ///   - limit: the budget; sums that differ from it by rounding alone are within.
  ///   - run: a run whose costs are known.
  /// - Returns: the first part of the run, and what it had spent.
  func within(_ limit: Double, _ run: StrategyRun) -> (run: StrategyRun, spent: Double)? {
    let costs = spent(run.records)
    let bound = limit * (1 + 1e-12)
    let last = run.records.indices.last { index in
      let record = run.records[index]
      guard record.generic != nil || record.personal != nil, let cost = costs[index] else {
        return false
      }
      return cost <= bound
    }
    guard let last, let cost = costs[last] else { return nil }
    return (StrategyRun(seed: run.seed, records: Array(run.records[...last])), cost)
  }
}
