import Aggregation
import Base

/// Checks of `system`.
extension ScenarioChecks {
  /// What the section alone shows to be wrong.
  mutating func checkSystem() {
    if text("system.compute.kind") == "table" {
      let values = values["system.compute.values"]?.elements
      if values == nil, text("system.compute.path") == nil {
        error(
          "E3360", "system.compute", "found a table without speeds",
          hint: "give \"path\" or \"values\"")
      }
      if let values, let clients = int("federation.clients"), values.count != clients {
        error(
          "E3361", "system.compute.values",
          "found \(values.count) speeds; federation.clients is \(clients)",
          hint: "give one speed for each client")
      }
    }
    let deadline = number("system.deadline")
    if text("system.stragglers") == "partial", deadline == nil {
      error(
        "E3362", "system.stragglers",
        "found \"partial\" without a deadline that stragglers could meet",
        hint: "give \"deadline\": \"60 s\"")
    }
    if let deadline, let latency = number("system.network.latency"), deadline <= 2 * latency {
      warn(
        "W3062", "system.deadline",
        "\(JSON.number(deadline).compact) s is no more than two latencies: every client that "
          + "receives and sends comes too late")
    }
  }

  /// The clock against methods and their privacy; the scenario is valid otherwise.
  mutating func checkClock(_ scenario: Scenario) {
    let federation = scenario.federation
    if let system = scenario.system, system.overSelection > 1,
      (system.overSelection * federation.expectedCohort).rounded() > Double(federation.clients)
    {
      warn(
        "W3061", "system.overSelection",
        "\(JSON.number(system.overSelection).compact) cohorts are more than all "
          + "\(federation.clients) clients")
    }
    if let system = scenario.system, federation.sampling.readsLosses,
      system.availability != .always || system.overSelection > 1
    {
      error(
        "E3365", "system",
        "found federation.sampling \"\(federation.sampling.word)\"; it chooses a cohort among all "
          + "clients, without availability and overSelection",
        hint: "set federation.sampling to \"uniform\" or \"poisson\"")
    }
    for (index, choice) in scenario.strategies.enumerated() {
      guard let type = StrategyRegistry[choice.kind] else { continue }
      let path = "strategies[\(index)]"
      let isAsynchronous = type.needs.contains(.clock)
      if let system = scenario.system, isAsynchronous,
        system.deadline != nil || system.overSelection > 1
      {
        warn(
          "W3060", path,
          "\(choice.label) is asynchronous: system.deadline, overSelection and stragglers do not "
            + "apply to it")
      }
      if let system = scenario.system, isAsynchronous { checkArrivals(system, choice.label, path) }
      if isAsynchronous, federation.sampling.readsLosses {
        warn(
          "W3063", path,
          "\(choice.label) is asynchronous: federation.sampling does not choose its clients")
      }
      if choice.compression?.uplink?.sumsFirst == true,
        isAsynchronous || scenario.system?.holdsResults == true
      {
        error(
          "E3364", path,
          "\(choice.label): ef21 and sums of factors need every message of a cohort; "
            + (isAsynchronous ? "an asynchronous method has no cohorts" : "some may be late"),
          hint: "take \"feedback\": \"ef-sgd\", and \"sums\": \"updates\"")
      }
      let link = choice.compression
      if isAsynchronous, link?.downlink?.memory == .shadow || link?.uplink?.layerwise != nil {
        error(
          "E3364", path,
          "\(choice.label): a shadow model and layer-wise strengths go from round to round, and an "
            + "asynchronous method sends whenever somebody is idle",
          hint: "set \"shadow\" to false and leave layerwise out")
      }
      if let privacy = choice.privacy, !privacy.isInert, let mechanism = privacy.clientLevel {
        checkClock(scenario.system, mechanism, isAsynchronous, choice.label, path)
      }
    }
  }

  /// A round of an asynchronous method lasts until as many messages have arrived as a cohort has
  /// clients, whatever is started in vain before.
  private mutating func checkArrivals(_ system: SystemSettings, _ label: String, _ path: String) {
    let starts = 1 / ((1 - system.dropout) * (1 - system.loss))
    guard starts >= 5 else { return }
    warn(
      "W3013", path,
      "\(label) is asynchronous: with this dropout and loss each message that arrives takes "
        + "\(NumberText.short(starts)) starts, and a round is that much slower to simulate",
      hint: "lower system.dropout or system.loss, or federation.rounds")
  }

  /// Client-level privacy is accounted for cohorts that are drawn and not selected by speed.
  private mutating func checkClock(
    _ system: SystemSettings?, _ mechanism: PrivacySettings.ClientMechanism, _ isAsynchronous: Bool,
    _ label: String, _ path: String
  ) {
    var reasons: [String] = []
    if isAsynchronous { reasons.append("an asynchronous method has no drawn cohorts") }
    if let system {
      if system.overSelection > 1 { reasons.append("overSelection prefers fast clients") }
      if system.deadline != nil { reasons.append("deadline leaves slow clients out") }
      if system.availability != .always { reasons.append("availability changes who is drawn") }
      if mechanism.placement == .distributed, system.dropout > 0 || system.loss > 0 {
        reasons.append("shares of the noise go missing with dropout and loss")
      }
    }
    for reason in reasons {
      error(
        "E3363", path, "\(label): no accountant for client-level privacy here: \(reason)",
        hint: "leave it out, or set privacy.unit to \"example\"")
    }
  }
}
