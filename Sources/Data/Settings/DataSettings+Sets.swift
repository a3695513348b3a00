import Tensor

extension DataSettings {
  /// A public set: training images that no client holds, as many of each class as can be.
  ///
  /// Methods use the images; the labels are there for nobody.
  package struct PublicSet: Sendable, Equatable {
    /// Number of images T.
    package var size: Int

    package init(size: Int) { self.size = size }
  }

  /// Known changes to whole images, a mixture of them at every client.
  ///
  /// One client's images then differ among themselves as other federations' clients differ from
  /// each other (heterogeneity inside a client: Feng et al., ICCV 2023, arXiv:2308.06051).
  package struct Styles: Sendable, Equatable {
    /// The styles that occur, all different.
    package var kinds: [ImageStyle]
    /// Different styles of one client, m; from 1 to the number of kinds.
    package var perClient: Int

    package init(kinds: [ImageStyle], perClient: Int) {
      self.kinds = kinds
      self.perClient = perClient
    }
  }
}

/// How a network is trained before the first round, on images that no client has.
package struct PretrainSettings: Sendable, Equatable {
  /// Which images it learns from.
  package enum Source: Sendable, Equatable {
    /// That many training images, balanced, taken before everything else.
    case images(Int)
    /// All training images of these classes, ascending; clients do not know the classes.
    case classes([Int])
  }

  /// Which images it learns from.
  package var source: Source
  /// Passes over the images.
  package var epochs: Int
  /// Examples per step.
  package var batch: Int
  /// The optimizer, one for all epochs.
  package var optimizer: OptimizerSpec
  /// The learning rate over epochs: an epoch is what a round is to `client.schedule`.
  package var schedule: LearningRateSchedule
  /// Random changes to the images.
  package var augment: [DataSettings.Augmentation]
  /// The seed of the draw of images, the initial weights and the batches; not the runs' seeds, so
  /// that one backbone serves all runs.
  package var seed: UInt64

  package init(
    source: Source, epochs: Int = 30, batch: Int = 128,
    optimizer: OptimizerSpec = OptimizerSpec(learningRate: 0.05, momentum: 0.9, weightDecay: 5e-4),
    schedule: LearningRateSchedule = LearningRateSchedule(.cosine(floor: 0)),
    augment: [DataSettings.Augmentation] = [], seed: UInt64 = 0
  ) {
    self.source = source
    self.epochs = epochs
    self.batch = batch
    self.optimizer = optimizer
    self.schedule = schedule
    self.augment = augment
    self.seed = seed
  }

  /// Images held out of the training set; nil when whole classes are taken.
  package var images: Int? {
    if case .images(let count) = source { return count }
    return nil
  }

  /// The classes taken away from the federation; none when images are held out.
  package var classes: [Int] {
    if case .classes(let list) = source { return list }
    return []
  }
}
