import Testing

/// A wrong scenario and what must be said of it.
struct WrongScenario: CustomTestStringConvertible, Sendable {
  let text: String
  let code: String
  let path: String
  let line: Int
  let suggestion: String?

  init(_ code: String, _ path: String, _ line: Int, _ text: String, suggest: String? = nil) {
    self.code = code
    self.path = path
    self.line = line
    self.text = text
    suggestion = suggest
  }

  var testDescription: String { "\(code) at \(path)" }
}

private func top(_ text: String) -> String { scenario(top: text) }
private func data(_ text: String) -> String { scenario(data: text) }
private func set(_ dataset: String) -> String {
  "{\"fedsim\": 1, \"data\": {\n\"dataset\": \(dataset)},\n\"strategies\": [{\"kind\": \"fedavg\"}]}"
}
private func methods(_ text: String) -> String { scenario(strategies: text) }

/// Files that are no scenarios at all.
let wrongFiles: [WrongScenario] = [
  .init("E3001", "$", 1, ""), .init("E3001", "$", 1, "{"),
  .init("E3001", "$", 2, "{\n\"fedsim\": 01}"),
  .init("E3001", "$", 1, "{\"fedsim\": 1, \"fedsim\": 1}"),
  .init("E3001", "$", 1, "{\"fedsim\": NaN}"),
  .init("E3001", "$", 1, String(repeating: "[", count: 100_000)), .init("E3002", "$", 1, "[1, 2]"),
  .init("E3002", "$", 1, "null"), .init("E3104", "$.fedsim", 1, "{}"),
  .init("E3104", "$.data", 1, "{\"fedsim\": 1}"),
  .init("E3104", "$.strategies", 1, "{\"fedsim\": 1}"),
  .init("E3104", "$.data.dataset", 1, "{\"fedsim\": 1, \"data\": {}}"),
  .init("E3003", "$.fedsim", 1, "{\"fedsim\": 2}"),
  .init("E3102", "$.fedsim", 1, "{\"fedsim\": \"1\"}", suggest: "1"),
]

/// Wrong names of fields and kinds.
let wrongNames: [WrongScenario] = [
  .init("E3101", "$.federaton", 6, top("\"federaton\": {}"), suggest: "\"federation\""),
  .init("E3101", "$.strategy", 6, top("\"strategy\": {}"), suggest: "\"strategies\""),
  .init("E3101", "$.seed", 6, top("\"seed\": 1"), suggest: "\"seeds\""),
  .init("E3101", "$.zebra", 6, top("\"zebra\": 1")),
  .init("E3101", "$.num_clients", 6, top("\"num_clients\": 1"), suggest: "\"federation.clients\""),
  .init(
    "E3101", "$.federation.frac", 6, top("\"federation\": {\"frac\": 0.1}"),
    suggest: "\"participation\""),
  .init(
    "E3101", "$.federation.Rounds", 6, top("\"federation\": {\"Rounds\": 5}"), suggest: "\"rounds\""
  ),
  .init(
    "E3101", "$.client.lr", 6, top("\"client\": {\"lr\": 0.1}"),
    suggest: "\"client.optimizer.learningRate\""),
  .init(
    "E3101", "$.client.optimizer.lr", 7, top("\"client\": {\n\"optimizer\": {\"lr\": 1}}"),
    suggest: "\"learningRate\""),
  .init(
    "E3101", "$.client.batch_size", 6, top("\"client\": {\"batch_size\": 8}"),
    suggest: "\"batch\""),
  .init("E3101", "$.data.partiton", 4, data("\"partiton\": {}"), suggest: "\"partition\""),
  .init(
    "E3101", "$.data.partition.beta", 4,
    data("\"partition\": {\"kind\": \"dirichlet\", \"alpha\": 1, \"beta\": 1}"),
    suggest: "\"alpha\""),
  .init(
    "E3101", "$.strategies[0].mu", 5, methods("[{\"kind\": \"fedprox\", \"mu\": 1}]"),
    suggest: "\"proximalWeight\""),
  .init(
    "E3111", "$.strategies[0].proximalWeight", 5,
    methods("[{\"kind\": \"fedavg\", \"proximalWeight\": 1}]")),
  .init(
    "E3111", "$.data.partition.alpha", 4, data("\"partition\": {\"kind\": \"iid\", \"alpha\": 1}")),
  .init("E3111", "$.model.hidden", 6, top("\"model\": {\"kind\": \"cnn\", \"hidden\": [1]}")),
  .init(
    "E3105", "$.strategies[0].kind", 5, methods("[{\"kind\": \"fedprx\"}]"),
    suggest: "\"fedprox\""),
  .init(
    "E3105", "$.data.dataset.kind", 2, set("{\"kind\": \"cifar-10\", \"path\": \"x\"}"),
    suggest: "\"cifar10\""),
  .init("E3105", "$.model.kind", 6, top("\"model\": {\"kind\": \"transducer\"}")),
  .init(
    "E3105", "$.model.norm.kind", 6, top("\"model\": {\"norm\": \"bn\"}"), suggest: "\"batch\""),
  .init(
    "E3105", "$.federation.weighting", 6, top("\"federation\": {\"weighting\": \"sample\"}"),
    suggest: "\"samples\""),
  .init(
    "E3105", "$.data.augment[0]", 4, data("\"augment\": [\"pad-crop-4\"]"), suggest: "\"crop4\""),
  .init("E3005", "$.extends", 6, top("\"extends\": \"base.json\"")),
  .init("E3005", "$.preset", 6, top("\"preset\": \"x\"")),
  .init("E3006", "$.compare", 6, top("\"compare\": {}")),
  .init("E3006", "$.compare", 6, top("\"compare\": null")),
]

