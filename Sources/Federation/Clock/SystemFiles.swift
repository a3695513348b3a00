import Base
import Scenario

/// What the files of a section `system` say, read once for all seeds.
package struct SystemFiles: Sendable {
  /// FLOP/s by client; nil without a table.
  package var speeds: [Double]?
  /// When clients can be asked; nil without a trace.
  package var trace: AvailabilityTrace?

  package init() {}

  /// Reads what the settings name.
  ///
  /// - Throws: exit 4 with file and line, exit 3 when the number of speeds is not that of clients.
  package init(_ settings: SystemSettings, clients: Int) throws(Failure) {
    switch settings.compute {
    case .table(let path): speeds = try Self.speeds(path, clients: clients)
    case .values(let values): speeds = values
    default: break
    }
    if case .trace(let path) = settings.availability {
      trace = try AvailabilityTrace(path: path, clients: clients)
    }
  }

  private static func speeds(_ path: String, clients: Int) throws(Failure) -> [Double] {
    let quantity = Quantity(kind: .speed, NumberRange(1, 1e24))
    var speeds: [Double] = []
    for (number, line) in try TextFile.lines(of: path, what: "speeds of devices") {
      guard let speed = Double(line) ?? quantity.value(of: line), quantity.range.contains(speed)
      else {
        throw DataFailure.malformed(
          path, "line \(number): found \(line.prefix(40)); expected \(quantity.allowed)")
      }
      speeds.append(speed)
    }
    guard speeds.count == clients else {
      throw DataFailure.inconsistent(
        path, "it has \(speeds.count) speeds; federation.clients is \(clients)")
    }
    return speeds
  }
}
