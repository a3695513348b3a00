import Tensor

/// One client in one round, on one worker: its examples, its own copy of the model in the
/// worker's workspace, its random streams, and the verbs of local training.
///
/// Every draw is addressed by (seed, purpose, round, client, counter), so two strategies under
/// one seed see the same batches, and no draw depends on which worker runs the client.
public struct Device {
  /// The client's number in 0 ..< K.
  public let client: Int
  /// The round, from 1.
  public let round: Int
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

  private var epoch = 0
  private var order: [Int] = []
  private var position = 0
  private var batch = 0..<0
  private var augmentation = RandomStream(seed: 0, .augmentation)
  private var steps = 0

  /// A client ready to train.
  ///
  /// `rounds`: the length of the run, for the learning-rate schedule.
  ///
  /// `firstStep`: where this device's counters start; training after the round's training (fine-
  /// tuning for an evaluation) starts elsewhere, so that it repeats no draw.
  public init(
    client: Int,
    round: Int,
    rounds: Int,
    seed: UInt64,
    examples: [Int],
    network: Network,
    workspace: Workspace,
    loader: BatchLoader,
    settings: LocalSettings,
    firstStep: Int = 0
  ) {
    self.client = client
    self.round = round
    self.seed = seed
    self.examples = examples
    self.network = network
    self.workspace = workspace
    self.loader = loader
    self.settings = settings
    epoch = firstStep
    steps = firstStep
    learningRate =
      settings.optimizer.learningRate * settings.schedule.factor(round: round, rounds: rounds)
  }

  /// Steps of `work` on this client's examples.
  public func stepCount(_ work: LocalSettings.Work) -> Int {
    examples.isEmpty ? 0 : work.steps(examples: examples.count, batch: settings.batch)
  }

  /// Goes on to the next batch and returns its size; starts a new epoch, with a new order, when the
  /// last one is used up.
  ///
  /// The device must have examples.
  public mutating func nextBatch() -> Int {
    if position >= order.count {
      order = examples
      if settings.order == .shuffled {
        var stream = RandomStream(
          seed: seed,
          .batchOrder,
          round: round,
          client: client,
          step: epoch
        )
        stream.shuffle(&order)
      }
      epoch += 1
      position = 0
    }
    let end = min(position + settings.batch, order.count)
    batch = position..<end
    augmentation = RandomStream(
      seed: seed,
      .augmentation,
      round: round,
      client: client,
      step: steps
    )
    position = end
    return batch.count
  }

  /// Examples of the current batch that pass through the network together.
  public var microBatch: Int { network.microBatch(of: batch.count) }

  /// Puts `count` examples of the current batch into the workspace, from the `first`-th on.
  ///
  /// They must be asked for in order, because augmentation draws from one stream.
  public mutating func load(_ first: Int, _ count: Int) {
    let start = batch.lowerBound + first
    loader.fill(
      workspace,
      order[start..<start + count],
      augmentation: settings.augmentation,
      stream: &augmentation
    )
  }

  /// Forward, loss and backward on the current batch, by a rule; fills the gradient.
  ///
  /// The batch passes through in micro-batches, whose gradients add up to that of the mean loss
  /// over the whole batch.
  ///
  /// `directRate`: see `Network.backward`; only for a batch that is one micro-batch.
  ///
  /// - Throws: ``Divergence`` when the loss is not finite.
  public mutating func computeGradient<Rule: LocalRule>(
    _ rule: inout Rule,
    directRate: Float? = nil
  ) throws(Divergence) -> SoftmaxCrossEntropy.Result {
    let dropout = RandomStream(
      seed: seed,
      .dropout,
      round: round,
      client: client,
      step: steps
    )
    steps += 1
    guard let logits = workspace.logits.baseAddress, let labels = workspace.labels.baseAddress
    else { preconditionFailure("Device: the workspace has no memory") }
    let loss = rule.loss
    var total = Double(batch.count)
    if loss.weights != nil {
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
        workspace,
        batch: count,
        training: true,
        dropoutKey: dropout.key,
        firstExample: first
      )
      let part = loss.evaluate(
        logits: logits,
        labels: labels,
        batch: count,
        classes: network.classes,
        gradient: workspace.logitsGradient.baseAddress,
        totalWeight: total
      )
      guard part.lossSum.isFinite else {
        throw Divergence(round: round, client: client, step: steps)
      }
      result.lossSum += part.lossSum
      result.correct += part.correct
      rule.addTerms(workspace, examples: first..<first + count, of: batch.count)
      network.backward(workspace, batch: count, accumulate: first > 0, directRate: directRate)
      first += count
    }
    if Rule.adjustsGradient {
      workspace.withGradient { gradient, parameters in rule.adjust(&gradient, at: parameters) }
    }
    return result
  }
}

/// The first number of a run that is infinite or not a number.
public struct Divergence: Error, Sendable, Equatable {
  /// The round, from 1.
  public let round: Int
  /// The client whose loss it was; nil when the server's model was the first.
  public let client: Int?
  /// The local step, from 1; nil at the server.
  public let step: Int?

  /// Where it happened.
  public init(round: Int, client: Int? = nil, step: Int? = nil) {
    self.round = round
    self.client = client
    self.step = step
  }
}
