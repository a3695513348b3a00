import Base
import Tensor

/// What a client does in a round, as the scenario says it.
public struct LocalSettings: Sendable, Equatable {
  /// How much work.
  public var work: Work
  /// Examples per step; the last batch of an epoch may be shorter.
  public var batch: Int
  /// The order of examples.
  public var order: Order
  /// The local optimizer, new in every round.
  public var optimizer: OptimizerSpec
  /// The learning rate over rounds.
  public var schedule: LearningRateSchedule
  /// Random changes to training images.
  public var augmentation: AugmentationPlan
  /// The loss on the logits.
  public var loss: LossSpec

  /// An amount of local work.
  public enum Work: Sendable, Equatable {
    /// max(1, round(e·⌈n/B⌉)) steps.
    case epochs(Double)
    /// Exactly this many steps.
    case steps(Int)

    /// Steps on n examples in batches of B.
    public func steps(examples: Int, batch: Int) -> Int {
      switch self {
      case .steps(let steps): return steps
      case .epochs(let epochs):
        let perEpoch = (examples + batch - 1) / batch
        return max(1, Int(clamping: (epochs * Double(perEpoch)).rounded()))
      }
    }
  }

  /// The order in which a client visits its examples.
  public enum Order: String, Sendable, CaseIterable {
    /// A new random permutation in every epoch.
    case shuffled
    /// The order of the partition, in every epoch.
    case sequential
  }

  /// Settings with every entry given.
  public init(
    work: Work, batch: Int, order: Order = .shuffled, optimizer: OptimizerSpec,
    schedule: LearningRateSchedule = LearningRateSchedule(),
    augmentation: AugmentationPlan = AugmentationPlan(), loss: LossSpec = .crossEntropy
  ) {
    self.work = work
    self.batch = batch
    self.order = order
    self.optimizer = optimizer
    self.schedule = schedule
    self.augmentation = augmentation
    self.loss = loss
  }
}
