import Base
import Records

/// How a number of a strategy's runs goes on from round to round: the mean over seeds and what is
/// shown of these, where there are two or more.
package struct Curve: Sendable {
  package let series: Plot.Series
  package let points: [Point]

  /// Mean over seeds and the ends of its interval in a round; all one with a single seed.
  package struct Point: Sendable, Equatable {
    /// The round, or what was spent until then.
    package var x: Double
    package let mean: Double
    package let low: Double
    package let high: Double

    /// The mean alone.
    var withoutEnds: Point { Point(x: x, mean: mean, low: mean, high: mean) }
  }

  private static let mostPoints = 300

  /// Rounds in which `value` has no finite value are left out, and very long curves are thinned
  /// evenly, keeping the last round.
  package static func points(
    _ runs: [StrategyRun], spread: Spread? = nil, value: (RoundRecord) -> Double?
  ) -> [Point] {
    var byRound: [Int: [Double]] = [:]
    for run in runs {
      for record in run.records {
        guard let number = value(record), number.isFinite else { continue }
        byRound[record.round, default: []].append(number)
      }
    }
    let rounds = byRound.keys.sorted()
    let stride = (rounds.count + mostPoints - 1) / mostPoints
    return rounds.enumerated().compactMap { position, round in
      guard position % max(stride, 1) == 0 || position == rounds.count - 1,
        let values = byRound[round]
      else { return nil }
      let statistics = SeedStatistics(values)
      let mean = statistics.mean
      // Sums of numbers near the largest may overflow.
      guard mean.isFinite else { return nil }
      let ends =
        statistics.ends(spread).flatMap {
          $0.low.isFinite && $0.high.isFinite ? $0 : nil
        } ?? (mean, mean)
      return Point(x: Double(round), mean: mean, low: ends.0, high: ends.1)
    }
  }
}

/// What curves run over: a quantity that adds up from round to round, or the round itself.
package struct CurveAxis: Sendable {
  let title: String
  let unit: String
  /// The total after each of a run's records; nil where it is not known.
  let spent: (@Sendable ([RoundRecord]) -> [Double?])?

  package static let rounds = CurveAxis(title: "round", unit: "", spent: nil)

  /// Bytes of both directions and of the time before the first round, in units of 10⁶.
  package static let megabytes = CurveAxis(title: "sent up and down so far, MB", unit: "MB") {
    records in
    var total = 0.0
    return records.map { record in
      total += Double(record.bytes.up + record.bytes.down + record.bytes.setup)
      return total / 1e6
    }
  }

  /// The federation's clock, which is a total already.
  package static let seconds = CurveAxis(title: "simulated seconds", unit: "s") {
    $0.map(\.time.virtual)
  }

  /// A curve's points, at the means over the seeds of what was spent until then; without those at
  /// which nothing had been spent.
  package func points(
    _ runs: [StrategyRun], spread: Spread? = nil, value: (RoundRecord) -> Double?
  ) -> [Curve.Point] {
    guard let spent else { return Curve.points(runs, spread: spread, value: value) }
    var totals: [Int: [Double]] = [:]
    for run in runs {
      for (record, total) in zip(run.records, spent(run.records)) where value(record) != nil {
        if let total, total.isFinite { totals[record.round, default: []].append(total) }
      }
    }
    return Curve.points(runs, spread: spread, value: value).compactMap { point in
      guard let known = totals[Int(point.x)] else { return nil }
      var point = point
      point.x = Metrics.mean(known)
      return point.x > 0 ? point : nil
    }
  }

  /// Strategies that were measured and spent nothing.
  func silent(_ strategies: [StrategyResult]) -> [String] {
    guard let spent else { return [] }
    return strategies.filter { strategy in
      strategy.runs.contains { $0.lastGeneric != nil || $0.lastPersonal != nil }
        && strategy.runs.allSatisfy { spent($0.records).allSatisfy { $0 == 0 } }
    }.map(\.label)
  }

  fileprivate func axis(_ places: [Double]) -> Plot.Axis {
    guard spent == nil else { return Plot.Axis(title, costs: places) }
    let (first, last) = (places.min() ?? 0, places.max() ?? 1)
    let start = first <= 1 ? 0 : first
    let end = max(last, start + 1)
    // Nothing happens between rounds: no ticks there.
    let count = Int(clamping: min(6, max(1, end - start)))
    return Plot.Axis(title, .linear(start...end, count: count, isRounded: false))
  }

  fileprivate func words(_ x: Double) -> String {
    spent == nil
      ? "in round \(Int(clamping: x))" : "after \(NumberText.fixed(x, x < 100 ? 2 : 0)) \(unit)"
  }
}

