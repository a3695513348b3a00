import Base

/// All memory that one worker needs to run one network: parameters, gradients, activations,
/// optimizer moments and scratch, allocated once.
///
/// Not for sharing: one workspace per worker.
public final class Workspace {
  /// The largest batch that fits.
  public let capacity: Int
  /// Whether gradients are there.
  public let isForTraining: Bool
  /// The worker's own copy of all parameters, [layout.count], until the next `load` or training
  /// pass.
  public var parameters: UnsafeBufferPointer<Float> {
    takeOver()
    return UnsafeBufferPointer(start: model.readable, count: model.count)
  }
  /// The same for writing; copied before, if they are shared.
  public var mutableParameters: UnsafeMutableBufferPointer<Float> {
    takeOver()
    model.copyShared()
    return UnsafeMutableBufferPointer(start: model.writable, count: model.count)
  }
  /// Gradients of the trained parameters, [layout.trainedCount]; empty without training.
  public let gradient: UnsafeMutableBufferPointer<Float>
  /// First and second moments of the optimizer, each [layout.trainedCount].
  public let moments: [UnsafeMutableBufferPointer<Float>]
  /// Labels of the current batch, [capacity].
  public let labels: UnsafeMutableBufferPointer<Int32>
  /// The current batch, [capacity × input.count], channels last.
  public let input: UnsafeMutableBufferPointer<Float>
  /// Logits of the current batch, [capacity × classes].
  public let logits: UnsafeMutableBufferPointer<Float>
  /// Gradient of the loss with respect to the logits; empty without training.
  public let logitsGradient: UnsafeMutableBufferPointer<Float>
  /// Input of the classifier, [capacity × featureWidth].
  public let features: UnsafeMutableBufferPointer<Float>
  /// Gradient of the loss with respect to the features; empty without training, and where the
  /// classifier reads the data itself.
  public let featuresGradient: UnsafeMutableBufferPointer<Float>
  /// Gradient of the loss with respect to the input, [capacity × input.count]; empty without
  /// training, and unless the network was built to give it.
  public let inputGradient: UnsafeMutableBufferPointer<Float>
  /// How well a pool's entries matched each example of the last batch: r = Σ of its k cosines,
  /// [capacity]; empty without keys.
  public let matches: UnsafeMutableBufferPointer<Float>
  /// ∂L/∂r of each example, [capacity], which trains the keys: −λ/batch for a mean of λ(1 − r).
  ///
  /// Whoever wants keys to move writes it; it is 0 at first and stays as it was written.
  public let matchesGradient: UnsafeMutableBufferPointer<Float>
  /// The entries that each example of the last batch took, best first, [capacity × k]; empty
  /// without keys.
  public let matchedEntries: UnsafeBufferPointer<Int32>
  /// Bytes allocated.
  public let byteCount: Int
  /// Floating-point operations of all passes so far, a multiply-add as two; products only.
  ///
  /// Passes are counted as they run: what a sweep leaves out costs nothing.
  public internal(set) var flops = 0
  /// Whether passes are counted and nothing more: a dry run that asks what a run costs.
  ///
  /// Networks, loaders and optimizers then leave values as they are, but for logits, which are 0;
  /// `flops` grows as in a run, and an optimizer's first step moves parameters a little, so that
  /// differences are not all zero.
  public var isDryRun = false

  /// Where features of the images in `input` are remembered; nil where these are no images as they
  /// are in a data set, and after every forward pass.
  package var featureMemory: FeatureMemory?
  /// The numbers of the images in `input` in that memory, [capacity].
  package let imageNumbers: UnsafeMutableBufferPointer<Int>
  /// Where one example's values lie, for the pass that asks for features.
  let queryValues: UnsafeMutablePointer<UnsafeMutablePointer<Float>>

  private var model: OwnParameters
  /// What was loaded, as long as nothing has moved it: a copy is made when it must be.
  private var lent: [Float]?
  private let canReadLent: Bool
  private let memory: UnsafeMutableRawPointer
  private let values: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
  private let gradients: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
  private let scratch: UnsafeMutablePointer<Float>

