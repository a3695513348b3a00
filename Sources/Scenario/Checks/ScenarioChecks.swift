import Aggregation
import Base
import Data
import Tensor

/// Rules that tie several fields together.
///
/// Each looks only at values that are valid by themselves,
/// so that these problems are found in the same go as all others.
struct ScenarioChecks {
  let values: [String: JSON]
  let lines: [String: Int]
  let infos: [MethodInfo]
  let reach: ReachFinding.Search
  var problems: [Problem] = []

  /// All problems, errors first in the order of the sections.
  mutating func run() -> [Problem] {
    checkData()
    checkFederation()
    checkModel(at: "model")
    checkClientModels()
    for path in places(of: "client") where lines[path] != nil { checkClient(at: path) }
    checkStrategies()
    for path in places(of: "privacy") { checkPrivacy(at: path) }
    for path in places(of: "compression") { checkCompression(at: path) }
    checkSystem()
    checkEvaluation()
    return problems
  }

  /// Where a section may stand that strategies can have for themselves.
  func places(of section: String) -> [String] {
    let strategies = (0..<1000).map { "strategies[\($0)]" }.filter { lines[$0] != nil }
    return [section] + strategies.map { "\($0).\(section)" }
  }

  func int(_ path: String) -> Int? { values[path]?.int }
  func number(_ path: String) -> Double? { values[path]?.double }
  func text(_ path: String) -> String? { values[path]?.text }

  /// The line of a path, or of what encloses it when the value is a default.
  func line(_ path: String) -> Int {
    var path = path
    while true {
      if let line = lines[path], line != 0, line != Problem.inheritedLine { return line }
      guard let cut = path.lastIndex(where: { $0 == "." || $0 == "[" }) else {
        return lines[""] ?? 0
      }
      path = String(path[..<cut])
    }
  }

  mutating func error(
    _ code: String, _ path: String, _ message: String, suggestion: String? = nil,
    hint: String? = nil
  ) {
    problems.append(
      Problem(code, at: path, line: line(path), message, suggestion: suggestion, hint: hint))
  }

  mutating func warn(_ code: String, _ path: String, _ message: String, hint: String? = nil) {
    problems.append(Problem(code, .warning, at: path, line: line(path), message, hint: hint))
  }
}

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
    for method in scenario.methods {
      guard let fit = MethodFit(method.choice) else { continue }
      var misfits = fit.misfits(
        hasPublicSet: scenario.data.publicSet != nil,
        hasClientModels: !scenario.clientModels.isEmpty)
      if let network {
        if let misfit = fit.misfit(scenario.model, network) { misfits.append(misfit) }
        for caution in fit.cautions(scenario.model, network) {
          warn("W3020", method.path, caution.warning, hint: caution.hint)
        }
      }
      for misfit in misfits { error(misfit.code, method.path, misfit.problem, hint: misfit.hint) }
    }
    checkPrivateMethods(scenario)
    checkCompressedMethods(scenario)
    checkSelection(scenario)
    checkSelectionMetric(scenario)
    checkClock(scenario)
    if problems.contains(where: { $0.severity == .error }) { return problems }
    checkInert(scenario, network)
    checkReach(scenario)
    return problems
  }
}

/// A method of a scenario that is valid otherwise.
struct CheckedMethod {
  let scenario: Scenario
  let choice: Scenario.StrategyChoice
  let type: any Strategy.Type
  /// Where it stands, such as "strategies[0]".
  let path: String

  var label: String { choice.label }
  /// What its clients do in a round.
  var client: ClientSettings { scenario.client(of: choice) }
}

extension Scenario {
  var methods: [CheckedMethod] {
    strategies.enumerated().compactMap { index, choice in
      StrategyRegistry[choice.kind].map {
        CheckedMethod(scenario: self, choice: choice, type: $0, path: "strategies[\(index)]")
      }
    }
  }
}
