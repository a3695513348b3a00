/// Named flat tensors that survive a round: what a server or a client remembers.
///
/// Owned, digested and checkpointed by the engine, so that a strategy itself is a constant.
public struct StateTensors: Sendable, Equatable {
  private var tensors: [String: [Float]] = [:]

  /// Nothing remembered.
  public init() {}

  /// The tensor of a name; nil when absent.
  ///
  /// Mutation in place copies nothing.
  public subscript(name: String) -> [Float]? {
    get { tensors[name] }
    _modify { yield &tensors[name] }
  }

  /// The tensor of a name, made on first use.
  public subscript(name: String, default initial: @autoclosure () -> [Float]) -> [Float] {
    get { tensors[name] ?? initial() }
    _modify { yield &tensors[name, default: initial()] }
  }

  /// All names, sorted: the order of digests and checkpoints.
  public var names: [String] { tensors.keys.sorted() }
  /// Whether nothing is remembered.
  public var isEmpty: Bool { tensors.isEmpty }
  /// Floats in all.
  public var count: Int { tensors.values.reduce(0) { $0 + $1.count } }
}

/// What the server carries from round to round.
public struct ServerState: Sendable, Equatable {
  /// The global model: every parameter of the network.
  public var model: [Float]
  /// What a method keeps besides: momentum, control variates, prototypes, generators.
  public var memory = StateTensors()
  /// The round being run, from 1: set by the engine.
  public var round = 0
  /// The exchange within the round, from 0: set by the engine.
  public var exchange = 0

  /// The state before the first round.
  public init(model: [Float]) { self.model = model }
}

/// What one client carries from round to round, such as its private layers.
public typealias ClientMemory = StateTensors
