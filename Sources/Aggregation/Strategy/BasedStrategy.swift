import Client
import Tensor

/// A method that is another one but for what it overrides.
///
/// Every requirement of `Strategy` that is left out is the base's.
public protocol BasedStrategy: Strategy where Fold == Base.Fold {
  /// The other method.
  associatedtype Base: Strategy
  /// The other method with its settings.
  var base: Base { get }
}

extension BasedStrategy {
  /// The base's.
  public static var population: Population { Base.population }
  /// The base's.
  public static var weighting: WeightingRule { Base.weighting }
  /// The base's.
  public static var needs: MethodNeeds { Base.needs }
  /// The base's.
  public static var ignores: [IgnoredField] { Base.ignores }
  /// The base's.
  public static var releases: [Release] { Base.releases }
  /// The base's.
  public static var sendsUploads: Bool { Base.sendsUploads }
  /// The base's.
  public static func objection(to optimizer: OptimizerSpec) -> String? {
    Base.objection(to: optimizer)
  }
  /// The base's.
  public static func caution(about optimizer: OptimizerSpec) -> (warning: String, hint: String)? {
    Base.caution(about: optimizer)
  }

  /// The base's.
  public var models: ModelKinds { base.models }
  /// The base's.
  public var exchanges: Int { base.exchanges }
  /// The base's.
  public var schedule: Schedule { base.schedule }
  /// The base's.
  public func arrivalWeight(staleness: Int) -> Double { base.arrivalWeight(staleness: staleness) }

  /// The base's.
  public func privateWork(examples n: Int, _ settings: LocalSettings) -> PrivateWork {
    base.privateWork(examples: n, settings)
  }

  /// The base's.
  public func start(_ problem: LearningProblem) -> ServerState { base.start(problem) }

  /// The base's.
  public func broadcast(_ server: ServerState) -> Payload { base.broadcast(server) }

  /// The base's.
  public func download(_ server: ServerState, to client: Int) -> Payload {
    base.download(server, to: client)
  }

  /// The base's.
  public func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  { try base.train(&device, received: received, memory: &memory) }

  /// The base's.
  public func step(_ server: inout ServerState, _ uploads: Base.Fold, _ round: RoundFacts)
    throws(Divergence)
  { try base.step(&server, uploads, round) }

  /// The base's.
  public func genericModel(_ server: ServerState) -> [Float]? { base.genericModel(server) }

  /// The base's.
  public func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  { try base.personalModel(&device, server, memory) }
}
