import Base
import Records
import Scenario

/// What a sweep file has besides its table: points, pruning and front, with what only code can
/// check.
struct SweepDraft {
  /// The file with every default.
  let resolved: JSON
  /// Lines by path in the file.
  let lines: [String: Int]
  /// Whether the table found nothing wrong: only then is an empty sweep worth a word.
  var isWhole = true
  private(set) var problems: [Problem] = []
  /// The paths that trials set, each once, in the order of the file.
  private(set) var paths: [String] = []

  /// Every point: grid, list, random.
  mutating func points() -> [SweepPoint] {
    let grid = gridPoints()
    let list = listPoints()
    let random = randomPoints()
    let points = grid + list + random
    if points.isEmpty, problems.isEmpty, isWhole {
      report(
        "E3424", at: "grid", "no trial: neither grid nor list nor random says what to run",
        hint: "for example \"grid\": { \"client.optimizer.learningRate\": [0.01, 0.1] }")
    } else if points.count > SweepFields.mostTrials {
      reportTooMany("\(points.count)", at: "grid")
    }
    return points
  }

  private mutating func gridPoints() -> [SweepPoint] {
    var axes: [[SweepSetting]] = []
    var known: Set<String> = []
    for member in resolved["grid"]?.members ?? [] {
      let place = "grid.\(member.key)"
      guard let path = path(member.key, at: place, &known) else { continue }
      axes.append(
        (member.value.elements ?? []).enumerated().map { index, value in
          SweepSetting(path: path, value: value, line: lines["\(place)[\(index)]"] ?? 0)
        })
    }
    var count = 1
    for axis in axes {
      let (product, overflow) = count.multipliedReportingOverflow(by: axis.count)
      count = overflow ? .max : product
    }
    if count > SweepFields.mostTrials {
      reportTooMany(count == .max ? "more than 2^63" : "\(count)", at: "grid")
      return []
    }
    return SweepPoints.grid(axes)
  }

  private mutating func listPoints() -> [SweepPoint] {
    var points: [SweepPoint] = []
    for (index, entry) in (resolved["list"]?.elements ?? []).enumerated() {
      var known: Set<String> = []
      var point = SweepPoint(settings: [])
      for member in entry.members ?? [] {
        let place = "list[\(index)].\(member.key)"
        guard let path = path(member.key, at: place, &known) else { continue }
        point.settings.append(
          SweepSetting(path: path, value: member.value, line: lines[place] ?? 0))
      }
      points.append(point)
    }
    return points
  }

  private mutating func randomPoints() -> [SweepPoint] {
    guard let random = resolved["random"] else { return [] }
    var known: Set<String> = []
    var draws: [SweepPoints.Draw] = []
    for member in random.members ?? [] where member.key != "trials" && member.key != "seed" {
      let place = "random.\(member.key)"
      guard let path = path(member.key, at: place, &known),
        let distribution = distribution(member.value, at: place)
      else { continue }
      draws.append(
        SweepPoints.Draw(path: path, line: lines[place] ?? 0, distribution: distribution))
    }
    let trials = random["trials"]?.int ?? 0
    if draws.isEmpty, trials > 1, problems.isEmpty, isWhole {
      report(
        "E3424", at: "random", "\(trials) trials, but no path to draw a value for",
        hint: "for example \"client.optimizer.learningRate\": { \"log\": [0.01, 0.5] }")
    }
    return SweepPoints.random(draws, trials: trials, seed: UInt64(random["seed"]?.int ?? 1))
  }

  private mutating func distribution(_ json: JSON, at place: String) -> SweepPoints.Distribution? {
    let members = json.members ?? []
    guard members.count == 1, let member = members.first else {
      report(
        "E3425", at: place,
        "found \(members.isEmpty ? "no distribution" : "\(members.count) distributions")"
          + "; expected one of \"log\", \"uniform\", \"integers\", \"choice\"",
        hint: "for example { \"log\": [0.01, 0.5] }")
      return nil
    }
    let values = member.value.elements ?? []
    if member.key == "choice" { return .choice(values) }
    guard values.count == 2 else { return nil }  // reported by the table
    if member.key == "integers", let low = values[0].int, let high = values[1].int {
      if low <= high { return .integers(low, high) }
    } else if let low = values[0].double, let high = values[1].double {
      if member.key == "uniform", low < high { return .uniform(low, high) }
      if member.key == "log", low >= 1e-290, low < high { return .logarithmic(low, high) }
    }
    let rule =
      switch member.key {
      case "log": "0 < low < high"
      case "integers": "low <= high"
      default: "low < high"
      }
    report(
      "E3425", at: "\(place).\(member.key)",
      "found \(member.value.compact); expected [low, high] with \(rule)")
    return nil
  }

  // MARK: Paths

