/// What `fedsim audit` tries.
package struct AuditSettings: Sendable, Equatable {
  package enum Attack: String, Sendable, CaseIterable {
    /// An example made for the purpose, in and out of private training.
    case canary
    /// Many of them in one run of the mechanism, each by a coin.
    case oneRun = "one-run"
    /// Losses of training images against losses of test images.
    case membership
    /// How many images of each class are in a batch, or in local training.
    case labelCounts = "label-counts"
    /// Images, features and labels by arithmetic from one gradient.
    case analytic
    /// Images whose gradient points the same way.
    case cosine
    /// Images whose gradient is the same: the difference squared.
    case squares

    /// Whether it attacks single gradients.
    var isOnGradients: Bool {
      switch self {
      case .canary, .oneRun, .membership, .labelCounts: false
      case .analytic, .cosine, .squares: true
      }
    }
  }

  /// Which model is attacked.
  package enum Model: String, Sendable, CaseIterable {
    /// The one for everybody at the end of the run, or at its last checkpoint.
    case final
    /// The one that everybody started from.
    case initial
  }

  /// What is tried, in any order.
  package var attacks = Attack.allCases
  package var model = Model.final
  /// Clients whose gradients are attacked.
  package var clients = 2
  package var images = 2
  /// Steps of the attacks that descend.
  package var iterations = 200
  /// Images that share a gradient, besides one alone.
  package var batches = [2, 4]
  /// α, the weight of the total variation in `cosine`.
  package var totalVariation = 0.01
  /// σ of the defences that are swept, each with clipping.
  package var noises = [0, 1e-4, 1e-3, 1e-2, 0.1, 1]
  /// C of these defences; nil takes the median norm of the gradients that are attacked.
  package var clip: Double?
  /// Trials with a canary, and as many without.
  package var trials = 300
  /// Private batches in each.
  package var canaryBatches = 4
  /// Canaries of the one run; fewer where there is no room for so many.
  package var canaries = 1000
  /// The most noisy sums of that run.
  package var oneRunBatches = 1000
  /// Shadow runs for the membership attacks that need them, an even number; 0 for none.
  package var shadows = 0
  /// What the noise of `canary` and `oneRun` is divided by while the claim stays: above 1 to see
  /// whether the audit would find such an error.
  package var weaken = 1.0
  /// Most images of a class that are asked whether they are members.
  package var membersPerClass = 500

  /// The defaults.
  package init() {}
}
