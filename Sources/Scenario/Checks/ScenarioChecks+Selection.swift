import Aggregation

/// Checks of cohorts that are chosen by clients' losses.
extension ScenarioChecks {
  /// The number of candidates against the cohort and the federation.
  mutating func checkSelection(clients: Int, cohort: Int) {
    guard let candidates = int("federation.sampling.candidates") else { return }
    if candidates < cohort || candidates > clients {
      error(
        "E3210", "federation.sampling.candidates",
        "found \(candidates); a cohort has \(cohort) of \(clients) clients",
        suggestion: "\(min(max(candidates, cohort), clients))",
        hint: "candidates are at least the cohort and at most all clients")
    }
  }

  /// Selection against methods and privacy; the scenario is valid otherwise.
  mutating func checkSelection(_ scenario: Scenario) {
    let sampling = scenario.federation.sampling
    guard sampling.readsLosses else { return }
    for (index, choice) in scenario.strategies.enumerated() {
      guard let settings = choice.privacy, !settings.isInert else { continue }
      error(
        "E3335", "strategies[\(index)]",
        "\(choice.label) has privacy, but federation.sampling is \"\(sampling.word)\": accounting "
          + "assumes cohorts at random, and reported losses leave unprotected",
        hint: "set federation.sampling to \"uniform\" or \"poisson\", or leave privacy out")
    }
    let choosers = scenario.strategies.filter { choice in
      StrategyRegistry[choice.kind].map { $0.population == .cohort } ?? false
    }
    if choosers.count > 1 {
      warn(
        "W3035", "federation.sampling",
        "cohorts follow each method's own losses: the strategies do not share them")
    }
  }
}
