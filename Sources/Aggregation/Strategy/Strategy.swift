import Client
import Tensor

/// A federated method, both halves in one value.
///
/// A strategy is a constant: everything that moves is in `ServerState` and `ClientMemory`, which
/// the engine owns, digests and checkpoints.
///
/// A round makes `exchanges` exchanges, and each calls, in this order:
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
  /// What the scenario must or may have besides.
  static var needs: MethodNeeds { get }
  /// Fields of the scenario outside of the strategy's own that the method has no use for, beyond
  /// what follows from `population` and `weighting`.
  static var ignores: [IgnoredField] { get }
  /// What uploads tell of a client's examples, block by block; a block that is left out counts as
  /// read from them.
  static var releases: [Release] { get }
  /// Those that are sent under these settings; all by default.
  static func releases(_ settings: StrategySettings) -> [Release]
  /// Whether clients send anything at all.
  static var sendsUploads: Bool { get }
  /// Why a client optimizer does not suit the method, or nil.
  static func objection(to optimizer: OptimizerSpec) -> String?
  /// What to know of the method under a client optimizer that suits it, or nil.
  static func caution(about optimizer: OptimizerSpec) -> (warning: String, hint: String)?
  /// Examples that the method passes through a network together besides the client's batches, such
  /// as public ones; 0 for none.
  static func largestBatch(_ settings: StrategySettings) -> Int
  /// Why a network cannot host the method under these settings, and what to do; or nil.
  static func objection(_ settings: StrategySettings, to network: Network) -> (
    problem: String, hint: String
  )?
  /// What to know of the method under these settings on a network that can host it; every run says
  /// it beside its numbers.
  static func cautions(_ settings: StrategySettings, on network: Network) -> [(
    warning: String, hint: String
  )]
  /// The network that the method trains in place of the scenario's; nil for that one itself.
  static func adapt(_ settings: StrategySettings, _ base: BaseModel) throws(ModelError)
    -> AdaptedNetwork?

  /// The method with its settings, for one network.
  init(_ settings: StrategySettings, _ problem: LearningProblem)

  /// Which models the method has.
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
  associatedtype Fold: UpdateFold = WeightedMean

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
  func step(_ server: inout ServerState, _ uploads: Fold, _ round: RoundFacts) throws(Divergence)

  /// One model for everybody, or nil; measured at every evaluation.
  func genericModel(_ server: ServerState) -> [Float]?

  /// A client's own model, of its own network, or nil where the generic one serves; may fine-tune
  /// on the device.
  func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
}

/// What a method must or may find in a scenario.
public struct MethodNeeds: OptionSet, Sendable {
  /// The bits.
  public let rawValue: Int
  /// A set from its bits.
  public init(rawValue: Int) { self.rawValue = rawValue }
  /// It cannot work without `data.public`.
  public static let publicSet = MethodNeeds(rawValue: 1)
  /// It works with clients of different networks (`clientModels`).
  public static let anyModels = MethodNeeds(rawValue: 2)
  /// It learns little on a network that nothing has trained yet: it wants `model.pretrain` or
  /// weights from a file.
  public static let trainedNetwork = MethodNeeds(rawValue: 4)
  /// It is asynchronous: clients come and go in virtual time.
  public static let clock = MethodNeeds(rawValue: 8)
  /// Its uploads are models and not differences: what a codec leaves out would become zero.
  public static let wholeUploads = MethodNeeds(rawValue: 16)
  /// What the server sends is another message for each client: there is nothing that all of them
  /// share.
  public static let ownDownloads = MethodNeeds(rawValue: 32)
}

/// A field of the scenario that a method has no use for.
public struct IgnoredField: Sendable, Equatable {
  /// Its path, such as "client.work".
  public let field: String
  /// Why, as the end of "no effect: ...".
  public let reason: String

  /// A field and the reason.
  public init(_ field: String, _ reason: String) {
    self.field = field
    self.reason = reason
  }
}

/// The model of a scenario, for methods that change it.
public struct BaseModel: Sendable {
  /// What was asked for.
  public let spec: ModelSpec
  /// Size of one image.
  public let input: FeatureShape
  /// Number of classes C.
  public let classes: Int

  /// A model.
  public init(spec: ModelSpec, input: FeatureShape, classes: Int) {
    self.spec = spec
    self.input = input
    self.classes = classes
  }
}

/// A network made from the scenario's, and how its parameters follow from that one's.
public struct AdaptedNetwork: Sendable {
  /// The network.
  public let network: Network
  /// From the scenario's network, its initial (or pre-trained) parameters and the seed.
  public let initial: @Sendable (Network, [Float], UInt64) -> [Float]

  /// A network.
  public init(
    _ network: Network, initial: @escaping @Sendable (Network, [Float], UInt64) -> [Float]
  ) {
    self.network = network
    self.initial = initial
  }
}

// MARK: - Defaults: FedAvg's

extension Strategy {
  /// The cohort.
  public static var population: Population { .cohort }
  /// As the scenario says.
  public static var weighting: WeightingRule { .scenario }
  /// Nothing.
  public static var needs: MethodNeeds { [] }
  /// None.
  public static var ignores: [IgnoredField] { [] }
  /// Nobody said: everything counts as read from examples.
  public static var releases: [Release] { [] }
  /// All of them.
  public static func releases(_ settings: StrategySettings) -> [Release] { releases }
  /// They do.
  public static var sendsUploads: Bool { true }
  /// Any optimizer suits.
  public static func objection(to optimizer: OptimizerSpec) -> String? { nil }
  /// Nothing to know.
  public static func caution(about optimizer: OptimizerSpec) -> (warning: String, hint: String)? {
    nil
  }
  /// None.
  public static func largestBatch(_ settings: StrategySettings) -> Int { 0 }
  /// Any network suits.
  public static func objection(_ settings: StrategySettings, to network: Network) -> (
    problem: String, hint: String
  )? { nil }
  /// Nothing to know.
  public static func cautions(_ settings: StrategySettings, on network: Network) -> [(
    warning: String, hint: String
  )] { [] }
  /// The scenario's network.
  public static func adapt(_ settings: StrategySettings, _ base: BaseModel) throws(ModelError)
    -> AdaptedNetwork?
  { nil }

  /// A generic model only.
  public var models: ModelKinds { .generic }
  /// As for all settings.
  public var uploadWeighting: WeightingRule { Self.weighting }
  /// One.
  public var exchanges: Int { 1 }
  /// After each cohort.
  public var schedule: Schedule { .synchronous }
  /// All alike.
  public func arrivalWeight(staleness: Int) -> Double { 1 }
  /// The scenario's work, one gradient per batch.
  public func privateWork(examples n: Int, _ settings: LocalSettings) -> PrivateWork {
    PrivateWork(batches: settings.work.steps(examples: n, batch: settings.batch))
  }

  /// The initial model, nothing remembered.
  public func start(_ problem: LearningProblem) -> ServerState {
    ServerState(model: problem.initial)
  }

  /// Nothing.
  public func broadcast(_ server: ServerState) -> Payload { .empty }

  /// The server's model, when the method has one.
  public func genericModel(_ server: ServerState) -> [Float]? {
    models.contains(.generic) ? server.model : nil
  }

  /// No model of one's own.
  public func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  { nil }
}
