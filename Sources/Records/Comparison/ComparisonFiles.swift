import Base

extension Comparison {
  /// The comparison as an object: what `compare --format json` answers.
  package var json: JSON { Self.keys.json(self) }

  package static let keys = Keys<Self>([
    Key("metric", .text, "What is compared: a path of rounds.jsonl, or a total.") {
      $0.metric.name
    },
    Key("unit", .text, "share, bytes, operations, seconds or plain.") { $0.metric.unit.rawValue },
    Key("lowerIsBetter", .flag, "Whether less is better.") { $0.metric.lowerIsBetter },
    Key("baseline", .text, "The strategy that the others are compared with.") { $0.baseline },
    Key("tieMargin", .number, "Differences up to this are ties.") { $0.settings.tieMargin },
    Key(
      "budget", .object(budgetKeys), "What is held equal.", absent: "runs are read at their end"
    ) { $0.settings.budget == nil ? nil : $0 },
    Key("strategies", .list(.object(Row.keys)), "A row for each.") { $0.rows },
    Key("sentences", .list(.text), "The same in words.") { $0.sentences },
    Key("leftOut", .list(.text), "What is not in the numbers.") { $0.leftOut },
  ])

  private static let budgetKeys = Keys<Self>([
    Key("kind", .text, "rounds, steps, flops, bytes, seconds or epsilon.") {
      $0.settings.budget?.rawValue
    },
    Key("limit", .orNull(.number), "The smallest total of all runs; null: none spends any.") {
      .some($0.limit)
    },
  ])

  private typealias Number = (
    row: String, baseline: String, metric: String, statistic: String, seed: UInt64?, value: Double
  )

  private static let table = CSVTable<Number>([
    CSVColumn("strategy", "The strategy's label.") { $0.row },
    CSVColumn("baseline", "The strategy that it is compared with.") { $0.baseline },
    CSVColumn("metric", "What is compared.") { $0.metric },
    CSVColumn(
      "statistic", "The key of a strategy in compare --format json, with those below versus."
    ) { $0.statistic },
    CSVColumn("seed", "The seed.", absent: "over all seeds") { $0.seed },
    CSVColumn("value", "The number, in the metric's own unit.") { $0.value },
  ])

  /// What `compare` writes with --csv, and answers with --format json.
  package static let pages = [
    FilePage("compare.csv", in: "folder of compare --out", "A comparison, a number a row.", table),
    FilePage(
      "compare.json", in: "standard output of compare --format json, key comparison",
      "A comparison with all tests.", keys),
  ]

  /// The tidy table `compare.csv`: one row per number.
  package var csv: String {
    Self.table.text(
      rows.flatMap { row in
        var numbers: [Number] = []
        func add(_ statistic: String, _ value: Double?, seed: UInt64? = nil) {
          guard let value, value.isFinite else { return }
          numbers.append((row.label, baseline, metric.name, statistic, seed, value))
        }
        for seed in row.seeds { add("value", row.values[seed], seed: seed) }
        for (seed, reading) in row.readings.sorted(by: { $0.key < $1.key }) {
          add("readAt.round", Double(reading.round), seed: seed)
          add("readAt.spent", reading.spent, seed: seed)
        }
        add("n", Double(row.statistics.count))
        add("mean", row.statistics.mean)
        add("std", row.statistics.standardDeviation)
        add("halfWidth", row.statistics.halfWidth)
        guard let tests = row.versus else { return numbers }
        for (seed, value) in zip(tests.difference.seeds, tests.difference.differences) {
          add("difference", value, seed: seed)
        }
        for (name, value) in Self.numbers(tests) { add(name, value) }
        return numbers
      })
  }

  private static func numbers(_ tests: PairedTests) -> [(String, Double?)] {
    var numbers: [(String, Double?)] = [
      ("difference.n", Double(tests.difference.seeds.count)),
      ("difference.mean", tests.difference.statistics.mean),
      ("difference.halfWidth", tests.difference.statistics.halfWidth),
      ("student.p", tests.studentP), ("student.holm", tests.holm.student),
      ("signFlip.p", tests.signFlip.p), ("signFlip.attainable", tests.signFlip.attainable),
      ("signFlip.holm", tests.holm.signFlip), ("wilcoxon.p", tests.wilcoxon.p),
      ("wilcoxon.holm", tests.holm.wilcoxon), ("dz", tests.effect?.dz),
      ("hedges", tests.effect?.hedges),
    ]
    for (name, counts) in [("seeds", tests.seeds), ("clients", tests.clients)] {
      guard let counts else { continue }
      numbers += [
        ("\(name).wins", Double(counts.wins)), ("\(name).ties", Double(counts.ties)),
        ("\(name).losses", Double(counts.losses)),
      ]
    }
    return numbers
  }
}

