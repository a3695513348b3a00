import Aggregation
import Base
import Data

/// Rules that tie several fields together.
///
/// Each looks only at values that are valid by themselves,
/// so that these problems are found in the same go as all others.
struct ScenarioChecks {
  let values: [String: JSON]
  let lines: [String: Int]
  let cards: [StrategyCard]
  let reach: ReachFinding.Search
  var problems: [Problem] = []

  /// All problems, errors first in the order of the sections.
  mutating func run() -> [Problem] {
    checkData()
    checkFederation()
    checkModel(at: "model")
    checkClientModels()
    checkClient()
    checkStrategies()
    checkPrivacy()
    checkCompression()
    checkSystem()
    return problems
  }

  func int(_ path: String) -> Int? { values[path]?.int }
  func number(_ path: String) -> Double? { values[path]?.double }
  func text(_ path: String) -> String? { values[path]?.text }

  /// The line of a path, or of what encloses it when the value is a default.
  func line(_ path: String) -> Int {
    var path = path
    while true {
      if let line = lines[path], line != 0 { return line }
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
