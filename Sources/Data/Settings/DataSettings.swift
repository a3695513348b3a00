import Tensor

/// Where examples come from and how they are spread.
package struct DataSettings: Sendable {
  /// The data set.
  package var dataset: Dataset
  /// How class sizes fall; nil leaves the training set as it is.
  package var longTail: LongTail?
  /// How training examples are spread over clients.
  package var partition: Partition
  package var localTest: LocalTest
  /// Random changes to training images.
  package var augment: [Augmentation]
  /// How pixels become numbers.
  package var normalize: Normalization
  /// The size that all images get before anything else; nil leaves them as they are.
  package var resize: Resize?
  /// Images that everybody may look at; nil for none.
  package var publicSet: PublicSet?
  /// Styles that make a client's own images differ from each other; nil for none.
  package var styles: Styles?
  /// How the network is trained before the first round; nil for not at all.
  ///
  /// In a scenario it stands in `model`; it is here because it decides which images are left.
  package var pretrain: PretrainSettings?
  /// What the network sees in place of images; nil for the images.
  ///
  /// In a scenario it stands in `model`; it is here because it decides what every image is.
  package var features: FeatureSettings?
  /// Share of each client's images that nobody trains on, for validation; 0 for none.
  ///
  /// In a scenario it stands in `evaluation`, as the next one does; both decide who holds what.
  package var validation = 0.0
  /// Clients beside those of the federation, with shares of the data like theirs.
  package var unseenClients = 0

  package init(
    dataset: Dataset, longTail: LongTail?, partition: Partition, localTest: LocalTest,
    augment: [Augmentation], normalize: Normalization, publicSet: PublicSet? = nil,
    styles: Styles? = nil, pretrain: PretrainSettings? = nil, resize: Resize? = nil
  ) {
    self.resize = resize
    self.dataset = dataset
    self.longTail = longTail
    self.partition = partition
    self.localTest = localTest
    self.augment = augment
    self.normalize = normalize
    self.publicSet = publicSet
    self.styles = styles
    self.pretrain = pretrain
  }

  /// A data set and where it is.
  package enum Dataset: Sendable, Equatable {
    case synthetic(classes: Int, trainPerClass: Int, testPerClass: Int, seed: UInt64)
    case cifar10(path: String)
    case cifar100(path: String, coarse: Bool)
    /// IDX files, plain or .gz: `<prefix>train-images-idx3-ubyte` and its three companions.
    case mnist(path: String, prefix: String)
    case leaf(path: String)
    /// `x_train.npy`, `y_train.npy`, `x_test.npy`, `y_test.npy` in one folder; `channels` nil: told
    /// by the sizes.
    case npy(path: String, channels: ChannelPlace? = nil)
  }

  /// A profile of class sizes; `factor` is n_max / n_min ≥ 1.
  package struct LongTail: Sendable, Equatable {
    /// How sizes fall from the largest class to the smallest.
    package enum Profile: Sendable, Equatable {
      case exponential(factor: Double)
      case step(factor: Double)
      case pareto(factor: Double)
      case explicit(counts: [Int])
    }
    package var profile: Profile
    /// Caps n_max; nil means the size of the smallest full class.
    package var maxPerClass: Int?

    package init(profile: Profile, maxPerClass: Int? = nil) {
      self.profile = profile
      self.maxPerClass = maxPerClass
    }
  }

  /// A rule that assigns training examples to clients, each to one at most.
  package enum Partition: Sendable, Equatable {
    case iid
    case dirichlet(alpha: Double, minPerClient: Int)
    case dirichletCut(alpha: Double, minPerClient: Int)
    case dirichletBalanced(alpha: Double)
    /// `perClient` nil: ⌊images / clients⌋.
    case dirichletPrior(alpha: Double, perClient: Int?, minPerClass: Int)
    case shards(perClient: Int)
    case quantity(QuantityLaw, minPerClient: Int)
    case file(path: String)
    /// The users of a LEAF data set.
    case natural
  }

  /// How client sizes are distributed when only quantity is skewed.
  package enum QuantityLaw: Sendable, Equatable {
    /// Sizes ∝ exp(σ·N(0,1)).
    case logNormal(sigma: Double)
    /// Sizes ∝ rank^(−exponent).
    case powerLaw(exponent: Double)
  }

  /// What a client's personal accuracy is measured on.
  package struct LocalTest: Sendable, Equatable {
    package enum Policy: String, Sendable, CaseIterable {
      /// The balanced test set, class accuracies weighted by the client's class mix.
      case priorWeighted = "prior-weighted"
      /// Test images drawn to match the client's label counts; clients may share images.
      case matchClientLabels = "match-client-labels"
      /// A part of the client's own training examples, taken away before training.
      case holdout
    }
    package var policy: Policy
    /// Test images per class used by `prior-weighted`, the first ones of each class.
    package var perClass: Int
    /// Share of a client's examples kept for testing by `holdout`, in (0, 1).
    package var holdoutShare: Double
    /// Whether a model is asked, in a client's test, for no other classes than the test has.
    package var isMasked = false

    package init(policy: Policy, perClass: Int, holdoutShare: Double, isMasked: Bool = false) {
      self.policy = policy
      self.perClass = perClass
      self.holdoutShare = holdoutShare
      self.isMasked = isMasked
    }
  }

  /// A random change to a training image.
  package enum Augmentation: String, Sendable, CaseIterable {
    /// Pads 4 pixels on each side with zeros (after normalisation) and crops at random.
    case crop4
    /// Mirrors left to right with probability 1/2.
    case flip
  }

  /// How pixels become numbers.
  package enum Normalization: String, Sendable, CaseIterable {
    /// (x − mean) / std per channel, both from the pooled training set after the long tail.
    case dataset
    /// x / 255 for bytes; floats as they are.
    case none
  }
}

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
