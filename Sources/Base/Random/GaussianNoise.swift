/// Normal noise for privacy mechanisms: number i is a pure function of (key, i).
///
/// Nothing is threaded from one number to the next, so neither how a vector is cut into pieces nor
/// how many threads work on it changes a bit.
///
/// Numbers come in blocks of sixteen by the transformation of Box and Muller (Annals of
/// Mathematical Statistics 29(2), 1958). In block b, lane l ∈ 0 ..< 8, with w_n the n-th word of
/// the stream `RandomStream` with this key:
///
///     u = (⌊w_{16b+l} / 2¹²⌋ + ½) / 2⁵²        in (0, 1)
///     v =  ⌊w_{16b+8+l} / 2¹²⌋ / 2⁵²           in [0, 1)
///     z_{16b+l} = √(−2 ln u)·cos 2πv,   z_{16b+8+l} = √(−2 ln u)·sin 2πv
///
/// All in Double, with polynomials of our own: |z| ≤ 8.58, each within 10⁻¹⁴ of the exact
/// transformation of its words. No product is fused with a sum, so that every build and CPU gives
/// the same bits.
///
/// For research, not for deployment: floating-point noise has gaps that can reveal what it was
/// added to (Mironov, CCS 2012), and whoever knows the seed can repeat every number.
/// `DiscreteGaussian` has no gaps.
public struct GaussianNoise: Sendable {
  /// The mixed address of the stream that the words come from.
  public let key: UInt64

  /// The noise at a stream's address; the stream must not be used for anything else.
  public init(_ stream: RandomStream) { key = stream.key }

  /// Number `index` ≥ 0 of this noise, N(0, 1).
  ///
  /// - Complexity: that of sixteen numbers in a row; for vectors use `add`.
  public func value(_ index: Int) -> Double {
    let block = block(index / 16)
    return index % 16 < 8 ? block.cosine[index % 8] : block.sine[index % 8]
  }

  /// x_i ← x_i + s·z_{first + i}, added in Double and rounded once to Float.
  ///
  /// - Parameters:
  ///   - vector: x, a piece of a longer vector or all of it.
  ///   - deviation: s ≥ 0; 0 changes nothing.
  ///   - first: place of the piece in the whole vector, ≥ 0.
  /// - Complexity: O(n), no allocation.
  public func add(to vector: UnsafeMutableBufferPointer<Float>, deviation: Double, first: Int = 0) {
    precondition(first >= 0 && deviation >= 0, "GaussianNoise: s = \(deviation), from \(first)")
    guard let start = vector.baseAddress, deviation > 0 else { return }
    // A piece may start and end inside a block.
    let head = min(vector.count, (16 - first % 16) % 16)
    let blocks = (vector.count - head) / 16
    addPart(of: first / 16, to: start, 0..<head, deviation, first)
    var x = start + head
    var number = (first + head) / 16
    for _ in 0..<blocks {
      let noise = block(number)
      x.half = Self.sum(x.half, noise.cosine, deviation)
      (x + 8).half = Self.sum((x + 8).half, noise.sine, deviation)
      x += 16
      number &+= 1
    }
    addPart(of: number, to: start, head + 16 * blocks..<vector.count, deviation, first)
  }

  /// Adds numbers of one block to the places that they belong to.
  private func addPart(
    of number: Int, to start: UnsafeMutablePointer<Float>, _ places: Range<Int>,
    _ deviation: Double, _ first: Int
  ) {
    guard !places.isEmpty else { return }
    let noise = block(number)
    for place in places {
      let lane = (first + place) % 16
      let z = lane < 8 ? noise.cosine[lane] : noise.sine[lane - 8]
      start[place] = Float(Double(start[place]) + deviation * z)
    }
  }

  /// x_i ← x_i + s·z_{first + i}, as above.
  public func add(to vector: inout [Float], deviation: Double, first: Int = 0) {
    vector.withUnsafeMutableBufferPointer { add(to: $0, deviation: deviation, first: first) }
  }

