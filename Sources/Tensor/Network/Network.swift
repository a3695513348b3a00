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

  /// What the network computes, one operation after the other.
  package let operations: [any Operation]
  package let gradientWrites: [GradientWrite]
  /// How: the same with neighbours joined (`Fusion`).
  package let steps: [any Operation]
  let stepWrites: [GradientWrite]
  /// What one example costs in them.
  package let work: PassWork
  /// Those that run backward, in forward order: not what is before the first trained parameter.
  let backwardSteps: [Int]
  package let slots: [Slot]
  /// A pool of adapters, if there is one.
  package var pool: Pool?
  /// What asks the frozen network for its features; nil where nothing does.
  let query: FeatureQuery?
  let gradientPlan: GradientPlan
  let valuePlan: ValuePlan
  package let scratchCount: Int
  package let logitsSlot: Int
  package let featuresSlot: Int
  package let inputSlot: Int
  /// Where it can be cut, from the input to the logits; empty in a head.
  public internal(set) var cuts: [Cut] = []
  /// What comes after a cut; nil in a head.
  var makeHead: (@Sendable (Cut) -> Network)?

  /// Memory that an operation writes.
  package struct Slot: Sendable {
    package let perExample: Int
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

  /// Floating-point operations of one example's training step: forward, weight gradient where
  /// weights are trained, and input gradient where something trained is before it.
  public var trainingFLOPs: Int {
    zip(operations, gradientWrites).map {
      $0.forwardFLOPs + $0.backwardFLOPs(inputGradient: $1 != .skip)
    }.reduce(0, +)
  }

  /// Whether it asks a frozen network for the features of every image.
  public var asksForFeatures: Bool { query != nil }

  /// Whether a backward pass goes on to the input, into `Workspace.inputGradient`.
  public var givesInputGradient: Bool { slots[inputSlot].hasGradient }

  /// Floats of activations per example, for choosing a batch size.
  public let activationsPerExample: Int
  /// Whether an example's results depend on no other example of its batch: true without batch norm
  /// that is trained, and without adapters that are averaged over batches.
  public let examplesAreIndependent: Bool
  /// Ranges of trained parameters that layers can move themselves (`backward`'s `directRate`).
  public let directRanges: [Range<Int>]
  /// The trained parameters outside `directRanges`.
  public let indirectRanges: [Range<Int>]
  /// The first step after the features: those from here on are the head.
  let headStart: Int
  /// Whether parameters can be read where somebody else keeps them: nothing is written to them,
  /// and nothing read beyond them.
  let canReadLentParameters: Bool

  package init(
    input: FeatureShape, logits: FeatureShape, layout: ParameterLayout, classifier: String,
    featureWidth: Int, operations: [any Operation], gradientWrites: [GradientWrite],
    steps: [any Operation], stepWrites: [GradientWrite], slots: [Slot], scratchCount: Int,
    logitsSlot: Int, featuresSlot: Int, inputSlot: Int
  ) {
    self.input = input
    classes = logits.count
    self.layout = layout
    self.classifier = classifier
    self.featureWidth = featureWidth
    self.operations = operations
    self.gradientWrites = gradientWrites
    self.steps = steps
    self.stepWrites = stepWrites
    work = PassWork(steps, stepWrites)
    self.slots = slots
    self.scratchCount = scratchCount
    self.logitsSlot = logitsSlot
    self.featuresSlot = featuresSlot
    self.inputSlot = inputSlot
    let backward = steps.indices.filter { steps[$0].hasParameters || stepWrites[$0] != .skip }
    backwardSteps = backward
    gradientPlan = GradientPlan(
      backward.map { steps[$0] }, slots, logits: logitsSlot, input: inputSlot)
    let plan = ValuePlan(steps, backward: backward, slots, kept: [0, logitsSlot, featuresSlot])
    valuePlan = plan
    query = FeatureQuery(steps, slots, input: inputSlot)
    activationsPerExample = slots.indices.reduce(plan.perExample) { sum, slot in
      plan.offsets[slot] == nil ? sum + slots[slot].perExample : sum
    }
    examplesAreIndependent = !operations.contains {
      switch $0 {
      case let norm as BatchNorm: !norm.frozen
      case let adapter as PoolScale: adapter.mixture.choice == .perBatch
      default: false
      }
    }
    directRanges = steps.compactMap(\.directRange).sorted { $0.lowerBound < $1.lowerBound }
    var rest: [Range<Int>] = []
    var start = 0
    for range in directRanges {
      if start < range.lowerBound { rest.append(start..<range.lowerBound) }
      start = range.upperBound
    }
    if start < layout.trainedCount { rest.append(start..<layout.trainedCount) }
    indirectRanges = rest
    headStart = (steps.lastIndex { $0.output == featuresSlot } ?? -1) + 1
    canReadLentParameters =
      layout.trainedCount == layout.movingCount && !steps.contains { $0.readsBeyondParameters }
  }

  /// Bytes of a training workspace for batches of up to `capacity` examples, rounding aside.
  public func workspaceBytes(capacity: Int, moments: Int) -> Int {
    let maps = activationsPerExample * capacity + slots.map(\.fixed).reduce(0, +)
    let gradients = gradientPlan.perExample * capacity
    let parameters = layout.count + (1 + moments) * layout.trainedCount
    return 4 * (parameters + maps + gradients + scratchCount + capacity)
  }

  /// Examples that pass through the whole network together in a training step on `batch`; their
  /// gradients are added up in order.
  ///
  /// Few, so that activations are still in the cache when the backward pass reads them; so many
  /// that reading and adding to the parameters stays cheap beside that. A function of the network
  /// and the batch alone, because it decides the order of sums.
  public func microBatch(of batch: Int) -> Int {
    guard examplesAreIndependent else { return batch }
    let parts = max(1, (batch + enoughExamples - 1) / enoughExamples)
    return (batch + parts - 1) / parts
  }

  /// The largest micro-batch of all batches of up to `batch` examples: a batch that is short may
  /// pass in fewer parts than a full one, which are then larger.
  public func largestMicroBatch(upTo batch: Int) -> Int {
    examplesAreIndependent ? min(batch, enoughExamples) : batch
  }

  /// Examples from which on a part is large enough.
  private var enoughExamples: Int {
    max(1, (16 * layout.count + activationsPerExample) / (2 * activationsPerExample))
  }

  /// Runs the network on the first `batch` examples of the workspace's input.
  ///
  /// `training`: batch statistics and dropout on; else running statistics and no dropout.
  ///
  /// `dropoutKey`: mixed address of this step's dropout masks.
  ///
  /// `firstExample`: place of the first example in its batch, which dropout masks depend on.
  public func forward(
    _ workspace: Workspace, batch: Int, training: Bool, dropoutKey: UInt64 = 0,
    firstExample: Int = 0
  ) {
    // Whoever changes the input after this pass need not say so.
    defer { workspace.featureMemory = nil }
    workspace.withPass(
      batch: batch, training: training, accumulate: false, dropoutKey: dropoutKey,
      firstExample: firstExample
    ) { pass in
      // Features that are remembered count too: a count depends on no other pass.
      workspace.flops &+= batch &* work.forward
      if workspace.isDryRun {
        // A loss is then one of a model that knows nothing, and never one of memory as it was.
        workspace.logits.update(repeating: 0)
        return
      }
      query?.run(steps, slots.count, workspace, pass)
      for step in steps[(query?.end ?? 0)...] { step.forward(pass) }
    }
  }

  /// From the gradient in `workspace.logitsGradient`, after a training forward pass on the same
  /// batch: fills `workspace.gradient`, or adds to it.
  ///
  /// `directRate`: η when the parameters in `directRanges` are to be moved by −η times their
  /// gradient at once, which saves storing that gradient; they must be read by nobody else.
  ///
  /// `part`: with `.head` the sweep stops where `workspace.featuresGradient` is complete, so that
  /// a caller can add to it; `.body` goes on from there.
  ///
  /// `first`: steps before this one are left out (see `firstStep`); their parameters' gradients
  /// are then what they were.
  public func backward(
    _ workspace: Workspace, batch: Int, accumulate: Bool = false, directRate: Float? = nil,
    part: BackwardPart = .everything, from first: Int = 0
  ) {
    precondition(workspace.isForTraining, "Network.backward: the workspace is for evaluation only")
    workspace.withPass(batch: batch, training: true, accumulate: accumulate, directRate: directRate)
    { pass in
      var cost = 0
      let computes = !workspace.isDryRun
      forEachBackwardStep(part, from: first) { index in
        if computes { steps[index].backward(pass, inputGradient: stepWrites[index]) }
        cost += work.backward[index]
      }
      workspace.flops &+= batch &* cost
    }
  }

  /// Calls `body` with the steps of a stretch of the backward sweep, in its order.
  @inline(__always) func forEachBackwardStep(
    _ part: BackwardPart, from first: Int, _ body: (Int) -> Void
  ) {
    let end = max(first, part == .head ? headStart : 0)
    var place = backwardSteps.count
    while place > 0, backwardSteps[place - 1] >= end {
      place -= 1
      let index = backwardSteps[place]
      if part == .body, index >= headStart { continue }
      body(index)
    }
  }

  /// The first step that a backward sweep must reach when only parameters in `ranges` will move.
  ///
  /// - Complexity: O(steps · ranges).
  public func firstStep(moving ranges: [Range<Int>]) -> Int {
    let wanted = steps.firstIndex { step in
      step.hasParameters
        && step.parameterRanges.contains { range in ranges.contains { $0.overlaps(range) } }
    }
    return wanted ?? steps.count
  }
}

/// A stretch of the backward sweep.
public enum BackwardPart: Sendable {
  case everything
  /// From the logits to the features.
  case head
  /// From the features to the input.
  case body
}

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
      let layer = own == nil ? "\(step.summary), after \(named)" : named
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
