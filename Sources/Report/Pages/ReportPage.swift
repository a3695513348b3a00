import Base
import Client
import Data
import Records

/// `report.html`, section by section.
struct ReportPage {
  let input: ReportInput
  let summary: Summary

  init(_ input: ReportInput) {
    self.input = input
    summary = Summary(input.strategies, targets: input.targets)
  }

  var page: Page {
    var page = Page(
      title: input.title,
      lead: input.conditions + [summary.seedNote(input.style.spread)]
        + (input.folders.count > 1 ? ["from \(input.folders.joined(separator: ", "))"] : []),
      sections: [
        Page.Section("Results", results), Page.Section("Which is better", comparisons),
        Page.Section("Cost to a target", targets), Page.Section("Learning curves", curves),
        Page.Section("Classes", classes), Page.Section("Clients", clients),
        Page.Section("Accuracy against cost", costs), Page.Section("Privacy", privacy),
        Page.Section("Diagnostics", diagnostics), Page.Section("Exact settings", settings),
        Page.Section("Sources", sources),
      ])
    page.warnings = (input.warnings.count == 1 ? "Warning" : "Warnings", input.warnings)
    page.hasContents = true
    return page
  }

  private var hasSeeds: Bool { summary.strategies.contains { $0.seeds.count >= 2 } }

  func series(_ label: String) -> Plot.Series { Plot.Series(label, input.index(label)) }

  // MARK: - What came out

  private var results: [Page.Block] {
    var table = Table.headline(summary, input.style)
    table.note = [input.shotNote, table.note].filter { !$0.isEmpty }.joined(separator: " ")
    return [.table(table)]
  }

  private var targets: [Page.Block] {
    let tables = Table.targets(summary)
    if tables.isEmpty { return [] }
    return tables.map(Page.Block.table) + [
      .note(
        Table.targetNote
          + ". Setup: bytes in both directions before the first round. A dash: not reached by any "
          + "seed, or not known.")
    ]
  }

  private var curves: [Page.Block] {
    func curve(
      _ title: String, _ yTitle: String = "accuracy %",
      within bounds: ClosedRange<Double> = 0...100, _ value: (RoundRecord) -> Double?
    ) -> Plot? {
      .curves(
        title, yTitle, input.strategies, within: bounds, spread: input.style.spread,
        value: value)
    }
    let plots = [
      curve("Generic accuracy") { $0.generic.map { 100 * $0.accuracy } },
      curve("Personal accuracy", "mean over clients, accuracy %") {
        $0.personal.map { 100 * $0.accuracy }
      },
      curve("Generic accuracy on \(input.style.shots.words.tail) classes") {
        (input.style.shots.shots($0.generic)?.tail).map { 100 * $0 }
      },
      curve("Calibration error of the generic model", "ECE %") {
        ($0.generic?.ece).map { 100 * $0 }
      }, curve("Training loss", "cross-entropy per example", within: 0...1e300) { $0.train?.loss },
    ].compactMap(\.self)
    if plots.isEmpty { return [] }
    let note = "Lines: mean over seeds. " + input.bandNote
    return [.note(hasSeeds ? note : ""), .plots(plots)]
  }

  private var classes: [Page.Block] {
    let count = input.classCounts.count
    let accuracies = input.strategies.enumerated().compactMap {
      index, strategy -> (Plot.Series, [Double])? in
      let finals = strategy.runs.compactMap { $0.lastGeneric?.perClass }.filter {
        $0.count == count
      }
      if finals.isEmpty { return nil }
      return (
        Plot.Series(strategy.label, index),
        (0..<count).map { label in Metrics.mean(finals.map { $0[label] }) }
      )
    }
    guard
      let plot = Plot.classes(
        input.classNames, input.classCounts, accuracies, shots: input.style.shots)
    else {
      return []
    }
    return [
      .note("Generic model at its last evaluation" + (hasSeeds ? ", mean over seeds." : ".")),
      .plots([plot]), .details("Every class by its name", [.table(named(accuracies))]),
    ]
  }

  /// The numbers of the figure, where classes have names.
  private func named(_ accuracies: [(series: Plot.Series, values: [Double])]) -> Table {
    let groups = ShotGroups.cumulativeShare(input.classCounts)?.groups
    let columns: [Column<Int>] = [
      .words("class") { "\($0) \(input.classNames[$0])" },
      Column("group", isText: true, isOptional: true) { label in
        groups.map { .text($0[label].rawValue) } ?? .missing
      }, Column("images") { .count(input.classCounts[$0]) },
    ]
    let isNamed = input.classNames.count == input.classCounts.count
    return Table(
      of: isNamed ? Array(input.classCounts.indices) : [],
      columns: columns
        + accuracies.map { one in
          Column(one.series.label, unit: "%") { label in
            .number(one.values[label], scale: 100) { NumberText.percent($0) }
          }
        })
  }

