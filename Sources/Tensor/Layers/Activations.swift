import Base

/// max(x, 0), in place: the layer before it never reads its own output again.
///
/// What is not a number stays.
package struct ReLU: Operation {
  package let slot: Int
  package let count: Int
  package var input: Int { slot }
  package var output: Int { slot }
  package var summary: String { "ReLU()" }

  package func forward(_ pass: borrowing Pass) {
    Rows.rectify(pass.values[slot], count: pass.batch * count)
  }

  /// dx = dy where y > 0, else 0: PyTorch's choice at 0.
  package func backward(_ pass: borrowing Pass, inputGradient: GradientWrite) {
    Rows.gate(pass.gradients[slot], by: pass.values[slot], count: pass.batch * count)
  }
}

/// x·Φ(x) with the exact normal distribution function, PyTorch's default GELU
/// (Hendrycks and Gimpel 2016, arXiv:1606.08415).
package struct GELU: Operation {
  package let input: Int
  package let output: Int
  package let count: Int
  package var summary: String { "GELU()" }

  package func forward(_ pass: borrowing Pass) {
    let x = pass.values[input]
    let y = pass.values[output]
    for i in 0..<pass.batch * count { y[i] = x[i] * GELU.distribution(x[i]) }
  }

  /// dx = dy·(Φ(x) + x·φ(x)).
  package func backward(_ pass: borrowing Pass, inputGradient: GradientWrite) {
    guard inputGradient != .skip else { return }
    let x = pass.values[input]
    let dy = pass.gradients[output]
    let dx = pass.gradients[input]
    for i in 0..<pass.batch * count {
      let density = 0.398_942_28 * expf(-0.5 * x[i] * x[i])
      let slope = dy[i] * (GELU.distribution(x[i]) + x[i] * density)
      dx[i] = inputGradient == .add ? dx[i] + slope : slope
    }
  }

  private static func distribution(_ x: Float) -> Float { 0.5 * (1 + erff(x * 0.707_106_78)) }
}

/// φ(x) = s·sigmoid(T·x) − o, in place: bounded activations keep per-example gradients small.
///
/// (2, 2, 1) is tanh. Papernot et al., AAAI 2021, arXiv:2007.14191, equation 1.
package struct TemperedSigmoid: Operation {
  package let slot: Int
  package let count: Int
  /// s > 0.
  package let scale: Float
  /// T > 0.
  package let inverseTemperature: Float
  package let offset: Float
  package var input: Int { slot }
  package var output: Int { slot }
  package var summary: String {
    "TemperedSigmoid(s=\(scale), T=\(inverseTemperature), o=\(offset))"
  }

  package func forward(_ pass: borrowing Pass) {
    let x = pass.values[slot]
    for i in 0..<pass.batch * count {
      x[i] = scale * TemperedSigmoid.sigmoid(inverseTemperature * x[i]) - offset
    }
  }

  /// φ'(x) = s·T·g·(1 − g) with g = (φ + o)/s.
  package func backward(_ pass: borrowing Pass, inputGradient: GradientWrite) {
    let y = pass.values[slot]
    let dy = pass.gradients[slot]
    for i in 0..<pass.batch * count {
      let g = (y[i] + offset) / scale
      dy[i] *= scale * inverseTemperature * g * (1 - g)
    }
  }

  /// Through exp(−|x|), which cannot overflow.
  private static func sigmoid(_ x: Float) -> Float {
    let e = expf(-abs(x))
    return x >= 0 ? 1 / (1 + e) : e / (1 + e)
  }
}
