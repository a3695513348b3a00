import Base
import Scenario

/// Devices and links in words.
extension ConditionText {
  /// One line with a section `system`; nothing without it.
  var systemLines: [String] {
    guard let system = scenario.system else { return [] }
    let network = system.network
    var parts = [
      "virtual time: \(compute(system.compute))",
      "\(amount(network.up)) bit/s up and \(amount(network.down)) down"
        + (network.sigma > 0 ? " (log-normal, σ \(amount(network.sigma)))" : "")
        + ", latency \(amount(network.latency)) s",
    ]
    switch system.availability {
    case .always: break
    case .rate(let rate): parts.append("\(NumberText.percent(rate)) % of clients there")
    case .trace: parts.append("availability from a file")
    }
    if system.dropout > 0 { parts.append("dropout \(NumberText.percent(system.dropout)) %") }
    if system.loss > 0 { parts.append("loss \(NumberText.percent(system.loss)) %") }
    if let deadline = system.deadline {
      let stragglers = system.stragglers == .partial ? " (partial work)" : ""
      parts.append("deadline \(amount(deadline)) s\(stragglers)")
    }
    if system.overSelection > 1 { parts.append("over-selection \(amount(system.overSelection))") }
    return [parts.joined(separator: "; ")]
  }

  private func compute(_ law: SystemSettings.Compute) -> String {
    switch law {
    case .constant(let speed): "devices of \(amount(speed)) FLOP/s"
    case .logNormal(let median, let sigma):
      "devices of \(amount(median)) FLOP/s (log-normal, σ \(amount(sigma)))"
    case .zipf(let median, let exponent):
      "devices of \(amount(median)) FLOP/s (Zipf, exponent \(amount(exponent)))"
    case .table: "devices from a file"
    case .values: "devices from a table"
    }
  }

  private func amount(_ value: Double) -> String { JSON.number(value).compact }
}
