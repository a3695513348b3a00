import Base
import Records
import Report

/// What was chosen, for terminals, pages and files.
extension Tuning {
  /// A row per strategy.
  package var table: Table {
    var columns: [Column<Choice>] = [.words("strategy") { NumberText.shortened($0.label, 24) }]
    columns += results.sweep.paths.map { path in
      let name = path.split(separator: ".").last.map(String.init) ?? path
      return .words(String(name.suffix(20))) {
        NumberText.shortened(SweepTable.value($0.value(path)), 16)
      }
    }
    columns += [
      .words("chosen by") { $0.metric.name },
      .words("score") { choice in
        let metric = choice.metric
        let decimals = metric.decimals([choice.score.mean])
        let few = choice.score.count == 2
        let ends = few ? [choice.score.least, choice.score.most].compactMap { $0 } : []
        let shown = ends.map { metric.text($0, decimals) }.joined(separator: ", ")
        let half =
          few
          ? " [\(shown)]" : choice.score.halfWidth.map { " ± " + metric.text($0, decimals) } ?? ""
        return metric.text(choice.score.mean, decimals) + half
          + (metric.unitText.isEmpty ? "" : " \(metric.unitText)")
      }, Column("trials") { .count($0.compared) },
    ]
    return Table(of: choices, columns: columns)
  }

  /// What must be known of the choice.
  package var sentences: [String] {
    let sweep = results.sweep
    var lines = [
      "every strategy had the same \(sweep.trials.count) trials under "
        + "\(sweep.trials.first?.runs.count ?? 0) seeds; chosen on validation images, never on "
        + "test images"
    ]
    let missing = (sweep.trials.first?.labels ?? []).filter { label in
      !choices.contains { $0.label == label }
    }
    if !missing.isEmpty {
      let names = missing.joined(separator: ", ")
      let lacks = results.entries.contains { missing.contains($0.label) && $0.isComplete }
      lines.append(
        "nothing chosen for \(names): "
          + (lacks
            ? "no trial has \(sweep.tune?.metric?.name ?? "a score")" : "no trial has finished"))
    }
    if let failed = choices.map(\.failed).max(), failed > 0 {
      lines.append("\(failed) trials failed and were not chosen")
    }
    if !isComplete { lines.append("trials are missing: the choice may change") }
    if sharesSeeds {
      lines.append(
        "the scenario runs under seeds of these trials: other seeds for trials (seeds in the "
          + "sweep) keep the comparison apart from the choice")
    }
    lines += edges
    return lines
  }

  /// A best value at the end of its grid may not be the best.
  private var edges: [String] {
    results.sweep.paths.indices.flatMap { path in
      profile(path).compactMap { label, points -> String? in
        let numbers = points.compactMap { point in point.value.double.map { ($0, point.score) } }
        guard numbers.count > 2, let choice = choices.first(where: { $0.label == label }),
          let chosen = choice.value(results.sweep.paths[path])?.double,
          let low = numbers.map(\.0).min(), let high = numbers.map(\.0).max(),
          chosen == low || chosen == high
        else { return nil }
        return "\(label): \(results.sweep.paths[path]) = \(JSON.number(chosen).compact) is the "
          + "\(chosen == low ? "smallest" : "largest") value tried; a better one may be beyond it"
      }
    }
  }

  private typealias Value = (choice: Choice, path: String, value: JSON?)

  private static let values = CSVTable<Value>([
    CSVColumn("strategy", "The strategy's label.") { $0.choice.label },
    CSVColumn("path", "A path that the sweep sets.") { $0.path },
    CSVColumn("value", "What was chosen.", absent: "the trial has no such field") { one in
      one.value.map { SweepTrial.text($0) }
    }, CSVColumn("trial", "Number of the trial that was chosen.") { $0.choice.trial.number },
    CSVColumn("metric", "What trials were ranked by.") { $0.choice.metric.name },
    CSVColumn("score", "Its mean over the seeds of the trial.") { $0.choice.score.mean },
    CSVColumn(
      "halfWidth", "Half of the width of its 95 % interval.", absent: "a single seed"
    ) { $0.choice.score.halfWidth }, CSVColumn("n", "Seeds.") { $0.choice.score.count },
  ])

  static let page = FilePage(
    "tuned.csv", in: "sweep folder, with tune", "What was chosen for each strategy.", values)

  /// `tuned.csv`: a line per strategy and path.
  package var csv: String {
    Self.values.text(
      choices.flatMap { choice in
        results.sweep.paths.filter { Tuning.isOwn($0, of: choice.place) }.map {
          (choice, $0, choice.value($0))
        }
      })
  }

  package var json: JSON {
    .array(
      choices.map { choice in
        let values = results.sweep.paths.filter { Tuning.isOwn($0, of: choice.place) }.map {
          ($0, choice.value($0) ?? .null)
        }
        return .known([
          ("strategy", .string(choice.label)), ("trial", .int(choice.trial.number)),
          ("values", .object(values)), ("metric", .string(choice.metric.name)),
          ("score", .number(choice.score.mean)),
          ("halfWidth", choice.score.halfWidth.map(JSON.number)), ("n", .int(choice.score.count)),
          ("trials", .int(choice.compared)),
        ])
      })
  }

  /// The choices and a curve over each path with numbers.
  package var section: Page.Section {
    let plots = results.sweep.paths.indices.compactMap(curve)
    return Page.Section(
      "Chosen values",
      [.table(table), .list(sentences)] + (plots.isEmpty ? [] : [.plots(plots)]))
  }

  /// Scores over the values of one path; nil where fewer than two of them are numbers.
  private func curve(_ path: Int) -> Plot? {
    let name = results.sweep.paths[path]
    let lines = profile(path).map { label, points in
      (
        label,
        points.compactMap { point in point.value.double.map { Plot.Point($0, point.score) } }.sorted
        {
          $0.x < $1.x
        }
      )
    }
    let places = lines.flatMap(\.1)
    guard Set(places.map(\.x)).count > 1, let metric = choices.first?.metric,
      choices.allSatisfy({ $0.metric.unit == metric.unit }),
      let low = places.map(\.y).min(), let high = places.map(\.y).max()
    else { return nil }
    let scaled = (low / metric.scale, high / metric.scale)
    let marks = lines.enumerated().flatMap { index, line -> [Plot.Mark] in
      let series = Plot.Series(line.0, index)
      let points = line.1.map { Plot.Point($0.x, $0.y / metric.scale) }
      return [.line(series, points), .points(series, points)]
    }
    let unit = metric.unitText.isEmpty ? "" : " \(metric.unitText)"
    let words = lines.map { label, points in
      label + " "
        + points.map { "\(metric.text($0.y, 1)) at \(NumberText.short($0.x))" }.joined(
          separator: ", ")
    }
    return Plot(
      title: "validation over \(name)", description: words.joined(separator: "; ") + ".",
      x: Plot.Axis(name, costs: places.map(\.x), ratio: 4),
      y: Plot.Axis("validation\(unit)", .linear(scaled.0...max(scaled.1, scaled.0 + 1e-9))),
      marks: marks, legend: lines.enumerated().map { Plot.Series($1.0, $0) })
  }
}
