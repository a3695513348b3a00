import Aggregation
import Base

/// What reading a scenario gave: a scenario, or the reasons why there is none.
package struct ScenarioReading: Sendable {
  /// The name of the file that was read.
  package let file: String
  /// Everything wrong or suspicious, in the order of the file.
  package let problems: [Problem]
  /// The scenario; nil when a problem is an error.
  package let scenario: Scenario?
  /// Every field with its value, defaults included, in the table's order; nil when invalid.
  package let resolved: JSON?
  /// Where each resolved value came from: path to "file:line", "override" or "default".
  package let origins: [(path: String, origin: String)]

  /// The problems that forbid a run.
  package var errors: [Problem] { problems.filter { $0.severity == .error } }
  /// The problems that do not.
  package var warnings: [Problem] { problems.filter { $0.severity == .warning } }

  /// Identity of the experiment, sixteen hexadecimal digits; nil when invalid.
  ///
  /// Taken over the resolved scenario with sorted keys and normalised numbers, without `output` and
  /// `limits`, which change no number.
  package var hash: String? { resolved.map(ScenarioReading.hash(ofResolved:)) }

  /// The hash of a resolved scenario, such as one read back from a run folder.
  package static func hash(ofResolved resolved: JSON) -> String {
    var tree = resolved
    tree["output"] = nil
    tree["limits"] = nil
    // An extended run is the one that it began as.
    if let first = tree["federation"]?["extended"]?.elements?.first {
      _ = Overrides.apply(
        ["federation.rounds=\(first.compact)", "federation.extended=null"], to: &tree)
    }
    var hash = XXHash64()
    hash.update(sorted(tree).compact)
    return hash.hex
  }

  private static func sorted(_ json: JSON) -> JSON {
    switch json.value {
    case .object(let members):
      let ordered = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      return .object(ordered.map { ($0.key, sorted($0.value)) })
    case .array(let items): return .array(items.map(sorted))
    case .number:
      if let integer = json.int { return .int(integer) }
      return json.double.map { .number($0) } ?? json
    default: return json
    }
  }
}

extension ScenarioReading {
  /// The reasons why there is none.
  package init(failed problems: [Problem], file: String) {
    self.init(file: file, problems: problems, scenario: nil, resolved: nil, origins: [])
  }
}

/// Reads scenarios: parses, applies overrides, validates, fills in defaults.
package struct ScenarioReader: Sendable {
  private let infos: [MethodInfo]
  private let reach: ReachFinding.Search

  /// A reader that knows the strategies of `infos`, and what codecs reach of them.
  package init(infos: [MethodInfo] = StrategyRegistry.infos, reach: @escaping ReachFinding.Search) {
    self.infos = infos
    self.reach = reach
  }

  /// Reads a scenario.
  ///
  /// Nothing in `bytes` or `overrides` can make it trap or throw.
  ///
  /// - Parameters:
  ///   - bytes: the file's content.
  ///   - file: its name, for messages and for the default of `name`.
  ///   - overrides: `path=value` texts, applied in order before validation.
  ///   - places: where relative paths are looked for; nil: where those of `file` are.
  /// - Returns: all problems and, when none is an error, the scenario.
  package func read(
    bytes: [UInt8], file: String, overrides: [String] = [], places: PathPlaces? = nil
  ) -> ScenarioReading {
    var tree: JSON
    do { tree = try JSON(parsing: bytes) } catch {
      let problem = Problem(
        "E3001", at: "", line: error.line, "not valid JSON: \(error.message)",
        hint: "line \(error.line), column \(error.column)")
      return ScenarioReading(failed: [problem], file: file)
    }
    let early = tree.members == nil ? [] : Overrides.apply(overrides, to: &tree)
    let table = ScenarioFields.scenario(infos)
    var validator = ScenarioValidator(file: file, root: table.fields)
    let resolved = validator.resolve(tree)
    var checks = ScenarioChecks(
      values: validator.values, lines: validator.lines, infos: infos, reach: reach)
    var problems = sorted(early + validator.problems + checks.run())
    if problems.contains(where: { $0.severity == .error }) {
      return ScenarioReading(failed: problems, file: file)
    }
    var paths = ScenarioPaths.none
    var found: [String: String] = [:]
    if !validator.paths.isEmpty {
      paths.places = places ?? PathPlaces(file: file)
      for path in validator.paths {
        let one = paths.places.find(path.text, isSet: path.isSet)
        paths.named.append(one)
        found[path.field] = one.path
      }
    }
    // What is resolved keeps the paths as they were written: its hash is the same everywhere.
    var scenario = table.read(found.isEmpty ? resolved : resolved.replacing(found))
    scenario.paths = paths
    problems = sorted(problems + checks.checkMethods(scenario))
    if problems.contains(where: { $0.severity == .error }) {
      return ScenarioReading(failed: problems, file: file)
    }
    return ScenarioReading(
      file: file, problems: problems, scenario: scenario, resolved: resolved,
      origins: validator.origins)
  }

  /// Errors before warnings, each by line; equal lines keep the order in which they were found.
  private func sorted(_ problems: [Problem]) -> [Problem] {
    let ordered = problems.enumerated().sorted { a, b in
      let x = (a.element.severity == .error ? 0 : 1, a.element.line, a.offset)
      return x < (b.element.severity == .error ? 0 : 1, b.element.line, b.offset)
    }
    return ordered.map(\.element)
  }
}
