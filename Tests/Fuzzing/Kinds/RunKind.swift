import Aggregation
import Base
import Federation
import Scenario

/// Small valid scenarios: steps of a walk from a plain one, each of which leaves it valid.
enum RunKind {
  static func make(seed: UInt64, number: Int) -> FuzzCase {
    var tried = FuzzCase(.runs, seed: seed, number: number)
    var dice = tried.dice
    let json = scenario(&dice, changes: 4 + dice.below(12))
    tried.files = [InputFile("s.json", json.pretty)]
    tried.steps = steps(&dice)
    equip(&tried, json)
    return tried
  }

  /// What is done with a small valid scenario.
  static func steps(_ dice: inout Dice) -> [Step] {
    let format = dice.chance(0.3) ? ["--format", "json"] : ["--quiet"]
    let isStopped = dice.chance(0.3)
    let limit = isStopped ? ["--set", "limits.wallTime=1 us"] : []
    var steps = [
      Step("validate", "s.json"),
      Step(["run", "s.json", "--out", "o", "--threads", "1"] + limit + format),
    ]
    if dice.chance(0.3) { steps.insert(Step("plan", "s.json", "--probe", "0"), at: 1) }
    if isStopped {
      let lift = ["--set", "limits.wallTime=1 h"]
      steps.append(Step(["resume", "o", "--threads", "2", "--quiet"] + lift))
    }
    steps.append(Step(["report", "o"] + format.filter { $0 != "--quiet" }))
    steps.append(Step(["verify", "o", "--threads", dice.pick(["1", "3"])]))
    return steps
  }

  /// The files that a small scenario names.
  static func equip(_ tried: inout FuzzCase, _ json: JSON) {
    let text = json.compact
    if text.contains("\"npy\"") { tried.copies = [FuzzCase.Copy(.arrays, as: "d")] }
    // What depends on files cannot be seen by validate.
    tried.mustRunWhenValid = !text.contains("\"path\"")
  }

  /// A valid scenario of a tenth of a second.
  static func scenario(_ dice: inout Dice, changes: Int) -> JSON {
    var json = start(&dice)
    for _ in 0..<changes {
      var values = FieldValues(dice: dice, reach: .small)
      let field = values.dice.pick(ScenarioKind.root)
      let next = changed(json, field, &values)
      dice = values.dice
      if isValid(next) { json = next }
    }
    return json
  }

  static func isValid(_ json: JSON) -> Bool {
    ScenarioReader().read(bytes: Array(json.compact.utf8), file: "s.json").errors.isEmpty
  }

  /// Four methods of which each is short.
  private static func start(_ dice: inout Dice) -> JSON {
    let kind = dice.pick(StrategyRegistry.infos).kind
    var json = plain(dice.chance(0.5) ? synthetic : arrays)
    json["strategies"] = .array([Pairing.method(kind, &dice)])
    if !isValid(json) { json["data"]?["public"] = ["size": 8] }
    return isValid(json) ? json : plain(synthetic)
  }

  static let synthetic: JSON = [
    "kind": "synthetic", "classes": 4, "trainPerClass": 12, "testPerClass": 4,
  ]
  static let arrays: JSON = ["kind": "npy", "path": "d"]

  static func plain(_ data: JSON) -> JSON {
    [
      "fedsim": 1, "seeds": [1], "data": ["dataset": data],
      "federation": ["clients": 4, "rounds": 2], "model": ["kind": "mlp", "hidden": [4]],
      "client": ["batch": 8, "work": ["steps": 2]], "strategies": [["kind": "fedavg"]],
    ]
  }

  /// The scenario with another value for one field of one section.
  private static func changed(_ json: JSON, _ field: Field, _ values: inout FieldValues) -> JSON {
    var json = json
    switch field.name {
    case "fedsim", "name": return json
    case "seeds": json["seeds"] = values.dice.pick([[1], [0], [2, 3], [9_007_199_254_740_992]])
    case "strategies":
      let kind = values.dice.pick(StrategyRegistry.infos).kind
      var list = json["strategies"]?.elements ?? []
      let method = Pairing.method(kind, &values.dice)
      if list.count < 2, values.dice.chance(0.3) { list.append(method) } else { list = [method] }
      json["strategies"] = .array(list)
    default:
      if case .object(let fields) = field.type, values.dice.chance(0.85) {
        let inner = values.dice.pick(fields)
        if inner.name == "dataset" { return json }
        var section = json[field.name] ?? [:]
        if let excluded = inner.excludes { section[excluded] = nil }
        section[inner.name] = values.value(of: inner.type, name: inner.name, depth: 1)
        json[field.name] = section
      } else if field.name != "data" {
        json[field.name] = values.value(of: field.type, name: field.name)
      }
    }
    return json
  }
}