extension Plot {
  /// Curves of strategies; nil without a point.
  ///
  /// `bounds`: what the values can be; bands end there.
  static func curves(
    _ title: String, _ yTitle: String, _ strategies: [StrategyResult],
    over axis: CurveAxis = .rounds, within bounds: ClosedRange<Double> = 0...100,
    spread: Spread? = nil, value: (RoundRecord) -> Double?
  ) -> Plot? {
    let curves = strategies.enumerated().map { index, strategy in
      Curve(
        series: Series(strategy.label, index),
        points: axis.points(strategy.runs, spread: spread, value: value))
    }.filter { !$0.points.isEmpty }
    let all = curves.flatMap(\.points)
    let drawn = curves.count <= mostBands ? all : all.map(\.withoutEnds)
    guard let range = range(drawn, bounds) else { return nil }
    let ends = curves.compactMap { curve in
      curve.points.last.map {
        "\(curve.series.label) \(NumberText.fixed($0.mean, 2)) \(axis.words($0.x))"
      }
    }
    var marks: [Mark] = []
    for curve in curves
    where curves.count <= mostBands && curve.points.count > 1
      && curve.points.contains(where: { $0.high > $0.low })
    {
      marks.append(
        .band(curve.series, curve.points.map { ($0.x, $0.low, $0.high) }, isFaint: curves.count > 4)
      )
    }
    for curve in curves {
      let places = curve.points.map { Point($0.x, $0.mean) }
      // About eight markers a curve, shifted between curves so that they do not hide each other.
      let step = max(1, places.count / 8)
      let shift = places.count > 16 ? curve.series.index * step / max(1, strategies.count) : 0
      let marked = places.indices.filter { $0 % step == shift || places.count == 1 }
      marks += [.line(curve.series, places), .points(curve.series, marked.map { places[$0] })]
    }
    return Plot(
      title: title, description: "\(yTitle) at the end: " + ends.joined(separator: ", ") + ".",
      x: axis.axis(all.map(\.x)), y: Axis(yTitle, .linear(range)), marks: marks,
      legend: curves.map(\.series))
  }

  /// Bands of more curves than these would hide the curves and each other.
  static let mostBands = 6

  /// What the vertical axis shows: all means, and of the bands what is within the bounds and no
  /// further from the means than these are from each other.
  ///
  /// Intervals of two seeds are thirteen deviations wide; they must not flatten the curves.
  private static func range(_ points: [Curve.Point], _ bounds: ClosedRange<Double>) -> ClosedRange<
    Double
  >? {
    guard let least = points.map(\.mean).min(), let most = points.map(\.mean).max() else {
      return nil
    }
    let span = max(most - least, 0.05 * max(abs(most), abs(least)))
    let lowest = points.map(\.low).min() ?? least
    let low = min(least, max(lowest, least - span, bounds.lowerBound))
    let highest = points.map(\.high).max() ?? most
    let high = max(most, min(highest, most + span, bounds.upperBound))
    return fromZero(low, max(high, low))
  }

  /// From zero where the numbers are not far from it.
  static func fromZero(_ low: Double, _ high: Double) -> ClosedRange<Double> {
    (low >= 0 && low < 0.6 * high ? 0 : low)...high
  }
}
