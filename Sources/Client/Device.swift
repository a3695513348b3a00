import Base
import Tensor

/// One client in one round, on one worker: its examples, its own copy of the model in the
/// worker's workspace, its random streams, and the verbs of local training.
///
/// Every draw is addressed by (seed, purpose, round, client, counter), so two strategies under
/// one seed see the same batches, and no draw depends on which worker runs the client.
public struct Device {
  /// The client's number in 0 ..< K; K for the server's own device.
  public let client: Int
  /// The round, from 1.
  public let round: Int
  /// The length of the run.
  public let rounds: Int
  /// The run's seed.
  public let seed: UInt64
  /// Training examples, as indices into the loader's images.
  public let examples: [Int]
  /// The network.
  public let network: Network
  /// The worker's memory; `workspace.parameters` is the client's model.
  public let workspace: Workspace
  /// Where images come from.
  public let loader: BatchLoader
  /// What the scenario asks of a client.
  public let settings: LocalSettings
  /// η of this round: the scheduled learning rate.
  public let learningRate: Double
  /// What a client knows besides its own examples.
  public let surroundings: Surroundings
  /// The loss on its own examples, by `settings.loss`.
  public let loss: SoftmaxCrossEntropy
  /// How its gradients are made private; nil takes them as they are.
  public private(set) var privacy: PrivateTraining?

  /// Where the counters of this device lie.
  let phase: StreamAddress.Phase
  private var epoch = 0
  package var order: [Int] = []
  package var places: [Int] = []
  private var position = 0
  package var batch = 0..<0
  package var augmentation = RandomStream(seed: 0, .augmentation)
  /// Optimizer steps so far.
  public package(set) var stepsTaken = 0
  /// The last losses per example, oldest first; room for them is there from the start.
  private var losses: [Double] = []
  private static let lossesKept = 6

  /// What a client knows besides its own examples.
  public struct Surroundings {
    /// The public set: images that belong to nobody, in an order that all agree on.
    public var publicExamples: [Int]
    /// Training images per class over all clients, [C]; empty where nobody sent them.
    public var pooledCounts: [Int]
    /// A second workspace of the same network on the same worker, for a model to compare with.
    public var makeCompanion: () -> Workspace?
    /// Whether to leave the work; nil where nobody can ask for that.
    public var stop: StopSign?

    /// Nothing, by default.
    public init(
      publicExamples: [Int] = [], pooledCounts: [Int] = [],
      makeCompanion: @escaping () -> Workspace? = { nil }, stop: StopSign? = nil
    ) {
      self.publicExamples = publicExamples
      self.pooledCounts = pooledCounts
      self.makeCompanion = makeCompanion
      self.stop = stop
    }
  }

  /// A client ready to train.
  ///
  /// `rounds`: the length of the run, for the learning-rate schedule.
  ///
  /// `phase`: where this device's counters lie; training after the round's training (fine-tuning
  /// for an evaluation) has a phase of its own, so that it repeats no draw.
  public init(
    client: Int, round: Int, rounds: Int, seed: UInt64, examples: [Int], network: Network,
    workspace: Workspace, loader: BatchLoader, settings: LocalSettings,
    phase: StreamAddress.Phase = .training, surroundings: Surroundings = Surroundings(),
    privacy: PrivateTraining? = nil
  ) {
    self.client = client
    self.round = round
    self.rounds = rounds
    self.seed = seed
    self.examples = examples
    self.network = network
    self.workspace = workspace
    self.loader = loader
    self.settings = settings
    self.surroundings = surroundings
    self.privacy = privacy
    self.phase = phase
    losses.reserveCapacity(Self.lossesKept)
    learningRate =
      settings.optimizer.learningRate * settings.schedule.factor(round: round, rounds: rounds)
    loss =
      settings.loss == .crossEntropy
      ? SoftmaxCrossEntropy()
      : settings.loss.loss(
        own: loader.images.classCounts(of: examples), pooled: surroundings.pooledCounts,
        round: round, rounds: rounds)
  }

