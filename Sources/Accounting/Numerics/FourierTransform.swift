import Base

/// The discrete Fourier transform of real sequences whose length is a power of two.
///
/// The N values are taken as N/2 complex ones, transformed with radix 4 and taken apart:
///
///     X_k = Σ_n x_n e^{−2πi kn/N},   k = 0 … N/2
///
/// The spectrum stays in the order in which the passes leave it (bits of k reversed), because
/// what is done with it here, products and powers, does not look at k; the inverse starts from
/// that order, so that nothing is ever permuted. Real and imaginary parts are separate arrays,
/// the form in which four butterflies are done at once.
///
/// - Source: Cooley and Tukey 1965 with decimation in frequency forward and in time backward
///   (Van Loan 1992, Computational Frameworks for the FFT, §1.9 and §4.3 for real data).
struct FourierTransform {
  /// Number of real values N, a power of two ≥ 8.
  let length: Int
  /// Number of complex values M = N/2.
  private var half: Int { length / 2 }
  /// cos and −sin of 2πj/N for j < N/4, followed by every 2nd, 4th, … of them: level L of the
  /// complex transform, of size M / 4^L, reads e^{−2πij/size} at `starts[L]`.
  private let cosines: [Double]
  private let sines: [Double]
  private let starts: [Int]

  /// The spectrum X_0 … X_{N/2} in the transform's own order; X_0 and X_{N/2}, which are real,
  /// share the first place.
  struct Spectrum {
    var real: [Double]
    var imaginary: [Double]
  }

  /// Tables for real sequences of some length.
  ///
  /// - Complexity: O(N), 5/3 N bytes of tables per byte of data.
  init(length: Int) {
    precondition(length >= 8 && length & (length - 1) == 0, "FourierTransform: length \(length)")
    self.length = length
    let quarter = length / 4
    // Sines and cosines of the first eighth of the circle give those of the first quarter.
    var cosines = [Double](repeating: 1, count: quarter)
    var sines = [Double](repeating: 0, count: quarter)
    for j in 1...(quarter / 2) {
      let angle = 2 * Double.pi * Double(j) / Double(length)
      let (c, s) = (cos(angle), sin(angle))
      cosines[j] = c
      sines[j] = -s
      cosines[quarter - j] = s
      sines[quarter - j] = -c
    }
    var starts: [Int] = []
    var size = length / 2
    while size >= 4 {
      starts.append(cosines.count)
      let stride = length / size
      for j in 0..<(size / 4) {
        cosines.append(cosines[j * stride])
        sines.append(sines[j * stride])
      }
      size /= 4
    }
    self.cosines = cosines
    self.sines = sines
    self.starts = starts
  }

  /// The transform of `values`, N of them.
  ///
  /// - Complexity: O(N log N); allocates the result.
  func spectrum(_ values: [Double]) -> Spectrum {
    precondition(values.count == length, "FourierTransform: \(values.count) values")
    var result = Spectrum(
      real: [Double](unsafeUninitializedCapacity: half) { buffer, count in
        for k in 0..<half { buffer[k] = values[2 * k] }
        count = half
      },
      imaginary: [Double](unsafeUninitializedCapacity: half) { buffer, count in
        for k in 0..<half { buffer[k] = values[2 * k + 1] }
        count = half
      })
    passes(&result, isForward: true)
    separate(&result, isForward: true)
    return result
  }

  /// The values of a spectrum.
  ///
  /// - Complexity: O(N log N); allocates the result.
  func values(_ spectrum: consuming Spectrum) -> [Double] {
    precondition(spectrum.real.count == half, "FourierTransform: \(spectrum.real.count) values")
    separate(&spectrum, isForward: false)
    passes(&spectrum, isForward: false)
    let scale = 1 / Double(half)
    return [Double](unsafeUninitializedCapacity: length) { buffer, count in
      for k in 0..<half {
        buffer[2 * k] = spectrum.real[k] * scale
        buffer[2 * k + 1] = spectrum.imaginary[k] * scale
      }
      count = length
    }
  }

  private func passes(_ spectrum: inout Spectrum, isForward: Bool) {
    spectrum.real.withUnsafeMutableBufferPointer { real in
      spectrum.imaginary.withUnsafeMutableBufferPointer { imaginary in
        cosines.withUnsafeBufferPointer { cosines in
          sines.withUnsafeBufferPointer { sines in
            guard let real = real.baseAddress, let imaginary = imaginary.baseAddress,
              let cosines = cosines.baseAddress, let sines = sines.baseAddress
            else { return }
            let passes = RadixPasses(cosines: cosines, sines: sines, starts: starts)
            if isForward {
              passes.forward(real, imaginary, half, level: 0)
            } else {
              passes.backward(real, imaginary, half, level: 0)
            }
          }
        }
      }
    }
  }