  /// Memory for batches of up to `capacity` examples.
  ///
  /// `moments`: how many optimizer moments to hold: 0 for plain SGD, 1 with momentum, 2 for Adam.
  ///
  /// `pool`: where parameters lie, common to workers that hand theirs over; nil makes one.
  public init(
    _ network: Network, capacity: Int, training: Bool, moments momentCount: Int = 0,
    pool: ParameterPool? = nil
  ) {
    precondition(capacity > 0, "Workspace: capacity is \(capacity)")
    self.capacity = capacity
    isForTraining = training
    let trained = training ? network.layout.trainedCount : 0

    // One block: each part starts on a cache line.
    var total = 0
    func place(_ floats: Int) -> Int {
      defer { total += (floats + 15) / 16 * 16 }
      return total
    }
    let gradientAt = place(trained)
    let momentsAt = (0..<(training ? momentCount : 0)).map { _ in place(trained) }
    let labelsAt = place(capacity)
    let shared = network.valuePlan
    let sharedStart = place(shared.perExample * capacity)
    let valuesAt = network.slots.indices.map { slot in
      if let offset = shared.offsets[slot] { return sharedStart + offset * capacity }
      return place(network.slots[slot].perExample * capacity + network.slots[slot].fixed)
    }
    let plan = network.gradientPlan
    let gradientsStart = place(training ? plan.perExample * capacity : 0)
    let gradientsAt = plan.offsets.map { gradientsStart + (training ? $0 * capacity : 0) }
    let scratchAt = place(network.scratchCount)
    _ = place(16)  // kernels read whole vectors, so up to 15 floats beyond a matrix
    let bytes = max(64, total * 4)
    byteCount = bytes + 4 * network.layout.count
    // Zero pages come from the system when they are first touched: what a run never uses, such as
    // gradients of examples beyond the training batch, takes no memory.
    guard let zeroed = calloc(bytes + 64, 1) else {
      preconditionFailure("Workspace: no memory for \(bytes) bytes")
    }
    memory = zeroed
    let base = zeroed.alignedUp(toMultipleOf: 64).bindMemory(
      to: Float.self, capacity: max(16, total))

    func buffer(_ at: Int, _ count: Int) -> UnsafeMutableBufferPointer<Float> {
      UnsafeMutableBufferPointer(start: base + at, count: count)
    }
    let pool = pool ?? ParameterPool(count: network.layout.count, limit: 2)
    precondition(pool.count == network.layout.count, "Workspace: a pool of [\(pool.count)]")
    model = pool.take()
    model.writable.initialize(repeating: 0, count: model.count)
    canReadLent = network.canReadLentParameters
    gradient = buffer(gradientAt, trained)
    moments = momentsAt.map { buffer($0, trained) }
    labels = UnsafeMutableBufferPointer(
      start: UnsafeMutableRawPointer(base + labelsAt).bindMemory(
        to: Int32.self, capacity: capacity), count: capacity)
    imageNumbers = .allocate(capacity: capacity)
    imageNumbers.initialize(repeating: 0)
    queryValues = .allocate(capacity: network.slots.count)
    values = .allocate(capacity: network.slots.count)
    gradients = .allocate(capacity: network.slots.count)
    for slot in network.slots.indices {
      (values + slot).initialize(to: base + valuesAt[slot])
      (queryValues + slot).initialize(to: base + valuesAt[slot])
      (gradients + slot).initialize(to: base + gradientsAt[slot])
    }
    scratch = base + scratchAt
    input = buffer(valuesAt[network.inputSlot], capacity * network.input.count)
    logits = buffer(valuesAt[network.logitsSlot], capacity * network.classes)
    logitsGradient = buffer(
      gradientsAt[network.logitsSlot], training ? capacity * network.classes : 0)
    features = buffer(valuesAt[network.featuresSlot], capacity * network.featureWidth)
    let hasFeatureGradient = training && network.slots[network.featuresSlot].hasGradient
    featuresGradient = buffer(
      gradientsAt[network.featuresSlot], hasFeatureGradient ? capacity * network.featureWidth : 0)
    inputGradient = buffer(
      gradientsAt[network.inputSlot],
      training && network.givesInputGradient ? capacity * network.input.count : 0)
    let (match, selection) = (network.pool?.match, network.pool?.selection)
    matches = buffer(match.map { valuesAt[$0] } ?? 0, match == nil ? 0 : capacity)
    matchesGradient = buffer(
      match.map { gradientsAt[$0] } ?? 0, training && match != nil ? capacity : 0)
    let chosen = selection == nil ? 0 : capacity * (network.pool?.settings.matched ?? 0)
    matchedEntries = UnsafeBufferPointer(
      start: UnsafeRawPointer(base + (selection.map { valuesAt[$0] } ?? 0)).bindMemory(
        to: Int32.self, capacity: chosen), count: chosen)
  }