  /// x_i ← x_i + s·z_{first + i} in Double, for sums of several noises.
  ///
  /// - Parameters:
  ///   - vector: x, a piece of a longer vector or all of it.
  ///   - scale: s of any sign.
  ///   - first: place of the piece in the whole vector, a multiple of 16.
  /// - Complexity: O(n), no allocation.
  public func add(to vector: inout [Double], scale: Double, first: Int = 0) {
    precondition(first >= 0 && first % 16 == 0, "GaussianNoise: from \(first)")
    vector.withUnsafeMutableBufferPointer { x in
      for start in stride(from: 0, to: x.count, by: 16) {
        let noise = block((first + start) / 16)
        let (low, high) = (scale * noise.cosine, scale * noise.sine)
        for lane in 0..<min(8, x.count - start) { x[start + lane] += low[lane] }
        for lane in 0..<max(0, min(8, x.count - start - 8)) { x[start + 8 + lane] += high[lane] }
      }
    }
  }

  @inline(__always) private static func sum(_ x: SIMD8<Float>, _ z: Reals, _ deviation: Double)
    -> SIMD8<Float>
  { SIMD8<Float>(Reals(x) + deviation * z) }

  /// Sixteen numbers.
  @inline(__always) private func block(_ number: Int) -> (cosine: Reals, sine: Reals) {
    let first = key &+ (16 &* UInt64(number) &+ 1) &* RandomStream.gamma
    let u = Self.words(first)
    let v = Self.words(first &+ 8 &* RandomStream.gamma)
    // 1 − 2⁻⁵³ off [1, 2): the middle of each of 2⁵² cells, exactly.
    let uniform = Self.between1And2(u) - (1 - 0x1p-53)
    let radius = NoiseMath.squareRoot(-2 * NoiseMath.logarithm(uniform))
    let angle = NoiseMath.turn(Self.between1And2(v) - 1)
    return (radius * angle.cosine, radius * angle.sine)
  }

  /// Eight neighbouring words of the stream; `first`: key + (n + 1)·γ of the first of them.
  @inline(__always) private static func words(_ first: UInt64) -> Words {
    var z = Words(repeating: first) &+ steps
    z = (z ^ (z &>> 30)) &* Words(repeating: 0xBF58_476D_1CE4_E5B9)
    z = (z ^ (z &>> 27)) &* Words(repeating: 0x94D0_49BB_1331_11EB)
    return z ^ (z &>> 31)
  }

  /// 1 + k/2⁵² with the word's 52 upper bits k.
  @inline(__always) private static func between1And2(_ words: Words) -> Reals {
    unsafeBitCast((words &>> 12) | 0x3FF0_0000_0000_0000, to: Reals.self)
  }

  /// l·γ for l ∈ 0 ..< 8.
  @inline(__always) private static var steps: Words {
    Words(0, 1, 2, 3, 4, 5, 6, 7) &* Words(repeating: RandomStream.gamma)
  }
}

/// Eight doubles, and the bits of eight.
typealias Reals = SIMD8<Double>
package typealias Words = SIMD8<UInt64>

/// Logarithm, root, sine and cosine of eight numbers at once, as far as noise needs them.
///
/// Coefficients: FreeBSD msun (`e_log.c`, `k_sin.c`, `k_cos.c`; Sun Microsystems 1993), whose
/// errors are below one unit in the last place.
enum NoiseMath {
  /// ln x for 2⁻¹⁰⁰ ≤ x < 2¹⁰⁰.
  ///
  /// x = 2ᵏ·m with m in [√½, √2); ln m = f − (f²/2 − s·(f²/2 + R(s²))) with f = m − 1 and
  /// s = f/(2 + f).
  @inline(__always) static func logarithm(_ x: Reals) -> Reals {
    let bits = unsafeBitCast(x, to: Words.self)
    // The exponent of x/√½, counted from a hundred below 0 so that no sign is lost in a shift.
    let shifted = bits &- 0x3FE6_A09E_667F_3BCD &+ (1024 << 52)
    let exponent = shifted &>> 52
    let mantissa = bits &- ((exponent &- 1024) &<< 52)
    // Small integers become doubles by way of 2⁵²'s mantissa.
    let k = unsafeBitCast(exponent | 0x4330_0000_0000_0000, to: Reals.self) - (0x1p52 + 1024)
    let f = unsafeBitCast(mantissa, to: Reals.self) - 1
    let s = f / (2 + f)
    let z = s * s
    var r = z * 1.479819860511658591e-01 + 1.531383769920937332e-01
    r = z * r + 1.818357216161805012e-01
    r = z * r + 2.222219843214978396e-01
    r = z * r + 2.857142874366239149e-01
    r = z * r + 3.999999999940941908e-01
    r = z * r + 6.666666666666735130e-01
    r = z * r
    let half = 0.5 * f * f
    // ln 2 in two parts: the first times k is exact.
    let low = s * (half + r) + k * 1.90821492927058770002e-10
    return k * 6.93147180369123816490e-01 - ((half - low) - f)
  }

