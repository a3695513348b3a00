/// Loops that do nothing but one thing which limits all others: multiply-adds in registers, or a
/// stream through memory.
///
/// What `fedsim bench` compares kernels with.
package enum SpeedLoops {
  /// Floats that the loops over memory take at once; their counts are multiples of it.
  package static let stride = 128

  /// Floating-point operations per turn of `multiplyAdds`.
  package static var flopsPerTurn: Int { 2 * chains * CPUFeatures.compiledVectorFloats }

  /// Independent accumulators: a core finishes two multiply-adds in a cycle and each takes four, so
  /// eight would do; twice as many, and all of them still in registers.
  private static var chains: Int { CPUFeatures.compiledVectorFloats == 16 ? 16 : 12 }

  /// acc ← y + acc·x in every chain, `turns` times, with this build's vectors.
  ///
  /// `operands`: sixteen floats of x, then sixteen of y.
  ///
  /// - Returns: something that depends on all of it, so that nothing can be left out.
  package static func multiplyAdds(turns: Int, _ operands: UnsafePointer<Float>) -> Float {
    // Loaded, as kernels load theirs: vectors that come as arguments are split into quarters.
    let raw = UnsafeRawPointer(operands)
    return switch CPUFeatures.compiledVectorFloats {
    case 16: sixteenChains(turns, raw)
    case 8: twelveChains(turns, raw, SIMD8<Float>.self)
    default: twelveChains(turns, raw, SIMD4<Float>.self)
    }
  }

  /// y + a·x, fused where the build can.
  @inline(__always) private static func step<V: SIMD>(_ a: V, _ x: V, _ y: V) -> V
  where V.Scalar == Float { CPUFeatures.compiledWithFMA ? y.addingProduct(a, x) : y + a * x }

  // Named variables and no array: an array's elements would live in memory.
  private static func sixteenChains(_ turns: Int, _ operands: UnsafeRawPointer) -> Float {
    let x = operands.loadUnaligned(as: SIMD16<Float>.self)
    let y = operands.loadUnaligned(fromByteOffset: 64, as: SIMD16<Float>.self)
    var (a, b, c, d) = (y, y + 1, y + 2, y + 3)
    var (e, f, g, h) = (y + 4, y + 5, y + 6, y + 7)
    var (i, j, k, l) = (y + 8, y + 9, y + 10, y + 11)
    var (m, n, o, p) = (y + 12, y + 13, y + 14, y + 15)
    for _ in 0..<turns {
      a = step(a, x, y)
      b = step(b, x, y)
      c = step(c, x, y)
      d = step(d, x, y)
      e = step(e, x, y)
      f = step(f, x, y)
      g = step(g, x, y)
      h = step(h, x, y)
      i = step(i, x, y)
      j = step(j, x, y)
      k = step(k, x, y)
      l = step(l, x, y)
      m = step(m, x, y)
      n = step(n, x, y)
      o = step(o, x, y)
      p = step(p, x, y)
    }
    return ((a + b + c + d) + (e + f + g + h) + (i + j + k + l) + (m + n + o + p)).sum()
  }

  @inline(__always) private static func twelveChains<V: SIMD & BitwiseCopyable>(
    _ turns: Int, _ operands: UnsafeRawPointer, _ type: V.Type
  ) -> Float where V.Scalar == Float {
    let x = operands.loadUnaligned(as: V.self)
    let y = operands.loadUnaligned(fromByteOffset: 64, as: V.self)
    var (a, b, c, d) = (y, y + 1, y + 2, y + 3)
    var (e, f, g, h) = (y + 4, y + 5, y + 6, y + 7)
    var (i, j, k, l) = (y + 8, y + 9, y + 10, y + 11)
    for _ in 0..<turns {
      a = step(a, x, y)
      b = step(b, x, y)
      c = step(c, x, y)
      d = step(d, x, y)
      e = step(e, x, y)
      f = step(f, x, y)
      g = step(g, x, y)
      h = step(h, x, y)
      i = step(i, x, y)
      j = step(j, x, y)
      k = step(k, x, y)
      l = step(l, x, y)
    }
    return ((a + b + c + d) + (e + f + g + h) + (i + j + k + l)).sum()
  }

  /// Σ xᵢ by lanes, eight streams side by side: reads 4·count bytes.
  ///
  /// One stream alone waits for the prefetcher of one stream; eight keep the memory busy.
  package static func read(_ x: UnsafePointer<Float>, count: Int) -> Float {
    let raw = UnsafeRawPointer(x)
    let part = 4 * (count / 8)
    var (a, b, c, d) = (
      SIMD16<Float>.zero, SIMD16<Float>.zero, SIMD16<Float>.zero, SIMD16<Float>.zero
    )
    var (e, f, g, h) = (a, b, c, d)
    for at in Swift.stride(from: 0, to: part, by: 64) {
      a += raw.loadUnaligned(fromByteOffset: at, as: SIMD16<Float>.self)
      b += raw.loadUnaligned(fromByteOffset: at + part, as: SIMD16<Float>.self)
      c += raw.loadUnaligned(fromByteOffset: at + 2 * part, as: SIMD16<Float>.self)
      d += raw.loadUnaligned(fromByteOffset: at + 3 * part, as: SIMD16<Float>.self)
      e += raw.loadUnaligned(fromByteOffset: at + 4 * part, as: SIMD16<Float>.self)
      f += raw.loadUnaligned(fromByteOffset: at + 5 * part, as: SIMD16<Float>.self)
      g += raw.loadUnaligned(fromByteOffset: at + 6 * part, as: SIMD16<Float>.self)
      h += raw.loadUnaligned(fromByteOffset: at + 7 * part, as: SIMD16<Float>.self)
    }
    return ((a + b + c + d) + (e + f + g + h)).sum()
  }

  /// Σ xᵢ by lanes, one stream: reads 4·count bytes.
  package static func readInOrder(_ x: UnsafePointer<Float>, count: Int) -> Float {
    let raw = UnsafeRawPointer(x)
    var (a, b, c, d) = (
      SIMD16<Float>.zero, SIMD16<Float>.zero, SIMD16<Float>.zero, SIMD16<Float>.zero
    )
    for at in Swift.stride(from: 0, to: 4 * count, by: 256) {
      a += raw.loadUnaligned(fromByteOffset: at, as: SIMD16<Float>.self)
      b += raw.loadUnaligned(fromByteOffset: at + 64, as: SIMD16<Float>.self)
      c += raw.loadUnaligned(fromByteOffset: at + 128, as: SIMD16<Float>.self)
      d += raw.loadUnaligned(fromByteOffset: at + 192, as: SIMD16<Float>.self)
    }
    return (a + b + c + d).sum()
  }

  /// z ← x: reads and writes 4·count bytes each.
  package static func copy(_ x: UnsafePointer<Float>, to z: UnsafeMutablePointer<Float>, count: Int)
  { z.update(from: x, count: count) }

  /// z ← x + 3·y: reads 8·count bytes, writes 4·count.
  package static func triad(
    _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, to z: UnsafeMutablePointer<Float>,
    count: Int
  ) {
    let (x, y, z) = (UnsafeRawPointer(x), UnsafeRawPointer(y), UnsafeMutableRawPointer(z))
    for at in Swift.stride(from: 0, to: 4 * count, by: 64) {
      let sum =
        x.loadUnaligned(fromByteOffset: at, as: SIMD16<Float>.self) + 3
        * y.loadUnaligned(fromByteOffset: at, as: SIMD16<Float>.self)
      z.storeBytes(of: sum, toByteOffset: at, as: SIMD16<Float>.self)
    }
  }
}
