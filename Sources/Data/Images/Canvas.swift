import Base

/// A 32×32 colour picture in the making: floats around 0, turned into bytes around 128.
///
/// The loops of the built-in image problem live here because they are numeric: 3,072 values per
/// image and shape painted.
package struct Canvas: Sendable {
  /// Pixels per side.
  package static let side = 32

  private var red: [Float]
  private var green: [Float]
  private var blue: [Float]

  /// An empty picture.
  package init() {
    let empty = [Float](repeating: 0, count: Self.side * Self.side)
    (red, green, blue) = (empty, empty, empty)
  }

  /// Replaces everything by one colour plus a tint given on a 4×4 grid of 8×8 squares.
  package mutating func fill(_ tint: [SIMD3<Float>], ground: SIMD3<Float>) {
    precondition(tint.count == 16, "Canvas.fill: \(tint.count) tints for 16 squares")
    for y in 0..<Self.side {
      for x in 0..<Self.side {
        let colour = tint[(y / 8) * 4 + x / 8] + ground
        red[y * Self.side + x] = colour.x
        green[y * Self.side + x] = colour.y
        blue[y * Self.side + x] = colour.z
      }
    }
  }

  /// Adds a wave under a Gaussian window (a Gabor patch) of standard deviation `spread` pixels:
  /// colour · exp(−r²/2s²) · cos(2π (dx·cos a + dy·sin a)/length + phase).
  ///
  /// Both factors split into a part of x and a part of y (the cosine by its addition theorem), so a
  /// patch costs 64 exponentials and not 1,024.
  package mutating func add(
    angle: Double, length: Double, phase: Double, spread: Float = 4.5, at centre: SIMD2<Float>,
    colour: SIMD3<Float>
  ) {
    let alongX = 2 * Double.pi * cos(angle) / length
    let alongY = 2 * Double.pi * sin(angle) / length
    var columns = InlineArray<32, SIMD2<Float>>(repeating: .zero)
    var rows = InlineArray<32, SIMD2<Float>>(repeating: .zero)
    for i in 0..<Self.side {
      let dx = Float(i) - centre.x
      let dy = Float(i) - centre.y
      let windowX = expf(-dx * dx / (2 * spread * spread))
      let windowY = expf(-dy * dy / (2 * spread * spread))
      let x = Float(alongX) * dx
      let y = Float(alongY) * dy + Float(phase)
      columns[i] = SIMD2(cosf(x), sinf(x)) * windowX
      rows[i] = SIMD2(cosf(y), -sinf(y)) * windowY
    }
    for y in 0..<Self.side {
      let row = rows[y]
      for x in 0..<Self.side {
        let value = columns[x].x * row.x + columns[x].y * row.y
        red[y * Self.side + x] += colour.x * value
        green[y * Self.side + x] += colour.y * value
        blue[y * Self.side + x] += colour.z * value
      }
    }
  }

  /// Writes the picture as bytes, channels last: round(128 + value + noise), cut to 0...255.
  ///
  /// - Parameters:
  ///   - target: 3,072 bytes from `start` on are overwritten.
  ///   - start: where the image begins.
  ///   - noise: standard deviation of independent noise per value; its law is a triangle (the sum
  ///     of two uniform bytes), four values per random word.
  ///   - stream: where the noise comes from.
  package func develop(
    into target: inout UnsafeMutableBufferPointer<UInt8>, at start: Int, noise: Float,
    from stream: inout RandomStream
  ) {
    // The sum of two uniform bytes has mean 255 and variance 2·(256² − 1)/12.
    let scale = noise / (2 * Float(256 * 256 - 1) / 12).squareRoot()
    var next = start
    var word: UInt64 = 0
    var left = 0
    @inline(__always) func develop(_ value: Float) {
      if left == 0 {
        word = stream.next()
        left = 4
      }
      let grain = Float(Int(word & 0xFF) + Int((word >> 8) & 0xFF) - 255)
      word >>= 16
      left -= 1
      let level = 128 + value + scale * grain
      target[next] = UInt8(clamping: max(0, min(255, level.rounded())))
      next += 1
    }
    for pixel in red.indices {
      develop(red[pixel])
      develop(green[pixel])
      develop(blue[pixel])
    }
  }
}
