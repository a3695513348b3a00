import Base

/// One axis: which numbers lie where.
package struct SVGScale {
  /// The smallest and the largest number shown.
  package let range: ClosedRange<Double>
  /// Where these two lie, in units of the figure.
  let from: Double
  let to: Double
  /// The numbers that get a tick.
  package let ticks: [Double]
  /// Whether equal ratios have equal lengths.
  var isLogarithmic = false

  /// A scale that covers `range` and ends at ticks when `rounded`.
  package init(_ range: ClosedRange<Double>, from: Double, to: Double, count: Int, rounded: Bool) {
    // A diverging loss can have any size; the number of ticks must not follow it.
    var (low, high) = (max(range.lowerBound, -1e290), min(range.upperBound, 1e290))
    // Nor may a step be so small that a place divided by it is no number.
    let span = max(high - low, 1e-6 * max(abs(low), abs(high)), 1e-280)
    let step = SVGScale.niceStep(span / Double(max(count, 1)))
    if rounded {
      low = (low / step + 1e-9).rounded(.down) * step
      high = (high / step - 1e-9).rounded(.up) * step
    }
    if high <= low { high = low + step }
    self.range = low...high
    self.from = from
    self.to = to
    let first = Int(clamping: (low / step - 1e-9).rounded(.up))
    let last = Int(clamping: (high / step + 1e-9).rounded(.down))
    ticks = first <= last ? (first...last).map { Double($0) * step } : []
  }

  /// A scale of equal ratios that covers `range`, whose ends are positive; ticks are powers of ten,
  /// with 2 and 5 times them, or less often, as `count` allows.
  package init(logarithmic range: ClosedRange<Double>, from: Double, to: Double, count: Int) {
    let low = max(range.lowerBound, 1e-290)
    let high = min(max(range.upperBound, low * 2), 1e290)
    self.range = low...high
    self.from = from
    self.to = to
    isLogarithmic = true
    let first = Int(clamping: log10(low).rounded(.down))
    let last = Int(clamping: log10(high).rounded(.up))
    let step = max(1, (last - first + count) / max(count, 1))
    var fine: [Double] = []
    var coarse: [Double] = []
    for power in first...last {
      for factor in [1.0, 2, 5] {
        let tick = factor * pow(10, Double(power))
        guard tick >= low * (1 - 1e-9), tick <= high * (1 + 1e-9) else { continue }
        fine.append(tick)
        if factor == 1, power % step == 0 { coarse.append(tick) }
      }
    }
    ticks = fine.count <= count || coarse.isEmpty ? fine : coarse
  }

  /// Where a number lies; on a logarithmic scale it must be positive.
  package func position(_ value: Double) -> Double {
    if isLogarithmic {
      return from + log(value / range.lowerBound) / log(range.upperBound / range.lowerBound)
        * (to - from)
    }
    return from + (value - range.lowerBound) / (range.upperBound - range.lowerBound) * (to - from)
  }

  /// A tick in as few digits as the steps need.
  package func label(_ tick: Double) -> String {
    if isLogarithmic { return Self.short(tick) }
    let step = ticks.count > 1 ? ticks[1] - ticks[0] : 1
    if step >= 1 { return NumberText.fixed(tick, 0) }
    return NumberText.fixed(tick, min(9, Int(clamping: (-log10(step) + 0.999).rounded(.down))))
  }

  /// 1, 2 or 5 times a power of ten in few letters: "0.02", "500", "20k", "1e9".
  private static func short(_ tick: Double) -> String {
    let power = Int(clamping: (log10(tick) + 1e-9).rounded(.down))
    switch power {
    case ..<(-4), 6...:
      return "\(Int(clamping: (tick / pow(10, Double(power))).rounded()))e\(power)"
    case ..<0: return NumberText.fixed(tick, -power)
    case ..<4: return NumberText.fixed(tick, 0)
    default: return NumberText.fixed(tick / 1000, 0) + "k"
    }
  }

  /// The smallest of 1, 2 or 5 times a power of ten that is at least `step`.
  static func niceStep(_ step: Double) -> Double {
    guard step > 0, step.isFinite else { return 1 }
    let power = pow(10, log10(step).rounded(.down))
    for factor in [1.0, 2, 5] where factor * power >= step * (1 - 1e-9) { return factor * power }
    return 10 * power
  }
}

/// The rectangle in which data is drawn.
package struct SVGFrame {
  package let left: Double
  package let right: Double
  package let top: Double
  package let bottom: Double

  package init(left: Double, right: Double, top: Double, bottom: Double) {
    self.left = left
    self.right = right
    self.top = top
    self.bottom = bottom
  }

  /// Grid lines and labels of a vertical axis.
  package func drawVertical(_ scale: SVGScale, title: String, to out: inout Markup) {
    for tick in scale.ticks {
      let y = coordinate(scale.position(tick))
      out.shape(
        "path", [("class", "grid"), ("d", "M\(coordinate(left)) \(y)L\(coordinate(right)) \(y)")])
      out.element(
        "text",
        [
          ("x", coordinate(left - 7)), ("y", coordinate(scale.position(tick) + 4)),
          ("text-anchor", "end"),
        ], scale.label(tick))
    }
    out.element("text", [("x", "4"), ("y", coordinate(top - 16)), ("class", "axis")], title)
  }

  /// The base line, ticks and labels of a horizontal axis.
  package func drawHorizontal(_ scale: SVGScale, title: String, to out: inout Markup) {
    let y = coordinate(bottom)
    out.shape(
      "path", [("class", "base"), ("d", "M\(coordinate(left)) \(y)L\(coordinate(right)) \(y)")])
    for tick in scale.ticks {
      let x = coordinate(scale.position(tick))
      out.shape("path", [("class", "base"), ("d", "M\(x) \(y)l0 4")])
      out.element(
        "text", [("x", x), ("y", coordinate(bottom + 20)), ("text-anchor", "middle")],
        scale.label(tick))
    }
    out.element(
      "text",
      [
        ("x", coordinate((left + right) / 2)), ("y", coordinate(bottom + 40)),
        ("text-anchor", "middle"), ("class", "axis"),
      ], title)
  }
}