extension Comparison.Row {
  private typealias Reading = (seed: UInt64, round: Int, spent: Double)

  fileprivate static let keys = Keys<Self>([
    Key("strategy", .text, "The strategy's label.") { $0.label },
    Key("seeds", .list(.seed), "Its seeds; values are in this order.") { $0.seeds },
    Key("values", .list(.number), "The metric by seed.") { row in
      row.seeds.map { row.values[$0] ?? .nan }
    }, Key("n", .integer, "Seeds with a value.") { $0.statistics.count },
    Key("mean", .number, "Over seeds.", absent: "no seed has a value") {
      $0.statistics.count > 0 ? $0.statistics.mean : nil
    },
    Key("std", .number, "Standard deviation over seeds.", absent: "a single seed") {
      $0.statistics.standardDeviation
    },
    Key("halfWidth", .number, "Half of the width of the 95 % interval.", absent: "a single seed") {
      $0.statistics.halfWidth
    },
    Key(
      "readAt", .list(.object(readingKeys)), "Where a run had spent the budget.",
      absent: "no budget"
    ) { row in
      let readings = row.readings.sorted { $0.key < $1.key }
      return readings.isEmpty ? nil : readings.map { ($0, $1.round, $1.spent) }
    },
    Key("versus", .object(PairedTests.keys), "Against the baseline.", absent: "the baseline itself")
    {
      $0.versus
    },
  ])

  private static let readingKeys = Keys<Reading>([
    Key("seed", .seed, "The seed.") { $0.seed },
    Key("round", .integer, "The evaluated round that was read.") { $0.round },
    Key("spent", .number, "What the run had spent by then.") { $0.spent },
  ])
}

extension PairedTests {
  fileprivate static let keys = Keys<Self>([
    Key("seeds", .list(.seed), "Seeds that both have.") { $0.difference.seeds },
    Key("differences", .list(.number), "Strategy - baseline by seed.") {
      $0.difference.differences
    },
    Key("mean", .number, "Mean difference.") { $0.difference.statistics.mean },
    Key(
      "halfWidth", .orNull(.number), "Half of the width of its 95 % interval; null: a single seed."
    ) { .some($0.difference.statistics.halfWidth) },
    .group("student", p(\.studentP, \.student)),
    .group(
      "signFlip",
      [
        Key("p", .number, "p of the sign-flip test.") { $0.signFlip.p },
        Key("attainable", .number, "The smallest p that so many seeds can reach.") {
          $0.signFlip.attainable
        },
        Key("draws", .orNull(.integer), "Assignments of signs that were drawn; null: all.") {
          .some($0.signFlip.draws)
        }, adjusted(\.signFlip),
      ]),
    .group(
      "wilcoxon",
      [
        Key("statistic", .number, "The sum of signed ranks.") { $0.wilcoxon.statistic },
        Key("n", .integer, "Differences that are not zero.") { $0.wilcoxon.count },
        Key("method", .text, "exact or normal.") { $0.wilcoxon.method.rawValue },
      ] + p(\.wilcoxon.p, \.wilcoxon)),
    Key("dz", .orNull(.number), "Effect size: mean difference over its deviation.") {
      .some($0.effect?.dz)
    },
    Key("hedges", .orNull(.number), "The same, corrected for few seeds.") {
      .some($0.effect?.hedges)
    },
    Key(
      "separated", .orNull(.flag),
      "Whether the paired t test separates the two at 95 % after Holm; null: a single seed."
    ) { .some($0.isSeparated) },
    .group(
      "wins",
      [
        Key("seeds", .object(WinTieLoss.keys), "Over seeds.") { $0.seeds },
        Key(
          "clients", .object(WinTieLoss.keys), "Over pairs of client and seed.",
          absent: "not measured, or the metric is none of models"
        ) { $0.clients },
      ]),
  ])

  private static func p(
    _ value: any KeyPath<PairedTests, Double?> & Sendable,
    _ holm: any KeyPath<Holm, Double?> & Sendable
  ) -> [Key<PairedTests>] {
    [
      Key("p", .orNull(.number), "p of the test; null: it has none.") {
        .some($0[keyPath: value])
      }, adjusted(holm),
    ]
  }

  private static func adjusted(_ holm: any KeyPath<Holm, Double?> & Sendable) -> Key<PairedTests> {
    Key("holm", .orNull(.number), "p after Holm over all strategies; null: it has none.") {
      .some($0.holm[keyPath: holm])
    }
  }
}

extension WinTieLoss {
  fileprivate static let keys = Keys<Self>([
    Key("wins", .integer, "How often the strategy is better.") { $0.wins },
    Key("ties", .integer, "How often both are as good.") { $0.ties },
    Key("losses", .integer, "How often it is worse.") { $0.losses },
  ])
}
