import Base

/// What each pixel of a new line takes of the pixels of an old one: which, and with which weights.
///
/// As PyTorch's `interpolate` with `align_corners=False` and `antialias=True`: pixel i of n new
/// ones stands at (i + ½)·m/n of m old ones; where the line shrinks, the kernel is as much wider.
/// Weights are not divided by their sum, so that those of a bilinear kernel are whole numbers.
package struct LineTaps<Weight: Numeric & Sendable>: Sendable {
  /// The first old pixel that each new one takes.
  let first: [Int]
  /// Where its weights start in `weights`; one more at the end.
  let start: [Int]
  /// One for each old pixel that is taken.
  let weights: [Weight]
  /// Their sum for each new pixel.
  let totals: [Weight]

  private init(_ new: Int, _ taps: (Int) -> (first: Int, weights: [Weight])) {
    var (first, start, weights, totals) = ([Int](), [0], [Weight](), [Weight]())
    for pixel in 0..<new {
      let own = taps(pixel)
      first.append(own.first)
      weights += own.weights
      start.append(weights.count)
      totals.append(own.weights.reduce(0, +))
    }
    (self.first, self.start, self.weights, self.totals) = (first, start, weights, totals)
  }
}

extension LineTaps<Int> {
  /// The triangle 1 − |d|/s around the new pixel, s = max(1, m/n), times 2·max(m, n).
  package init(bilinear old: Int, to new: Int) {
    let reach = 2 * max(old, new)
    self.init(new) { pixel in
      // Distances in halves of 1/n of an old pixel are whole numbers.
      let centre = old * (2 * pixel + 1)
      var place = max(0, (centre - reach - new) / (2 * new))
      var (first, weights) = (place, [Int]())
      while place < old {
        let weight = reach - abs((2 * place + 1) * new - centre)
        if weight > 0 {
          if weights.isEmpty { first = place }
          weights.append(weight)
        } else if !weights.isEmpty {
          break
        }
        place += 1
      }
      return (first, weights)
    }
  }

  /// The same for sums of floating-point numbers.
  var doubles: LineTaps<Double> {
    LineTaps<Double>(totals.count) { pixel in
      (first[pixel], weights[start[pixel]..<start[pixel + 1]].map(Double.init))
    }
  }
}

extension LineTaps<Double> {
  /// Keys' cubic with a = −½, which PyTorch takes with antialias (Keys 1981).
  package init(bicubic old: Int, to new: Int) {
    let scale = Double(old) / Double(new)
    let widening = max(1, scale)
    self.init(new) { pixel in
      let centre = scale * (Double(pixel) + 0.5)
      let first = max(0, Int(clamping: centre - 2 * widening + 0.5))
      let end = min(old, Int(clamping: centre + 2 * widening + 0.5))
      return (first, (first..<end).map { Self.cubic((Double($0) - centre + 0.5) / widening) })
    }
  }

  private static func cubic(_ distance: Double) -> Double {
    let x = abs(distance)
    if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0
  }
}

/// A value of a map that can be drawn again in another size.
private protocol ResampledValue {
  associatedtype Weight: Numeric & Sendable
  var summand: Weight { get }
  /// The mean of a weighted sum.
  static func mean(_ sum: Weight, of total: Weight) -> Self
}

extension UInt8: ResampledValue {
  fileprivate var summand: Int { Int(self) }
  /// Rounded to the nearest, halves to even, as `torch.round` does; the quotient is exact.
  fileprivate static func mean(_ sum: Int, of total: Int) -> UInt8 {
    let (whole, rest) = sum.quotientAndRemainder(dividingBy: total)
    let isUp = 2 * rest > total || 2 * rest == total && whole % 2 == 1
    return UInt8(truncatingIfNeeded: isUp ? whole + 1 : whole)
  }
}

extension Float: ResampledValue {
  fileprivate var summand: Double { Double(self) }
  fileprivate static func mean(_ sum: Double, of total: Double) -> Float { Float(sum / total) }
}

