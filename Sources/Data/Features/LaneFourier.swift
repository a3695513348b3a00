import Base

/// The discrete Fourier transform of sixteen signals at once, of any short length.
///
///     X[k] = Σ_n x[n]·exp(∓2πi·n·k/N)
///
/// A length N = a·b takes N·(a + b) products (Cooley and Tukey 1965); each of the sixteen is
/// transformed by itself, so that its bits do not depend on the others.
struct LaneFourier {
  /// One value of each of sixteen signals.
  typealias Lanes = SIMD16<Float>

  /// N ≥ 1.
  let length: Int
  private let (a, b): (Int, Int)
  /// exp(−2πi·j/N), N values.
  private let cosines: [Float]
  private let sines: [Float]

  init(length: Int) {
    self.length = length
    a = (1...length).last { $0 * $0 <= length && length % $0 == 0 } ?? 1
    b = length / a
    let angles = (0..<length).map { -2 * Double.pi * Double($0) / Double(length) }
    cosines = angles.map { Float(cos($0)) }
    sines = angles.map { Float(sin($0)) }
  }

  /// Transforms an N × N plane in place; the inverse is not divided by N².
  func transform(_ plane: LanePlane, isInverse: Bool) {
    for row in 0..<length {
      pass(plane, first: row * length, stride: 1, isInverse: isInverse)
    }
    for column in 0..<length {
      pass(plane, first: column, stride: length, isInverse: isInverse)
    }
  }

  /// One row or column.
  ///
  /// With n = n1 + a·n2 and k = b·k1 + k2,
  /// X[k] = Σ_n1 w_N^(n1·k2)·w_a^(n1·k1)·(Σ_n2 x[n]·w_b^(n2·k2)).
  private func pass(_ plane: LanePlane, first: Int, stride: Int, isInverse: Bool) {
    let (re, im) = (plane.re + first, plane.im + first)
    let (innerRe, innerIm) = (plane.spareRe, plane.spareIm)
    let sign: Float = isInverse ? -1 : 1
    for n1 in 0..<a {
      for k2 in 0..<b {
        var (sumRe, sumIm) = (Lanes.zero, Lanes.zero)
        var turn = 0
        for n2 in 0..<b {
          let (c, s) = (cosines[turn], sign * sines[turn])
          let place = (n1 + a * n2) * stride
          sumRe += re[place] * c - im[place] * s
          sumIm += re[place] * s + im[place] * c
          turn += a * k2
          if turn >= length { turn %= length }
        }
        let (c, s) = (cosines[n1 * k2 % length], sign * sines[n1 * k2 % length])
        innerRe[n1 * b + k2] = sumRe * c - sumIm * s
        innerIm[n1 * b + k2] = sumRe * s + sumIm * c
      }
    }
    for k2 in 0..<b {
      for k1 in 0..<a {
        var (sumRe, sumIm) = (Lanes.zero, Lanes.zero)
        var turn = 0
        for n1 in 0..<a {
          let (c, s) = (cosines[turn], sign * sines[turn])
          let (x, y) = (innerRe[n1 * b + k2], innerIm[n1 * b + k2])
          sumRe += x * c - y * s
          sumIm += x * s + y * c
          turn += b * k1
          if turn >= length { turn %= length }
        }
        re[(b * k1 + k2) * stride] = sumRe
        im[(b * k1 + k2) * stride] = sumIm
      }
    }
  }
}

/// Sixteen complex planes of one size, the sixteen values of a place beside each other.
final class LanePlane {
  typealias Lanes = LaneFourier.Lanes

  let side: Int
  let re: UnsafeMutablePointer<Lanes>
  let im: UnsafeMutablePointer<Lanes>
  /// A row or column on the way.
  let spareRe: UnsafeMutablePointer<Lanes>
  let spareIm: UnsafeMutablePointer<Lanes>

  init(side: Int) {
    self.side = side
    func lanes(_ count: Int) -> UnsafeMutablePointer<Lanes> {
      let pointer = UnsafeMutablePointer<Lanes>.allocate(capacity: count)
      pointer.initialize(repeating: .zero, count: count)
      return pointer
    }
    (re, im) = (lanes(side * side), lanes(side * side))
    (spareRe, spareIm) = (lanes(side), lanes(side))
  }

  deinit { for pointer in [re, im, spareRe, spareIm] { pointer.deallocate() } }

  /// Becomes another plane times a real filter, folded by means: in space, every `factor`-th value
  /// of the filtered plane.
  func take(_ other: LanePlane, times filter: [Float], folded factor: Int) {
    let wide = other.side
    let share = 1 / Float(factor * factor)
    for y in 0..<side {
      for x in 0..<side {
        var (sumRe, sumIm) = (Lanes.zero, Lanes.zero)
        for dy in 0..<factor {
          for dx in 0..<factor {
            let place = (y + dy * side) * wide + x + dx * side
            sumRe += other.re[place] * filter[place]
            sumIm += other.im[place] * filter[place]
          }
        }
        re[y * side + x] = sumRe * share
        im[y * side + x] = sumIm * share
      }
    }
  }

  /// The modulus of each value, times `scale`.
  func modulus(scale: Float) {
    for place in 0..<side * side {
      let square = re[place] * re[place] + im[place] * im[place]
      re[place] = square.squareRoot() * scale
      im[place] = .zero
    }
  }
}
