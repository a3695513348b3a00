/// Arithmetic on flat parameter vectors: single passes, no allocation unless a value is returned.
///
/// Element-wise results do not depend on the vector width; sums use the fixed order stated.
public enum VectorArithmetic {
  /// y ← y + a·x.
  public static func addScaled(_ y: inout MutableSpan<Float>, _ a: Float, _ x: Span<Float>) {
    precondition(y.count == x.count, "addScaled: y is [\(y.count)], x is [\(x.count)]")
    for i in x.indices { y[i] += a * x[i] }
  }

  /// y ← y + a·(u − v).
  public static func addScaledDifference(
    _ y: inout MutableSpan<Float>, _ a: Float, _ u: Span<Float>, _ v: Span<Float>
  ) {
    precondition(
      y.count == u.count && y.count == v.count,
      "addScaledDifference: y is [\(y.count)], u is [\(u.count)], v is [\(v.count)]")
    for i in y.indices { y[i] += a * (u[i] - v[i]) }
  }

  /// y ← y + a·x.
  public static func addScaled(_ y: inout [Float], _ a: Float, _ x: [Float]) {
    var target = y.mutableSpan
    addScaled(&target, a, x.span)
  }

  /// y ← a·y.
  public static func scale(_ y: inout [Float], by a: Float) {
    var target = y.mutableSpan
    for i in target.indices { target[i] *= a }
  }

  /// u − v.
  public static func difference(_ u: Span<Float>, _ v: Span<Float>) -> [Float] {
    precondition(u.count == v.count, "difference: u is [\(u.count)], v is [\(v.count)]")
    return [Float](unsafeUninitializedCapacity: u.count) { target, count in
      for i in u.indices { target[i] = u[i] - v[i] }
      count = u.count
    }
  }

  /// Σ xᵢ·yᵢ in double precision: eight interleaved partial sums, folded 0…7, then the tail.
  public static func dot(_ x: Span<Float>, _ y: Span<Float>) -> Double {
    precondition(x.count == y.count, "dot: x is [\(x.count)], y is [\(y.count)]")
    var lanes = SIMD8<Double>.zero
    var i = 0
    while i + 8 <= x.count {
      for lane in 0..<8 { lanes[lane] += Double(x[i + lane]) * Double(y[i + lane]) }
      i += 8
    }
    var total = 0.0
    for lane in 0..<8 { total += lanes[lane] }
    while i < x.count {
      total += Double(x[i]) * Double(y[i])
      i += 1
    }
    return total
  }

  /// ‖x‖₂ in double precision.
  public static func norm(_ x: Span<Float>) -> Double { dot(x, x).squareRoot() }

  /// Whether no element is infinite or NaN; one pass.
  public static func isFinite(_ x: Span<Float>) -> Bool {
    x.withUnsafeBufferPointer { x in
      // x·0 is 0 for finite x and NaN otherwise; a sum of zeros stays 0.
      let raw = UnsafeRawBufferPointer(x)
      var lanes = SIMD16<Float>.zero
      var i = 0
      while i + 16 <= x.count {
        lanes += raw.loadUnaligned(fromByteOffset: 4 * i, as: SIMD16<Float>.self) * 0
        i += 16
      }
      var finite = lanes == .zero
      while i < x.count {
        finite = finite && x[i].isFinite
        i += 1
      }
      return finite
    }
  }
}
