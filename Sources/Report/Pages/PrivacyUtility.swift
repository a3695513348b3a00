import Base
import Records

/// Methods over several ε: what privacy costs each of them, and how they differ at the same ε.
package struct PrivacyUtility: Sendable {
  /// The runs of a method at one ε; infinite without privacy, or without a guarantee.
  package struct Group: Sendable {
    package let method: String
    package let epsilon: Double
    package let runs: [StrategyRun]

    /// `target`: the ε that was asked for, which names the group; nil names it by what was spent.
    package init(method: String, target: Double?, runs: [StrategyRun]) {
      self.method = method
      self.runs = runs
      let spent = SpentPrivacy(runs)?.epsilon ?? .infinity
      epsilon = spent.isFinite ? target ?? spent : .infinity
    }
  }

  private let groups: [Group]
  private let methods: [String]
  /// Ascending, without privacy last.
  private let epsilons: [Double]
  private let metric: ComparisonMetric
  private let spread: Spread?

  /// Nil where there are not two ε, or no accuracy.
  package init?(_ groups: [Group], spread: Spread? = nil) {
    let known = HeadlineMetric.compared.compactMap(ComparisonMetric.init).first { metric in
      groups.contains { group in group.runs.contains { metric.read($0) != nil } }
    }
    guard let metric = known else { return nil }
    self.metric = metric
    self.spread = spread
    self.groups = groups.filter { group in group.runs.contains { metric.read($0) != nil } }
    epsilons = Set(self.groups.map(\.epsilon)).sorted()
    methods = self.groups.reduce(into: []) { if !$0.contains($1.method) { $0.append($1.method) } }
    guard epsilons.count > 1 else { return nil }
  }

  /// The groups of strategies, each of which has one ε.
  package init?(_ strategies: [ComparedStrategy], spread: Spread?) {
    self.init(
      strategies.map { strategy in
        Group(
          method: strategy.method, target: strategy.target,
          runs: strategy.seeds.compactMap { strategy.runs[$0]?.run })
      }, spread: spread)
  }

  package func blocks(_ conditions: String = "") -> [Page.Block] {
    let note =
      "A line for each method, at the ε that were asked for; \"none\": without privacy. Bars and "
      + "brackets: \((spread ?? .usual(most)).words). " + conditions
    return [.heading("\(metric.name) over epsilon"), .note(note), .plots([plot])]
      + ([values] + differences).map(Page.Block.table)
  }

  private var most: Int { groups.map(\.runs.count).max() ?? 0 }

  private func group(_ method: String, _ epsilon: Double) -> Group? {
    groups.first { $0.method == method && $0.epsilon == epsilon }
  }

  private func bySeed(_ group: Group?) -> [UInt64: Double] {
    var values: [UInt64: Double] = [:]
    for run in group?.runs ?? [] { values[run.seed] = metric.read(run) }
    return values
  }

  private func statistics(_ group: Group) -> SeedStatistics {
    SeedStatistics(group.runs.compactMap(metric.read))
  }

  private static func words(_ epsilon: Double) -> String {
    guard epsilon.isFinite else { return "none" }
    return epsilon == epsilon.rounded()
      ? NumberText.fixed(epsilon, 0) : NumberText.epsilon(epsilon)
  }

  // MARK: - What is shown

  package var plot: Plot {
    var marks: [Plot.Mark] = []
    var all: [Double] = []
    var words: [String] = []
    let finite = epsilons.filter(\.isFinite)
    for (index, method) in methods.enumerated() {
      let series = Plot.Series(method, index)
      var points: [Plot.Point] = []
      for epsilon in epsilons {
        guard let group = group(method, epsilon) else { continue }
        let statistics = statistics(group)
        let mean = 100 * statistics.mean
        points.append(Plot.Point(epsilon, mean))
        all.append(mean)
        words.append(
          "\(method): \(NumberText.fixed(mean, 1)) % at \(epsilon.isFinite ? "epsilon " : "")"
            + Self.words(epsilon))
        guard let ends = statistics.ends(spread), ends.high > ends.low else { continue }
        let (low, high) = (100 * max(0, ends.low), 100 * min(1, ends.high))
        marks.append(
          .interval(series, from: Plot.Point(epsilon, low), to: Plot.Point(epsilon, high)))
        all += [low, high]
      }
      marks += [.line(series, points), .points(series, points, size: 4.4)]
    }
    var x = Plot.Axis("epsilon", costs: epsilons, ratio: 1.5)
    x.scale = x.scale.marked(at: finite)
    let (low, high) = (all.min() ?? 0, all.max() ?? 1)
    var plot = Plot(
      title: "\(metric.name) over epsilon", description: words.joined(separator: "; ") + ".", x: x,
      y: Plot.Axis(
        "\(metric.name) %; bars: \((spread ?? .usual(most)).words)",
        .linear(Plot.fromZero(low, high))), marks: marks,
      legend: methods.enumerated().map { Plot.Series($1, $0) })
    plot.dodge = 5
    return plot
  }

  /// Methods × ε.
  private var values: Table {
    Table(
      "\(metric.name) by epsilon, %", of: methods,
      columns: [.words("strategy") { $0 }]
        + epsilons.map { epsilon in
          Column(Self.words(epsilon), better: .higher) { method in
            .mean(group(method, epsilon).map(statistics), scale: 100, spread: spread) {
              NumberText.percent($0)
            }
          }
        })
  }

  /// Differences by seed: of methods at the same ε, and of each method from its runs without
  /// privacy.
  private var differences: [Table] {
    var tables: [Table] = []
    if methods.count > 1, let first = methods.first {
      tables.append(
        paired("Difference from \(first) at the same epsilon", Array(methods.dropFirst()), epsilons)
        {
          group(first, $1)
        })
    }
    if epsilons.last == .infinity {
      tables.append(
        paired("Difference from no privacy", methods, epsilons.filter(\.isFinite)) { method, _ in
          group(method, .infinity)
        })
    }
    return tables
  }

  private func paired(
    _ title: String, _ methods: [String], _ epsilons: [Double],
    from reference: (String, Double) -> Group?
  ) -> Table {
    let all = methods.map { method in
      epsilons.map { epsilon in
        PairedDifference(bySeed(group(method, epsilon)), minus: bySeed(reference(method, epsilon)))
          .statistics
      }
    }
    let adjusted = HolmCorrection.adjusted(all.joined().map(\.studentP))
    func cell(_ row: Int, _ column: Int) -> Cell {
      let statistics = all[row][column]
      if statistics.count == 0 { return .missing }
      func text(_ value: Double) -> String { NumberText.fixed(100 * value, 1, plus: true) }
      var cell = Cell.number(statistics.mean, scale: 100, text)
      if let half = statistics.halfWidth {
        cell.interval = " [\(text(statistics.mean - half)), \(text(statistics.mean + half))]"
        cell.halfWidth = 100 * half
      }
      if let p = adjusted[row * epsilons.count + column], p <= 0.05 { cell.interval += " *" }
      return cell
    }
    return Table(
      title + ", points", of: Array(methods.indices),
      columns: [.words("strategy") { methods[$0] }]
        + epsilons.enumerated().map { place, epsilon in
          Column(Self.words(epsilon)) { cell($0, place) }
        },
      note: "Means over the seeds that both have, with 95 % intervals (paired t, not adjusted); *: "
        + "separated at 95 % after Holm over the \(adjusted.count { $0 != nil }) differences of "
        + "this table.")
  }
}