/// Draws maps, channels last, again with other numbers of rows and columns.
package struct Resampling: Sendable {
  package enum Kernel: Sendable { case bilinear, bicubic }

  package let old: FeatureShape
  package let new: FeatureShape
  private let exact: (rows: LineTaps<Int>, columns: LineTaps<Int>)
  private let real: (rows: LineTaps<Double>, columns: LineTaps<Double>)

  /// From maps of one shape to those of so many rows and columns.
  package init(_ old: FeatureShape, height: Int, width: Int, _ kernel: Kernel) {
    self.old = old
    new = FeatureShape(height: height, width: width, channels: old.channels)
    exact = (
      LineTaps(bilinear: old.height, to: height), LineTaps(bilinear: old.width, to: width)
    )
    switch kernel {
    case .bilinear: real = (exact.rows.doubles, exact.columns.doubles)
    case .bicubic:
      real = (LineTaps(bicubic: old.height, to: height), LineTaps(bicubic: old.width, to: width))
    }
  }

  /// Whether sums of bytes are exact: false where a side of tens of thousands shrinks to almost
  /// nothing.
  package var isExact: Bool {
    let most = exact.rows.totals.max() ?? 1
    let (product, overflow) = most.multipliedReportingOverflow(by: exact.columns.totals.max() ?? 1)
    return !overflow && product <= Int.max / 512
  }

  /// Maps of bytes, one after the other, bilinear; sums are of whole numbers, so every machine has
  /// the same bytes.
  package func bytes(_ pixels: [UInt8]) -> [UInt8] {
    precondition(isExact, "Resampling: \(old) to \(new) overflows")
    return run(pixels, exact.rows, exact.columns)
  }

  /// Maps of numbers, one after the other; sums are in double precision.
  package func floats(_ values: [Float]) -> [Float] { run(values, real.rows, real.columns) }

  private func run<Value: ResampledValue>(
    _ values: [Value], _ rows: LineTaps<Value.Weight>, _ columns: LineTaps<Value.Weight>
  ) -> [Value] {
    let maps = values.count / old.count
    var lines = [Value.Weight](repeating: 0, count: old.height * new.width * new.channels)
    return [Value](unsafeUninitializedCapacity: maps * new.count) { buffer, filled in
      for map in 0..<maps {
        values.withUnsafeBufferPointer { source in
          lines.withUnsafeMutableBufferPointer { lines in
            let from = UnsafeBufferPointer(
              rebasing: source[map * old.count..<(map + 1) * old.count])
            let to = UnsafeMutableBufferPointer(
              rebasing: buffer[map * new.count..<(map + 1) * new.count])
            Self.draw(from, old, columns, into: lines)
            Self.draw(lines, new, rows, columns, into: to)
          }
        }
      }
      filled = maps * new.count
    }
  }

  /// Along the rows: [old height × new width × channels] sums.
  private static func draw<Value: ResampledValue>(
    _ source: UnsafeBufferPointer<Value>, _ old: FeatureShape, _ taps: LineTaps<Value.Weight>,
    into lines: UnsafeMutableBufferPointer<Value.Weight>
  ) {
    let channels = old.channels
    var place = 0
    for row in 0..<old.height {
      for column in taps.totals.indices {
        let from = (row * old.width + taps.first[column]) * channels
        let span = taps.start[column]..<taps.start[column + 1]
        for channel in 0..<channels {
          var sum: Value.Weight = 0
          var at = from + channel
          for tap in span {
            sum += taps.weights[tap] * source[at].summand
            at += channels
          }
          lines[place] = sum
          place += 1
        }
      }
    }
  }

  /// Along the columns, and the means.
  private static func draw<Value: ResampledValue>(
    _ lines: UnsafeMutableBufferPointer<Value.Weight>, _ new: FeatureShape,
    _ rows: LineTaps<Value.Weight>, _ columns: LineTaps<Value.Weight>,
    into target: UnsafeMutableBufferPointer<Value>
  ) {
    let line = new.width * new.channels
    var place = 0
    for row in 0..<new.height {
      let span = rows.start[row]..<rows.start[row + 1]
      for column in 0..<new.width {
        let total = rows.totals[row] * columns.totals[column]
        for channel in 0..<new.channels {
          var sum: Value.Weight = 0
          var at = rows.first[row] * line + column * new.channels + channel
          for tap in span {
            sum += rows.weights[tap] * lines[at]
            at += line
          }
          target.initializeElement(at: place, to: Value.mean(sum, of: total))
          place += 1
        }
      }
    }
  }
}