  deinit {
    free(memory)
    imageNumbers.deallocate()
    queryValues.deallocate()
    values.deallocate()
    gradients.deallocate()
  }

  /// Takes a full parameter vector.
  ///
  /// It is read where it is until the first step moves it: a client's first pass needs no copy.
  public func load(_ vector: [Float]) {
    precondition(
      vector.count == model.count, "Workspace.load: [\(vector.count)] instead of [\(model.count)]")
    model.leaveShared()
    lent = vector
  }

  /// Lets go of a vector that was loaded and not moved; what the parameters are is then undefined.
  public func forget() { lent = nil }

  /// Copies what was loaded into memory of one's own.
  private func takeOver() {
    guard let vector = lent else { return }
    lent = nil
    vector.withUnsafeBufferPointer { source in
      guard let from = source.baseAddress else { return }
      model.writable.update(from: from, count: vector.count)
    }
  }

  /// Ends a step of plain SGD in which a backward pass with `directRate` η moved the network's
  /// `directRanges`: w ← w − η·g on the rest.
  public func finishDirectStep(_ rate: Float, _ rest: [Range<Int>]) {
    if isDryRun { return dryStep([0..<gradient.count]) }
    guard let g = gradient.baseAddress else { return }
    let target = model.writable
    withReadable { source in
      for range in rest { for i in range { target[i] = source[i] - rate * g[i] } }
      // What is frozen stays, but has its place with the rest.
      if lent != nil, gradient.count < model.count {
        (target + gradient.count).update(
          from: source + gradient.count, count: model.count - gradient.count)
      }
    }
    lent = nil
  }

  /// In place of a step in a dry run: w_i ← w_i + a number of the size of 10⁻⁴ that depends on i.
  func dryStep(_ ranges: [Range<Int>]) {
    let own = mutableParameters
    for range in ranges {
      for i in range {
        // Weyl's sequence, scrambled: cheap, and without a pattern that a code could use.
        var bits = UInt32(truncatingIfNeeded: i) &* 0x9E37_79B9
        bits = (bits ^ bits >> 15) &* 0x85EB_CA6B
        own[i] += Float(Int32(bitPattern: bits ^ bits >> 13)) * 5e-14
      }
    }
  }

  /// Lends the parameters where they can be read now: in what was loaded, or in memory of its own.
  private func withReadable<Result>(_ body: (UnsafePointer<Float>) -> Result) -> Result {
    guard let vector = lent else { return body(model.readable) }
    return vector.withUnsafeBufferPointer { body($0.baseAddress ?? model.readable) }
  }

  /// The current parameters as they are now, for as long as the result lives, without a copy.
  ///
  /// The workspace still reads them; before it writes parameters again it takes other memory.
  public func shareParameters() -> ParameterBuffer {
    takeOver()
    return model.share()
  }

  /// A copy of the current parameters.
  public var currentParameters: [Float] { Array(parameters) }

  /// Lends the gradient and the trained parameters, both [trainedCount].
  public func withGradient(_ body: (inout MutableSpan<Float>, Span<Float>) -> Void) {
    var span = gradient.mutableSpan
    body(&span, UnsafeBufferPointer(rebasing: parameters[0..<gradient.count]).span)
  }

  /// One example's values after each operation's slot, for tests.
  package func slotValues(_ slot: Int, count: Int) -> [Float] {
    Array(UnsafeBufferPointer(start: values[slot], count: count))
  }

  /// The memory of a slot's values.
  func slotBuffer(_ slot: Int, count: Int) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: values[slot], count: count)
  }

  /// Lends all memory for one forward or backward sweep.
  package func withPass<Result>(
    batch: Int, training: Bool, accumulate: Bool, dropoutKey: UInt64 = 0, firstExample: Int = 0,
    directRate: Float? = nil, _ body: (borrowing Pass) -> Result
  ) -> Result {
    precondition(
      batch > 0 && batch <= capacity, "Workspace: a batch of \(batch), room for \(capacity)")
    // Training moves parameters: the optimizer all of them, batch norm its statistics.
    if training { model.copyShared() }
    if !canReadLent { takeOver() }
    guard let gradientStart = gradient.baseAddress else {
      preconditionFailure("Workspace: no memory")
    }
    return withReadable { parameters in
      body(
        Pass(
          batch: batch, training: training, accumulate: accumulate, dropoutKey: dropoutKey,
          firstExample: firstExample, directRate: directRate, parameters: parameters,
          moved: training ? model.writable : nil, gradient: gradientStart, values: values,
          gradients: gradients, scratch: scratch))
    }
  }
}
