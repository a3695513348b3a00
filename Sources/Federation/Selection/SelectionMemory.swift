import Aggregation
import Base
import Scenario

/// What the server remembers of clients' losses, in its own memory beside the method's: digests and
/// checkpoints know it.
///
/// Per client, [K]: the loss of its last report (`selection.loss`; for Oort the utility U), the
/// round of it (`selection.round`, 0 before the first), and where there is a clock how long it took
/// (`selection.seconds`, 0 where unknown). Oort's pacer keeps T and the utilities of the last 2·W
/// rounds in `selection.pacer`.
package struct SelectionMemory: Sendable {
  private static let losses = "selection.loss"
  private static let rounds = "selection.round"
  private static let seconds = "selection.seconds"
  private static let pacer = "selection.pacer"

  /// Number of clients K.
  package let clients: Int

  package init(clients: Int) { self.clients = clients }

  package struct Report: Sendable, Equatable {
    package let client: Int
    /// The loss, or Oort's utility.
    package let loss: Double
    /// Seconds that it took; nil without a clock.
    package let seconds: Double?
  }

  /// The loss that each client last reported, infinite before the first report.
  package func lastLosses(_ memory: StateTensors) -> [Double] {
    guard let losses = memory[Self.losses], let rounds = memory[Self.rounds] else {
      return [Double](repeating: .infinity, count: clients)
    }
    return zip(losses, rounds).map { $1 > 0 ? Double($0) : .infinity }
  }

  /// What is known of the clients that have reported, ascending.
  package func known(_ memory: StateTensors) -> [OortRule.Known] {
    guard let losses = memory[Self.losses], let rounds = memory[Self.rounds] else { return [] }
    let seconds = memory[Self.seconds]
    return (0..<clients).filter { rounds[$0] > 0 }.map { client in
      let time = seconds.map { Double($0[client]) } ?? 0
      return OortRule.Known(
        client: client, utility: Double(losses[client]), round: Int(clamping: rounds[client]),
        seconds: time > 0 ? time : nil)
    }
  }

  package func keep(_ reports: [Report], round: Int, in memory: inout StateTensors) {
    let zeros = [Float](repeating: 0, count: clients)
    for report in reports {
      memory[Self.losses, default: zeros][report.client] = Float(report.loss)
      memory[Self.rounds, default: zeros][report.client] = Float(round)
      guard let seconds = report.seconds else { continue }
      memory[Self.seconds, default: zeros][report.client] = Float(seconds)
    }
  }

  /// T of Oort: Δ before the first round.
  package func preferred(_ memory: StateTensors, _ rule: OortRule) -> Double {
    memory[Self.pacer].map { Double($0[0]) } ?? rule.settings.pacerStep
  }

  /// Adds a round's utility to the pacer's history and moves T by it.
  package func pace(_ utility: Double, _ rule: OortRule, in memory: inout StateTensors) {
    let known = memory[Self.pacer] ?? [Float(rule.settings.pacerStep)]
    let history = (known.dropFirst() + [Float(utility)]).suffix(2 * rule.settings.pacerWindow)
    let preferred = rule.paced(Double(known[0]), history.map(Double.init))
    memory[Self.pacer] = [Float(preferred)] + history
  }
}
