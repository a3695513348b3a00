private typealias Text = ScenarioText

private func federation(_ text: String) -> String { Text.tiny(federation: text) }
private func client(_ text: String) -> String { Text.tiny(client: "{ \(text) }") }
private func optimizer(_ text: String) -> String { client("\"optimizer\": { \(text) }") }
private func data(_ text: String) -> String { Text.tiny(data: ", " + text) }
private func set(_ text: String) -> String { Text.tiny(dataset: "{ \(text) }") }
private func model(_ text: String) -> String { Text.tiny(model: "{ \(text) }") }
private func methods(_ text: String) -> String { Text.tiny(strategies: "[ \(text) ]") }

/// Mistakes that the scenario alone betrays, so that `validate` finds them, too.
let wrongScenarios: [WrongInput] = [
  .init("an empty file", 3, ["s.json", "not valid JSON"], ""),
  .init("white space", 3, ["not valid JSON"], " \n\n "),
  .init("cut JSON", 3, ["line 4", "not valid JSON"], String(Text.tiny().prefix(200))),
  .init("a comma too many", 3, ["not valid JSON"], "{ \"fedsim\": 1, }"),
  .init("a key twice", 3, ["not valid JSON", "fedsim"], "{ \"fedsim\": 1, \"fedsim\": 1 }"),
  .init("NaN", 3, ["not valid JSON"], "{ \"fedsim\": NaN }"),
  .init("deep nesting", 3, ["not valid JSON"], String(repeating: "[", count: 200_000)),
  .init("bytes that are no text", 3, ["s.json"], "\u{0}\u{1}\u{2}"),
  .init("a list", 3, ["$", "expected a JSON object"], "[]"),
  .init("a number", 3, ["$", "expected a JSON object"], "1e400"),
  .init("nothing required", 3, ["$.fedsim", "$.data", "$.strategies"], "{}"),
  .init(
    "another format version", 3, ["$.fedsim", "2"],
    Text.tiny().replacing("\"fedsim\": 1", with: "\"fedsim\": 2")),
  .init("a near miss", 3, ["$.seedz", "\"seeds\""], Text.tiny(top: "\"seedz\": 1,")),
  .init("a key of PyTorch", 3, ["$.client.lr", "learningRate"], client("\"lr\": 0.1")),
  .init(
    "a key of other simulators", 3, ["$.federation.num_clients", "\"clients\""],
    federation("\"num_clients\": 4")),
  .init(
    "a misspelt key", 3, ["$.client.optimizer.momentun", "\"momentum\""],
    optimizer("\"kind\": \"sgd\", \"momentun\": 0.5")),
  .init(
    "an unknown strategy", 3, ["$.strategies[0].kind", "\"fedprox\""],
    methods(#"{ "kind": "fedprx" }"#)),
  .init(
    "a strategy nobody knows", 3, ["$.strategies[0].kind", "\"centralised\""],
    methods(#"{ "kind": "magic" }"#)),
  .init("no strategies", 3, ["$.strategies", "0 elements"], methods("")),
  .init("a strategy that is a number", 3, ["$.strategies[0]"], methods("3")),
  .init(
    "a field of another kind", 3, ["$.strategies[0].proximalWeight", "fedprox"],
    methods(#"{ "kind": "fedavg", "proximalWeight": 1 }"#)),
  .init(
    "labels twice", 3, ["$.strategies[1].label", "already has this label"],
    methods(#"{ "kind": "fedavg", "label": "A" }, { "kind": "fedper", "label": "a" }"#)),
  .init(
    "a label that is a path", 3, ["$.strategies[0].label"],
    methods(#"{ "kind": "fedavg", "label": "../../x" }"#)),
  .init(
    "scaffold with adam", 3, ["$.client.optimizer.kind", "scaffold", "\"sgd\""],
    Text.tiny(
      client: #"{ "batch": 10, "optimizer": { "kind": "adam", "learningRate": 0.01 } }"#,
      strategies: #"[ { "kind": "fedavg" }, { "kind": "scaffold" } ]"#)),
  .init("clients as text", 3, ["$.federation.clients", "4"], federation("\"clients\": \"4\"")),
  .init("half a client", 3, ["$.federation.clients", "2.5"], federation("\"clients\": 2.5")),
  .init("negative clients", 3, ["$.federation.clients", "-1"], federation("\"clients\": -1")),
  .init("no clients", 3, ["$.federation.clients", "0"], federation("\"clients\": 0")),
  .init(
    "10^18 clients", 3, ["$.federation.clients"], federation("\"clients\": 1000000000000000000")),
  .init("1e300 rounds", 3, ["$.federation.rounds"], federation("\"rounds\": 1e300")),
  .init("negative rounds", 3, ["$.federation.rounds", "-5"], federation("\"rounds\": -5")),
  .init(
    "a million clients with ten images", 3, ["$.federation.clients", "10 training images"],
    Text.tiny(
      dataset: #"{ "kind": "synthetic", "trainPerClass": 1, "testPerClass": 1 }"#,
      federation: "\"clients\": 1000000")),
  .init(
    "participation in per cent", 3, ["$.federation.participation", "40"],
    federation("\"clients\": 4, \"participation\": 40")),
  .init(
    "no participation", 3, ["$.federation.participation"],
    federation("\"clients\": 4, \"participation\": 0")),
  .init(
    "a cohort above all clients", 3, ["$.federation.perRound", "only 4 clients"],
    federation("\"clients\": 4, \"perRound\": 5")),
  .init(
    "an inverse imbalance factor", 3, ["$.data.longTail.factor", "did you mean 100 ?"],
    data(#""longTail": { "factor": 0.01 }"#)),
  .init(
    "a factor above the class size", 3, ["$.data.longTail.factor", "20"],
    data(#""longTail": { "factor": 1000 }"#)),
  .init(
    "class sizes for other classes", 3, ["$.data.longTail.counts", "10 classes"],
    data(#""longTail": { "profile": "explicit", "counts": [5, 4, 3] }"#)),
  .init(
    "a long tail without images", 3, ["$.data.longTail.counts", "no training image"],
    data(#""longTail": { "profile": "explicit", "counts": [0,0,0,0,0,0,0,0,0,0] }"#)),
  .init(
    "alpha 0", 3, ["$.data.partition.alpha", "> 0"],
    data(#""partition": { "kind": "dirichlet", "alpha": 0 }"#)),
  .init(
    "no alpha", 3, ["$.data.partition.alpha", "required"],
    data(#""partition": { "kind": "dirichlet" }"#)),
  .init(
    "a partition by another name", 3, ["$.data.partition.kind", "\"shards\""],
    data(#""partition": { "kind": "pathological" }"#)),
  .init(
    "natural clients of synthetic data", 3, ["$.data.partition.kind", "leaf"],
    data(#""partition": { "kind": "natural" }"#)),
  .init(
    "a minimum nobody can meet", 3, ["$.data.partition.minPerClient", "at most 50"],
    data(#""partition": { "kind": "dirichlet", "alpha": 1, "minPerClient": 51 }"#)),
  .init(
    "too many shards", 3, ["$.data.partition.perClient"],
    data(#""partition": { "kind": "shards", "perClient": 1000000 }"#)),
  .init(
    "more public images than there are", 3, ["$.data.public.size", "at most 196"],
    data(#""public": { "size": 197 }"#)),
  .init(
    "more styles per client than styles", 3, ["$.data.styles.perClient", "did you mean 1 ?"],
    data(#""styles": { "kinds": ["blur"], "perClient": 2 }"#)),
  .init(
    "pre-training on nothing", 3, ["$.model.pretrain", "\"images\"", "\"classes\""],
    model(#""kind": "cnn", "width": 4, "pretrain": { "epochs": 2 }"#)),
  .init(
    "shares that do not add up", 3, ["$.clientModels", "0.9"],
    Text.tiny(top: #""clientModels": [{ "share": 0.5 }, { "share": 0.4 }],"#)),
  .init(
    "clients of equal size that do not fit", 3, ["$.data.partition.perClient", "at most 50"],
    data(#""partition": { "kind": "dirichlet-prior", "alpha": 1, "perClient": 51 }"#)),
  .init("one class", 3, ["$.data.dataset.classes"], set(#""kind": "synthetic", "classes": 1"#)),
  .init(
    "no test image", 3, ["$.data.dataset.testPerClass", "0"],
    set(#""kind": "synthetic", "testPerClass": 0"#)),
  .init(
    "more pixels than memory", 3, ["$.data.dataset", "GiB"],
    set(#""kind": "synthetic", "classes": 1000, "trainPerClass": 1000000"#)),
  .init("no path", 3, ["$.data.dataset.path", "required"], set(#""kind": "cifar10""#)),
  .init("an empty path", 3, ["$.data.dataset.path"], set(#""kind": "cifar10", "path": """#)),
  .init(
    "another name of a data set", 3, ["$.data.dataset.kind", "\"cifar10\""],
    set(#""kind": "cifar-10", "path": "x""#)),
  .init("momentum 1", 3, ["$.client.optimizer.momentum", "1"], optimizer("\"momentum\": 1")),
  .init("momentum -1", 3, ["$.client.optimizer.momentum"], optimizer("\"momentum\": -0.9")),
  .init(
    "a negative rate", 3, ["$.client.optimizer.learningRate", "> 0"],
    optimizer("\"learningRate\": -0.1")),
  .init(
    "a rate of 1e300", 3, ["$.client.optimizer.learningRate"],
    optimizer("\"learningRate\": 1e300")),
  .init(
    "Nesterov without momentum", 3, ["$.client.optimizer.nesterov", "momentum > 0"],
    optimizer("\"nesterov\": true, \"momentum\": 0")),
  .init("batch 0", 3, ["$.client.batch", "0"], client("\"batch\": 0")),
  .init("batch 10^18", 3, ["$.client.batch"], client("\"batch\": 1000000000000000000")),
  .init("work of no epochs", 3, ["$.client.work"], client(#""work": { "epochs": 0 }"#)),
  .init("work in two units", 3, ["$.client.work"], client(#""work": { "epochs": 1, "steps": 2 }"#)),
  .init(
    "groups that do not divide", 3, ["$.model.norm.groups", "did you mean"],
    model(#""kind": "resnet8", "width": 12, "norm": { "kind": "group", "groups": 8 }"#)),
  .init(
    "width 10^18", 3, ["$.model.width"], model(#""kind": "cnn", "width": 1000000000000000000"#)),
  .init("an unknown model", 3, ["$.model.kind", "\"resnet18\""], model(#""kind": "resnet-18""#)),
  .init(
    "a hidden size of text", 3, ["$.model.hidden[0]"], model(#""kind": "mlp", "hidden": ["x"]"#)),
  .init(
    "rates for other layers", 3, ["$.model.dropout"],
    model(#""kind": "cnn", "width": 4, "dropout": [0.1]"#)),
  .init("the same seed twice", 3, ["$.seeds[1]"], Text.tiny().replacing("[1]", with: "[1, 1]")),
  .init("a negative seed", 3, ["$.seeds[0]", "-1"], Text.tiny().replacing("[1]", with: "[-1]")),
  .init("no seeds", 3, ["$.seeds"], Text.tiny().replacing("[1]", with: "[]")),
]
