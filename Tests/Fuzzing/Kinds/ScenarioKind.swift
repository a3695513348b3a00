import Aggregation
import Base
import Scenario
import Studies

/// Scenarios made from the program's tables, then made wrong.
enum ScenarioKind {
  static let root = ScenarioFields.root(infos: StrategyRegistry.infos)

  static func make(seed: UInt64, number: Int) -> FuzzCase {
    var tried = FuzzCase(.scenarios, seed: seed, number: number)
    var values = FieldValues(dice: tried.dice, reach: .wide)
    var json = JSON.object(values.members(of: root, 0))
    json["fedsim"] = 1
    var dice = values.dice
    // Half of them start from something that is nearly right.
    if dice.chance(0.5) { json = RunKind.scenario(&dice, changes: 4) }
    for _ in 0..<dice.below(4) { json = JSONMutation.changed(json, &dice) }
    var text = Array(json.pretty.utf8)
    if dice.chance(0.25) { text = JSONMutation.broken(text, &dice) }
    tried.files = [InputFile("s.json", text)]
    tried.links = [FuzzCase.Link("zero", to: "/dev/zero")]
    let format = dice.chance(0.5) ? ["--format", "json"] : []
    tried.steps = [Step(["validate", "s.json"] + format)]
    return tried
  }
}

/// Sweep files made from their table, some of them made wrong.
enum SweepKind {
  private static let values: [(String, [JSON])] = [
    ("client.optimizer.learningRate", [0.01, 0.1, 1e-300, .null, 0, "x"]),
    ("client.batch", [4, 8, 1_000_000, 0]), ("federation.rounds", [1, 2, 0]),
    ("model.hidden", [[4], [2, 3], []]), ("strategies", [[["kind": "fedper"]], []]),
    ("privacy", [["unit": "client", "noiseMultiplier": 1], .null]),
    ("compression.uplink", ["sign", ["kind": "topk", "ratio": 0.1], .null]),
    ("seeds", [[1], [1, 2]]), ("nothing.there", [1]), ("strategies[0].kind", ["scaffold"]),
  ]

  static func make(seed: UInt64, number: Int) -> FuzzCase {
    var tried = FuzzCase(.sweeps, seed: seed, number: number)
    var dice = tried.dice
    var json: JSON = ["fedsim": 1, "kind": "sweep", "base": "small.json", "seeds": [1]]
    let isWild = dice.chance(0.5)
    if isWild {
      var fields = FieldValues(dice: dice, reach: .wide)
      json = .object(fields.members(of: SweepFields.root, 0))
      dice = fields.dice
      if dice.chance(0.9) { json["base"] = "small.json" }
    }
    // Mostly values that run: two or three of a path.
    let count = 1 + dice.below(2)
    let chosen = dice.shuffled(Self.values).prefix(count).map { path, values in
      (path, JSON.array(Array(values.prefix(isWild ? values.count : 2))))
    }
    if dice.chance(0.7) {
      json["grid"] = .object(chosen)
    } else {
      json["random"] = [
        "trials": 3,
        "client.optimizer.learningRate": dice.pick([
          ["log": [0.001, 1]], ["uniform": [1e-300, 1e6]], ["choice": [0.1, 0.01]],
          ["integers": [1, 3]],
        ]),
      ]
    }
    if dice.chance(0.4) {
      json["prune"] = ["kind": "halving", "rungs": dice.pick([[1], [1, 2], [5]]), "factor": 2]
    }
    if isWild { for _ in 0..<dice.below(4) { json = JSONMutation.changed(json, &dice) } }
    var text = Array(json.pretty.utf8)
    if isWild, dice.chance(0.1) { text = JSONMutation.broken(text, &dice) }
    tried.files = [InputFile("w.json", text), InputFile("small.json", Samples.small)]
    let format = dice.chance(0.5) ? ["--format", "json"] : []
    tried.steps = [Step(["sweep", "w.json", "--print"] + format)]
    if !isWild {
      let run = ["sweep", "w.json", "--out", "o", "--threads", "1"]
      tried.steps += [Step(run + format), Step(["sweep", "o", "--threads", "1", "--quiet"])]
    }
    return tried
  }
}