/// Values of a wrong type, or out of range.
let wrongValues: [WrongScenario] = [
  .init(
    "E3112", "$.data.longTail.factor", 4,
    data("\"longTail\": {\"profile\": \"exponential\", \"factor\": 0.01}"), suggest: "100"),
  .init("E3103", "$.data.longTail.factor", 4, data("\"longTail\": {\"factor\": -5}")),
  .init("E3104", "$.data.longTail.factor", 4, data("\"longTail\": {\"profile\": \"step\"}")),
  .init("E3103", "$.federation.clients", 6, top("\"federation\": {\"clients\": 1e300}")),
  .init("E3103", "$.federation.clients", 6, top("\"federation\": {\"clients\": 1e999}")),
  .init("E3103", "$.federation.clients", 6, top("\"federation\": {\"clients\": -3}")),
  .init("E3103", "$.federation.clients", 6, top("\"federation\": {\"clients\": 0}")),
  .init(
    "E3107", "$.federation.clients", 6, top("\"federation\": {\"clients\": 10.5}"), suggest: "11"),
  .init(
    "E3102", "$.federation.clients", 6, top("\"federation\": {\"clients\": \"20\"}"),
    suggest: "20"),
  .init("E3102", "$.federation.rounds", 6, top("\"federation\": {\"rounds\": null}")),
  .init("E3102", "$.federation", 6, top("\"federation\": 3")),
  .init("E3103", "$.federation.participation", 6, top("\"federation\": {\"participation\": 0}")),
  .init("E3103", "$.federation.participation", 6, top("\"federation\": {\"participation\": 40}")),
  .init(
    "E3106", "$.federation.perRound", 6,
    top("\"federation\": {\"participation\": 1, \"perRound\": 2}")),
  .init(
    "E3106", "$.client.work.steps", 6,
    top("\"client\": {\"work\": {\"epochs\": 1, \"steps\": 2}}")),
  .init("E3103", "$.client.batch", 6, top("\"client\": {\"batch\": 99999999999999999999}")),
  .init(
    "E3103", "$.client.optimizer.momentum", 6, top("\"client\": {\"optimizer\": {\"momentum\": 1}}")
  ),
  .init(
    "E3102", "$.client.optimizer.nesterov", 6,
    top("\"client\": {\"optimizer\": {\"nesterov\": 1}}"), suggest: "true"),
  .init("E3108", "$.seeds", 6, top("\"seeds\": []")),
  .init(
    "E3103", "$.evaluation.targets.generic[1]", 6,
    top("\"evaluation\": {\"targets\": {\"generic\": [0.5, 50]}}")),
  .init(
    "E3109", "$.evaluation.targets.personal[1]", 6,
    top("\"evaluation\": {\"targets\": {\"personal\": [0.5, 0.5]}}")),
  .init(
    "E3102", "$.evaluation.targets.generic", 6,
    top("\"evaluation\": {\"targets\": {\"generic\": 0.5}}"), suggest: "[0.5]"),
  .init("E3109", "$.seeds[2]", 6, top("\"seeds\": [1, 2, 1]")),
  .init("E3103", "$.seeds[0]", 6, top("\"seeds\": [-1]")),
  .init("E3103", "$.seeds[0]", 6, top("\"seeds\": [9007199254740993]")),
  .init("E3102", "$.seeds", 6, top("\"seeds\": 3"), suggest: "[3]"),
  .init("E3110", "$.name", 6, top("\"name\": \"../up\"")),
  .init("E3110", "$.name", 6, top("\"name\": \"\"")),
  .init(
    "E3113", "$.strategies", 5, methods("{\"kind\": \"fedavg\"}"),
    suggest: "[ {\"kind\":\"fedavg\"} ]"),
  .init("E3113", "$.strategies", 5, methods("\"fedavg\""), suggest: "[ { \"kind\": \"fedavg\" } ]"),
  .init("E3108", "$.strategies", 5, methods("[]")),
  .init(
    "E3102", "$.strategies[0]", 5, methods("[\"fedprox\"]"), suggest: "{ \"kind\": \"fedprox\" }"),
  .init("E3104", "$.strategies[0].kind", 5, methods("[{}]")),
  .init(
    "E3102", "$.data.partition", 4, data("\"partition\": \"iid\""), suggest: "{ \"kind\": \"iid\" }"
  ), .init("E3104", "$.data.partition.alpha", 4, data("\"partition\": {\"kind\": \"dirichlet\"}")),
  .init(
    "E3102", "$.data.augment", 4, data("\"augment\": \"crop+flip\""),
    suggest: "[\"crop4\", \"flip\"]"),
  .init("E3110", "$.data.dataset.path", 2, set("{\"kind\": \"cifar10\", \"path\": \"\"}")),
  .init("E3104", "$.data.dataset.path", 2, set("{\"kind\": \"cifar10\"}")),
]

