/// What `fedsim audit` tries.
public struct AuditSettings: Sendable, Equatable {
  /// An attack.
  public enum Attack: String, Sendable, CaseIterable {
    /// An example made for the purpose, in and out of private training.
    case canary
    /// Losses of training images against losses of test images.
    case membership
    /// Images, features and labels by arithmetic from one gradient.
    case analytic
    /// Images whose gradient points the same way.
    case cosine
    /// Images whose gradient is the same: the difference squared.
    case squares
  }

  /// Which model is attacked.
  public enum Model: String, Sendable, CaseIterable {
    /// The one for everybody at the end of the run, or at its last checkpoint.
    case final
    /// The one that everybody started from.
    case initial
  }

  /// What is tried, in any order.
  public var attacks = Attack.allCases
  /// The model.
  public var model = Model.final
  /// Clients whose gradients are attacked.
  public var clients = 2
  /// Images of each.
  public var images = 2
  /// Steps of the attacks that descend.
  public var iterations = 200
  /// Images that share a gradient, besides one alone.
  public var batches = [2, 4]
  /// α, the weight of the total variation in `cosine`.
  public var totalVariation = 0.01
  /// σ of the defences that are swept, each with clipping.
  public var noises = [0, 1e-4, 1e-3, 1e-2, 0.1, 1]
  /// C of these defences; nil takes the median norm of the gradients that are attacked.
  public var clip: Double?
  /// Trials with a canary, and as many without.
  public var trials = 300
  /// Private batches in each.
  public var canaryBatches = 4
  /// Most images of a class that are asked whether they are members.
  public var membersPerClass = 500

  /// The defaults.
  public init() {}
}
