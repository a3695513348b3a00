import Client
import Tensor

/// A federated method, both halves in one value.
///
/// A strategy is a constant: everything that moves is in `ServerState` and `ClientMemory`, which
/// the engine owns, digests and checkpoints.
///
/// A round calls, in this order:
/// `download` for each client → `train` for each client, in parallel → `Fold.add` for each upload,
/// in a fixed order → `step` once. Evaluation calls `genericModel` and `personalModel`.
/// Only `card`, `init`, `train` and `step` are required; the defaults are FedAvg's.
public protocol Strategy: Sendable {
  /// What the method says of itself.
  static var card: StrategyCard { get }
  /// Who trains in a round.
  static var population: Population { get }
  /// Whether uploads are weighted as the scenario says or all alike, as some papers prove.
  static var weighting: WeightingRule { get }
  /// Which models the method has.
  static var models: ModelKinds { get }
  /// Why a client optimizer does not suit the method, or nil.
  static func objection(to optimizer: OptimizerSpec) -> String?
  /// What to know of the method under a client optimizer that suits it, or nil.
  static func caution(about optimizer: OptimizerSpec) -> (warning: String, hint: String)?

  /// The method with its settings, for one network.
  init(_ settings: StrategySettings, _ problem: LearningProblem)

  /// How uploads are combined.
  associatedtype Fold: UpdateFold = WeightedMean

  /// The server before the first round.
  func start(_ problem: LearningProblem) -> ServerState

  /// What the server sends to one client.
  func download(_ server: ServerState, to client: Int) -> Payload

  /// One client's round: from what it received and what it remembers to what it sends.
  ///
  /// `device.workspace` holds nothing of use at the start: load a model first.
  func train(
    _ device: inout Device,
    received: Payload,
    memory: inout ClientMemory
  ) throws(Divergence) -> ClientUpdate

  /// The server's step after all uploads of a round are in the fold.
  func step(_ server: inout ServerState, _ uploads: Fold, _ round: RoundFacts)

  /// One model for everybody, or nil.
  func genericModel(_ server: ServerState) -> [Float]?

  /// A client's own model, or nil where the generic one serves; may fine-tune on the device.
  func personalModel(
    _ device: inout Device,
    _ server: ServerState,
    _ memory: ClientMemory
  ) throws(Divergence) -> [Float]?
}

/// What a strategy may know of the problem when it is made.
public struct LearningProblem: Sendable {
  /// The network that clients train.
  public let network: Network
  /// Number of clients K.
  public let clients: Int
  /// What the scenario asks of a client.
  public let settings: LocalSettings
  /// The parameters that everybody starts from.
  public let initial: [Float]
  /// The run's seed.
  public let seed: UInt64

  /// A problem.
  public init(
    network: Network,
    clients: Int,
    settings: LocalSettings,
    initial: [Float],
    seed: UInt64
  ) {
    self.network = network
    self.clients = clients
    self.settings = settings
    self.initial = initial
    self.seed = seed
  }

  /// The network's layout.
  public var layout: ParameterLayout { network.layout }
}

/// What the server knows when it makes its step.
public struct RoundFacts: Sendable {
  /// The round, from 1.
  public let round: Int
  /// Clients whose uploads are in the fold, m.
  public let uploads: Int
  /// Number of clients K.
  public let clients: Int

  /// The facts of one round.
  public init(round: Int, uploads: Int, clients: Int) {
    self.round = round
    self.uploads = uploads
    self.clients = clients
  }
}

/// A client's part of a round.
public struct ClientUpdate: Sendable {
  /// What it sends.
  public var upload: Payload
  /// What it did.
  public var report: LocalReport

  /// An update.
  public init(_ upload: Payload, _ report: LocalReport) {
    self.upload = upload
    self.report = report
  }
}

/// Who trains in a round.
public enum Population: Sendable {
  /// The clients of the round's cohort.
  case cohort
  /// One site with the examples of all clients, for as many steps as the cohort would take.
  case pooled
}

/// How uploads are weighted.
public enum WeightingRule: Sendable {
  /// As `federation.weighting` says.
  case scenario
  /// All alike, whatever the scenario says.
  case uniform
}

/// Which models a method has.
public struct ModelKinds: OptionSet, Sendable {
  /// The bits.
  public let rawValue: Int
  /// A set from its bits.
  public init(rawValue: Int) { self.rawValue = rawValue }
  /// One model for everybody.
  public static let generic = ModelKinds(rawValue: 1)
  /// A model for each client.
  public static let personal = ModelKinds(rawValue: 2)
}

// MARK: - Defaults: FedAvg's

extension Strategy {
  /// The cohort.
  public static var population: Population { .cohort }
  /// As the scenario says.
  public static var weighting: WeightingRule { .scenario }
  /// A generic model only.
  public static var models: ModelKinds { .generic }
  /// Any optimizer suits.
  public static func objection(to optimizer: OptimizerSpec) -> String? { nil }
  /// Nothing to know.
  public static func caution(
    about optimizer: OptimizerSpec
  ) -> (warning: String, hint: String)? { nil }

  /// The initial model, nothing remembered.
  public func start(_ problem: LearningProblem) -> ServerState {
    ServerState(model: problem.initial)
  }

  /// The server's model, when the method has one.
  public func genericModel(_ server: ServerState) -> [Float]? {
    Self.models.contains(.generic) ? server.model : nil
  }

  /// No model of one's own.
  public func personalModel(
    _ device: inout Device,
    _ server: ServerState,
    _ memory: ClientMemory
  ) throws(Divergence) -> [Float]? { nil }
}