  /// The same client with the same workspace on other examples, by other settings if given.
  ///
  /// `phase`: where its counters lie; another than this device's, unless draws shall be repeated.
  public func visiting(
    _ examples: [Int], settings: LocalSettings? = nil, phase: StreamAddress.Phase
  ) -> Device {
    Device(
      client: client, round: round, rounds: rounds, seed: seed, examples: examples,
      network: network, workspace: workspace, loader: loader, settings: settings ?? self.settings,
      phase: phase, surroundings: surroundings, privacy: privacy)
  }

  /// The same client without noise: for examples that are public, and for models that never leave
  /// it nor change what leaves.
  public var unprotected: Device {
    var device = self
    device.privacy = nil
    return device
  }

  /// n_c of the device's examples, [C].
  public var classCounts: [Int] { loader.images.classCounts(of: examples) }

  /// The label of an example, by its place in `examples`.
  public func label(_ place: Int) -> Int { Int(loader.images.labels[examples[place]]) }

  /// Steps of `work` on this client's examples.
  public func stepCount(_ work: LocalSettings.Work) -> Int {
    examples.isEmpty ? 0 : work.steps(examples: examples.count, batch: settings.batch)
  }

  /// Goes on to the next batch and returns its size; starts a new epoch, with a new order, when the
  /// last one is used up.
  ///
  /// The device must have examples.
  ///
  /// Under example-level privacy: draws a Poisson batch, which may be empty. Its size is nothing
  /// that a step may depend on: gradients come divided by the size that was expected.
  public mutating func nextBatch() -> Int {
    if let privacy {
      privacy.beginBatch()
      if privacy.settings.drawsBatches { return drawBatch(privacy) }
    }
    if position >= order.count {
      places = Array(examples.indices)
      if settings.order == .shuffled {
        var stream = random(.batchOrder, epoch)
        stream.shuffle(&places)
      }
      order = places.map { examples[$0] }
      epoch += 1
      position = 0
    }
    let end = min(position + settings.batch, order.count)
    batch = position..<end
    augmentation = random(.augmentation, stepsTaken)
    position = end
    return batch.count
  }

  /// Examples of the current batch that pass through the network together.
  public var microBatch: Int { network.microBatch(of: batch.count) }

  /// Places in `examples` of the current batch.
  public var batchPlaces: ArraySlice<Int> { places[batch] }

  /// Puts `count` examples of the current batch into the workspace, from the `first`-th on.
  ///
  /// They must be asked for in order, because augmentation draws from one stream.
  public mutating func load(_ first: Int, _ count: Int) {
    let start = batch.lowerBound + first
    loader.fill(
      workspace, order[start..<start + count], augmentation: settings.augmentation,
      stream: &augmentation)
  }

  /// Forward, loss and backward on the current batch, by a rule; fills the gradient.
  ///
  /// The batch passes through in micro-batches, whose gradients add up to that of the mean loss
  /// over the whole batch.
  ///
  /// `directRate`: see `Network.backward`; only for a batch that is one micro-batch.
  ///
  /// `firstStep`: the first step of the network that the backward sweep must reach.
  ///
  /// `ranges`: the trained parameters that will move; all by default. Only private gradients are
  /// exact on them alone.
  ///
  /// - Throws: ``Divergence`` when the loss is not finite, or when the work is left.
  public mutating func computeGradient<Rule: LocalRule>(
    _ rule: inout Rule, directRate: Float? = nil, firstStep: Int = 0, ranges: [Range<Int>]? = nil
  ) throws(Divergence) -> SoftmaxCrossEntropy.Result {
    if let stop = surroundings.stop, stop.isUp { throw Divergence(round: round, client: client) }
    if let privacy {
      return computePrivateGradient(
        &rule, privacy, ranges: ranges ?? [0..<network.layout.trainedCount], firstStep: firstStep)
    }
    let dropout = random(.dropout, stepsTaken)
    stepsTaken += 1
    var total = Double(batch.count)
    if let loss = rule.loss, loss.weights != nil {
      total = 0
      for place in batch { total += loss.weight(of: loader.images.labels[order[place]]) }
    }
    var result = SoftmaxCrossEntropy.Result(lossSum: 0, weight: total, correct: 0)
    let size = microBatch
    var first = 0
    while first < batch.count {
      let count = min(size, batch.count - first)
      load(first, count)
      network.forward(
        workspace, batch: count, training: true, dropoutKey: dropout.key, firstExample: first)
      let part = BatchPart(
        workspace: workspace, network: network, examples: first..<first + count, batch: batch.count,
        places: places[batch.lowerBound + first..<batch.lowerBound + first + count],
        totalWeight: total)
      evaluate(&rule, part, &result)
      guard result.lossSum.isFinite else { throw divergence(part, result, dropout.key) }
      backward(&rule, part, &result, directRate: directRate, from: firstStep)
      first += count
    }
    if Rule.adjustsGradient {
      workspace.withGradient { gradient, parameters in rule.adjust(&gradient, at: parameters) }
    }
    rule.endBatch(learningRate: learningRate)
    note(result)
    return result
  }