  /// What accuracy cost: over megabytes, and over the federation's clock.
  private var costs: [Page.Block] {
    let axes = [("megabytes", CurveAxis.megabytes), ("simulated seconds", .seconds)]
    let plots = axes.flatMap { name, axis -> [Plot?] in
      func curve(_ title: String, _ value: (RoundRecord) -> Double?) -> Plot? {
        .curves(
          "\(title) accuracy against \(name)", "accuracy %", input.strategies, over: axis,
          spread: input.style.spread, value: value)
      }
      return [
        curve("Generic") { $0.generic.map { 100 * $0.accuracy } },
        // Methods without a generic model have this one alone.
        curve("Personal") { $0.personal.map { 100 * $0.accuracy } },
      ]
    }.compactMap(\.self)
    if plots.isEmpty { return [] }
    var note =
      "Curves join evaluations; what was spent until then is a mean over seeds, as is the "
      + "accuracy. Megabytes count encoded bytes both ways, and what was sent before the first "
      + "round. " + (hasSeeds ? input.bandNote : "")
    let silent = CurveAxis.megabytes.silent(input.strategies)
    if !silent.isEmpty {
      note += " Not shown, because they send nothing: \(silent.joined(separator: ", "))."
    }
    return [.note(note), .plots(plots)]
  }

  // MARK: - Which strategy is better, by how much, how sure, and at what cost

  private var comparisons: [Page.Block] {
    guard let first = input.comparisons.first else { return [] }
    let note =
      "Strategies against one that is fixed before anything is read, on the seeds that both have: "
      + "under one seed all have the same split, initial weights, cohorts and batches. "
      + "Difference: strategy - baseline with its 95 % interval (paired t, not adjusted). Seeds "
      + "and clients: wins/ties/losses; clients of one run share a model, so they describe and "
      + "do not test. t Holm: p of the paired t test after Holm's correction; it decides "
      + "\"separated\". Sign flip: exact permutation p, and the least it could be with so many "
      + "seeds. ~: approximate. In figures an arrow says that an interval goes on."
    return [.note(note)] + input.comparisons.flatMap(blocks) + spent(first.baseline)
  }

  private func blocks(_ comparison: Comparison) -> [Page.Block] {
    let metric = comparison.metric
    let unit = metric.unitText.isEmpty ? "" : ", \(metric.unitText)"
    // A strategy without any value has its sentence already.
    let silent = comparison.rows.filter(\.values.isEmpty).map { "left out: \($0.label) has no " }
    let leftOut = comparison.leftOut.filter { line in !silent.contains { line.hasPrefix($0) } }
    let plot = Plot.differences(comparison, index: input.index)
    return [
      .heading("\(metric.name)\(unit)"),
      .box(comparison.budgetLines + comparison.sentences + leftOut),
      .table(.comparison(comparison, spread: input.style.spread)), .plots(plot.map { [$0] } ?? []),
    ]
  }

  /// What every strategy spent, beside the baseline.
  private func spent(_ baseline: String) -> [Page.Block] {
    func means(_ metric: ComparisonMetric) -> [SeedStatistics] {
      input.strategies.map { SeedStatistics($0.runs.compactMap(metric.read)) }
    }
    let reference = input.index(baseline)
    var columns: [Column<Int>] = [.words("strategy") { input.strategies[$0].label }]
    for (name, title) in [
      ("bytes.total", "MB"), ("train.flops", "TFLOP"), ("time.virtual", "simulated s"),
    ] {
      guard let metric = ComparisonMetric(name), case let means = means(metric),
        means.contains(where: { $0.count > 0 })
      else { continue }
      let decimals = metric.decimals(means.map(\.mean))
      columns.append(
        Column(title) { index in
          .mean(means[index], scale: 1 / metric.scale, hasInterval: false) {
            metric.text($0, decimals)
          }
        })
      columns.append(
        Column("of \(baseline)'s") { index in
          let (own, other) = (means[index], means[reference])
          guard own.count > 0, other.count > 0, other.mean > 0 else { return .missing }
          return .number(own.mean / other.mean) { "× " + NumberText.fixed($0, 2) }
        })
    }
    if columns.count == 1 { return [] }
    return [
      .table(
        Table(
          "At what cost", of: Array(input.strategies.indices), columns: columns,
          note: "Means over seeds of whole runs: encoded bytes both ways and before the first "
            + "round, floating-point operations of all clients' training, and the federation's "
            + "clock where it has one. The table of results has the wall time of this machine."))
    ]
  }

  // MARK: - Clients

