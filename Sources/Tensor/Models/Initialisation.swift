import Base

extension ParameterLayout {
  /// Initial parameters: a function of the layout, the rule and the seed alone.
  ///
  /// Each tensor has its own stream and is drawn in PyTorch's element order, so that neither
  /// memory order nor other layers matter. Norm scales and running variances are 1; norm shifts
  /// and running means 0; class tokens and positions start as in timm, unless everything is 0; a
  /// pool's scales, shifts and keys as `Network.adaptedParameters` has it. Frozen tensors are 0
  /// here, because they come from another network.
  /// Rules are those of `ModelSpec.Initialisation`; `file` gives PyTorch's rule here, and its
  /// values are placed by whoever reads the file.
  ///
  /// timm truncates its normal numbers at ±2, a hundred deviations: nothing is ever cut.
  public func initialParameters(_ rule: ModelSpec.Initialisation, seed: UInt64) -> [Float] {
    var vector = [Float](repeating: 0, count: count)
    for (index, entry) in entries.enumerated() {
      var stream = RandomStream(seed: seed, .initialWeights, step: index)
      var draw: () -> Float
      switch (entry.role, rule) {
      case (.normScale, _), (.runningVariance, _), (.logitScale, _), (.weightGain, _): draw = { 1 }
      case (.poolScale, _): draw = { Float(1 + 0.02 * stream.normal()) }
      case (.poolShift, _), (.poolKey, _): draw = { Float(0.02 * stream.normal()) }
      case (.normShift, _), (.runningMean, _), (.frozen, _), (_, .zero): draw = { 0 }
      case (.bias, .he), (.bias, .glorot), (.bias, .gain): draw = { 0 }
      case (.classToken, _): draw = { Float(1e-6 * stream.normal()) }
      case (.positions, _): draw = { Float(0.02 * stream.normal()) }
      case (.weight, .timm) where entry.shape.count == 2: draw = { Float(0.02 * stream.normal()) }
      case (.bias, .timm) where self[entry.layer + ".weight"]?.shape.count == 2: draw = { 0 }
      case (.weight, .he):
        let deviation = (2 / Double(entry.fanIn)).squareRoot()
        draw = { Float(deviation * stream.normal()) }
      case (.weight, .gain(let factor)):
        let deviation = factor / Double(entry.fanIn).squareRoot()
        draw = { Float(deviation * stream.normal()) }
      case (.weight, .glorot):
        let bound = (6 / Double(entry.fanIn + entry.fanOut)).squareRoot()
        draw = { Float(bound * (2 * stream.uniform() - 1)) }
      case (.weight, _), (.bias, _):
        let bound = 1 / Double(entry.fanIn).squareRoot()
        draw = { Float(bound * (2 * stream.uniform() - 1)) }
      }
      var values = [Float](repeating: 0, count: entry.range.count)
      for element in values.indices { values[element] = draw() }
      place(values, entry, into: &vector)
    }
    return vector
  }
}

extension Network {
  /// Initial parameters of a seed.
  ///
  /// `file`: what was read where the rule is a file; with a fresh head its classifier is replaced
  /// by PyTorch's random numbers of this seed.
  public func initialParameters(
    _ rule: ModelSpec.Initialisation, seed: UInt64, file: [Float]? = nil
  ) -> [Float] {
    guard var vector = file else { return layout.initialParameters(rule, seed: seed) }
    guard case .file(_, .fresh) = rule else { return vector }
    let random = layout.initialParameters(.pytorch, seed: seed)
    for entry in layout.entries where entry.layer == classifier {
      vector.replaceSubrange(entry.range, with: random[entry.range])
    }
    return vector
  }
}