  /// Remembers a step's loss, for whoever asks what came before.
  private mutating func note(_ result: SoftmaxCrossEntropy.Result) {
    if losses.count == Self.lossesKept { losses.removeFirst() }
    losses.append(result.lossSum / max(result.weight, .leastNormalMagnitude))
  }

  /// The random numbers of a purpose in a step of this device's phase.
  func random(_ purpose: Purpose, _ step: Int) -> RandomStream {
    RandomStream(
      StreamAddress(seed: seed, purpose, round: round, client: client, phase: phase, step: step))
  }

  /// A loss that is not finite, with where that began.
  private func divergence(
    _ part: BatchPart, _ result: SoftmaxCrossEntropy.Result, _ dropoutKey: UInt64
  ) -> Divergence {
    let place = network.firstNonFinite(
      workspace, batch: part.count, dropoutKey: dropoutKey, firstExample: part.examples.lowerBound)
    let weight = max(result.weight, .leastNormalMagnitude)
    return Divergence(
      round: round, client: client, step: stepsTaken,
      trace: Divergence.Trace(
        place.map { .pass($0) } ?? .loss, examples: Array(order[batch]),
        losses: losses + [result.lossSum / weight]))
  }

  /// What a client says whose model is no longer finite after its last step.
  public func divergence(upload tensor: String) -> Divergence {
    Divergence(
      round: round, client: client, step: stepsTaken,
      trace: Divergence.Trace(.upload(tensor), examples: Array(order[batch]), losses: losses))
  }

  /// The loss of some examples and its gradient with respect to the logits.
  package func evaluate<Rule: LocalRule>(
    _ rule: inout Rule, _ part: BatchPart, _ result: inout SoftmaxCrossEntropy.Result
  ) {
    guard let logits = workspace.logits.baseAddress, let labels = workspace.labels.baseAddress,
      let gradient = workspace.logitsGradient.baseAddress
    else { preconditionFailure("Device: the workspace has no memory") }
    if let loss = rule.loss {
      let own = loss.evaluate(
        logits: logits, labels: labels, batch: part.count, classes: network.classes,
        gradient: gradient, totalWeight: part.totalWeight)
      result.lossSum += own.lossSum
      result.squareSum += own.squareSum
      result.correct += own.correct
    } else {
      gradient.update(repeating: 0, count: part.count * network.classes)
    }
    result.lossSum += rule.addTerms(part)
  }

  /// The sweep from the logits to the parameters, with a stop at the features for rules that add
  /// something there.
  private func backward<Rule: LocalRule>(
    _ rule: inout Rule, _ part: BatchPart, _ result: inout SoftmaxCrossEntropy.Result,
    directRate: Float?, from firstStep: Int
  ) {
    func sweep(_ stretch: BackwardPart) {
      network.backward(
        workspace, batch: part.count, accumulate: part.examples.lowerBound > 0,
        directRate: directRate, part: stretch, from: firstStep)
    }
    guard Rule.hasFeatureTerms else { return sweep(.everything) }
    sweep(.head)
    result.lossSum += rule.addFeatureTerms(part)
    sweep(.body)
  }
}

