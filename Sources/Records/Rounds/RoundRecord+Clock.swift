import Base
import Scenario

extension RoundRecord {
  /// Who took part in a round on the clock, by what became of them; ascending.
  package struct Clock: Sendable, Equatable {
    /// Messages that the server took in.
    package var completed: [Int]
    /// Vanished.
    package var dropped: [Int]
    /// Came when the round was over.
    package var late: [Int]
    /// Sent, and lost on the way.
    package var lost: [Int]

    /// Clients by fate.
    package init(completed: [Int], dropped: [Int] = [], late: [Int] = [], lost: [Int] = []) {
      self.completed = completed
      self.dropped = dropped
      self.late = late
      self.lost = lost
    }
  }

  /// What devices drew in a round, in joules.
  package struct Energy: Sendable, Equatable {
    package var compute: Double
    package var send: Double
    package var receive: Double
    /// All of it.
    package var joules: Double { compute + send + receive }
  }

  /// What a round cost.
  package struct Cost: Sendable, Equatable {
    /// Bytes to the server.
    package var up: Double
    /// Bytes from the server.
    package var down: Double
    /// Devices at work.
    package var devices: Double
    /// All of it.
    package var total: Double { up + down + devices }
  }

  /// Puts what the clock saw into the record.
  package mutating func note(_ outcome: ClockOutcome?, _ settings: SystemSettings) {
    guard let outcome else { return }
    time.virtual = outcome.end
    clock = Clock(
      completed: outcome.completed.sorted(), dropped: outcome.dropped.sorted(),
      late: outcome.late.sorted(), lost: outcome.lost.sorted())
    if let power = settings.energy {
      energy = Energy(
        compute: power.computeWatts * outcome.computing, send: power.sendWatts * outcome.sending,
        receive: power.receiveWatts * outcome.receiving)
    }
    if let price = settings.cost {
      cost = Cost(
        up: price.perGigabyteUp * Double(bytes.up) / 1e9,
        down: price.perGigabyteDown * Double(bytes.down) / 1e9,
        devices: price.perDeviceHour * outcome.working / 3600)
    }
  }

  /// The members of the clock; none without one.
  var clockMembers: [(String, JSON)] {
    var members: [(String, JSON)] = []
    if let clock {
      let fates = [
        ("completed", clock.completed), ("dropped", clock.dropped), ("late", clock.late),
        ("lost", clock.lost),
      ]
      members.append(("clock", .object(fates.map { ($0, .array($1.map(JSON.int))) })))
    }
    if let energy {
      let parts: [(String, JSON)] = [
        ("joules", .number(energy.joules)), ("compute", .number(energy.compute)),
        ("send", .number(energy.send)), ("receive", .number(energy.receive)),
      ]
      members.append(("energy", .object(parts)))
    }
    if let cost {
      let parts: [(String, JSON)] = [
        ("total", .number(cost.total)), ("up", .number(cost.up)), ("down", .number(cost.down)),
        ("devices", .number(cost.devices)),
      ]
      members.append(("cost", .object(parts)))
    }
    return members
  }

  /// Reads what `clockMembers` writes.
  mutating func readClock(_ json: JSON) {
    func clients(_ key: String) -> [Int]? { json["clock"]?[key]?.elements?.compactMap(\.count) }
    if let completed = clients("completed"), let dropped = clients("dropped"),
      let late = clients("late"), let lost = clients("lost")
    {
      clock = Clock(completed: completed, dropped: dropped, late: late, lost: lost)
    }
    if let part = json["energy"], let compute = part["compute"]?.double,
      let send = part["send"]?.double, let receive = part["receive"]?.double
    {
      energy = Energy(compute: compute, send: send, receive: receive)
    }
    if let part = json["cost"], let up = part["up"]?.double, let down = part["down"]?.double,
      let devices = part["devices"]?.double
    {
      cost = Cost(up: up, down: down, devices: devices)
    }
  }
}