  private var clients: [Page.Block] {
    var blocks: [Page.Block] = []
    if !input.clients.isEmpty {
      let many = input.clients.contains { $0.scores.count > Plot.mostDots }
      let plots = [
        Plot.spread(
          "Accuracy over clients", "accuracy on the client's local test, %",
          input.clients.map { one in (series(one.label), one.scores.map { 100 * $0.accuracy }) }),
        Plot.spread(
          "What clients gain over training alone",
          "points of accuracy; right of zero: better than alone",
          gains.map { (series($0.label), $0.points) }, marked: 0),
      ].compactMap(\.self)
      blocks = [
        .note(
          "At the last evaluation, every client under every seed. Box: quartiles and median; "
            + "whiskers: 10th and 90th percentile"
            + (many ? "; points are left out beyond \(Plot.mostDots)." : "; points: clients.")),
        .plots(plots), .table(benefit), .table(worst),
      ]
    }
    if let plot = Plot.holdings(input.classNames, input.clientClassCounts) {
      blocks.append(.plots([plot]))
    }
    return blocks
  }

  /// Points of accuracy over training alone, where that is known.
  private var gains: [(label: String, points: [Double])] {
    input.clients.compactMap { one in
      let points = one.scores.compactMap { score in score.alone.map { 100 * (score.accuracy - $0) }
      }
      return points.isEmpty ? nil : (one.label, points)
    }
  }

  private var benefit: Table {
    func signed(_ value: Double) -> Cell { .number(value) { NumberText.fixed($0, 1, plus: true) } }
    return Table(
      "Benefit over training alone", of: gains,
      columns: [
        .words("strategy") { $0.label }, Column("better") { .count(WinTieLoss($0.points).wins) },
        Column("as good") { .count(WinTieLoss($0.points).ties) },
        Column("worse") { .count(WinTieLoss($0.points).losses) },
        Column("median gain") { signed(Metrics.median($0.points)) },
        Column("10 % gain less than") { signed(Metrics.percentile($0.points, 0.1)) },
        Column("largest loss") { .number(min(0, $0.points.min() ?? 0), 1) },
      ])
  }

  /// Clients named in the table of those who fare worst.
  private static let mostNamed = 10

  /// The clients with the lowest accuracy on average over strategies.
  private var worst: Table {
    struct Client {
      let seed: UInt64
      let client: Int
      var images: Int?
      var accuracy: [String: Double] = [:]
      var mean = 0.0
    }
    var known: [[UInt64]: Client] = [:]
    for one in input.clients {
      for score in one.scores {
        let key = [score.seed, UInt64(score.client)]
        known[key, default: Client(seed: score.seed, client: score.client, images: score.images)]
          .accuracy[one.label] = score.accuracy
      }
    }
    let ranked = known.values.map { client in
      var client = client
      client.mean = Metrics.mean(input.clients.compactMap { client.accuracy[$0.label] })
      return client
    }.sorted { ($0.mean, $0.seed, $0.client) < ($1.mean, $1.seed, $1.client) }
    func share(_ value: Double?) -> Cell { .number(value, scale: 100) { NumberText.percent($0) } }
    let columns: [Column<Client>] = [
      Column("client") { .count($0.client) }, Column("seed") { .text("\($0.seed)") },
      Column("images") { $0.images.map { .count($0) } ?? .missing },
      Column("mean", unit: "%") { share($0.mean) },
    ]
    return Table(
      "Clients that fare worst", of: ranked.count > 1 ? Array(ranked.prefix(Self.mostNamed)) : [],
      columns: columns
        + input.clients.map { one in Column(one.label) { share($0.accuracy[one.label]) } },
      note: "By the mean of their accuracy over strategies, in %; each seed has a partition of its "
        + "own.")
  }

  // MARK: - The last sections

  private var settings: [Page.Block] {
    var blocks: [Page.Block] = []
    if !input.command.isEmpty { blocks = [.prose("To repeat these runs:"), .code(input.command)] }
    var differences = Table.differences(input.differences, folders: input.folders)
    differences.title = "What differs between the folders"
    blocks.append(.table(differences))
    if input.scenario.members?.isEmpty == false {
      let whose = input.folders.first.map { " of \($0)" } ?? ""
      blocks.append(.details("Scenario with every default\(whose)", [.code(input.scenario.pretty)]))
    }
    let last = input.strategies.flatMap { strategy in
      strategy.runs.compactMap { run in run.records.last.map { (strategy.label, run.seed, $0) } }
    }
    let digests = Table(
      of: last,
      columns: [
        .words("strategy") { $0.0 }, Column("seed") { .text("\($0.1)") },
        Column("round") { .count($0.2.round) }, .words("digest") { $0.2.digest },
      ])
    return blocks + [.details("Digests of the final state", [.table(digests)])]
  }

  private var sources: [Page.Block] {
    input.references.isEmpty ? [] : [.terms(input.references.map { ($0.title, $0.source) })]
  }
}
