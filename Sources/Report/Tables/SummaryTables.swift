import Base
import Records
import Scenario

extension Table {
  /// The headline table: what every strategy reached and spent, a row for each.
  package static func headline(_ summary: Summary, _ style: ReportStyle = ReportStyle()) -> Table {
    // Names are checked where they are read.
    let columns = (try? headlineColumns(style)) ?? []
    return Table(of: summary.strategies, columns: columns)
  }

  /// The columns of the headline table, in every form that it is printed in: those asked for, or
  /// those that it has unless asked.
  ///
  /// - Throws: E2012 for a name that no column has (exit 2).
  package static func headlineColumns(_ style: ReportStyle) throws(Failure)
    -> [Column<Summary.Strategy>]
  {
    let usual = usualColumns(style)
    // Every other number of a run that is measured has a column, too.
    let others = HeadlineMetric.all.compactMap { ComparisonMetric($0.name) }.filter { metric in
      !usual.contains { $0.heading.name == metric.name }
    }.map { metric in
      let isAccuracy = metric.unit == .share && !metric.name.hasPrefix("privacy.")
      return Column<Summary.Strategy>(
        metric.name, unit: metric.unitText, isOptional: true, name: metric.name,
        better: isAccuracy ? metric.lowerIsBetter ? .lower : .higher : nil
      ) { strategy in
        let statistics = strategy.statistics(metric.name)
        let decimals = metric.unit == .share ? 1 : metric.decimals([statistics?.mean ?? 0])
        return .mean(statistics, scale: 1 / metric.scale, spread: style.spread) {
          metric.text($0, decimals)
        }
      }
    }
    let all = usual + others
    return style.columns.isEmpty ? usual : try Column.chosen(style.columns, from: all)
  }

  private static func usualColumns(_ style: ReportStyle) -> [Column<Summary.Strategy>] {
    let generic = ColumnGroup(title: "generic accuracy %", short: "generic %")
    let personal = ColumnGroup(title: "personal accuracy %", short: "personal %")
    let cost = ColumnGroup(title: "cost per run", short: "")
    let others = ColumnGroup(title: "best by validation", short: "best")
    let (shots, path) = (style.shots.words, style.shots.path)
    func share(
      _ title: String, _ metric: String, _ group: ColumnGroup, hasInterval: Bool = true,
      isBrief: Bool = false, isDetail: Bool = false, better: Heading.Better = .higher,
      note: String = ""
    ) -> Column<Summary.Strategy> {
      Column(
        title, in: group, isBrief: isBrief, isDetail: isDetail, isOptional: true, note: note,
        name: metric, better: better
      ) { strategy in
        .mean(
          strategy.statistics(metric), scale: 100, hasInterval: hasInterval, spread: style.spread
        ) { NumberText.percent($0) }
      }
    }
    return [
      .words("strategy") { $0.label },
      share(
        "all", "generic.accuracy", generic,
        note: "Generic: one model for all, on the global test set."),
      share(shots.head, path + ".head", generic, isBrief: true),
      share(shots.middle, path + ".middle", generic, isBrief: true),
      share(shots.tail, path + ".tail", generic, isBrief: true),
      share(
        "mean", "personal.accuracy", personal,
        note: "Personal: what each client gets, on its local test, each client counting the same."),
    ]
      // Personal models have groups by one rule only.
      + (style.shots == .head
        ? [share("tail", "personal.shots.tail", personal, hasInterval: false, isDetail: true)] : [])
      + [
        share("all classes", "personal.global", personal, hasInterval: false, isDetail: true),
        share(
          "std", "personal.fairness.std", personal, hasInterval: false, isDetail: true,
          better: .lower),
        share(
          "worst 10 %", "personal.fairness.worstDecile", personal, hasInterval: false,
          note: "Worst 10 %: mean of the worst tenth of the clients."),
        share("worst", "personal.fairness.worst", personal, hasInterval: false, isDetail: true),
        measure(
          "helped", "personal.fairness.helped", personal, scale: 100, better: .higher,
          note: "Helped: share of clients better than when training alone."
        ) { NumberText.percent($0, 0) + " %" },
        share(
          "unseen", "unseen.accuracy", personal, hasInterval: false,
          note: "Unseen: clients that were in no cohort, each on its local test."),
        share(
          "validation", "validation.generic.balancedAccuracy", others, hasInterval: false,
          isDetail: true),
        measure(
          "round", "validation.best", others, note: "Round: the best one by validation images."
        ) { NumberText.fixed($0, 1) },
        Column(
          "epsilon", in: cost, isOptional: true,
          note: "Epsilon: the largest of all clients and seeds; none: no guarantee; <=: an upper "
            + "bound, as between evaluations.", name: "privacy.epsilon.max"
        ) { $0.privacy.map(Cell.epsilon) ?? .missing },
        Column("delta", in: cost, isDetail: true, isOptional: true, name: "privacy.delta") {
          .number($0.privacy?.delta) { NumberText.plain($0) }
        },
        measure(
          "up", unit: "MB", "bytes.up", cost, scale: 1e-6,
          note: "Cost: encoded bytes of all messages of a run, in units of 10⁶ bytes."
        ) { NumberText.megabytes($0) },
        measure("down", unit: "MB", "bytes.down", cost, scale: 1e-6) { NumberText.megabytes($0) },
        measure("virtual", "time.virtual", cost) { NumberText.duration($0) },
        measure("wall", "time.wall", cost) { NumberText.duration($0) },
      ]
  }

