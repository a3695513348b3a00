import Client
import Tensor

/// A method that is another one but for what it overrides.
///
/// Every requirement of `Strategy` that is left out is the base's.
public protocol BasedStrategy: Strategy where Combination == Base.Combination {
  /// The other method.
  associatedtype Base: Strategy
  /// The other method with its settings.
  var base: Base { get }
}

// Each is documented where it is required.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension BasedStrategy {
  public static var population: Population { Base.population }
  public static var weighting: WeightingRule { Base.weighting }
  public static var needs: MethodNeeds { Base.needs }
  public static var ignores: [IgnoredField] { Base.ignores }
  public static var disclosures: [Disclosure] { Base.disclosures }
  public static var sendsUploads: Bool { Base.sendsUploads }
  public static func objection(to optimizer: OptimizerSpec) -> String? {
    Base.objection(to: optimizer)
  }
  public static func caution(about optimizer: OptimizerSpec) -> (warning: String, hint: String)? {
    Base.caution(about: optimizer)
  }

  public var models: ModelKinds { base.models }
  public var exchanges: Int { base.exchanges }
  public var schedule: Schedule { base.schedule }
  public func arrivalWeight(staleness: Int) -> Double { base.arrivalWeight(staleness: staleness) }

  public func privateWork(examples n: Int, _ settings: LocalSettings) -> PrivateWork {
    base.privateWork(examples: n, settings)
  }

  public func start(_ problem: LearningProblem) -> ServerState { base.start(problem) }

  public func broadcast(_ server: ServerState) -> Payload { base.broadcast(server) }

  public func download(_ server: ServerState, to client: Int) -> Payload {
    base.download(server, to: client)
  }

  public func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  { try base.train(&device, received: received, memory: &memory) }

  public func step(_ server: inout ServerState, _ uploads: Base.Combination, _ round: RoundFacts)
    throws(Divergence)
  { try base.step(&server, uploads, round) }

  public func genericModel(_ server: ServerState) -> [Float]? { base.genericModel(server) }

  public func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  { try base.personalModel(&device, server, memory) }
}
