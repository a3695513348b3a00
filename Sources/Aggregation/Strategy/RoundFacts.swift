import Client

/// What the server knows when it makes its step.
public struct RoundFacts {
  /// The round, from 1.
  public let round: Int
  /// The exchange within the round, from 0.
  public let exchange: Int
  /// The length of the run.
  public let rounds: Int
  /// Clients whose uploads are in the fold, m.
  public let uploads: Int
  /// Sum of their weights: 1 in synchronous rounds, up to rounding.
  public let weight: Double
  /// Number of clients K.
  public let clients: Int
  /// The server's own computer, for methods that train there: a device whose examples are the
  /// public set, whose client number is K, and whose workspace holds nothing of use.
  public let makeDevice: () -> Device?

  /// The facts of one round.
  public init(
    round: Int, exchange: Int = 0, rounds: Int = 1, uploads: Int, weight: Double = 1, clients: Int,
    makeDevice: @escaping () -> Device? = { nil }
  ) {
    self.round = round
    self.exchange = exchange
    self.rounds = rounds
    self.uploads = uploads
    self.weight = weight
    self.clients = clients
    self.makeDevice = makeDevice
  }

  /// The server's computer; only for methods that run in an engine.
  public var device: Device {
    guard let device = makeDevice() else {
      preconditionFailure("RoundFacts.device: this round has no computer at the server")
    }
    return device
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

/// When the server makes a step.
public enum Schedule: Sendable, Equatable {
  /// When all clients of a cohort are done.
  case synchronous
  /// When so many uploads have arrived, whoever they are from; who is done is replaced by another
  /// client, which gets the model as it is then.
  ///
  /// A client must do the scenario's local work on the whole network, at least: the engine counts
  /// on it when it puts off training.
  case buffered(Int)
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
