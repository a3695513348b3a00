import Base

extension Comparison {
  /// The comparison as an object.
  ///
  /// | key | |
  /// |---|---|
  /// | `metric`, `unit`, `lowerIsBetter` | what is compared; values are in the files' own units |
  /// | `baseline` | the strategy that the others are compared with |
  /// | `tieMargin` | differences up to this are ties |
  /// | `budget` | `kind` and `limit`; absent when runs are read at their end |
  /// | `strategies` | an entry for each, see below |
  /// | `sentences`, `leftOut` | the same in words, and what is not in the numbers |
  ///
  /// An entry has `strategy`, `seeds`, `values`, `n`, and where they are known `mean`, `std`,
  /// `halfWidth`, `readAt` (`round` and `spent` by seed) and `versus`: `seeds`, `differences`,
  /// `mean`, `halfWidth`, `student`, `signFlip`, `wilcoxon` (each with `p` and `holm`), `dz`,
  /// `hedges`, `separated`, `wins` (over `seeds` and `clients`).
  package var json: JSON {
    .known([
      ("metric", .string(metric.name)), ("unit", .string(metric.unit.rawValue)),
      ("lowerIsBetter", .bool(metric.lowerIsBetter)), ("baseline", .string(baseline)),
      ("tieMargin", .number(settings.tieMargin)),
      (
        "budget",
        settings.budget.map {
          ["kind": .string($0.rawValue), "limit": limit.map(JSON.number) ?? .null]
        }
      ), ("strategies", .array(rows.map(json))), ("sentences", .array(sentences.map(JSON.string))),
      ("leftOut", .array(leftOut.map(JSON.string))),
    ])
  }

  private func json(_ row: Row) -> JSON {
    let statistics = row.statistics
    let readings = row.readings.sorted { $0.key < $1.key }.map { seed, reading -> JSON in
      [
        "seed": JSON(.number("\(seed)")), "round": .int(reading.round),
        "spent": .number(reading.spent),
      ]
    }
    return .known([
      ("strategy", .string(row.label)), ("seeds", Self.list(row.seeds)),
      ("values", .array(row.seeds.map { .number(row.values[$0] ?? .nan) })),
      ("n", .int(statistics.count)),
      ("mean", statistics.count > 0 ? .number(statistics.mean) : nil),
      ("std", statistics.standardDeviation.map(JSON.number)),
      ("halfWidth", statistics.halfWidth.map(JSON.number)),
      ("readAt", readings.isEmpty ? nil : .array(readings)), ("versus", row.versus.map(Self.json)),
    ])
  }

  private static func list(_ seeds: [UInt64]) -> JSON {
    .array(seeds.map { JSON(.number("\($0)")) })
  }

  private static func json(_ tests: PairedTests) -> JSON {
    func number(_ value: Double?) -> JSON { value.map(JSON.number) ?? .null }
    func counts(_ counts: WinTieLoss) -> JSON {
      ["wins": .int(counts.wins), "ties": .int(counts.ties), "losses": .int(counts.losses)]
    }
    let (difference, flip, ranks) = (tests.difference, tests.signFlip, tests.wilcoxon)
    return .object([
      ("seeds", list(difference.seeds)),
      ("differences", .array(difference.differences.map(JSON.number))),
      ("mean", .number(difference.statistics.mean)),
      ("halfWidth", number(difference.statistics.halfWidth)),
      ("student", ["p": number(tests.studentP), "holm": number(tests.holm.student)]),
      (
        "signFlip",
        .object([
          ("p", .number(flip.p)), ("attainable", .number(flip.attainable)),
          ("draws", flip.draws.map(JSON.int) ?? .null), ("holm", number(tests.holm.signFlip)),
        ])
      ),
      (
        "wilcoxon",
        .object([
          ("statistic", .number(ranks.statistic)), ("n", .int(ranks.count)),
          ("method", .string(ranks.method.rawValue)), ("p", number(ranks.p)),
          ("holm", number(tests.holm.wilcoxon)),
        ])
      ), ("dz", number(tests.effect?.dz)), ("hedges", number(tests.effect?.hedges)),
      ("separated", tests.isSeparated.map(JSON.bool) ?? .null),
      ("wins", .known([("seeds", counts(tests.seeds)), ("clients", tests.clients.map(counts))])),
    ])
  }

  /// The tidy table `compare.csv`: one row per number; `seed` is empty where it is over all seeds.
  package var csv: String {
    var out = CSV.line(["strategy", "baseline", "metric", "statistic", "seed", "value"]) + "\n"
    for row in rows {
      func add(_ statistic: String, _ value: Double?, seed: UInt64? = nil) {
        guard let value, value.isFinite else { return }
        let fields = [row.label, baseline, metric.name, statistic, seed.map { "\($0)" } ?? ""]
        out += CSV.line(fields + [CSV.number(value)]) + "\n"
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
      guard let tests = row.versus else { continue }
      for (seed, value) in zip(tests.difference.seeds, tests.difference.differences) {
        add("difference", value, seed: seed)
      }
      for (name, value) in Self.numbers(tests) { add(name, value) }
    }
    return out
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