/// Values that are legal by themselves but not together.
let wrongTogether: [WrongScenario] = [
  .init(
    "E3201", "$.model.norm.groups", 6,
    top("\"model\": {\"width\": 30, \"norm\": {\"kind\": \"group\", \"groups\": 8}}"),
    suggest: "6"),
  .init(
    "E3230", "$.model.heads", 6, top("\"model\": {\"kind\": \"vit\", \"width\": 64, \"heads\": 6}"),
    suggest: "4"),
  .init(
    "E3231", "$.model.mlpRatio", 6,
    top("\"model\": {\"kind\": \"vit\", \"width\": 3, \"mlpRatio\": 0.25}")),
  .init(
    "E3202", "$.federation.perRound", 6, top("\"federation\": {\"clients\": 5, \"perRound\": 9}"),
    suggest: "5"),
  .init(
    "E3203", "$.strategies[1].label", 5,
    methods(
      "[{\"kind\": \"fedavg\", \"label\": \"a\"}, {\"kind\": \"fedavg\", \"label\": \"A\"}]")),
  .init("E3204", "$.data.partition.kind", 4, data("\"partition\": {\"kind\": \"natural\"}")),
  .init(
    "E3205", "$.data.longTail.counts", 4,
    data("\"longTail\": {\"profile\": \"explicit\", \"counts\": [3, 2, 1]}")),
  .init("E3205", "$.data.longTail.factor", 4, data("\"longTail\": {\"factor\": 100000}")),
  .init("E3206", "$.federation.clients", 6, top("\"federation\": {\"clients\": 1000000}")),
  .init(
    "E3206", "$.data.partition.minPerClient", 4,
    data("\"partition\": {\"kind\": \"dirichlet-cut\", \"alpha\": 1, \"minPerClient\": 900}")),
  .init(
    "E3206", "$.data.partition.perClient", 4,
    data("\"partition\": {\"kind\": \"shards\", \"perClient\": 99999}")),
  .init(
    "E3207", "$.client.optimizer.nesterov", 6,
    top("\"client\": {\"optimizer\": {\"momentum\": 0, \"nesterov\": true}}")),
  .init("E3208", "$.model.dropout", 6, top("\"model\": {\"kind\": \"cnn\", \"dropout\": [0.1]}")),
  .init(
    "E3208", "$.model.dropout", 6,
    top("\"model\": {\"kind\": \"mlp\", \"hidden\": [9, 9], \"dropout\": [0.1]}")),
  .init(
    "E3209", "$.data.dataset", 2,
    set("{\"kind\": \"synthetic\", \"classes\": 1000, \"trainPerClass\": 1000000}")),
]
