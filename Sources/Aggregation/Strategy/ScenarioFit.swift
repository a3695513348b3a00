import Client
import Tensor

/// What a scenario must know of a method before anything is learned: who takes part, what suits it,
/// what its uploads disclose.
///
/// Everything has a default, which is FedAvg's; a method says where it differs.
public protocol ScenarioFit: Sendable {
  /// The method's fields in a scenario; `NoFields` for none.
  associatedtype Fields: StrategyFields
  /// Their values, by the names of the properties.
  typealias Settings = TypedSettings<Fields>
  /// What the method says of itself.
  static var info: MethodInfo { get }
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
  static var disclosures: [Disclosure] { get }
  /// Those that are sent under these settings; all by default.
  static func disclosures(_ settings: Settings) -> [Disclosure]
  /// Whether clients send anything at all.
  static var sendsUploads: Bool { get }
  /// Why a client optimizer does not suit the method, or nil.
  static func objection(to optimizer: OptimizerSpec) -> String?
  /// What to know of the method under a client optimizer that suits it, or nil.
  static func caution(about optimizer: OptimizerSpec) -> (warning: String, hint: String)?
  /// Examples that the method passes through a network together besides the client's batches, such
  /// as public ones; 0 for none.
  static func largestBatch(_ settings: Settings) -> Int
  /// Why a network cannot host the method under these settings, and what to do; or nil.
  static func objection(_ settings: Settings, to network: Network) -> (
    problem: String, hint: String
  )?
  /// What to know of the method under these settings on a network that can host it; every run says
  /// it beside its numbers.
  static func cautions(_ settings: Settings, on network: Network) -> [(
    warning: String, hint: String
  )]
  /// The network that the method trains in place of the scenario's; nil for that one itself.
  static func adapt(_ settings: Settings, _ base: BaseModel) throws(ModelError) -> AdaptedNetwork?
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
  /// What it does depends on how many rounds there are: its runs cannot be extended.
  public static let knownEnd = MethodNeeds(rawValue: 64)
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

// Each is documented where it is required.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension ScenarioFit {
  public static var population: Population { .cohort }
  public static var weighting: WeightingRule { .scenario }
  public static var needs: MethodNeeds { [] }
  public static var ignores: [IgnoredField] { [] }
  /// Nobody said: everything counts as read from examples.
  public static var disclosures: [Disclosure] { [] }
  public static func disclosures(_ settings: Settings) -> [Disclosure] { disclosures }
  public static var sendsUploads: Bool { true }
  public static func objection(to optimizer: OptimizerSpec) -> String? { nil }
  public static func caution(about optimizer: OptimizerSpec) -> (warning: String, hint: String)? {
    nil
  }
  public static func largestBatch(_ settings: Settings) -> Int { 0 }
  public static func objection(_ settings: Settings, to network: Network) -> (
    problem: String, hint: String
  )? { nil }
  public static func cautions(_ settings: Settings, on network: Network) -> [(
    warning: String, hint: String
  )] { [] }
  public static func adapt(_ settings: Settings, _ base: BaseModel) throws(ModelError)
    -> AdaptedNetwork?
  { nil }
}

// MARK: - For whoever holds a method of any type

extension ScenarioFit {
  /// Those that are sent under these settings.
  public static func disclosures(_ values: StrategySettings) -> [Disclosure] {
    disclosures(Settings(values))
  }
  /// Examples that pass through a network together besides the client's batches.
  public static func largestBatch(_ values: StrategySettings) -> Int {
    largestBatch(Settings(values))
  }
  /// Why a network cannot host the method, and what to do; or nil.
  public static func objection(_ values: StrategySettings, to network: Network) -> (
    problem: String, hint: String
  )? { objection(Settings(values), to: network) }
  /// What to know of the method on a network that can host it.
  public static func cautions(_ values: StrategySettings, on network: Network) -> [(
    warning: String, hint: String
  )] { cautions(Settings(values), on: network) }
  /// The network that the method trains in place of the scenario's; nil for that one itself.
  public static func adapt(_ values: StrategySettings, _ base: BaseModel) throws(ModelError)
    -> AdaptedNetwork?
  { try adapt(Settings(values), base) }
}
