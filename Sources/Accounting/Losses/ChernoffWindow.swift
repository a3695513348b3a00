import Base

/// Indices outside of which a tilted sum of losses has next to nothing, with bounds on the rest.
///
/// With K the cumulant of the sum and P̃ its distribution tilted by t,
///
///     P̃(L ≥ x) ≤ e^{K(t+s) − K(t) − s x}   for every s > 0, and alike below
///
/// so the place x(s) = (K(t+s) − K(t) + c)/s leaves at most e^{−c} above it. Every s gives a bound
/// that holds; only its width depends on the search.
struct ChernoffWindow {
  private let composition: LossComposition
  private let up: Double
  private let down: Double
  let first: Int
  /// How many indices, ≥ 1.
  let length: Int

  /// The window of a focus; nil when no index in range bounds the sum.
  init?(_ composition: LossComposition, _ focus: LossComposition.Focus, _ support: ClosedRange<Int>)
  {
    self.composition = composition
    let (tilt, c, h) = (focus.tilt, focus.tailExponent, composition.interval)
    func highest(_ s: Double) -> Double {
      (composition.cumulant(tilt + s).value - focus.logScale + c) / s
    }
    func lowest(_ s: Double) -> Double {
      -(focus.logScale - composition.cumulant(tilt - s).value - c) / s
    }
    up = Self.argmin(steepest: LossComposition.steepest / h, highest)
    down = Self.argmin(steepest: LossComposition.steepest / h, lowest)
    let offset = composition.offset
    let high = min(Double(support.upperBound), ((highest(up) - offset) / h).rounded(.up))
    let low = max(Double(support.lowerBound), ((-lowest(down) - offset) / h).rounded(.down))
    guard high.isFinite, low.isFinite, abs(high) < 0x1p52, abs(low) < 0x1p52 else { return nil }
    first = Int(low)
    length = max(1, Int(high) - first + 1)
  }

  /// The s that makes a width smallest, to a factor of about √2, near which the width is flat.
  private static func argmin(steepest: Double, _ width: (Double) -> Double) -> Double {
    var (best, at) = (Double.infinity, 1 / steepest)
    // Coarsely over all scales, since a sum of two kinds of losses has two of them.
    var s = steepest * 1e-14
    while s <= steepest {
      let value = width(s)
      if value < best { (best, at) = (value, s) }
      s *= 8
    }
    for factor in [2.828_427_124_746_19, 1.681_792_830_507_43] {
      for candidate in [at / factor, at * factor] where candidate <= steepest {
        let value = width(candidate)
        if value < best { (best, at) = (value, candidate) }
      }
    }
    return at
  }

  private func place(_ index: Int) -> Double {
    composition.offset + Double(index) * composition.interval
  }

  /// A bound on the tilted mass above an index.
  func massAbove(_ top: Int, _ focus: LossComposition.Focus) -> Double {
    let (s, x) = (up, place(top))
    return Self.bound(
      composition.cumulant(focus.tilt + s).value - focus.logScale, -s * x, slack(focus.tilt + s))
  }

  /// A bound on the tilted mass below an index.
  func massBelow(_ first: Int, _ focus: LossComposition.Focus) -> Double {
    let (s, x) = (down, place(first))
    return Self.bound(
      composition.cumulant(focus.tilt - s).value - focus.logScale, s * x, slack(focus.tilt - s))
  }

  /// A bound on the mass above an index without any tilt; `tilt + up` is one s ≥ 0 of many.
  func untiltedMassAbove(_ top: Int, tilt: Double) -> Double {
    let (s, x) = (tilt + up, place(top))
    return min(1, Self.bound(composition.cumulant(s).value, -s * x, slack(s)))
  }

  private static func bound(_ scale: Double, _ shift: Double, _ slack: Double) -> Double {
    let exponent = scale + shift
    if exponent.isNaN { return .infinity }
    return exp(exponent + slack + 1e-12 * (abs(scale) + abs(shift)) + 1e-9)
  }

  /// What rounding may add to the cumulant of the sum: sums of n positive terms, T times.
  private func slack(_ t: Double) -> Double {
    composition.parts.reduce(0) { sum, part in
      let roundings = Double(part.loss.masses.count) + 2048 + 4 * abs(t) * part.loss.largest
      return sum + Double(part.steps) * roundings * 0x1p-52
    }
  }
}
