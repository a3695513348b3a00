import Aggregation
import Base
import Scenario

extension Experiment {
  /// Copies of the model that wait for a later time: uploads of a cohort on the clock, or what
  /// asynchronous clients were sent and made of it, with the server's buffer.
  var waitingVectors: Int {
    let cohort = scenario.federation.uniformCohort
    var most = 0
    for choice in scenario.strategies {
      guard let type = StrategyRegistry[choice.kind] else { continue }
      if type.needs.contains(.clock) {
        var buffer = 0
        if case .integer(let size) = choice.settings["buffer"] { buffer = size }
        most = max(most, 2 * cohort + buffer)
      } else if let system = scenario.system, system.holdsResults {
        let drawn = Int(clamping: system.overSelection * Double(cohort))
        most = max(most, min(drawn, scenario.federation.clients))
      }
    }
    return most
  }
}
