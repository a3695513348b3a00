import Client
import Tensor

/// What a strategy may know of the problem when it is made.
public struct LearningProblem: Sendable {
  /// The network of the server, and of clients that have no other.
  public var network: Network
  /// Number of clients K.
  public let clients: Int
  /// What the scenario asks of a client.
  public var settings: LocalSettings
  /// The parameters that everybody with `network` starts from.
  public var initial: [Float]
  /// The run's seed.
  public let seed: UInt64
  /// Number of rounds.
  public let rounds: Int
  /// What the scenario composes with the method.
  public var composition: Composition
  /// Networks of groups of clients; empty when all have `network`.
  public let groups: [ClientGroup]
  /// Training images per class over all clients, [C].
  ///
  /// Only for oracles and for what a message has said: it is private data.
  public let pooledCounts: [Int]
  /// Images of the public set; 0 without one.
  public let publicCount: Int
  /// Bytes of one image of the data set, as it would travel.
  public let imageBytes: Int

  /// Clients with a network of their own kind.
  public struct ClientGroup: Sendable {
    /// The clients.
    public let clients: Range<Int>
    /// Their network.
    public let network: Network
    /// What each of them starts from.
    public let initial: [Float]

    /// A group.
    public init(clients: Range<Int>, network: Network, initial: [Float]) {
      self.clients = clients
      self.network = network
      self.initial = initial
    }
  }

  /// A problem.
  public init(
    network: Network, clients: Int, settings: LocalSettings, initial: [Float], seed: UInt64,
    rounds: Int = 1, composition: Composition = Composition(), groups: [ClientGroup] = [],
    pooledCounts: [Int] = [], publicCount: Int = 0, imageBytes: Int = 0
  ) {
    self.network = network
    self.clients = clients
    self.settings = settings
    self.initial = initial
    self.seed = seed
    self.rounds = rounds
    self.composition = composition
    self.groups = groups
    self.pooledCounts = pooledCounts
    self.publicCount = publicCount
    self.imageBytes = imageBytes
  }

  /// The layout of the server's network.
  public var layout: ParameterLayout { network.layout }

  /// The network of a client.
  public func network(of client: Int) -> Network { group(of: client)?.network ?? network }

  /// What a client starts from.
  public func initial(of client: Int) -> [Float] { group(of: client)?.initial ?? initial }

  private func group(of client: Int) -> ClientGroup? {
    groups.first { $0.clients.contains(client) }
  }
}

/// What the scenario composes with a method that shares (a part of) its model by `ModelExchange`.
public struct Composition: Sendable, Equatable {
  /// Tensors that stay at the clients, whatever the method shares.
  public var privateGroups: Set<ParameterGroup>
  /// How the server applies the mean update.
  public var serverOptimizer: ServerOptimizer

  /// The plain composition: everything shared, the mean applied as it is.
  public init(
    privateGroups: Set<ParameterGroup> = [], serverOptimizer: ServerOptimizer = ServerOptimizer()
  ) {
    self.privateGroups = privateGroups
    self.serverOptimizer = serverOptimizer
  }
}

/// A part of a model that methods name.
public enum ParameterGroup: String, Sendable, CaseIterable {
  /// Scales, shifts and running statistics of normalisation layers.
  case norm
  /// The classifier.
  case head
  /// All layers before the classifier.
  case body

  /// Whether a tensor of a network belongs to the group.
  public func contains(_ entry: ParameterLayout.Entry, of network: Network) -> Bool {
    switch self {
    case .norm:
      switch entry.role {
      case .normScale, .normShift, .runningMean, .runningVariance: true
      default: false
      }
    case .head: entry.layer == network.classifier
    case .body: entry.layer != network.classifier
    }
  }
}
