import Base
import Records

/// Accuracy against ε: a mark for each strategy at its mean, with a bar from the lowest to the
/// highest seed; strategies without a guarantee stand at the right edge, under "none".
struct SVGPrivacyChart {
  let title: String
  let points: [Point]

  package struct Point: Equatable {
    let label: String
    /// Position of the strategy in the scenario.
    let index: Int
    /// The largest ε of its runs; infinite without a guarantee.
    let epsilon: Double
    /// Accuracy in percent: mean, lowest and highest seed.
    let mean: Double
    let low: Double
    let high: Double
  }

  private static let width = 560.0
  private static let height = 340.0

  /// Reads the points of a measure; strategies that have no value are left out.
  static func points(_ strategies: [StrategyResult], value: (StrategyRun) -> Double?) -> [Point] {
    strategies.enumerated().compactMap { index, strategy in
      let values = strategy.runs.compactMap(value).filter(\.isFinite).map { 100 * $0 }
      guard let low = values.min(), let high = values.max() else { return nil }
      let epsilons = strategy.runs.map { $0.lastPrivacy?.epsilonMax ?? .infinity }
      return Point(
        label: strategy.label, index: index, epsilon: epsilons.max() ?? .infinity,
        mean: Metrics.mean(values), low: low, high: high)
    }
  }

  /// The figure; nothing when no strategy has an ε.
  func write(to out: inout Markup) {
    let finite = points.map(\.epsilon).filter { $0.isFinite && $0 > 0 }
    guard let least = finite.min(), let most = finite.max(), let low = points.map(\.low).min(),
      let high = points.map(\.high).max()
    else { return }
    let frame = SVGFrame(left: 46, right: Self.width - 22, top: 40, bottom: Self.height - 48)
    let vertical = SVGScale(
      (low < 0.6 * high ? 0 : low)...high, from: frame.bottom, to: frame.top, count: 5,
      rounded: true)
    // Logarithmic in ε; the last ninth is for those without one.
    let start = log2(least) - 0.5
    let end = log2(most) + 0.5
    let edge = frame.right - (frame.right - frame.left) / 9
    func x(_ epsilon: Double) -> Double {
      guard epsilon.isFinite, epsilon > 0 else { return (edge + frame.right) / 2 + 8 }
      return frame.left + (log2(epsilon) - start) / (end - start) * (edge - frame.left)
    }
    out.inside("figure") { figure in
      SVGStyle.drawing(title, description, Self.width, Self.height, to: &figure) { svg in
        frame.drawVertical(vertical, title: "accuracy %", to: &svg)
        drawBase(frame, edge: edge, range: start...end, x, to: &svg)
        for point in points { draw(point, x(point.epsilon), vertical, to: &svg) }
      }
      SVGStyle.legend(points.map { ($0.label, $0.index) }, to: &figure)
    }
  }

  /// The base line with ticks at powers of two, and "none".
  private func drawBase(
    _ frame: SVGFrame, edge: Double, range: ClosedRange<Double>, _ x: (Double) -> Double,
    to out: inout Markup
  ) {
    let y = coordinate(frame.bottom)
    out.shape(
      "path",
      [("class", "base"), ("d", "M\(coordinate(frame.left)) \(y)L\(coordinate(frame.right)) \(y)")])
    var ticks: [(Double, String)] = []
    let step = max(1, ((range.upperBound - range.lowerBound) / 8).rounded(.up))
    var power = (range.lowerBound / step).rounded(.up) * step
    while power <= range.upperBound {
      let value = pow(2, power)
      ticks.append(
        (
          x(value),
          value < 1 ? NumberText.epsilon(value, min(4, Int(1 - power))) : NumberText.fixed(value, 0)
        ))
      power += step
    }
    if points.contains(where: { !$0.epsilon.isFinite }) { ticks.append((x(.infinity), "none")) }
    for (place, text) in ticks {
      out.shape("path", [("class", "base"), ("d", "M\(coordinate(place)) \(y)l0 4")])
      out.element(
        "text",
        [
          ("x", coordinate(place)), ("y", coordinate(frame.bottom + 18)), ("text-anchor", "middle"),
        ], text)
    }
    out.element(
      "text",
      [
        ("x", coordinate((frame.left + frame.right) / 2)), ("y", coordinate(frame.bottom + 36)),
        ("text-anchor", "middle"), ("class", "axis"),
      ], "epsilon")
  }

  private func draw(_ point: Point, _ x: Double, _ vertical: SVGScale, to out: inout Markup) {
    let style = SVGStyle(index: point.index)
    if point.high > point.low {
      let (top, bottom) = (vertical.position(point.high), vertical.position(point.low))
      out.shape(
        "path",
        [
          ("class", "line \(style.colour)"),
          ("d", "M\(coordinate(x)) \(coordinate(top))L\(coordinate(x)) \(coordinate(bottom))"),
        ])
    }
    out.shape(
      "path",
      [
        ("class", "mark \(style.colour)"),
        ("d", style.marker(x, vertical.position(point.mean), size: 4.4)),
      ])
  }

  /// The points in words.
  var description: String {
    points.map { point in
      let epsilon =
        point.epsilon.isFinite ? "epsilon \(NumberText.epsilon(point.epsilon))" : "no epsilon"
      return "\(point.label): \(NumberText.fixed(point.mean, 1)) % at \(epsilon)"
    }.joined(separator: "; ") + "."
  }
}