/// Private gradients: the sum of clipped gradients of a Poisson batch with noise, over a constant.
extension Device {
  /// Draws the next batch: each example independently with probability q = min(1, B̂/n).
  ///
  /// Returns how many were drawn, which is a secret of the client: for counting work alone.
  mutating func drawBatch(_ training: PrivateTraining) -> Int {
    let settings = training.settings
    var stream = random(.dpSampling, stepsTaken)
    let drawn = stream.bernoulliSubset(
      count: examples.count, rate: settings.samplingRate(examples: examples.count))
    // After all others in the stream, so that they are drawn as without it.
    training.canaries?.draw(
      from: &stream, rate: settings.samplingRate(examples: examples.count))
    // Augmented copies of an example are neighbouring rows.
    places = drawn.flatMap { [Int](repeating: $0, count: settings.copies) }
    order = places.map { examples[$0] }
    batch = 0..<order.count
    augmentation = random(.augmentation, stepsTaken)
    return drawn.count
  }

  /// (Σ c_i·g_i + noise)/B̂ on the current batch into `workspace.gradient`, and the gradients of the
  /// rule's heads likewise; all of them together are one vector for clipping.
  ///
  /// A gradient that is not finite counts as 0, so no step throws.
  mutating func computePrivateGradient<Rule: LocalRule>(
    _ rule: inout Rule, _ training: PrivateTraining, ranges: [Range<Int>], firstStep: Int
  ) -> SoftmaxCrossEntropy.Result {
    let lane = training.countGradient()
    var sum = PrivateSum(training, network, workspace, ranges, heads: rule.heads.count, lane: lane)
    let result = addExamples(&rule, to: &sum, firstStep: firstStep)
    sum.finish(&rule) { [seed, round, client] step in
      RandomStream(
        StreamAddress(
          seed: seed, .dpNoise, round: round, client: client, phase: training.phase, step: step))
    }
    if Rule.adjustsGradient {
      workspace.withGradient { gradient, parameters in rule.adjust(&gradient, at: parameters) }
    }
    rule.endBatch(learningRate: learningRate)
    return result
  }

  /// Forward and backward on the whole batch, some examples at a time.
  private mutating func addExamples<Rule: LocalRule>(
    _ rule: inout Rule, to sum: inout PrivateSum, firstStep: Int
  ) -> SoftmaxCrossEntropy.Result {
    let dropout = random(.dropout, stepsTaken)
    stepsTaken += 1
    var result = SoftmaxCrossEntropy.Result(lossSum: 0, weight: 0, correct: 0)
    for index in rule.heads.indices { rule.heads[index].holdsExamples = true }
    defer { for index in rule.heads.indices { rule.heads[index].holdsExamples = false } }
    let copies = sum.copies
    let total = batch.count / copies
    var first = 0
    while first < total {
      let count = min(sum.capacity, total - first)
      load(first * copies, count * copies)
      network.forward(
        workspace, batch: count * copies, training: true, dropoutKey: dropout.key,
        firstExample: first * copies)
      // Each example's own loss is the mean over its copies, whatever the batch.
      let part = BatchPart(
        workspace: workspace, network: network, examples: first * copies..<(first + count) * copies,
        batch: copies, places: places[first * copies..<(first + count) * copies],
        totalWeight: Double(copies))
      var own = SoftmaxCrossEntropy.Result(lossSum: 0, weight: 0, correct: 0)
      evaluate(&rule, part, &own)
      if Rule.hasFeatureTerms {
        sum.sweep(examples: count, .head, from: firstStep)
        own.lossSum += rule.addFeatureTerms(part)
        sum.sweep(examples: count, .body, from: firstStep)
      } else {
        sum.sweep(examples: count, .everything, from: firstStep)
      }
      sum.add(&rule, examples: count)
      if own.lossSum.isFinite {
        result.lossSum += own.lossSum
        result.weight += Double(count * copies)
        result.correct += own.correct
      }
      first += count
    }
    return result
  }
}
