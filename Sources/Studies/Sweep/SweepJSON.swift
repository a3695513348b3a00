import Base
import Records

extension SweepResults {
  /// The results as members of an object.
  ///
  /// | key | |
  /// |---|---|
  /// | `name`, `base`, `folder` | the sweep |
  /// | `runs` | `total`, `done`, `failed` |
  /// | `paths` | what trials set |
  /// | `trials` | an entry for each: `trial`, `values`, `state`, `runs`, `strategies` |
  /// | `rungs` | what was decided: `rung`, `entrants` with their `value`, `kept` |
  /// | `front` | `objectives`, `points`, `hypervolume`; ε without a guarantee is `"inf"` |
  /// | `failed` | `run`, `trial`, `seed`, `exit`, `code`, `message`, `command` |
  /// | `files` | the tables |
  /// | `tuned` | with tune: what was chosen for each strategy |
  ///
  /// A strategy has `strategy`, `round`, `seeds`, `front`, and `metrics` with `mean`, `n`,
  /// `halfWidth`, `values`.
  package var json: [(String, JSON)] {
    let total = sweep.trials.reduce(0) { $0 + $1.runs.count }
    let metrics = metrics
    let files = ["results.csv", "trials.csv", "front.csv", "failed.csv", "sweep.html"]
    let tuned = Tuning(self).map { [("tuned", $0.json)] } ?? []
    return [
      ("name", .string(sweep.name)), ("base", .string(sweep.base)), ("folder", .string(folder)),
      ("runs", ["total": .int(total), "done": .int(doneRuns), "failed": .int(failed.count)]),
      ("paths", .array(sweep.paths.map(JSON.string))),
      ("trials", .array(sweep.trials.map { trial($0, metrics) })),
      ("rungs", .array(progress.decisions.map(Self.json))), ("front", frontJSON),
      ("failed", .array(failed.map { failedJSON($0.run, $0.failure) })),
      ("files", .array(files.map { .string(SweepFolder(folder).file($0)) })),
    ] + tuned
  }

  private func trial(_ trial: SweepTrial, _ metrics: [ComparisonMetric]) -> JSON {
    let values = zip(sweep.paths, trial.values).map { ($0, $1 ?? .null) }
    let runs = trial.runs.map { run -> JSON in
      [
        "seed": JSON(.number("\(run.seed)")), "hash": .string(run.hash),
        "folder": .string(SweepFolder(folder).folder(of: run)),
      ]
    }
    return .object([
      ("trial", .int(trial.number)), ("values", .object(values)),
      ("state", .string((states[trial.number] ?? .open).rawValue)), ("runs", .array(runs)),
      (
        "strategies",
        .array(entries.filter { $0.trial.number == trial.number }.map { json($0, metrics) })
      ),
    ])
  }

  private func json(_ entry: Entry, _ metrics: [ComparisonMetric]) -> JSON {
    let measured = metrics.compactMap { metric -> (String, JSON)? in
      guard let statistics = Self.statistics(entry, metric) else { return nil }
      let values = entry.runs.map { metric.read($0).map(JSON.number) ?? .null }
      return (
        metric.name,
        .known([
          ("mean", .number(statistics.mean)), ("n", .int(statistics.count)),
          ("halfWidth", statistics.halfWidth.map(JSON.number)), ("values", .array(values)),
        ])
      )
    }
    return .object([
      ("strategy", .string(entry.label)), ("round", .int(entry.round)),
      ("seeds", .array(entry.runs.map { JSON(.number("\($0.seed)")) })),
      ("front", .bool(front.contains(entry.trial.number, entry.label))),
      ("metrics", .object(measured)),
    ])
  }

  private var frontJSON: JSON {
    func number(_ value: Double) -> JSON { value == .infinity ? "inf" : .number(value) }
    let objectives = front.objectives.map { objective -> JSON in
      [
        "metric": .string(objective.metric.name),
        "direction": objective.isMaximised ? "maximise" : "minimise",
        "reference": objective.reference.map(number) ?? .null,
      ]
    }
    let points = sortedFront.map { point -> JSON in
      [
        "trial": .int(point.trial), "strategy": .string(point.label),
        "values": .array(point.values.map(number)),
      ]
    }
    return [
      "objectives": .array(objectives), "points": .array(points),
      "candidates": .int(front.points.count), "leftOut": .int(front.leftOut),
      "hypervolume": front.hypervolume.map(JSON.number) ?? .null,
    ]
  }

  private static func json(_ decision: SweepProgress.Decision) -> JSON {
    let entrants = decision.entrants.map { trial, value -> JSON in
      ["trial": .int(trial), "value": value.map(JSON.number) ?? .null]
    }
    return [
      "rung": .int(decision.rung), "entrants": .array(entrants),
      "kept": .array(decision.kept.map(JSON.int)),
    ]
  }

  private func failedJSON(_ run: SweepRun, _ failure: SweepFailure) -> JSON {
    [
      "run": .string(run.folder), "trial": .int(run.trial), "seed": JSON(.number("\(run.seed)")),
      "exit": .int(failure.exit), "code": .string(failure.code),
      "message": .string(failure.message), "command": .string(command(run, after: failure)),
    ]
  }
}

extension SweepListing {
  /// The runs as an array: `trial`, `seed`, `hash`, `state`, `values`, and `cost` with
  /// `clientRounds`, `steps`, `flops`, `bytes`.
  package func json(_ sweep: Sweep) -> JSON {
    func number(_ value: Double?) -> JSON { value.map(JSON.number) ?? .null }
    let list = rows.map { row -> JSON in
      let values = zip(sweep.paths, row.trial.values).map { ($0, $1 ?? .null) }
      let cost = row.cost
      return .object([
        ("trial", .int(row.run.trial)), ("seed", JSON(.number("\(row.run.seed)"))),
        ("hash", .string(row.run.hash)), ("state", .string(row.state)), ("values", .object(values)),
        (
          "cost",
          [
            "clientRounds": number(cost.clientRounds), "steps": number(cost.steps),
            "flops": number(cost.flops), "bytes": number(cost.bytes),
          ]
        ),
      ])
    }
    return .array(list)
  }
}
