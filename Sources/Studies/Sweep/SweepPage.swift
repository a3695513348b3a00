import Base
import Records
import Report

extension SweepResults {
  /// `sweep.html`.
  var page: Page {
    let runs = sweep.trials.reduce(0) { $0 + $1.runs.count }
    let seeds = (sweep.trials.first?.runs ?? []).map { "\($0.seed)" }.joined(separator: ", ")
    let table = SweepTable(self)
    var page = Page(
      title: "Sweep \(sweep.name)",
      lead: [
        "\(sweep.trials.count) trials of \(sweep.base)", "\(doneRuns) of \(runs) runs done",
        "seeds \(seeds)",
      ],
      sections: (Tuning(self).map { [$0.section] } ?? []) + [
        Page.Section("Front", frontBlocks), Page.Section("Privacy and utility", privacyBlocks),
        Page.Section(
          "Trials", entries.isEmpty ? [] : [.table(table.table), .list(table.sentences)]),
      ])
    page.warnings = (
      "Runs that failed",
      failed.map { run, failure in "trial \(run.trial) seed \(run.seed): \(failure.message)" }
    )
    return page
  }

  /// Methods over ε, for each choice of what else the trials vary.
  private var privacyBlocks: [Page.Block] {
    let path = "privacy.target.epsilon"
    guard let place = sweep.paths.firstIndex(of: path) else { return [] }
    func others(_ entry: Entry) -> String {
      zip(sweep.paths, entry.trial.values).filter { $0.0 != path }.map {
        "\($0.0.split(separator: ".").last ?? "") \(SweepTable.value($0.1))"
      }.joined(separator: ", ")
    }
    let groups = entries.filter(\.isComplete).map { entry in
      let rest = others(entry)
      return PrivacyUtility.Group(
        method: rest.isEmpty ? entry.label : "\(entry.label) (\(rest))",
        target: entry.trial.values[place]?.double, runs: entry.runs)
    }
    return PrivacyUtility(groups)?.blocks(conditions(place)) ?? []
  }

  /// The conditions of a trial with privacy: data, split, model, δ, clip and unit.
  private func conditions(_ place: Int) -> String {
    let trial = sweep.trials.first { $0.values[place]?.double != nil }
    guard let run = trial?.runs.first,
      let facts = try? FolderFacts.read(SweepFolder(folder).folder(of: run))
    else { return "" }
    let lines = (facts.json["conditions"]?.elements ?? []).compactMap(\.text)
    return lines.isEmpty
      ? "" : "Trial \(trial?.number ?? 0): " + lines.joined(separator: "; ") + "."
  }

  /// Accuracy against each cost of the front.
  private var frontBlocks: [Page.Block] {
    let objectives = front.objectives
    guard let best = objectives.indices.first(where: { objectives[$0].isMaximised }) else {
      return []
    }
    let plots = objectives.indices.filter { !objectives[$0].isMaximised }.compactMap {
      plot(across: $0, up: best)
    }
    if plots.isEmpty { return [] }
    return [
      .plots(plots),
      .note(
        "Means over seeds. Full marks are on the front over all objectives together, pale ones are "
          + "dominated by another point."),
    ]
  }

  /// One objective against another: a mark for every point; nil without one.
  private func plot(across x: Int, up y: Int) -> Plot? {
    let (across, up) = (front.objectives[x].metric, front.objectives[y].metric)
    let places = front.points.map {
      Plot.Point($0.values[x] / across.scale, $0.values[y] / up.scale)
    }
    guard let low = places.map(\.y).min(), let high = places.map(\.y).max() else { return nil }
    var labels: [String] = []
    for point in front.points where !labels.contains(point.label) { labels.append(point.label) }
    let marks = front.points.enumerated().map { index, point -> Plot.Mark in
      let isFront = front.front.contains(index)
      let trial = sweep.trials.first { $0.number == point.trial }
      let series = Plot.Series(point.label, labels.firstIndex(of: point.label) ?? 0)
      return .points(
        series, [places[index]], size: isFront ? 5 : 4, isPale: !isFront,
        words: "trial \(point.trial) \(point.label) \(trial?.words(sweep.paths) ?? "")")
    }
    let unit = across.unitText.isEmpty ? "" : " \(across.unitText)"
    return Plot(
      title: "\(up.name) against \(across.name)", description: words(x, across, y, up),
      x: Plot.Axis(across.name + unit, costs: places.map(\.x), ratio: 4),
      y: Plot.Axis(
        "\(up.name) \(up.unitText)", .linear((low < 0.6 * high ? min(0, low) : low)...high)),
      marks: marks, legend: labels.enumerated().map { Plot.Series($1, $0) })
  }

  /// The points of the front in words.
  private func words(_ x: Int, _ across: ComparisonMetric, _ y: Int, _ up: ComparisonMetric)
    -> String
  {
    let texts = sortedFront.prefix(20).map { point -> String in
      let cost = point.values[x]
      let value = cost.isFinite ? across.text(cost, across.decimals([cost])) : "none"
      let accuracy = up.text(point.values[y], up.decimals([point.values[y]]))
      return "trial \(point.trial) \(point.label): \(accuracy) at \(value)"
    }
    return "On the front: " + texts.joined(separator: "; ") + "."
  }
}
