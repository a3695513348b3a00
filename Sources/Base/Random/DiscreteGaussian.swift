/// Whole numbers with P(y) ∝ exp(−y²/(2s²)): the discrete Gaussian N_Z(0, s²), drawn exactly.
///
/// Only whole numbers are computed with, so that no rounding can tell what the noise was added to.
/// For vectors of whole numbers with L2 sensitivity Δ its privacy is that of the continuous one:
/// RDP α·Δ²/(2s²) at order α. Its variance is at most s², and nearly s² from s = 1 on.
///
/// Bits come from a `RandomStream`: exact, and repeatable by whoever knows the seed. A deployment
/// needs a cryptographic source.
///
/// - Source: Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy",
///   NeurIPS 2020, arXiv:2004.00010, algorithms 1 to 3.
public struct DiscreteGaussian: Sendable, Equatable {
  /// s² = numerator/denominator.
  public let numerator: UInt64
  /// See `numerator`.
  public let denominator: UInt64
  /// t = ⌊s⌋ + 1, the scale of the Laplace numbers that are accepted or not.
  private let scale: UInt64

  /// Both terms of s² must be in 1 ..< 2⁵⁰, else nil: up to there no product overflows.
  public init?(numerator: UInt64, denominator: UInt64) {
    let terms: Range<UInt64> = 1..<1 << 50
    guard terms.contains(numerator), terms.contains(denominator) else { return nil }
    self.numerator = numerator
    self.denominator = denominator
    var root = UInt64(clamping: Double(numerator / denominator).squareRoot())
    // A root of less than 2⁵⁰ is right in Double but for the rounding of its last step.
    while root * root > numerator / denominator { root -= 1 }
    while (root + 1) * (root + 1) <= numerator / denominator { root += 1 }
    scale = root + 1
  }

  /// An s² with a power of two as its denominator, no less than `variance` and no more than
  /// max(2⁻⁴⁰, 2⁻⁴⁸·variance) above it.
  ///
  /// Nil unless `variance` is in [2⁻⁴⁰, 2⁴⁸].
  public init?(varianceAtLeast variance: Double) {
    guard variance >= 0x1p-40, variance <= 0x1p48 else { return nil }
    let bits = max(0, min(40, 48 - Int(variance.exponent)))
    let scaled = variance * Double(UInt64(1) << UInt64(bits))
    self.init(numerator: UInt64(clamping: scaled.rounded(.up)), denominator: 1 << UInt64(bits))
  }

  /// One number.
  ///
  /// - Complexity: O(1); about 20 words of the stream expected, whatever s.
  public func draw(from stream: inout RandomStream) -> Int64 {
    let (n, d) = (UInt128(numerator), UInt128(denominator))
    let t = UInt128(scale)
    while true {
      let (magnitude, isNegative) = Self.laplace(scale, &stream)
      // (|Y| − s²/t)²/(2s²) = (|Y|·d·t − n)² / (2·n·d·t²)
      let (product, first) = UInt128(magnitude).multipliedReportingOverflow(by: d * t)
      let difference = product > n ? product - n : n - product
      let (square, second) = difference.multipliedReportingOverflow(by: difference)
      // Only beyond 2¹⁰·t, where neither a draw (e^−1000) nor its acceptance can happen.
      if first || second { continue }
      if stream.bernoulliExp(square, over: 2 * n * d * t * t) {
        return isNegative ? -Int64(magnitude) : Int64(magnitude)
      }
    }
  }

  /// x_i ← x_i + y_i with independent numbers, one after the other from the stream; sums wrap.
  public func add(to vector: inout [Int64], from stream: inout RandomStream) {
    for index in vector.indices { vector[index] &+= draw(from: &stream) }
  }

  /// |Y| and the sign of Y with P(y) ∝ exp(−|y|/t): algorithm 2 for a whole t.
  private static func laplace(_ t: UInt64, _ stream: inout RandomStream) -> (
    magnitude: UInt64, isNegative: Bool
  ) {
    while true {
      let u = stream.below(UInt128(t))
      guard stream.bernoulliExp(u, over: UInt128(t)) else { continue }
      var v: UInt64 = 0
      while stream.bernoulliExp(1, over: 1) { v += 1 }
      let magnitude = UInt64(u) + t * v
      let isNegative = stream.next() >> 63 == 1
      // Zero has one sign.
      if isNegative, magnitude == 0 { continue }
      return (magnitude, isNegative)
    }
  }
}

extension RandomStream {
  /// Uniform in 0 ..< bound without bias: as many bits as the bound has, until they are below it.
  package mutating func below(_ bound: UInt128) -> UInt128 {
    precondition(bound > 0, "RandomStream.below: bound is 0")
    let last = bound - 1
    if last == 0 { return 0 }
    let bits = 128 - last.leadingZeroBitCount
    while true {
      let value =
        bits <= 64
        ? UInt128(next() >> UInt64(64 - bits))
        : UInt128(next() >> UInt64(128 - bits)) << 64 | UInt128(next())
      if value <= last { return value }
    }
  }

  /// True with probability exp(−a/b), exactly; b > 0.
  ///
  /// - Source: Canonne, Kamath and Steinke 2020, algorithm 1; P(x/k) there is P(x) and P(1/k)
  ///   here, which no k overflows.
  mutating func bernoulliExp(_ a: UInt128, over b: UInt128) -> Bool {
    var whole = a / b
    while whole > 0 {
      guard bernoulliExpBelow1(1, over: 1) else { return false }
      whole -= 1
    }
    return bernoulliExpBelow1(a % b, over: b)
  }

  /// For a ≤ b.
  private mutating func bernoulliExpBelow1(_ a: UInt128, over b: UInt128) -> Bool {
    var k: UInt128 = 1
    while (a == b || below(b) < a) && below(k) == 0 { k += 1 }
    return k % 2 == 1
  }
}
