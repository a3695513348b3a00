/// The multiples of g = 2ᵏ, onto which a clipped vector is rounded before discrete noise is added.
///
/// Rounding comes before the noise, so the noise needs the sensitivity of what was rounded. Both
/// ways give vectors within their stated norm whatever they are given: one that is too long is
/// clipped first, and one that holds what is not a number becomes 0, as does one of 2⁵³ steps or
/// more.
///
/// - Source: Kairouz, Liu and Steinke, "The Distributed Discrete Gaussian Mechanism", ICML 2021,
///   arXiv:2102.06387, section 4.
public struct Grid: Sendable, Equatable {
  /// g.
  public let spacing: Double

  /// Nil unless `spacing` is a power of two from 2⁻¹⁰⁰ to 2¹⁰⁰: then dividing by it is exact.
  public init?(spacing: Double) {
    guard spacing >= 0x1p-100, spacing <= 0x1p100, spacing.significand == 1 else { return nil }
    self.spacing = spacing
  }

  /// The widest grid with g ≤ `size`; nil unless that is from 2⁻¹⁰⁰ to 2¹⁰⁰.
  public init?(atMost size: Double) {
    guard size >= 0x1p-100, size <= 0x1p100 else { return nil }
    self.init(spacing: Double(sign: .plus, exponent: Int(size.exponent), significand: 1))
  }

  /// x/g cut to whole numbers, toward 0: no coordinate grows, so neither does the norm.
  ///
  /// Biased towards 0 by g/2 on average.
  ///
  /// - Parameters:
  ///   - vector: x with ‖x‖ ≤ C.
  ///   - norm: C ≥ 0; the sensitivity of the result is C/g.
  /// - Returns: whole numbers y with g‖y‖ ≤ C.
  /// - Complexity: O(d).
  public func towardZero(_ vector: [Float], norm: Double) -> [Int64] {
    cut(places(vector, norm), norm)
  }

  /// x/g rounded up or down at random so that the mean is kept, again until the norm is within
  /// `sensitivity(norm:dimension:failure:)`/g.
  ///
  /// After a hundred times, which a clipped vector meets with probability β¹⁰⁰, it is rounded
  /// toward 0.
  ///
  /// - Parameters:
  ///   - vector: x with ‖x‖ ≤ C.
  ///   - norm: C ≥ 0.
  ///   - failure: β in (0, 1), the probability that a first rounding is too long.
  ///   - stream: where the roundings come from, one word per coordinate and attempt.
  /// - Returns: whole numbers y with g‖y‖ ≤ Δ.
  /// - Complexity: O(d) expected.
  public func stochastic(
    _ vector: [Float], norm: Double, failure: Double, from stream: inout RandomStream
  ) -> [Int64] {
    let places = places(vector, norm)
    let most = limit(sensitivity(norm: norm, dimension: vector.count, failure: failure))
    for _ in 0..<100 {
      let rounded = places.map { place in
        let below = place.rounded(.down)
        return Int64(clamping: below) + (stream.uniform() < place - below ? 1 : 0)
      }
      if Self.squaredNorm(rounded) <= most { return rounded }
    }
    return cut(places, norm)
  }

  /// Δ, the largest norm of g times a stochastically rounded vector.
  ///
  ///     Δ² = min( C² + g²d/4 + √(2 ln 1/β)·g·(C + g√d/2),  (C + g√d)² )
  ///
  /// - Source: Kairouz, Liu and Steinke 2021, proposition 22.
  public func sensitivity(norm: Double, dimension: Int, failure: Double) -> Double {
    let (g, d) = (spacing, Double(dimension))
    let likely =
      norm * norm + g * g * d / 4 + (2 * log(1 / failure)).squareRoot() * g
      * (norm + g * d.squareRoot() / 2)
    let certain = (norm + g * d.squareRoot()) * (norm + g * d.squareRoot())
    return min(likely, certain).squareRoot()
  }

  /// g·y, rounded once to Float.
  public func values(_ whole: [Int64]) -> [Float] { whole.map { Float(Double($0) * spacing) } }

  /// x/g, scaled down where ‖x‖ > C; zeros where that is no vector that can be counted.
  private func places(_ vector: [Float], _ norm: Double) -> [Double] {
    var squares = 0.0
    for x in vector { squares += Double(x) * Double(x) }
    let length = squares.squareRoot()
    let factor = (length > norm ? norm / length : 1) / spacing
    guard length * factor < 0x1p53 else { return [Double](repeating: 0, count: vector.count) }
    return vector.map { Double($0) * factor }
  }

  /// Toward 0; what a rounding of the clipping factor left too long becomes 0 altogether.
  private func cut(_ places: [Double], _ norm: Double) -> [Int64] {
    let whole = places.map { Int64(clamping: $0) }
    let fits = Self.squaredNorm(whole) <= limit(norm)
    return fits ? whole : [Int64](repeating: 0, count: whole.count)
  }

  /// The largest allowed Σ y².
  private func limit(_ norm: Double) -> UInt128 {
    let squared = (norm / spacing) * (norm / spacing)
    guard squared >= 0 else { return 0 }
    return squared < 0x1p126 ? UInt128(squared) : 1 << 126
  }

  /// Σ y², exact for |y| ≤ 2⁵³ and up to 2²² coordinates of that size.
  package static func squaredNorm(_ vector: [Int64]) -> UInt128 {
    var sum: UInt128 = 0
    for y in vector { sum += UInt128(y.magnitude) * UInt128(y.magnitude) }
    return sum
  }
}
