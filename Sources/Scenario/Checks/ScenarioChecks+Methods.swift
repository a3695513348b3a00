import Data
import Tensor

/// Checks of methods against what the rest of the scenario gives them, before any data are read.
extension ScenarioChecks {
  /// Problems of a scenario that is valid otherwise: its network can be built.
  mutating func checkMethods(_ scenario: Scenario) -> [Problem] {
    problems = []
    let images = scenario.data.knownImages
    let network = images.flatMap {
      // An image that is too small for the model is found with the data.
      try? Network(scenario.model, input: $0.shape, classes: $0.classes)
    }
    for (index, choice) in scenario.strategies.enumerated() {
      guard let fit = MethodFit(choice) else { continue }
      let path = "strategies[\(index)]"
      var misfits = fit.misfits(
        hasPublicSet: scenario.data.publicSet != nil,
        hasClientModels: !scenario.clientModels.isEmpty)
      if let network {
        if let misfit = fit.misfit(scenario.model, network) { misfits.append(misfit) }
        for caution in fit.cautions(scenario.model, network) {
          warn("W3020", path, caution.warning, hint: caution.hint)
        }
      }
      for misfit in misfits { error(misfit.code, path, misfit.problem, hint: misfit.hint) }
    }
    checkPrivateMethods(scenario)
    checkCompressedMethods(scenario)
    checkSelection(scenario)
    checkClock(scenario)
    if problems.contains(where: { $0.severity == .error }) { return problems }
    checkInert(scenario, network)
    checkReach(scenario)
    return problems
  }
}
