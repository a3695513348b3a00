/// 2-D cross-correlation, PyTorch's Conv2d with a square kernel, on channels-last maps:
/// y[n, oy, ox, o] = b[o] + Σ w[ky][kx][i][o] · x[n, oy·s + ky − p, ox·s + kx − p, i]; with a ReLU
/// after it where the network has one.
package struct Convolution: WeightedOperation {
  package let name: String
  package let input: Int
  package let output: Int
  package let geometry: ConvolutionGeometry
  package let weight: Int
  package let bias: Int?
  /// y = max(0, x * w + b).
  package var rectified = false
  /// Whether its parameters stay as they are.
  package let frozen: Bool
  package let kernel: ConvolutionKernel

  package init(
    name: String, input: Int, output: Int, geometry: ConvolutionGeometry, weight: Int, bias: Int?,
    frozen: Bool = false
  ) {
    self.name = name
    self.input = input
    self.output = output
    self.geometry = geometry
    self.weight = weight
    self.bias = bias
    self.frozen = frozen
    kernel = ConvolutionKernel(geometry)
  }

  package var summary: String {
    let (i, o) = (geometry.input.channels, geometry.output.channels)
    return "\(name): Conv2d(\(i), \(o), \(geometry.kernel), stride=\(geometry.stride), "
      + "padding=\(geometry.padding), bias=\(bias != nil)) → \(geometry.output)"
  }
  package var forwardFLOPs: Int { 2 * geometry.output.count * geometry.patch }
  package var hasParameters: Bool { !frozen }
  package var parameterRanges: [Range<Int>] {
    [weight..<weight + geometry.patch * geometry.output.channels]
      + (bias.map { [$0..<$0 + geometry.output.channels] } ?? [])
  }
  package var scratchCount: Int { kernel.scratchCount }
  package var readsBeyondParameters: Bool { geometry.output.channels % 16 != 0 }

  package func forward(_ pass: borrowing Pass) {
    kernel.forward(
      pass.values[input], pass.parameters + weight,
      bias: bias.map { [parameters = pass.parameters] in UnsafePointer(parameters + $0) },
      rectified: rectified, pass.values[output], batch: pass.batch, scratch: pass.scratch)
  }

  package var outerProducts: OuterProducts {
    OuterProducts(
      positions: geometry.output.positions, inputs: geometry.patch,
      outputs: geometry.output.channels, hasBias: bias != nil, window: geometry)
  }

  package func gateGradient(_ pass: borrowing Pass) {
    guard rectified else { return }
    Rows.gate(
      pass.gradients[output], by: pass.values[output], count: pass.batch * geometry.output.count)
  }

  package func backward(_ pass: borrowing Pass, inputGradient how: GradientWrite) {
    gateGradient(pass)
    if !frozen { weightGradient(pass) }
    inputGradient(pass, how)
  }

  /// dw = Σ x ⊗ dy, db = Σ dy.
  package func weightGradient(_ pass: borrowing Pass) {
    kernel.weightGradient(
      pass.values[input], pass.gradients[output], pass.gradient + weight, batch: pass.batch,
      accumulate: pass.accumulate, scratch: pass.scratch)
    guard let bias else { return }
    ChannelSums.sum(
      pass.gradients[output], into: pass.gradient + bias,
      positions: pass.batch * geometry.output.positions, channels: geometry.output.channels,
      accumulate: pass.accumulate)
  }

  /// dx = dy convolved with the turned window.
  package func inputGradient(_ pass: borrowing Pass, _ how: GradientWrite) {
    guard how != .skip else { return }
    kernel.inputGradient(
      pass.gradients[output], pass.parameters + weight, pass.gradients[input], batch: pass.batch,
      add: how == .add, scratch: pass.scratch)
  }
}
