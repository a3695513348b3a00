import Tensor

/// Devices and links of a simulated federation.
///
/// The initial values are the defaults of the scenario's section.
public struct SystemSettings: Sendable, Equatable {
  /// How fast devices compute; speeds in FLOP/s.
  public var compute = Compute.constant(speed: 20e9)
  /// Their links.
  public var network = Network()
  /// Which clients can be asked.
  public var availability = Availability.always
  /// Probability that a client vanishes in the middle of a round, in [0, 0.99].
  public var dropout = 0.0
  /// Probability that an upload is lost, in [0, 0.99].
  public var loss = 0.0
  /// Seconds after which a synchronous round ends; nil waits for everybody.
  public var deadline: Double?
  /// c ≥ 1: c·m clients are drawn and the first m arrivals taken.
  public var overSelection = 1.0
  /// What becomes of clients that would miss the deadline.
  public var stragglers = Stragglers.drop
  /// What devices draw; nil when nobody asks.
  public var energy: Energy?
  /// What is paid; nil when nobody asks.
  public var cost: Cost?

  package init() {}

  /// Whether who is taken in can depend on who comes later, so that results wait until all times of
  /// a synchronous exchange are known.
  package var holdsResults: Bool {
    let isTraced = if case .trace = availability { true } else { false }
    return deadline != nil || overSelection > 1 || isTraced
  }

  /// How fast devices compute.
  public enum Compute: Sendable, Equatable {
    case constant(speed: Double)
    case logNormal(median: Double, sigma: Double)
    case zipf(median: Double, exponent: Double)
    /// One speed per client, from a file.
    case table(path: String)
    /// One speed per client.
    case values([Double])
  }

  /// The links between clients and server.
  public struct Network: Sendable, Equatable {
    /// bit/s to the server.
    public var up = 10e6
    /// bit/s from the server.
    public var down = 50e6
    /// Seconds before a message's first byte.
    public var latency = 40 * 1e-3
    /// Standard deviation of the logarithm of a client's factor on both directions.
    public var sigma = 0.0
  }

  /// Which clients can be asked.
  public enum Availability: Sendable, Equatable {
    case always
    case rate(Double)
    case trace(path: String)
  }

  /// What becomes of clients that would miss the deadline.
  public enum Stragglers: String, Sendable, CaseIterable {
    /// They come too late.
    case drop
    /// They make as many local steps as fit.
    case partial
  }

  /// Watts of a device.
  public struct Energy: Sendable, Equatable {
    /// While it computes.
    public var computeWatts = 0.0
    /// While bits leave it.
    public var sendWatts = 0.0
    /// While bits reach it.
    public var receiveWatts = 0.0
  }

  /// Prices, in any currency.
  public struct Cost: Sendable, Equatable {
    /// Of 10⁹ bytes to the server.
    public var perGigabyteUp = 0.0
    /// Of 10⁹ bytes from the server.
    public var perGigabyteDown = 0.0
    /// Of an hour of a device at work.
    public var perDeviceHour = 0.0
  }
}