  /// √x for 2⁻¹⁰⁰ ≤ x < 2¹⁰⁰, to an error of about one unit in the last place.
  ///
  /// Newton's iteration for 1/√x from a first guess that halves the exponent: each step squares the
  /// relative error, from 0.035 at first. The standard library's root is a call per lane.
  @inline(__always) static func squareRoot(_ x: Reals) -> Reals {
    let bits = unsafeBitCast(x, to: Words.self)
    var y = unsafeBitCast(0x5FE6_EB50_C7B5_37A9 &- (bits &>> 1), to: Reals.self)
    let half = 0.5 * x
    y = y * (1.5 - half * y * y)
    y = y * (1.5 - half * y * y)
    y = y * (1.5 - half * y * y)
    let root = x * y
    return root + 0.5 * y * (x - root * root)
  }

  /// (cos 2πv, sin 2πv) for 0 ≤ v < 1.
  @inline(__always) static func turn(_ v: Reals) -> (cosine: Reals, sine: Reals) {
    let quarters = 4 * v
    // Adding 1.5·2⁵² rounds to whole numbers and leaves them in the lowest bits.
    let rounded = quarters + 0x1.8p52
    let quadrant = unsafeBitCast(rounded, to: Words.self)
    let x = (quarters - (rounded - 0x1.8p52)) * (.pi / 2)  // in ±π/4
    let z = x * x
    let sine = sine(x, z)
    let cosine = cosine(z)
    // Odd quadrants swap the two; bit 1 of the quadrant, or of the next one, is the sign.
    let odd = 0 &- (quadrant & 1)
    let s = unsafeBitCast(sine, to: Words.self)
    let c = unsafeBitCast(cosine, to: Words.self)
    let swapped = (s ^ c) & odd
    return (
      unsafeBitCast((c ^ swapped) ^ (((quadrant &+ 1) & 2) &<< 62), to: Reals.self),
      unsafeBitCast((s ^ swapped) ^ ((quadrant & 2) &<< 62), to: Reals.self)
    )
  }

  @inline(__always) private static func sine(_ x: Reals, _ z: Reals) -> Reals {
    var r = z * 1.58969099521155010221e-10 - 2.50507602534068634195e-08
    r = z * r + 2.75573137070700676789e-06
    r = z * r - 1.98412698298579493134e-04
    r = z * r + 8.33333333332248946124e-03
    r = z * r - 1.66666666666666324348e-01
    return x + (x * z) * r
  }

  @inline(__always) private static func cosine(_ z: Reals) -> Reals {
    var r = 2.08757232129817482790e-09 - z * 1.13596475577881948265e-11
    r = z * r - 2.75573143513906633035e-07
    r = z * r + 2.48015872894767294178e-05
    r = z * r - 1.38888888888741095749e-03
    r = z * r + 4.16666666666666019037e-02
    let half = 0.5 * z
    let w = 1 - half
    return w + (((1 - w) - half) + z * (z * r))
  }
}

extension UnsafeMutablePointer<Float> {
  /// The eight floats from here on.
  @inline(__always) fileprivate var half: SIMD8<Float> {
    get { UnsafeRawPointer(self).loadUnaligned(as: SIMD8<Float>.self) }
    nonmutating set {
      UnsafeMutableRawPointer(self).storeBytes(of: newValue, as: SIMD8<Float>.self)
    }
  }
}