  /// The mean over seeds of what differs little between them.
  private static func measure(
    _ title: String, unit: String = "", _ metric: String, _ group: ColumnGroup, scale: Double = 1,
    better: Heading.Better? = nil, note: String = "", _ display: @escaping (Double) -> String
  ) -> Column<Summary.Strategy> {
    Column(title, unit: unit, in: group, isOptional: true, note: note, name: metric, better: better)
    { strategy in
      .mean(strategy.statistics(metric), scale: scale, hasInterval: false, display)
    }
  }

  /// What every strategy spent to reach the accuracies that were asked for: a table for each.
  package static func targets(_ summary: Summary) -> [Table] {
    let count = summary.strategies.first?.targets.count ?? 0
    return (0..<count).map { index in
      Table(
        summary.strategies[0].targets[index].target.title,
        of: summary.strategies.map { ($0.label, $0.targets[index]) },
        columns: [
          .words("strategy") { $0.0 }, Column("seeds") { .text($0.1.reachedText) },
          spent("rounds", "", "round") { NumberText.fixed($0, 1) },
          spent("up", "MB", "bytes.up", scale: 1e-6) { NumberText.megabytes($0) },
          spent("down", "MB", "bytes.down", scale: 1e-6) { NumberText.megabytes($0) },
          spent("setup", "MB", "bytes.setup", scale: 1e-6, isOptional: true) {
            NumberText.megabytes($0)
          },
          spent("TFLOP", "", "train.flops", scale: 1e-12, isOptional: true) {
            NumberText.fixed($0 / 1e12, $0 < 1e14 ? 3 : 1)
          },
          spent("clock", "s", "time.virtual", isOptional: true) {
            NumberText.fixed($0, $0 < 100 ? 2 : 0)
          },
        ])
    }
  }

  /// What the numbers of `targets` are.
  static let targetNote =
    "Up to the first evaluated round that reaches the accuracy: means over the seeds that reached "
    + "it, and how many did"

  private static func spent(
    _ title: String, _ unit: String, _ quantity: String, scale: Double = 1,
    isOptional: Bool = false, _ display: @escaping (Double) -> String
  ) -> Column<(String, TargetSummary)> {
    Column(title, unit: unit, isOptional: isOptional) {
      .number($0.1.mean(quantity), scale: scale, display)
    }
  }
}

extension Cell {
  /// An ε; "none" without a guarantee.
  package static func epsilon(_ value: Double) -> Cell {
    value.isFinite ? .number(value) { NumberText.epsilon($0) } : .infinite
  }

