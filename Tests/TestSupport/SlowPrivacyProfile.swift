import Foundation

/// δ(ε) of T sampled Gaussian steps, by repeated integration: slow, and nothing like a grid of
/// losses or a Fourier transform.
///
///     δ_T(ε) = ∫ p(x) δ_{T−1}(ε − L(x)) dx,   δ_0(ε) = max(0, 1 − e^ε)
///
/// for P = (1−q) N(0, σ²) + q N(−1, σ²) against Q = N(0, σ²), or the other way round. The integral
/// is a trapezoidal rule over ±9.5σ, whose error falls faster than any power of its step because
/// the integrand is smooth after the first step; the first one is the closed form. Between points
/// the logarithm of δ is a cubic in v, where ε = a sinh v: most points lie near 0, where a profile
/// bends on the scale of a single step.
public struct SlowPrivacyProfile {
  private let points: Points
  private let logs: [Double]

  /// ε = a sinh(v) at evenly spaced v.
  private struct Points {
    let scale: Double
    let low: Double
    let step: Double

    func epsilon(_ k: Int) -> Double { scale * sinh(low + step * Double(k)) }
    func place(_ epsilon: Double) -> Double { (asinh(epsilon / scale) - low) / step }
  }

  /// The profile of `steps` ≥ 1 steps, from about δ = 1 down to about 10⁻¹⁶.
  ///
  /// - Complexity: O(T · points · nodes).
  public init(
    rate q: Double, noise s: Double, steps: Int, isAddition: Bool, points count: Int = 600
  ) {
    func loss(_ x: Double) -> Double { log1p(q * expm1((-0.5 - x) / (s * s))) }
    let nodes = Self.nodes(rate: q, noise: s, isAddition: isAddition, loss)
    // Far enough on both sides: beyond, δ is below 10⁻¹⁶, or 1 − e^ε to as many digits.
    let mean = nodes.reduce(0) { $0 + $1.weight * $1.loss }
    let spread = nodes.reduce(0) { $0 + $1.weight * ($1.loss - mean) * ($1.loss - mean) }
      .squareRoot()
    let root = Double(steps).squareRoot()
    let farthest = nodes.reduce(0) { max($0, $1.weight > 1e-18 ? $1.loss : 0) }
    let high = min(
      Double(steps) * farthest, Double(steps) * mean + 12 * root * spread + 2 * farthest)
    let lowest = -Double(steps) * max(-mean, 0) - 12 * root * spread - 1e-9
    let scale = spread / 4
    let from = asinh(lowest / scale)
    let points = Points(
      scale: scale, low: from, step: (asinh(high / scale) - from) / Double(count - 1))
    var logs = (0..<count).map { k -> Double in
      log(max(Self.single(q, s, points.epsilon(k), isAddition), 1e-300))
    }
    for _ in 1..<max(1, steps) {
      let before = logs
      before.withUnsafeBufferPointer { before in
        for k in 0..<count {
          let epsilon = points.epsilon(k)
          var sum = 0.0
          for node in nodes { sum += node.weight * Self.value(before, points, epsilon - node.loss) }
          logs[k] = log(max(sum, 1e-300))
        }
      }
    }
    (self.points, self.logs) = (points, logs)
  }

  /// δ(ε) within the profile's range.
  public func delta(_ epsilon: Double) -> Double {
    logs.withUnsafeBufferPointer { Self.value($0, points, epsilon) }
  }

  /// The range of ε with δ between two numbers, for drawing an ε.
  public func epsilons(from small: Double, to large: Double) -> ClosedRange<Double>? {
    let places = logs.indices.filter {
      logs[$0] < log(large) && logs[$0] > log(small) && points.epsilon($0) > 0
    }
    guard let first = places.first, let last = places.last, last > first else { return nil }
    return points.epsilon(first)...points.epsilon(last)
  }

  private static func nodes(
    rate q: Double, noise s: Double, isAddition: Bool, _ loss: (Double) -> Double
  ) -> [(weight: Double, loss: Double)] {
    // One step's profile bends within about q, and so does the integrand.
    let h = min(s / 5, 0.3 * s * s, 0.4 * q)
    let from = -1 - 9.5 * s
    let count = Int(((1 + 19 * s) / h).rounded(.up))
    return (0...count).map { k in
      let x = from + h * Double(k)
      func density(_ mean: Double) -> Double {
        exp(-0.5 * (x - mean) * (x - mean) / (s * s)) / (s * (2 * Double.pi).squareRoot())
      }
      let still = density(0)
      return isAddition ? (still * h, -loss(x)) : (((1 - q) * still + q * density(-1)) * h, loss(x))
    }
  }

  /// One step in closed form: where the loss is above ε, P's mass minus e^ε times Q's.
  private static func single(_ q: Double, _ s: Double, _ epsilon: Double, _ isAddition: Bool)
    -> Double
  {
    func below(_ u: Double) -> Double { 0.5 * erfc(-u / 2.0.squareRoot()) }
    // The x at which the loss of removal is l; none below ln(1 − q).
    func point(_ l: Double) -> Double? {
      let inside = 1 + expm1(l) / q
      return inside > 0 ? -0.5 - s * s * log(inside) : nil
    }
    if isAddition {
      guard let x = point(-epsilon) else { return max(0, epsilon < 0 ? -expm1(epsilon) : 0) }
      // Losses above ε lie to the right of x.
      let (still, moved) = (below(-x / s), below(-(x + 1) / s))
      return max(0, still - exp(epsilon) * ((1 - q) * still + q * moved))
    }
    guard let x = point(epsilon) else { return -expm1(epsilon) }
    let (still, moved) = (below(x / s), below((x + 1) / s))
    return max(0, (1 - q) * still + q * moved - exp(epsilon) * still)
  }

  private static func value(
    _ logs: UnsafeBufferPointer<Double>, _ points: Points, _ epsilon: Double
  ) -> Double {
    let place = points.place(epsilon)
    if place < 1 { return -expm1(min(0, epsilon)) + (epsilon > 0 ? exp(logs[0]) : 0) }
    if place > Double(logs.count - 1) { return 0 }
    let k = min(logs.count - 3, Int(place))
    let t = place - Double(k)
    let (a, b, c, d) = (logs[k - 1], logs[k], logs[k + 1], logs[k + 2])
    // Where a profile ends (no loss of an addition is above −ln(1 − q)) a cubic would overshoot.
    if max(abs(b - a), max(abs(c - b), abs(d - c))) > 1 { return exp(b + t * (c - b)) }
    let cubic = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return exp(cubic)
  }
}
