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

  /// Puts the next batch into the workspace and returns its size; starts a new epoch, with a new
  /// order, when the last one is used up.
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
    loader.fill(
      workspace,
      order[position..<end],
      augmentation: settings.augmentation,
      stream: RandomStream(seed: seed, .augmentation, round: round, client: client, step: steps)
    )
    defer { position = end }
    return end - position
  }

  /// Forward, loss and backward on the batch in the workspace, by a rule; fills the gradient.
  ///
  /// - Throws: ``Divergence`` when the loss is not finite.
  public mutating func computeGradient<Rule: LocalRule>(
    batch: Int,
    _ rule: inout Rule
  ) throws(Divergence) -> SoftmaxCrossEntropy.Result {
    let dropout = RandomStream(
      seed: seed,
      .dropout,
      round: round,
      client: client,
      step: steps
    )
    steps += 1
    network.forward(workspace, batch: batch, training: true, dropoutKey: dropout.key)
    guard let logits = workspace.logits.baseAddress, let labels = workspace.labels.baseAddress
    else { preconditionFailure("Device: the workspace has no memory") }
    let result = rule.loss.evaluate(
      logits: logits,
      labels: labels,
      batch: batch,
      classes: network.classes,
      gradient: workspace.logitsGradient.baseAddress
    )
    guard result.lossSum.isFinite else {
      throw Divergence(round: round, client: client, step: steps)
    }
    rule.addTerms(workspace, batch: batch)
    network.backward(workspace, batch: batch)
    workspace.withGradient { gradient, parameters in rule.adjust(&gradient, at: parameters) }
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
