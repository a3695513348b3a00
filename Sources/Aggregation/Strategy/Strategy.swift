import Client
import Tensor

/// A federated method, both halves in one value.
///
/// A strategy is a constant: everything that moves is in `ServerState` and `ClientMemory`, which
/// the engine owns, digests and checkpoints.
///
/// A round makes `exchanges` exchanges, and each calls, in this order:
/// `download` for each client → `train` for each client, in parallel → `Combination.add` for each
/// upload, in a fixed order → `step` once. Evaluation calls `genericModel` and `personalModel`.
/// Only `info`, `init`, `download`, `train` and `step` are required; the defaults are FedAvg's.
public protocol Strategy: ScenarioFit {
  /// The method with its settings, for one network.
  init(_ settings: Settings, _ problem: LearningProblem)

  var models: ModelKinds { get }
  /// How uploads are weighted under these settings; `weighting` unless a field decides.
  var uploadWeighting: WeightingRule { get }
  /// Exchanges of messages in a round, 1 or more.
  var exchanges: Int { get }
  /// When the server makes its step; a method that does not wait for a cohort makes one exchange,
  /// and says `.clock` in `needs`.
  var schedule: Schedule { get }
  /// What an upload counts that comes after so many steps of the server, before it is divided by
  /// the uploads of a step; only asked under a buffered schedule.
  func arrivalWeight(staleness: Int) -> Double

  /// Batches that a client with n examples draws in a round, for the noise to be planned; one that
  /// takes more ends its budget sooner.
  func privateWork(examples n: Int, _ settings: LocalSettings) -> PrivateWork

  /// How uploads are combined.
  associatedtype Combination: Aggregator = WeightedMean

  /// The server before the first round.
  func start(_ problem: LearningProblem) -> ServerState

  /// What every client is sent once, before the first round; it is counted, and clients know it
  /// from then on.
  func broadcast(_ server: ServerState) -> Payload

  /// What the server sends to one client; `server.round` and `server.exchange` say when.
  func download(_ server: ServerState, to client: Int) -> Payload

  /// One client's part of an exchange: from what it received and what it remembers to what it
  /// sends.
  ///
  /// `device.workspace` holds nothing of use at the start: load a model first. Whoever needs to
  /// know the exchange looks at what was received.
  func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate

  /// The server's step after all uploads of an exchange are in the fold.
  func step(_ server: inout ServerState, _ uploads: Combination, _ round: RoundFacts)
    throws(Divergence)

  /// One model for everybody, or nil; measured at every evaluation.
  func genericModel(_ server: ServerState) -> [Float]?

  /// A client's own model, of its own network, or nil where the generic one serves; may fine-tune
  /// on the device.
  func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
}

// MARK: - Defaults: FedAvg's

// Each is documented where it is required.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension Strategy {
  /// The method with the values of a scenario, for one network.
  public init(_ values: StrategySettings, _ problem: LearningProblem) {
    self.init(Settings(values), problem)
  }

  /// The method with the defaults of its fields, for one network.
  public init(_ problem: LearningProblem) { self.init(Settings(), problem) }

  public var models: ModelKinds { .generic }
  public var uploadWeighting: WeightingRule { Self.weighting }
  public var exchanges: Int { 1 }
  public var schedule: Schedule { .synchronous }
  public func arrivalWeight(staleness: Int) -> Double { 1 }
  /// The scenario's work, one gradient per batch.
  public func privateWork(examples n: Int, _ settings: LocalSettings) -> PrivateWork {
    PrivateWork(batches: settings.work.steps(examples: n, batch: settings.batch))
  }

  /// The initial model, nothing remembered.
  public func start(_ problem: LearningProblem) -> ServerState {
    ServerState(model: problem.initial)
  }

  public func broadcast(_ server: ServerState) -> Payload { .empty }

  /// The server's model, when the method has one.
  public func genericModel(_ server: ServerState) -> [Float]? {
    models.contains(.generic) ? server.model : nil
  }

  public func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  { nil }
}
