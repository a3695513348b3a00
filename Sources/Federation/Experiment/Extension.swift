import Aggregation
import Base
import Client
import Scenario
import Tensor

/// More rounds for runs that have begun or finished: possible where no round so far would have been
/// another one.
extension Scenario {
  /// What of the rounds so far depends on how many there are, with its place; empty where more
  /// rounds keep the bits of these.
  package var whatKnowsTheEnd: [String] {
    var found: [String] = []
    func note(_ schedule: ClientSettings, _ path: String) {
      if case .cosine = schedule.schedule.shape {
        found.append("\(path).schedule: a cosine ends with the last round")
      }
    }
    note(client, "client")
    for (index, choice) in strategies.enumerated() {
      let path = "strategies[\(index)]"
      if let own = choice.client { note(own, "\(path).client") }
      if case .ldam(_, _, let from, _) = choice.loss, from < 1 {
        found.append("\(path).loss: ldam weighs classes from a share of the rounds on")
      }
      if choice.privacy?.isInert == false, case .cosine = choice.privacy?.clipSchedule?.shape {
        found.append("\(path).privacy.clipSchedule: a cosine ends with the last round")
      }
      if choice.privacy?.isInert == false, choice.privacy?.target != nil {
        found.append("\(path): the noise was chosen for epsilon after these rounds")
      }
      if let correlation = choice.privacy?.clientLevel?.correlation, correlation.bands == nil {
        found.append("\(path).privacy.correlation: the bands were chosen for these rounds")
      }
      if StrategyRegistry[choice.kind]?.needs.contains(.knownEnd) == true {
        found.append(
          "\(path): \(choice.kind) does something else in the last round, or by its number")
      }
    }
    return found
  }
}

extension FolderScenario {
  /// The overrides with which the folder's runs have more rounds.
  ///
  /// - Parameters:
  ///   - rounds: how many in all.
  ///   - scenario: the folder's own.
  /// - Returns: all overrides that the folder then keeps.
  /// - Throws: E2021 when there are as many already (exit 2), E3224 when rounds so far depend on
  ///   their number (exit 3).
  package func extended(to rounds: Int, _ scenario: Scenario) throws(Failure) -> [String] {
    let last = scenario.federation.rounds
    guard rounds > last else {
      throw Failure(
        .wrongCommandLine, "E2021", "federation.rounds is \(last) already; expected more",
        hint: "fedsim resume goes on to round \(last) as it is")
    }
    let reasons = scenario.whatKnowsTheEnd
    guard reasons.isEmpty else {
      throw Failure(
        .scenarioInvalid, "E3224",
        "the rounds so far would have been others with more to come: "
          + reasons.joined(separator: "; "),
        hint: "start a new run: fedsim run SCENARIO.json --set federation.rounds=\(rounds)")
    }
    let ends = (scenario.federation.extended + [last]).map(String.init).joined(separator: ",")
    let kept = overrides.filter {
      !$0.hasPrefix("federation.rounds=") && !$0.hasPrefix("federation.extended=")
    }
    return kept + ["federation.rounds=\(rounds)", "federation.extended=[\(ends)]"]
  }
}
