import Base

/// A bound on the rounding of a convolution power by Fourier transforms.
///
/// A transform of length N has log₂ N levels, each with one product by a root of unity and one
/// sum; so an output is Σ x_j w^{jk} (1 + θ_j) with |θ_j| ≤ c u log₂ N, and off by at most
/// f = c u log₂ N · Σ|x|. A power turns X ± f into Xᵀ ± ((|X| + f')ᵀ − |X|ᵀ), and the inverse
/// averages what its inputs are off by and adds its own roundings. With u = 2⁻⁵³ and c = 8; a pass
/// of radix 4 counts as two levels and rounds about ten times.
///
/// - Source: Higham 2002, Accuracy and Stability of Numerical Algorithms, §24.1, in the norms 1
///   and ∞ instead of 2.
struct TransformError {
  private let length: Int
  /// |X̂_k − X_k| of the product so far, and |X̂_k|; empty before the first factor.
  private var errors: [Double] = []
  private var sizes: [Double] = []
  private let relative: Double

  /// A bound for transforms of `length` values.
  init(length: Int) {
    self.length = length
    relative = 8 * 0x1p-53 * (log2(Double(length)) + 8)
  }

  /// X ← Xᵀ for a spectrum of masses that add up to 1, and what that does to the product.
  mutating func raise(_ spectrum: inout FourierTransform.Spectrum, to steps: Int) {
    let count = spectrum.real.count
    let power = Double(steps)
    var before = [Double](repeating: 0, count: count)
    for k in 0..<count { before[k] = spectrum.size(k) }
    spectrum.raise(to: steps)
    // Masses add up to 1 but for their own rounding; a power rounds about 4T times more.
    let f = relative * 1.001 + 8 * 0x1p-53
    let isFirst = errors.isEmpty
    if isFirst {
      errors = [Double](repeating: 0, count: count)
      sizes = [Double](repeating: 1, count: count)
    }
    let smallest = exp(-79 / power)
    for k in 0..<count {
      let size = spectrum.size(k)
      var error: Double
      if before[k] < smallest {
        // Set to zero, or nearly: the power is below (smallest + f)ᵀ.
        error = exp(power * log(smallest + f)) + size
      } else {
        // (|X| + f)ᵀ − |X|ᵀ = |X|ᵀ (e^{T ln(1 + f/|X|)} − 1)
        error = max(size, 1e-300) * expm1(power * log1p(f / before[k]))
      }
      // The product of both: (M ± e)(S ± d), one more product's rounding.
      error = sizes[k] * error + errors[k] * (size + error)
      if !isFirst { error += 4 * 0x1p-53 * sizes[k] * size }
      errors[k] = error
      sizes[k] *= size
    }
  }

  /// How far a value of the inverse transform can be off.
  var ofValues: Double {
    var (error, size) = (0.0, 0.0)
    for k in errors.indices {
      // A place stands for X_k and its conjugate; the first for X_0 and X_{N/2}.
      error += 2 * errors[k]
      size += 2 * sizes[k]
    }
    return (error + relative * size) / Double(length) * (1 + 1e-9)
  }
}

extension FourierTransform.Spectrum {
  /// A bound on |X_k| of a place: the larger of the two for the first, which holds X_0 and X_{N/2}.
  func size(_ k: Int) -> Double {
    k == 0
      ? max(abs(real[0]), abs(imaginary[0]))
      : (real[k] * real[k] + imaginary[k] * imaginary[k]).squareRoot()
  }
}
