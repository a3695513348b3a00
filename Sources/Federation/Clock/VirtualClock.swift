import Base
import Records
import Scenario

/// What one client's device can do.
package struct DeviceTraits: Sendable, Equatable {
  /// FLOP/s.
  package var speed: Double
  /// bit/s to the server.
  package var up: Double
  /// bit/s from the server.
  package var down: Double
}

/// Devices, links and chance in virtual time: a pure function of settings, files and the seed.
///
/// Nothing here sleeps, and no wall clock is read.
package struct VirtualClock: Sendable {
  package let settings: SystemSettings
  package let seed: UInt64
  private let files: SystemFiles
  /// Zipf: the rank of each client, from 1.
  private let ranks: [Int]
  private let clients: Int

  /// A clock for clients 0 ..< K.
  package init(
    _ settings: SystemSettings = SystemSettings(), files: SystemFiles = SystemFiles(), seed: UInt64,
    clients: Int
  ) {
    self.settings = settings
    self.files = files
    self.seed = seed
    self.clients = clients
    guard case .zipf = settings.compute else {
      ranks = []
      return
    }
    var stream = RandomStream(seed: seed, .deviceSpeed)
    ranks = stream.permutation(clients).map { $0 + 1 }
  }

  // MARK: - Devices

  package func traits(of client: Int) -> DeviceTraits {
    var factor = 1.0
    if settings.network.sigma > 0 {
      var stream = RandomStream(seed: seed, .deviceNetwork, client: client)
      factor = exp(settings.network.sigma * stream.normal())
    }
    return DeviceTraits(
      speed: speed(of: client), up: settings.network.up * factor,
      down: settings.network.down * factor)
  }

  private func speed(of client: Int) -> Double {
    switch settings.compute {
    case .constant(let speed): return speed
    case .logNormal(let median, let sigma):
      var stream = RandomStream(seed: seed, .deviceSpeed, client: client)
      return median * exp(sigma * stream.normal())
    case .zipf(let median, let exponent):
      let middle = Double(clients + 1) / 2
      return median * pow(Double(ranks[client]) / middle, -exponent)
    case .table, .values: return files.speeds?[client] ?? 1
    }
  }

  /// How long a client takes to receive, compute and send.
  ///
  /// `down`, `up`: bytes; 0 for a message that is not sent.
  package func timing(of client: Int, down: Int, flops: Int, up: Int) -> PartTiming {
    let device = traits(of: client)
    let receiving = 8 * Double(down) / device.down
    let sending = 8 * Double(up) / device.up
    let latency = settings.network.latency
    return PartTiming(
      receive: down > 0 ? latency + receiving : 0, compute: Double(flops) / device.speed,
      send: up > 0 ? latency + sending : 0, receiving: receiving, sending: sending)
  }

  // MARK: - Chance

  /// Whether a client can be asked at a time.
  ///
  /// `attempt`: which question of the round this is; each has a draw of its own.
  package func isAvailable(_ client: Int, at time: Double, round: Int, attempt: Int = 0) -> Bool {
    switch settings.availability {
    case .always: return true
    case .rate(let rate):
      var stream = RandomStream(
        seed: seed, .deviceAvailability, round: round, client: client, step: attempt)
      return stream.uniform() < rate
    case .trace: return files.trace?.departure(of: client, after: time) != nil
    }
  }

  /// When a client that is there at a time goes away; infinity when it stays.
  package func departure(of client: Int, after time: Double) -> Double {
    files.trace?.departure(of: client, after: time) ?? .infinity
  }

  /// The next time at which somebody comes; nil when nobody will.
  package func opening(after time: Double) -> Double? { files.trace?.opening(after: time) }

  /// Whether clients come and go in virtual time.
  package var hasTrace: Bool { files.trace != nil }

  /// For a client that vanishes in a round, the share of its computing that it still does, in
  /// [0, 1); nil for one that stays.
  ///
  /// `repetition`: how often it has been started in the round before.
  package func vanishes(_ client: Int, round: Int, repetition: Int = 0) -> Double? {
    guard settings.dropout > 0 else { return nil }
    var stream = RandomStream(
      seed: seed, .deviceDropout, round: round, client: client, step: repetition)
    return stream.uniform() < settings.dropout ? stream.uniform() : nil
  }

  /// Whether a client's upload is lost.
  ///
  /// `number`: the exchange of the round, or how often the client has been started in it before.
  package func loses(_ client: Int, round: Int, number: Int = 0) -> Bool {
    guard settings.loss > 0 else { return false }
    var stream = RandomStream(seed: seed, .messageLoss, round: round, client: client, step: number)
    return stream.uniform() < settings.loss
  }

  /// Whether the results of a synchronous exchange wait until all times are known.
  package var holdsResults: Bool { settings.holdsResults }
}

extension RunContext {
  /// Devices and links in virtual time; nil for no clock.
  var clock: VirtualClock? {
    get { features[VirtualClock.self] }
    set { features[VirtualClock.self] = newValue }
  }
}
