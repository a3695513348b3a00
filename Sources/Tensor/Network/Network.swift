/// A network: a fixed list of operations on numbered slots, with a layout of its parameters.
///
/// Everything that moves lives in a `Workspace`, so one network serves all workers.
public struct Network: Sendable {
  /// Size of one input example.
  public let input: FeatureShape
  /// Number of logits C.
  public let classes: Int
  /// Names, shapes and places of the parameters.
  public let layout: ParameterLayout
  /// Layer name of the classifier: the last dense layer, "fc" in residual networks.
  public let classifier: String
  /// Width d of the features that the classifier reads.
  public let featureWidth: Int

  package let operations: [any Operation]
  package let gradientWrites: [GradientWrite]
  package let slots: [Slot]
  let scratchCount: Int
  package let logitsSlot: Int
  package let featuresSlot: Int

  /// Memory that an operation writes.
  package struct Slot: Sendable {
    /// Floats per example.
    package let perExample: Int
    /// Floats besides.
    package let fixed: Int
    /// Whether a gradient of the same size exists in training.
    package let hasGradient: Bool
  }

  /// Each operation in order, in PyTorch's terms.
  public var summary: [String] { operations.map(\.summary) }

  /// Floating-point operations of one example: forward pass, multiply and add counted as two.
  ///
  /// Biases, activations, norms, pooling and the loss count as nothing.
  public var forwardFLOPs: Int { operations.map(\.forwardFLOPs).reduce(0, +) }

  /// Floating-point operations of one example's training step: forward, weight gradient and
  /// input gradient, the last one not for layers that see the data.
  public var trainingFLOPs: Int {
    zip(operations, gradientWrites)
      .map { $0.forwardFLOPs * ($1 == .skip ? 2 : 3) }.reduce(0, +)
  }

  /// Floats of activations per example, for choosing a batch size.
  public var activationsPerExample: Int { slots.map(\.perExample).reduce(0, +) }

  /// Bytes of a training workspace for batches of up to `capacity` examples, rounding aside.
  public func workspaceBytes(capacity: Int, moments: Int) -> Int {
    let maps = slots.map { slot in
      (slot.hasGradient ? 2 : 1) * slot.perExample * capacity + slot.fixed
    }
    let parameters = layout.count + (1 + moments) * layout.trainedCount
    return 4 * (parameters + maps.reduce(0, +) + scratchCount + capacity)
  }

  /// Runs the network on the first `batch` examples of the workspace's input.
  ///
  /// `training`: batch statistics and dropout on; else running statistics and no dropout.
  ///
  /// `dropoutKey`: mixed address of this step's dropout masks.
  public func forward(
    _ workspace: Workspace,
    batch: Int,
    training: Bool,
    dropoutKey: UInt64 = 0
  ) {
    let pass = workspace.pass(
      batch: batch,
      training: training,
      accumulate: false,
      dropoutKey: dropoutKey
    )
    for operation in operations { operation.forward(pass) }
  }

  /// From the gradient in `workspace.logitsGradient`, after a training forward pass on the same
  /// batch: fills `workspace.gradient`, or adds to it.
  public func backward(_ workspace: Workspace, batch: Int, accumulate: Bool = false) {
    precondition(workspace.isForTraining, "Network.backward: the workspace is for evaluation only")
    let pass = workspace.pass(
      batch: batch,
      training: true,
      accumulate: accumulate,
      dropoutKey: 0
    )
    var index = operations.count
    while index > 0 {
      index -= 1
      operations[index].backward(pass, inputGradient: gradientWrites[index])
    }
  }
}
