import Base

/// What a comparison says, in words.
extension Comparison {
  /// One sentence for each strategy against the baseline, then what the numbers cannot tell.
  package var sentences: [String] {
    let others = rows.filter { $0.label != baseline }
    if others.isEmpty { return ["\(baseline) is alone: there is nothing to compare it with"] }
    let tests = others.count { $0.versus != nil }
    let measured = others.filter { !$0.values.isEmpty }
    let lacking = others.filter(\.values.isEmpty).map(\.label).joined(separator: ", ")
    return measured.map { sentence($0, tests: tests) }
      + (lacking.isEmpty ? [] : ["no \(metric.name): \(lacking)"]) + limits(others, tests: tests)
  }

  private func sentence(_ row: Row, tests: Int) -> String {
    let head = "\(row.label) - \(baseline), \(metric.name)"
    guard let versus = row.versus else { return head + ": no seed in common" }
    let difference = versus.difference
    let n = difference.seeds.count
    if difference.differences.allSatisfy({ $0 == 0 }) { return head + ": equal on every seed" }
    let decimals = decimals
    let mean = difference.statistics.mean
    let amount = metric.text(mean, decimals, plus: true) + metric.differenceUnit
    guard let half = difference.statistics.halfWidth else {
      return "\(head): \(amount) (single common seed: no interval, no test)"
    }
    let low = metric.text(mean - half, decimals, plus: true)
    let high = metric.text(mean + half, decimals, plus: true)
    let verdict = versus.isSeparated == true ? "separated" : "not separated"
    let family = tests > 1 ? " after Holm over \(tests) comparisons" : ""
    var text = "\(head): \(amount) [\(low), \(high)]: \(verdict) at 95 %\(family) (paired t, p "
    text += Self.probability(versus.holm.student) + "); "
    return text + "better on \(versus.seeds.wins) of \(n) seeds"
  }

  /// How little few seeds can show, and what is not alike.
  private func limits(_ others: [Row], tests: Int) -> [String] {
    var texts: [String] = []
    let counts = Set(others.compactMap { $0.versus?.difference.seeds.count }).sorted()
    for n in counts {
      let least = SignFlipTest.attainable(pairs: n)
      guard least * Double(max(1, tests)) > 0.05 else { continue }
      if least <= 0.05 {
        texts.append(
          "\(n) seeds cannot reach 0.05 by sign flips after Holm over \(tests) comparisons; "
            + "\(HolmCorrection.seedsNeeded(tests: tests)) seeds can")
        continue
      }
      var text = "\(n) seed\(n == 1 ? "" : "s") cannot reach p < \(Self.probability(min(1, least)))"
      text += " by sign flips; \(HolmCorrection.seedsNeeded(tests: 1)) seeds reach 0.05"
      if tests > 1 {
        text += ", \(HolmCorrection.seedsNeeded(tests: tests)) after Holm over \(tests) comparisons"
      }
      texts.append(text)
    }
    for row in others {
      guard let versus = row.versus else { continue }
      let own = row.seeds
      let theirs = rows.first { $0.label == baseline }?.seeds ?? []
      let common = versus.difference.seeds
      if common.count < own.count || common.count < theirs.count {
        texts.append(
          "\(row.label) - \(baseline) is over the \(common.count) common seed"
            + "\(common.count == 1 ? "" : "s"): \(row.label) has \(own.count), "
            + "\(baseline) \(theirs.count)")
      }
      if let draws = versus.signFlip.draws {
        texts.append(
          "\(row.label): sign-flip p from \(draws) drawn assignments of signs, not from all")
      }
    }
    return texts
  }

  /// Digits after the point for values of the metric.
  package var decimals: Int {
    metric.decimals(rows.filter { !$0.values.isEmpty }.map(\.statistics.mean))
  }

  /// A probability with four digits after the point, or as a bound below that.
  package static func probability(_ p: Double?) -> String {
    guard let p else { return "-" }
    if p < 0.00005 { return "<0.0001" }
    var text = NumberText.fixed(p, 4)
    while text.hasSuffix("0"), !text.hasSuffix(".0") { text.removeLast() }
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// What is held equal, and where each run was read; empty without a budget.
  package var budgetLines: [String] {
    guard let budget = settings.budget else { return [] }
    guard let limit else { return ["equal budget: no run spends any \(budget.rawValue)"] }
    let places = rows.map { row -> String in
      let rounds = row.readings.sorted { $0.key < $1.key }
      let texts = rounds.map { "\($0.value.round)" }
      // Methods usually stop at one round whatever the seed.
      let isOne = Set(texts).count == 1
      let seeds =
        isOne ? texts[0] : zip(rounds, texts).map { "s\($0.key):\($1)" }.joined(separator: " ")
      return "\(row.label) \(texts.isEmpty ? "-" : seeds)"
    }
    return [
      "equal budget: at most \(budget.text(limit)), the smallest total of all runs",
      "read at round: " + places.joined(separator: ", "),
    ]
  }
}
