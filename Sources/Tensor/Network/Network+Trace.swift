/// Where in a forward pass the first number is that is infinite or not a number.
public enum NonFinitePlace: Sendable, Equatable {
  /// In the data: the example's place in the batch.
  case input(example: Int)
  /// In a parameter, before the pass: its tensor's name.
  case parameter(String)
  /// In what a layer gives, though all that it reads is finite: the layer and the example's place
  /// in the batch.
  case output(layer: String, example: Int)
}

extension Network {
  /// Repeats the last training forward pass on the workspace's input step by step and looks at
  /// everything that it reads and writes.
  ///
  /// For a pass that went wrong: parameters and input must still be what they were. Batch norm's
  /// running statistics move once more.
  ///
  /// - Parameters: as of `forward`.
  /// - Returns: the first place in the order parameters, input, layers; nil when all is finite.
  /// - Complexity: that of `forward`.
  public func firstNonFinite(
    _ workspace: Workspace, batch: Int, dropoutKey: UInt64 = 0, firstExample: Int = 0
  ) -> NonFinitePlace? {
    if let name = layout.firstNonFinite(workspace.parameters.span) { return .parameter(name) }
    for example in 0..<batch {
      let range = example * input.count..<(example + 1) * input.count
      if !workspace.input[range].allSatisfy(\.isFinite) { return .input(example: example) }
    }
    return workspace.withPass(
      batch: batch, training: true, accumulate: false, dropoutKey: dropoutKey,
      firstExample: firstExample
    ) { pass in firstNonFinite(workspace, pass) }
  }

  /// The same of one pass, whose parameters and input are finite.
  private func firstNonFinite(_ workspace: Workspace, _ pass: borrowing Pass) -> NonFinitePlace? {
    let batch = pass.batch
    var named = "the input"
    for step in steps {
      step.forward(pass)
      let own = layout.entries.first { entry in
        step.parameterRanges.contains { $0.overlaps(entry.range) }
      }
      if let own { named = own.layer }
      let size = slots[step.output].perExample
      let values = workspace.slotBuffer(step.output, count: batch * size)
      guard let place = values.firstIndex(where: { !$0.isFinite }) else { continue }
      let layer = own == nil ? "\(step.summary), behind \(named)" : named
      return .output(layer: layer, example: size > 0 ? place / size : 0)
    }
    return nil
  }
}

extension ParameterLayout {
  /// The name of the first tensor with a number that is not finite; nil when all are.
  public func firstNonFinite(_ vector: Span<Float>) -> String? {
    if VectorArithmetic.isFinite(vector) { return nil }
    return entries.first { entry in entry.range.contains { !vector[$0].isFinite } }?.name
  }
}
