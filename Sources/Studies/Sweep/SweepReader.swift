import Aggregation
import Base
import Records
import Scenario

/// What reading a sweep file gave: a sweep, or the reasons why there is none.
package struct SweepReading: Sendable {
  /// The name of the file that was read.
  package let file: String
  /// Everything wrong or suspicious: of the file itself, or of the scenarios of all its trials.
  package let problems: [Problem]
  /// The sweep; nil when a problem is an error.
  package let sweep: Sweep?

  /// The problems in the form in which those of a scenario are shown.
  package var report: ScenarioReading { ScenarioReading(failed: problems, file: file) }
}

/// Reads sweep files: validates them, expands them, and reads the scenario of every trial.
package struct SweepReader: Sendable {
  private let infos: [MethodInfo]

  /// A reader that knows the strategies of `infos`.
  package init(infos: [MethodInfo] = StrategyRegistry.infos) { self.infos = infos }

  /// Reads a sweep.
  ///
  /// Nothing in the bytes can make it trap; it throws nothing but what `base` throws.
  ///
  /// - Parameters:
  ///   - bytes: the sweep file's content.
  ///   - file: its name, for messages and for the default of `name`.
  ///   - read: reads the scenario that the file names: its path as given to its path and bytes.
  /// - Returns: all problems of the file and of all trials and, when none is an error, the sweep.
  /// - Complexity: one reading of a scenario per trial.
  package func read(
    bytes: [UInt8], file: String,
    base read: (String) throws(Failure) -> (path: String, bytes: [UInt8])
  ) -> SweepReading {
    let tree: JSON
    do { tree = try JSON(parsing: bytes) } catch {
      return failed(
        [
          Problem(
            "E3001", at: "", line: error.line, "not valid JSON: \(error.message)",
            hint: "line \(error.line), column \(error.column)")
        ], file)
    }
    var validator = ScenarioValidator(file: file, root: SweepFields.root)
    let resolved = validator.resolve(tree)
    var draft = SweepDraft(resolved: resolved, lines: validator.lines)
    draft.isWhole = validator.problems.isEmpty
    let points = draft.points()
    var front = draft.front()
    let halving = draft.halving()
    let tune = draft.tune()
    // Nobody who tunes shall look at test images to see which trial is the best.
    if let tune {
      let given = tune.metric.flatMap { $0.lowerIsBetter ? nil : [$0.name] }
      front.usual = given ?? Array(TuneSettings.metrics.prefix(2))
    }
    var problems = validator.problems + draft.problems
    // What is wrong with the trials is reported together with it.
    guard let name = resolved["base"]?.text, !points.isEmpty, points.count <= SweepFields.mostTrials
    else { return failed(problems, file) }

    let found: (path: String, bytes: [UInt8])
    // A sweep's folder keeps the places of the original files.
    var places = PathPlaces(file: file)
    do { found = try read(name) } catch {
      let problem = Problem(
        "E3420", at: "base", line: validator.lines["base"] ?? 0,
        "the scenario cannot be read: \(error.message)",
        hint: error.hint)
      return failed(problems + [problem], file)
    }
    if !places.isKept {
      places.set = places.file
      places.file = [PathPlaces.folder(of: found.path), ""]
    }
    var reader = TrialReader(
      infos: infos, base: found, places: places, baseLine: validator.lines["base"] ?? 0,
      seeds: resolved["seeds"],
      paths: draft.paths, rungs: halving?.rungs ?? [],
      rungsLine: validator.lines["prune.rungs"] ?? 0)
    reader.tune = tune
    let trials = reader.read(points)
    problems += reader.problems
    guard !problems.contains(where: { $0.severity == .error }) else {
      return failed(problems, file)
    }
    return SweepReading(
      file: file, problems: problems,
      sweep: Sweep(
        name: resolved["name"]?.text ?? "sweep", bytes: bytes, base: found.path,
        baseBytes: found.bytes, places: places, paths: draft.paths, trials: trials,
        order: resolved["order"]?.text.flatMap(Sweep.Order.init(rawValue:)) ?? .seedMajor,
        halving: halving, front: front, tune: tune))
  }

  private func failed(_ problems: [Problem], _ file: String) -> SweepReading {
    let ordered = problems.enumerated().sorted { a, b in
      let x = (a.element.severity == .error ? 0 : 1, a.element.line, a.offset)
      return x < (b.element.severity == .error ? 0 : 1, b.element.line, b.offset)
    }
    return SweepReading(file: file, problems: ordered.map(\.element), sweep: nil)
  }
}