  /// The path in its one spelling; nil after a problem was reported.
  private mutating func path(_ text: String, at place: String, _ known: inout Set<String>)
    -> String?
  {
    guard let path = Overrides.plain(text) else {
      report(
        "E3421", at: place, "\"\(text.prefix(80))\" is no path of a scenario",
        hint: "for example client.optimizer.learningRate or strategies[0].proximalWeight")
      return nil
    }
    let first = path.prefix { $0 != "." && $0 != "[" }
    if first == "seeds" || first == "fedsim" {
      report(
        "E3422", at: place, "\"\(path)\" cannot differ between trials",
        hint: first == "seeds"
          ? "every trial runs under the same seeds: set \"seeds\" of the sweep, or of the scenario"
          : "leave it out")
      return nil
    }
    guard known.insert(path).inserted else {
      report("E3423", at: place, "\"\(path)\" is there twice, in another spelling")
      return nil
    }
    if !paths.contains(path) { paths.append(path) }
    return path
  }

  // MARK: Pruning and front

  /// How trials are stopped; nil for not at all.
  mutating func halving() -> Halving? {
    guard let prune = resolved["prune"] else { return nil }
    let rungs = (prune["rungs"]?.elements ?? []).compactMap(\.int)
    if zip(rungs, rungs.dropFirst()).contains(where: { $0 >= $1 }) {
      report(
        "E3426", at: "prune.rungs",
        "found \(JSON.array(rungs.map(JSON.int)).compact); expected ascending rounds",
        hint: "for example [20, 60, 200]")
    }
    let usual = TuneSettings.metrics[0]
    let name = prune["metric"]?.text ?? ""
    if resolved["tune"] != nil, !name.hasPrefix("validation.") {
      report(
        "E3431", at: "prune.metric",
        "found \"\(name)\"; a sweep that tunes stops no trial by its test images",
        suggestion: "\"\(usual)\"")
      return nil
    }
    guard let metric = metric(name, at: "prune.metric") else { return nil }
    if metric.name == "time.wall" {
      report(
        "E3427", at: "prune.metric",
        "\"time.wall\" differs from run to run, so that nobody could repeat what it decides",
        hint: "a metric of the models, such as generic.accuracy, or of the clock: time.virtual")
    }
    let keep = prune["keep"]?.double ?? prune["factor"]?.double.map { 1 / $0 } ?? 1.0 / 3
    return Halving(metric: metric, rungs: rungs, keep: keep)
  }

  /// How trials are chosen for strategies; nil for not at all.
  mutating func tune() -> TuneSettings? {
    guard let tune = resolved["tune"] else { return nil }
    for path in paths where !TuneSettings.isOfStrategy(path) {
      report(
        "E3432", at: "grid", "\"\(path)\" cannot be chosen for one strategy alone",
        hint: "paths inside client, or inside strategies[i], are a strategy's own")
    }
    return TuneSettings(
      metric: tune["by"]?.text.flatMap(ComparisonMetric.init),
      validation: tune["validation"]?.double ?? 0.2)
  }

  /// The objectives and the reference.
  mutating func front() -> FrontSettings {
    var settings = FrontSettings()
    let front = resolved["front"]
    func names(_ key: String) -> [String] { front?[key]?.elements?.compactMap(\.text) ?? [] }
    for (index, name) in names("maximise").enumerated() {
      if let metric = metric(name, at: "front.maximise[\(index)]") {
        settings.maximise.append(metric)
      }
    }
    for (index, name) in names("minimise").enumerated() {
      guard let metric = metric(name, at: "front.minimise[\(index)]") else { continue }
      if settings.maximise.contains(where: { $0.name == metric.name }) {
        report(
          "E3428", at: "front.minimise[\(index)]",
          "\"\(name)\" cannot be both maximised and minimised")
      }
      settings.minimise.append(metric)
    }
    for member in front?["reference"]?.members ?? [] {
      if let metric = metric(member.key, at: "front.reference.\(member.key)") {
        settings.reference[metric.name] = member.value.double
      }
    }
    return settings
  }

  private mutating func metric(_ name: String, at place: String) -> ComparisonMetric? {
    // The front speaks of one epsilon: the largest of all clients.
    let full = name == "privacy.epsilon" ? "privacy.epsilon.max" : name
    if let metric = ComparisonMetric(full) { return metric }
    let near = Suggestions.nearest(name, among: ComparisonMetric.names)
    report(
      "E3427", at: place, "\"\(name)\" is no metric", suggestion: near.map { "\"\($0)\"" },
      hint: "a path as in summary.json, such as generic.accuracy, bytes.up or privacy.epsilon")
    return nil
  }

  // MARK: Problems

  private mutating func reportTooMany(_ count: String, at place: String) {
    report(
      "E3429", at: place, "found \(count) trials; expected at most \(SweepFields.mostTrials)",
      hint: "leave out values, or draw some at random")
  }

  private mutating func report(
    _ code: String, at place: String, _ message: String, suggestion: String? = nil,
    hint: String? = nil
  ) {
    problems.append(
      Problem(code, at: place, line: lines[place] ?? 0, message, suggestion: suggestion, hint: hint)
    )
  }
}
