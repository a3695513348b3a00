/// Devices and links of a simulated federation.
///
/// The initial values are the defaults of the scenario's section.
package struct SystemSettings: Sendable, Equatable {
  /// How fast devices compute; speeds in FLOP/s.
  package var compute = Compute.constant(speed: 20e9)
  /// Their links.
  package var network = Network()
  /// Which clients can be asked.
  package var availability = Availability.always
  /// Probability that a client vanishes in the middle of a round, in [0, 0.99].
  package var dropout = 0.0
  /// Probability that an upload is lost, in [0, 0.99].
  package var loss = 0.0
  /// Seconds after which a synchronous round ends; nil waits for everybody.
  package var deadline: Double?
  /// c ≥ 1: c·m clients are drawn and the first m arrivals taken.
  package var overSelection = 1.0
  /// What becomes of clients that would miss the deadline.
  package var stragglers = Stragglers.drop
  /// What devices draw; nil when nobody asks.
  package var energy: Energy?
  /// What is paid; nil when nobody asks.
  package var cost: Cost?

  package init() {}

  /// Whether who is taken in can depend on who comes later, so that results wait until all times of
  /// a synchronous exchange are known.
  package var holdsResults: Bool {
    let isTraced = if case .trace = availability { true } else { false }
    return deadline != nil || overSelection > 1 || isTraced
  }

  /// How fast devices compute.
  package enum Compute: Sendable, Equatable {
    case constant(speed: Double)
    case logNormal(median: Double, sigma: Double)
    case zipf(median: Double, exponent: Double)
    /// One speed per client, from a file.
    case table(path: String)
    /// One speed per client.
    case values([Double])
  }

  /// The links between clients and server.
  package struct Network: Sendable, Equatable {
    /// bit/s to the server.
    package var up = 10e6
    /// bit/s from the server.
    package var down = 50e6
    /// Seconds before a message's first byte.
    package var latency = 40 * 1e-3
    /// Standard deviation of the logarithm of a client's factor on both directions.
    package var sigma = 0.0
  }

  /// Which clients can be asked.
  package enum Availability: Sendable, Equatable {
    case always
    case rate(Double)
    case trace(path: String)
  }

  /// What becomes of clients that would miss the deadline.
  package enum Stragglers: String, Sendable, CaseIterable {
    /// They come too late.
    case drop
    /// They make as many local steps as fit.
    case partial
  }

  /// Watts of a device.
  package struct Energy: Sendable, Equatable {
    /// While it computes.
    package var computeWatts = 0.0
    /// While bits leave it.
    package var sendWatts = 0.0
    /// While bits reach it.
    package var receiveWatts = 0.0
  }

  /// Prices, in any currency.
  package struct Cost: Sendable, Equatable {
    /// Of 10⁹ bytes to the server.
    package var perGigabyteUp = 0.0
    /// Of 10⁹ bytes from the server.
    package var perGigabyteDown = 0.0
    /// Of an hour of a device at work.
    package var perDeviceHour = 0.0
  }
}