  /// What privacy cost a strategy.
  package static func epsilon(_ spent: SpentPrivacy) -> Cell {
    var cell = epsilon(spent.epsilon)
    if spent.isBound { cell.text = "<=" + cell.text }
    return cell
  }
}

extension Summary {
  private typealias Number = (
    strategy: String, metric: String, statistic: String, seed: UInt64?, value: Double
  )

  private static let tidy = CSVTable<Number>([
    CSVColumn("strategy", "The strategy's label.") { $0.strategy },
    CSVColumn("metric", "As in summary.json.") { $0.metric },
    CSVColumn("statistic", "value of a seed; n, mean, std or halfWidth over seeds.") {
      $0.statistic
    }, CSVColumn("seed", "The seed.", absent: "over seeds") { $0.seed },
    CSVColumn("value", "The number; shares are in [0, 1].") { $0.value },
  ])

  /// What `report --csv` writes.
  package static let headlinePage = FilePage(
    "headline.csv", in: "where report --csv says", "The headline numbers, one a row.", tidy)

  /// Every headline number in a row of its own: of each seed, and the statistics over seeds.
  package var tidyCSV: String {
    var numbers: [Number] = []
    for strategy in strategies {
      for metric in HeadlineMetric.all {
        guard let bySeed = strategy.values[metric.name] else { continue }
        func add(_ statistic: String, _ value: Double?, seed: UInt64? = nil) {
          guard let value, value.isFinite else { return }
          numbers.append((strategy.label, metric.name, statistic, seed, value))
        }
        for seed in strategy.seeds { add("value", bySeed[seed], seed: seed) }
        let statistics = SeedStatistics(strategy.seeds.compactMap { bySeed[$0] })
        add("n", Double(statistics.count))
        add("mean", statistics.mean)
        add("std", statistics.standardDeviation)
        add("halfWidth", statistics.halfWidth)
      }
    }
    return Self.tidy.text(numbers)
  }
}

/// The summary at the end of a run, for a terminal.
package struct SummaryTable: Sendable {
  /// The scenario's name and conditions, a line each.
  package var header: [String]
  package var summary: Summary
  /// Which strategies are better, in the words of the report.
  package var comparisons: [Comparison]
  /// Whether to use bold for the headings.
  package var colour: Bool

  package init(
    header: [String], summary: Summary, comparisons: [Comparison] = [], colour: Bool = false
  ) {
    self.header = header
    self.summary = summary
    self.comparisons = comparisons
    self.colour = colour
  }

  /// The lines, each at most `width` columns (at least 60, at most 120): one table if it fits,
  /// else two or three.
  package func text(width: Int) -> String {
    let width = TerminalLayout.readable(width)
    let notes = summary.seedNote() + "; worst 10 % is the mean of the worst tenth of the clients"
    var lines = TextLines.wrapped(header + [notes], width) + [""]
    lines += Table.headline(summary).lines(
      TerminalLayout(width: width, names: 16...width, isBold: colour))
    // What few seeds cannot show is the same for all metrics.
    var said: [String] = []
    for sentence in comparisons.flatMap(\.sentences) where !said.contains(sentence) {
      said.append(sentence)
    }
    let sentences = TextLines.wrapped(said, width)
    if !sentences.isEmpty { lines += [""] + sentences }
    let targets = Table.targets(summary)
    if !targets.isEmpty {
      lines += [""] + TextLines.wrapped([Table.targetNote + ":"], width)
      for table in targets {
        // How many seeds reached it stands in every piece.
        lines += ["", table.title]
        lines += table.lines(TerminalLayout(width: width, names: 16...16, fixed: 2))
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension Summary {
  /// How many seeds there are, and what stands beside their mean.
  func seedNote(_ spread: Spread? = nil) -> String {
    let counts = strategies.map(\.seeds.count)
    return Spread.note(
      spread, seeds: counts.max() ?? 0, least: counts.filter { $0 > 1 }.min() ?? 0)
  }
}
