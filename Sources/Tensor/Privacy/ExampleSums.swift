extension ExampleGradients {
  /// target ← target + Σ_i c_i·g_i over the parameters that move, for the examples of the last
  /// sweep, in their order.
  ///
  /// `factors`: c_i, one per example.
  ///
  /// `target`: [trainedCount], such as `workspace.gradient`; places that do not move stay as they
  /// are.
  ///
  /// The workspace's values must be those of the sweep's forward pass.
  ///
  /// - Complexity: O(examples · parameters) for layers whose gradients were written out, a weight
  ///   gradient for the others; no allocation.
  public func add(_ factors: [Float], to target: UnsafeMutableBufferPointer<Float>) {
    precondition(
      factors.count >= examples,
      "ExampleGradients: [\(factors.count)] factors for \(examples) examples")
    add(to: target) { example, _ in factors[example] }
  }

  /// The same with factors of their own for each layer, [examples × layers].
  public func add(layerFactors factors: [Float], to target: UnsafeMutableBufferPointer<Float>) {
    let count = layers.count
    precondition(
      factors.count >= examples * count,
      "ExampleGradients: [\(factors.count)] factors for \(examples) × \(count) gradients")
    add(to: target) { example, layer in factors[example * count + layer] }
  }

  @inline(__always) private func add(
    to target: UnsafeMutableBufferPointer<Float>, _ factor: (Int, Int) -> Float
  ) {
    guard let workspace, let start = target.baseAddress else { return }
    precondition(
      target.count == network.layout.trainedCount,
      "ExampleGradients: a sum of [\(network.layout.trainedCount)] into [\(target.count)]")
    for (number, layer) in plan.layers.enumerated() where layer.last >= reached {
      switch layer.method {
      case .rows: addRows(layer, start) { factor($0, number) }
      case .products: addProducts(workspace, layer, start) { factor($0, number) }
      }
    }
  }

  @inline(__always) private func addRows(
    _ layer: ExamplePlan.Layer, _ target: UnsafeMutablePointer<Float>, _ factor: (Int) -> Float
  ) {
    var count = 0
    // 0·NaN is not 0, so what is not finite is left out.
    for example in 0..<examples where isFinite(example) {
      factors[count] = factor(example)
      rowStarts[count] = UnsafePointer(row(layer, example))
      count += 1
    }
    for range in layer.moving {
      ScaledRows.add(
        UnsafePointer(rowStarts), UnsafePointer(factors), rowCount: count,
        start: range.lowerBound - layer.hull.lowerBound, to: target + range.lowerBound,
        count: range.count)
    }
  }

  /// The ordinary weight gradient with b_i times c_i; stretches of examples between those that are
  /// not finite, whose input may not be either.
  @inline(__always) private func addProducts(
    _ workspace: Workspace, _ layer: ExamplePlan.Layer, _ target: UnsafeMutablePointer<Float>,
    _ factor: (Int) -> Float
  ) {
    let index = layer.steps[0]
    guard let step = plan.weighted[index] else { return }
    let count = rowsPerExample * network.slots[step.output].perExample
    var first = 0
    while first < examples {
      var next = first
      while next < examples, isFinite(next) {
        ScaledRows.copy(
          row(layer, next), times: factor(next), to: scaled + (next - first) * count, count: count)
        next += 1
      }
      if next > first { addStretch(workspace, step, first..<next, target) }
      first = next + 1
    }
  }

  private func addStretch(
    _ workspace: Workspace, _ step: any WeightedOperation, _ stretch: Range<Int>,
    _ target: UnsafeMutablePointer<Float>
  ) {
    let slots = network.slots.count
    let own = gradients + capacity * slots
    own[step.output] = scaled
    workspace.withPass(batch: stretch.count * rowsPerExample, training: true, accumulate: true) {
      pass in
      step.weightGradient(
        pass.on(
          batch: pass.batch, accumulate: true, gradient: target,
          values: values + stretch.lowerBound * slots, gradients: own))
    }
  }
}
