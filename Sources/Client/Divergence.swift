import Tensor

/// The first number of a run that is infinite or not a number.
public struct Divergence: Error, Sendable {
  /// The round, from 1.
  public let round: Int
  /// The client whose loss it was; nil when the server's model was the first.
  public let client: Int?
  /// The local step, from 1; nil at the server.
  public let step: Int?
  /// What was found there; nil when nobody looked closer.
  public var trace: Trace?

  /// Where it happened.
  public init(round: Int, client: Int? = nil, step: Int? = nil, trace: Trace? = nil) {
    self.round = round
    self.client = client
    self.step = step
    self.trace = trace
  }

  /// What was found at the place.
  public struct Trace: Sendable, Equatable {
    /// Where the first such number is.
    public enum Place: Sendable, Equatable {
      /// In a client's pass through its network.
      case pass(NonFinitePlace)
      /// In the loss, though all logits are finite.
      case loss
      /// In a tensor that a client was about to send, after its last step.
      case upload(String)
      /// In a tensor of the server's model, though all that arrived was finite.
      case server(String)
    }

    /// Where the first such number is.
    public var place: Place
    /// Images of the batch, as indices in the training set; empty at the server.
    public var examples: [Int]
    /// The client's losses before, per example, the last one last; empty at the server.
    public var losses: [Double]

    /// A place with what is known about it.
    public init(_ place: Place, examples: [Int] = [], losses: [Double] = []) {
      self.place = place
      self.examples = examples
      self.losses = losses
    }
  }
}

extension Divergence: Equatable {
  /// Whether it is the same round, client and step; traces tell more of the same.
  public static func == (a: Divergence, b: Divergence) -> Bool {
    a.round == b.round && a.client == b.client && a.step == b.step
  }
}
