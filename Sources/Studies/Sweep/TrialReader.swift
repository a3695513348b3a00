import Aggregation
import Base
import Federation
import Scenario

/// Makes trials of points: reads each one's scenario and collects what is wrong with any of them.
struct TrialReader {
  let infos: [MethodInfo]
  let base: (path: String, bytes: [UInt8])
  /// Where the scenario's paths are looked for, and the sweep file's own.
  let pathPlaces: PathPlaces
  /// The line of the sweep file that names the scenario.
  let baseLine: Int
  /// Seeds in place of the scenario's.
  let seeds: JSON?
  let paths: [String]
  let rungs: [Int]
  let rungsLine: Int
  /// How trials are chosen for strategies; nil for not at all.
  var tune: TuneSettings?
  /// One problem for all trials that have it.
  private var found: [(problem: Problem, trials: [Int])] = []
  private var places: [String: Int] = [:]
  private var total = 0

  init(
    infos: [MethodInfo], base: (path: String, bytes: [UInt8]), places: PathPlaces, baseLine: Int,
    seeds: JSON?, paths: [String], rungs: [Int], rungsLine: Int
  ) {
    self.infos = infos
    self.base = base
    pathPlaces = places
    self.baseLine = baseLine
    self.seeds = seeds
    self.paths = paths
    self.rungs = rungs
    self.rungsLine = rungsLine
  }

  /// The trials of all points whose scenarios are valid; a point whose scenario an earlier one has
  /// already is left out, with a warning.
  mutating func read(_ points: [SweepPoint]) -> [SweepTrial] {
    total = points.count
    let reader = ScenarioReader(infos: infos)
    let tree = tune == nil ? nil : try? JSON(parsing: base.bytes)
    var trials: [SweepTrial] = []
    var known: [String: Int] = [:]
    for (index, point) in points.enumerated() {
      let number = index + 1
      let own = point.overrides + (tune?.overrides(point, base: tree ?? .null) ?? [])
      let overrides = own + (seeds.map { ["seeds=\($0.compact)"] } ?? [])
      let reading = reader.read(
        bytes: base.bytes, file: base.path, overrides: overrides, places: pathPlaces)
      for problem in reading.problems { note(placed(problem, point), number) }
      guard let scenario = reading.scenario, let resolved = reading.resolved,
        let hash = reading.hash
      else { continue }
      if let rung = rungs.last, rung > scenario.federation.rounds {
        note(
          Problem(
            "E3426", at: "prune.rungs", line: rungsLine,
            "rung \(rung) is beyond the \(scenario.federation.rounds) rounds",
            hint: "the last rung may be the last round, or an earlier one"), number)
      }
      if let first = known[hash] {
        note(
          Problem(
            "W3090", .warning, at: "", line: point.settings.first?.line ?? 0,
            "the scenario of trial \(first) again; it is run once, as that trial"), number)
        continue
      }
      known[hash] = number
      trials.append(
        SweepTrial(
          number: number, overrides: own, scenario: scenario, resolved: resolved,
          values: paths.map { Overrides.value(at: $0, in: resolved) },
          runs: scenario.seeds.map { Self.run(number, $0, resolved) }))
    }
    return trials
  }

  /// Every problem once, with the trials that have it.
  var problems: [Problem] {
    found.map { problem, trials in
      guard trials.count < total else { return problem }
      let shown = trials.prefix(8).map(String.init).joined(separator: ", ")
      let rest = trials.count > 8 ? " and \(trials.count - 8) more" : ""
      return problem.rewritten(
        line: problem.line,
        message: problem.message + " (trial\(trials.count == 1 ? "" : "s") \(shown)\(rest))")
    }
  }

  private static func run(_ trial: Int, _ seed: UInt64, _ resolved: JSON) -> SweepRun {
    var own = resolved
    own["seeds"] = .array([JSON(.number("\(seed)"))])
    return SweepRun(trial: trial, seed: seed, hash: ScenarioReading.hash(ofResolved: own))
  }

  private mutating func note(_ problem: Problem, _ trial: Int) {
    let key = "\(problem.code) \(problem.path) \(problem.line) \(problem.message)"
    if let place = places[key] {
      found[place].trials.append(trial)
    } else if found.count < 1000 {
      places[key] = found.count
      found.append((problem, [trial]))
    }
  }

  /// The problem where the sweep file causes it: at the line of the value, or of `base` for what
  /// stands in the scenario itself.
  private func placed(_ problem: Problem, _ point: SweepPoint) -> Problem {
    guard problem.isOverride else {
      let place = problem.line > 0 ? ":\(problem.line)" : ""
      return problem.rewritten(line: baseLine, message: "\(base.path)\(place): \(problem.message)")
    }
    let path = Overrides.plain(problem.path) ?? ""
    let setting = point.settings.filter { setting in
      path == setting.path || Self.isInside(path, setting.path) || Self.isInside(setting.path, path)
    }.max { $0.path.count < $1.path.count }
    return problem.rewritten(
      line: setting?.line ?? point.settings.first?.line ?? 0, message: problem.message)
  }

  private static func isInside(_ path: String, _ section: String) -> Bool {
    path.hasPrefix(section + ".") || path.hasPrefix(section + "[")
  }
}

extension Problem {
  /// The same at another line of another file.
  fileprivate func rewritten(line: Int, message: String) -> Problem {
    Problem(
      code, severity, at: path == "$" ? "" : String(path.dropFirst(2)), line: line, message,
      allowed: allowed, suggestion: suggestion, hint: hint)
  }
}
