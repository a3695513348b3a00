import Tensor

/// Gradients at models that are not the one in the workspace: for methods that look at several
/// models on one batch.
///
/// A copy of a device is at the same batch with the same augmentation and dropout, so a second
/// model is asked about it by a copy: `var twin = device` before the first gradient.
extension Device {
  /// Forward, loss and backward on the current batch at a model of one's own.
  ///
  /// Afterwards the workspace holds no model: load one before anything else.
  ///
  /// - Parameters:
  ///   - rule: the loss and its further terms.
  ///   - model: [layout.count]; its running statistics move as in any training pass.
  ///   - gradient: [layout.count]; takes the gradient of the trained parameters, and keeps what it
  ///     holds where running statistics lie.
  /// - Returns: the loss over the batch.
  /// - Throws: ``Divergence`` when the loss is not finite.
  /// - Complexity: one pass and two copies of the parameters.
  public mutating func gradient<Rule: LocalRule>(
    _ rule: inout Rule, at model: inout [Float], into gradient: inout [Float]
  ) throws(Divergence) -> SoftmaxCrossEntropy.Result {
    let trained = network.layout.trainedCount
    precondition(
      model.count == network.layout.count && gradient.count == model.count,
      "gradient: [\(gradient.count)] at [\(model.count)] of [\(network.layout.count)]")
    workspace.load(model)
    let result = try computeGradient(&rule)
    gradient.withUnsafeMutableBufferPointer { target in
      guard let to = target.baseAddress, let from = workspace.gradient.baseAddress else { return }
      to.update(from: from, count: trained)
    }
    let moved = trained < model.count ? Array(workspace.parameters[trained...]) : []
    workspace.forget()  // one owner: no copy below, nor when the caller moves the model
    if !moved.isEmpty { model.replaceSubrange(trained..., with: moved) }
    return result
  }
}

extension LocalReport {
  /// Adds what one batch gave.
  ///
  /// `steps`: optimizer steps that it led to.
  public mutating func add(
    _ result: SoftmaxCrossEntropy.Result, examples count: Int, steps taken: Int = 1
  ) {
    lossSum += result.lossSum
    squareSum += result.squareSum
    exampleWeight += result.weight
    examples += count
    steps += taken
  }
}
