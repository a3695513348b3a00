/// A convolution whose weights are standardised per output channel before they are used.
///
///     W'_o = γ_o·(W_o − m_o)/s_o,  m_o = mean W_o,  s_o = √max(Σ(W_o − m_o)², 1e-4)
///
/// with a trained gain γ_o, 1 at the start. The variance times the fan-in is the sum of squares, so
/// that outputs keep their inputs' spread.
///
/// Private training clips the gradient of W, γ and the bias, not that of W': it is not linear in
/// the weights, so gradients of single examples are written out.
///
/// - Source: Qiao and others 2019, arXiv:1903.10520; under privacy De and others 2022,
///   arXiv:2204.13650.
package struct StandardisedConvolution: Operation {
  package let name: String
  package let input: Int
  package let output: Int
  package let geometry: ConvolutionGeometry
  package let weight: Int
  package let gain: Int
  package let bias: Int?
  /// Slot of W', [patch × channels], and then of m and 1/s, [channels] each.
  package let saved: Int
  /// Whether its parameters stay as they are.
  package let frozen: Bool
  private let kernel: ConvolutionKernel

  package init(
    name: String, input: Int, output: Int, geometry: ConvolutionGeometry, weight: Int, gain: Int,
    bias: Int?, saved: Int, frozen: Bool
  ) {
    self.name = name
    self.input = input
    self.output = output
    self.geometry = geometry
    self.weight = weight
    self.gain = gain
    self.bias = bias
    self.saved = saved
    self.frozen = frozen
    kernel = ConvolutionKernel(geometry)
  }

  /// The least s².
  package static let epsilon: Float = 1e-4

  /// Floats of the slot `saved`; kernels read whole vectors of W'.
  package static func savedCount(_ geometry: ConvolutionGeometry) -> Int {
    geometry.patch * geometry.output.channels + 2 * geometry.output.channels + 16
  }

  private var channels: Int { geometry.output.channels }
  private var count: Int { geometry.patch * channels }

  package var summary: String {
    "\(name): WSConv2d(\(geometry.input.channels), \(channels), \(geometry.kernel), "
      + "stride=\(geometry.stride), padding=\(geometry.padding), bias=\(bias != nil)) → "
      + "\(geometry.output)"
  }
  package var ownSlots: [Int] { [saved] }
  package var forwardFLOPs: Int { 2 * geometry.output.count * geometry.patch }
  package var hasParameters: Bool { !frozen }
  package var parameterRanges: [Range<Int>] {
    [weight..<weight + count, gain..<gain + channels]
      + (bias.map { [$0..<$0 + channels] } ?? [])
  }
  /// The kernel's, and after it dW' and six numbers per channel.
  package var scratchCount: Int { kernel.scratchCount + 16 + count + 16 + 6 * channels }

  package func forward(_ pass: borrowing Pass) {
    let standard = pass.values[saved]
    let (means, inverses) = (standard + count, standard + count + channels)
    let w = pass.parameters + weight
    let sums = pass.scratch
    ChannelSums.sum(w, into: means, positions: geometry.patch, channels: channels)
    for c in 0..<channels { means[c] /= Float(geometry.patch) }
    ChannelSums.squaredDeviations(
      w, around: means, into: sums, positions: geometry.patch, channels: channels)
    let (factor, constant) = (pass.scratch + channels, pass.scratch + 2 * channels)
    for c in 0..<channels {
      // The sign says whether the bound holds: then s does not follow the weights.
      let isBound = sums[c] <= Self.epsilon
      let inverse = 1 / max(sums[c], Self.epsilon).squareRoot()
      inverses[c] = isBound ? -inverse : inverse
      factor[c] = pass.parameters[gain + c] * inverse
      constant[c] = -means[c] * factor[c]
    }
    ChannelSums.affine(
      w, factor, constant, into: standard, positions: geometry.patch, channels: channels)
    kernel.forward(
      pass.values[input], standard,
      bias: bias.map { [parameters = pass.parameters] in UnsafePointer(parameters + $0) },
      rectified: false, pass.values[output], batch: pass.batch, scratch: pass.scratch)
  }

  /// With g = dW', u = (W − m)/s: dγ = ⟨g, u⟩, dW = γ/s·(g − mean g − u·⟨g, u⟩); where s is at its
  /// bound it does not move, and the last term is not there.
  package func backward(_ pass: borrowing Pass, inputGradient how: GradientWrite) {
    if !frozen { weightGradient(pass) }
    guard how != .skip else { return }
    kernel.inputGradient(
      pass.gradients[output], pass.values[saved], pass.gradients[input], batch: pass.batch,
      add: how == .add, scratch: pass.scratch)
  }

  private func weightGradient(_ pass: borrowing Pass) {
    let dStandard = pass.scratch + (kernel.scratchCount + 15) / 16 * 16
    kernel.weightGradient(
      pass.values[input], pass.gradients[output], dStandard, batch: pass.batch, accumulate: false,
      scratch: pass.scratch)
    let (sumG, sumGW) = (dStandard + count, dStandard + count + channels)
    let coefficients = sumGW + channels
    let w = pass.parameters + weight
    ChannelSums.gradientSums(
      dStandard, w, sumG, sumGW, positions: geometry.patch, channels: channels)
    let means = pass.values[saved] + count
    let inverses = means + channels
    let gains = pass.parameters + gain
    for c in 0..<channels {
      let inverse = abs(inverses[c])
      let along = (sumGW[c] - means[c] * sumG[c]) * inverse
      let turn = inverses[c] > 0 ? along : 0
      let scale = gains[c] * inverse
      coefficients[c] = scale
      coefficients[channels + c] = -scale * inverse * turn
      coefficients[2 * channels + c] =
        scale * (inverse * means[c] * turn - sumG[c] / Float(geometry.patch))
      let place = pass.gradient + gain + c
      place.pointee = pass.accumulate ? place.pointee + along : along
    }
    ChannelSums.combine(
      dStandard, w, coefficients, into: pass.gradient + weight, positions: geometry.patch,
      channels: channels, pass.accumulate ? .add : .overwrite)
    guard let bias else { return }
    ChannelSums.sum(
      pass.gradients[output], into: pass.gradient + bias,
      positions: pass.batch * geometry.output.positions, channels: channels,
      accumulate: pass.accumulate)
  }
}
