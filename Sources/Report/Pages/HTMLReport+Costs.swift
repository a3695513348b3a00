import Records

/// The report's section on what accuracy cost: over megabytes, and over the federation's clock.
extension HTMLReport {
  func writeCosts(to section: inout Markup) {
    let charts = [CostCurve.megabytes, .seconds].map { $0.chart(input.strategies) }.filter {
      $0.series.contains { !$0.points.isEmpty }
    }
    if charts.isEmpty { return }
    var note =
      "Curves join evaluations; what was spent until then is a mean over seeds, as is the "
      + "accuracy; shaded is the accuracy's 95 % interval (Student t). Megabytes count encoded "
      + "bytes both ways, and what was sent before the first round."
    let silent = CostCurve.megabytes.silent(input.strategies)
    if !silent.isEmpty {
      note += " Not shown, because they send nothing: \(silent.joined(separator: ", "))."
    }
    section.element("p", [("class", "note")], note)
    section.inside("div", [("class", "grid")]) { grid in
      for chart in charts { chart.write(to: &grid) }
    }
  }
}

/// Accuracy over a quantity that adds up from round to round.
package struct CostCurve {
  package let title: String
  let axis: SVGLineChart.Axis
  /// The total after each of a run's records; nil where it is not known.
  let spent: @Sendable ([RoundRecord]) -> [Double?]

  /// Bytes of both directions and of the time before the first round, in units of 10⁶.
  package static let megabytes = CostCurve(
    title: "Generic accuracy against megabytes",
    axis: .cost(title: "sent up and down so far, MB", unit: "MB")
  ) { records in
    var total = 0.0
    return records.map { record in
      total += Double(record.bytes.up + record.bytes.down + record.bytes.setup)
      return total / 1e6
    }
  }

  /// The federation's clock, which is a total already.
  package static let seconds = CostCurve(
    title: "Generic accuracy against simulated seconds",
    axis: .cost(title: "simulated seconds", unit: "s")
  ) { $0.map(\.time.virtual) }

  /// A curve's points: means over the seeds of what was spent and of the accuracy in percent, by
  /// round; without those at which nothing had been spent.
  package func points(_ runs: [StrategyRun]) -> [SVGLineChart.Point] {
    var totals: [Int: [Double]] = [:]
    for run in runs {
      for (record, total) in zip(run.records, spent(run.records)) where record.generic != nil {
        if let total, total.isFinite { totals[record.round, default: []].append(total) }
      }
    }
    return SVGLineChart.points(runs) { $0.generic.map { 100 * $0.accuracy } }.compactMap { point in
      guard let known = totals[Int(point.x)] else { return nil }
      let mean = Metrics.mean(known)
      guard mean > 0 else { return nil }
      return SVGLineChart.Point(x: mean, mean: point.mean, low: point.low, high: point.high)
    }
  }

  func chart(_ strategies: [StrategyResult]) -> SVGLineChart {
    SVGLineChart(
      title: title, yTitle: "accuracy %",
      series: strategies.enumerated().map { index, strategy in
        SVGLineChart.Series(label: strategy.label, index: index, points: points(strategy.runs))
      }, axis: axis, bounds: 0...100)
  }

  /// Strategies that were measured and spent nothing.
  func silent(_ strategies: [StrategyResult]) -> [String] {
    strategies.filter { strategy in
      strategy.runs.contains { $0.lastGeneric != nil }
        && strategy.runs.allSatisfy { spent($0.records).allSatisfy { $0 == 0 } }
    }.map(\.label)
  }
}
