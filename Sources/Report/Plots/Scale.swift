import Base

/// Which numbers an axis shows, and which of them get a tick; where they lie on paper is the
/// printer's matter.
package struct Scale: Sendable, Equatable {
  package struct Tick: Sendable, Equatable {
    package let value: Double
    package let label: String
  }

  /// The smallest and the largest number shown; the first is below the second.
  package let range: ClosedRange<Double>
  /// Ascending.
  package let ticks: [Tick]
  /// Whether equal ratios have equal lengths.
  package var isLogarithmic = false

  /// Where a number is: 0 at the smallest shown, 1 at the largest; what is beyond is there too.
  package func share(_ value: Double) -> Double {
    let (low, high) = (range.lowerBound, range.upperBound)
    let shown = min(max(value, low), high)
    if isLogarithmic { return log(shown / low) / log(high / low) }
    // Halves: the distance of the largest numbers is beyond what a number can be.
    return (shown / 2 - low / 2) / (high / 2 - low / 2)
  }

  /// The same scale with other words at its ticks.
  func renamed(_ names: (String) -> String) -> Scale {
    Scale(
      range: range, ticks: ticks.map { Tick(value: $0.value, label: names($0.label)) },
      isLogarithmic: isLogarithmic)
  }

  /// The same scale with ticks at the numbers that there are, if they are few.
  func marked(at values: [Double]) -> Scale {
    guard (1...8).contains(values.count) else { return self }
    return Scale(
      range: range,
      ticks: values.map {
        Tick(value: $0, label: $0 == $0.rounded() ? NumberText.fixed($0, 0) : NumberText.plain($0))
      },
      isLogarithmic: isLogarithmic)
  }

  /// Equal steps over the numbers of `wanted`; with `isRounded` the scale ends at ticks.
  ///
  /// There are always two ticks or more, and their labels differ: where all numbers are equal, the
  /// scale shows some of what is around them.
  package static func linear(_ wanted: ClosedRange<Double>, count: Int = 5, isRounded: Bool = true)
    -> Scale
  {
    let data = spread(wanted)
    // Halved before the difference, as in `share`.
    let span = 2 * (data.upperBound / 2 - data.lowerBound / 2)
    let step = niceStep(span / Double(max(count, 1)))
    var range = data
    func outward() {
      let low = (data.lowerBound / step + 1e-9).rounded(.down) * step
      let high = (data.upperBound / step - 1e-9).rounded(.up) * step
      range = min(low, data.lowerBound)...max(high, data.upperBound)
    }
    func places() -> [Double] {
      let first = Int(clamping: (range.lowerBound / step - 1e-9).rounded(.up))
      let last = Int(clamping: (range.upperBound / step + 1e-9).rounded(.down))
      return first <= last ? (first...last).map { Double($0) * step } : []
    }
    if isRounded { outward() }
    if places().count < 2 { outward() }
    let ticks = places()
    return Scale(range: range, ticks: zip(ticks, labels(ticks, step)).map(Tick.init))
  }

  /// What a scale can show: neither too large nor all equal.
  private static func spread(_ wanted: ClosedRange<Double>) -> ClosedRange<Double> {
    // A diverging loss can have any size.
    let (low, high) = (
      min(max(wanted.lowerBound, -1e290), 1e290), max(min(wanted.upperBound, 1e290), -1e290)
    )
    let size = max(abs(low), abs(high))
    if size < 1e-280 { return low < 0 ? -1...1 : 0...1 }
    if high / 2 - low / 2 >= 1e-6 * size { return low...high }
    let middle = low / 2 + high / 2
    return middle - 0.05 * size...middle + 0.05 * size
  }

  /// Ticks in as few digits as the steps need, in powers of ten where they would be long.
  private static func labels(_ ticks: [Double], _ step: Double) -> [String] {
    let size = ticks.map(abs).max() ?? 0
    let power = Int(clamping: (log10(step) + 1e-9).rounded(.down))
    if size < 1e7, power >= -6 { return ticks.map { NumberText.fixed($0, max(0, -power)) } }
    let largest = Int(clamping: (log10(size) + 1e-9).rounded(.down))
    return ticks.map { tick in
      if tick == 0 { return "0" }
      // Two steps: a power of ten below the smallest number would be 0.
      let half = largest / 2
      let mantissa = tick / pow(10, Double(half)) / pow(10, Double(largest - half))
      return NumberText.fixed(mantissa, max(0, largest - power)) + "e\(largest)"
    }
  }

  /// Equal ratios over the numbers of `wanted`, which are positive; ticks are 1, 2 and 5 times
  /// powers of ten, or powers of ten alone, or some of these, as `count` allows.
  package static func logarithmic(_ wanted: ClosedRange<Double>, count: Int = 7) -> Scale {
    var low = min(max(wanted.lowerBound, 1e-290), 1e290)
    var high = min(max(wanted.upperBound, low), 1e290)
    let first = Int(clamping: log10(low).rounded(.down)) - 1
    let last = Int(clamping: log10(high).rounded(.up)) + 1
    let all = (first...last).flatMap { power in
      [1.0, 2, 5].map { (value: $0 * pow(10, Double(power)), factor: $0, power: power) }
    }
    func fits(_ value: Double) -> Bool { value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9) }
    if all.count(where: { fits($0.value) }) < 2 {
      low = all.last { $0.value <= low * (1 - 1e-9) }?.value ?? low
      high = all.first { $0.value >= high * (1 + 1e-9) }?.value ?? high
    }
    let fine = all.filter { fits($0.value) }
    let step = max(1, (last - first - 2 + count) / max(count, 1))
    let coarse = fine.filter { $0.factor == 1 && $0.power % step == 0 }
    let shown = fine.count <= count || coarse.count < 2 ? fine : coarse
    return Scale(
      range: low...high,
      ticks: shown.map { Tick(value: $0.value, label: short($0.factor, $0.power)) },
      isLogarithmic: true)
  }

  /// 1, 2 or 5 times a power of ten in few letters: "0.02", "500", "20k", "1e9".
  private static func short(_ factor: Double, _ power: Int) -> String {
    let digit = NumberText.fixed(factor, 0)
    switch power {
    case ..<(-4), 6...: return "\(digit)e\(power)"
    case ..<0: return NumberText.fixed(factor * pow(10, Double(power)), -power)
    default:
      let text = digit + String(repeating: "0", count: power)
      return power < 4 ? text : text.dropLast(3) + "k"
    }
  }

  /// A slot for each name; `every`: names are shown at that distance, and at the end.
  package static func categories(_ names: [String], every: Int = 1) -> Scale {
    let shown = names.indices.filter { $0 % every == 0 || $0 == names.count - 1 && every > 1 }
    return Scale(
      range: -0.5...max(0.5, Double(names.count) - 0.5),
      ticks: shown.map { Tick(value: Double($0), label: names[$0]) })
  }

  /// The smallest of 1, 2 or 5 times a power of ten that is at least `step`.
  private static func niceStep(_ step: Double) -> Double {
    guard step > 0, step.isFinite else { return 1 }
    let power = pow(10, log10(step).rounded(.down))
    for factor in [1.0, 2, 5] where factor * power >= step * (1 - 1e-9) { return factor * power }
    return 10 * power
  }
}