  /// Goes between the transform Z of the packed values and the spectrum X of the real ones.
  ///
  /// Forward it is
  ///
  ///     X_k = ½ (Z_k + Z*_{M−k}) − i/2 w^k (Z_k − Z*_{M−k}),   w = e^{−2πi/N}
  ///
  /// and back with the conjugate of w^k. Reversed bits put k and M − k at places whose sum is
  /// 3·2^b − 1, where 2^b is the highest bit of both.
  private func separate(_ spectrum: inout Spectrum, isForward: Bool) {
    let (r, i) = (spectrum.real[0], spectrum.imaginary[0])
    // X_0 = r + i, X_{N/2} = r − i.
    spectrum.real[0] = isForward ? r + i : (r + i) / 2
    spectrum.imaginary[0] = isForward ? r - i : (r - i) / 2
    spectrum.imaginary[1] = -spectrum.imaginary[1]  // k = N/4, its own partner
    let bits = half.trailingZeroBitCount
    let sign = isForward ? 1.0 : -1.0
    var block = 2
    while block < half {
      for place in block..<(block + block / 2) {
        let partner = 3 * block - 1 - place
        // Even places have k < M/2, where the table ends.
        let (low, high) = place & 1 == 0 ? (place, partner) : (partner, place)
        let k = Self.reversed(low, bits: bits)
        let (c, s) = (cosines[k], sign * sines[k])
        let (ar, ai) = (spectrum.real[low], spectrum.imaginary[low])
        let (br, bi) = (spectrum.real[high], -spectrum.imaginary[high])
        let (sumR, sumI) = (ar + br, ai + bi)
        let (gapR, gapI) = (ar - br, ai - bi)
        // ∓i w^k times the gap, with w^k conjugated backward.
        let turnR = sign * (c * gapI + s * gapR)
        let turnI = -sign * (c * gapR - s * gapI)
        spectrum.real[low] = 0.5 * (sumR + turnR)
        spectrum.imaginary[low] = 0.5 * (sumI + turnI)
        spectrum.real[high] = 0.5 * (sumR - turnR)
        spectrum.imaginary[high] = -0.5 * (sumI - turnI)
      }
      block *= 2
    }
  }

  /// The lowest `bits` bits of a number in reverse order.
  static func reversed(_ number: Int, bits: Int) -> Int {
    var x = UInt64(number)
    x = (x >> 1) & 0x5555_5555_5555_5555 | (x & 0x5555_5555_5555_5555) << 1
    x = (x >> 2) & 0x3333_3333_3333_3333 | (x & 0x3333_3333_3333_3333) << 2
    x = (x >> 4) & 0x0F0F_0F0F_0F0F_0F0F | (x & 0x0F0F_0F0F_0F0F_0F0F) << 4
    return Int(x.byteSwapped >> UInt64(64 - bits))
  }
}

extension FourierTransform.Spectrum {
  /// X ← Xᵀ, value by value; T ≥ 0.
  ///
  /// Values with |X|ᵀ < e^{−80} become zero: far below rounding for sums of 1, and most of the
  /// spectrum of a smooth sequence.
  ///
  /// - Complexity: O(N log T) for those that stay.
  mutating func raise(to power: Int) {
    if power == 1 { return }
    let smallest = exp(-160 / Double(max(1, power)))
    // X_0 and X_{N/2} are two real numbers in one place.
    let (first, middle) = (Self.power(real[0], power), Self.power(imaginary[0], power))
    for k in real.indices {
      var (baseR, baseI) = (real[k], imaginary[k])
      var (r, i) = (1.0, 0.0)
      if baseR * baseR + baseI * baseI < smallest {
        (real[k], imaginary[k]) = (0, 0)
        continue
      }
      var rest = power
      while rest > 0 {
        if rest & 1 == 1 { (r, i) = (r * baseR - i * baseI, r * baseI + i * baseR) }
        (baseR, baseI) = (baseR * baseR - baseI * baseI, 2 * baseR * baseI)
        rest >>= 1
      }
      real[k] = r
      imaginary[k] = i
    }
    real[0] = first
    imaginary[0] = middle
  }

  /// X ← X · Y, value by value.
  mutating func multiply(by other: Self) {
    let (first, middle) = (real[0] * other.real[0], imaginary[0] * other.imaginary[0])
    for k in real.indices {
      let (r, i) = (real[k], imaginary[k])
      real[k] = r * other.real[k] - i * other.imaginary[k]
      imaginary[k] = r * other.imaginary[k] + i * other.real[k]
    }
    real[0] = first
    imaginary[0] = middle
  }

  private static func power(_ base: Double, _ power: Int) -> Double {
    var (base, rest, result) = (base, power, 1.0)
    while rest > 0 {
      if rest & 1 == 1 { result *= base }
      base *= base
      rest >>= 1
    }
    return result
  }
}
