import Aggregation
import Federation
import Scenario

/// Cards of four methods, enough to exercise every kind of field.
let sampleInfos: [MethodInfo] = [
  info("fedavg"),
  info(
    "fedprox",
    [
      Hyperparameter(
        "proximalWeight", "μ", in: 0...1e6, default: 0.01, "Weight of the proximal term.",
        degenerate: (0, "fedavg")
      ).info
    ]), info("scaffold"),
  info(
    "controlled",
    [
      Hyperparameter("option", "-", default: Option.second, "Variant.").info,
      Hyperparameter("warm", "-", default: false, "Warm start.").info,
      Hyperparameter("memory", "m", in: 1...10, default: 3, "Length.").info,
    ]),
]

private enum Option: String, CaseIterable, Sendable {
  case first = "I"
  case second = "II"
}

private func info(_ kind: String, _ fields: [AnyHyperparameter] = []) -> MethodInfo {
  MethodInfo(
    kind: kind, title: kind, summary: "For tests.", source: "-", equations: [], messages: [],
    memory: "-", fields: fields)
}

/// Reads a text with the sample methods.
func read(_ text: String, file: String = "s.json", set: [String] = []) -> ScenarioReading {
  ScenarioReader(infos: sampleInfos).read(bytes: Array(text.utf8), file: file, overrides: set)
}

/// The smallest scenario, with extra members on lines of their own: `data` is on line 3, additions
/// inside it on line 4, strategies on line 5, and additions to the top level from line 6 on.
func scenario(data: String = "", top: String = "", strategies: String? = nil) -> String {
  """
  {
    "fedsim": 1,
    "data": { "dataset": { "kind": "synthetic" }\(data.isEmpty ? "" : ",")
      \(data)},
    "strategies": \(strategies ?? "[{ \"kind\": \"fedavg\" }]")\(top.isEmpty ? "" : ",")
    \(top)
  }
  """
}

/// A scenario that uses every section.
let richScenario = """
  {
    "//": "a comment", "$schema": "x", "fedsim": 1, "name": "rich", "seeds": [4, 5],
    "data": {
      "dataset": { "kind": "synthetic", "classes": 10, "trainPerClass": 300, "seed": 7 },
      "longTail": { "profile": "exponential", "factor": 10, "maxPerClass": 250 },
      "partition": { "kind": "quantity", "distribution": "power-law", "exponent": 1.5 },
      "test": { "local": "holdout", "holdoutShare": 0.25 },
      "augment": ["flip"], "normalize": "none"
    },
    "federation": { "clients": 10, "rounds": 50, "perRound": 3, "sampling": "poisson" },
    "model": { "kind": "cnn", "width": 24, "norm": "group", "activation": "tanh", "init": "he" },
    "client": {
      "work": { "steps": 5 }, "batch": 16, "order": "sequential",
      "optimizer": { "kind": "adamw", "learningRate": 1e-3, "beta1": 0.8 },
      "schedule": { "kind": "cosine", "floor": 0.1, "warmup": 2 }
    },
    "strategies": [
      { "kind": "fedprox", "proximalWeight": 0.1 }, { "kind": "fedprox", "label": "weak" },
      { "kind": "controlled", "option": "I", "memory": 5 }
    ],
    "evaluation": { "every": 7, "targets": { "generic": [0.5, 0.25], "personal": [1] } },
    "output": { "checkpointEvery": 0, "personalModels": false }
  }
  """

/// A scenario with public images, styles, pre-training on classes, and groups of clients.
let setsScenario = """
  {
    "fedsim": 1, "seeds": [1, 2],
    "data": {
      "dataset": { "kind": "synthetic", "trainPerClass": 300 },
      "public": { "size": 100, "classes": "balanced" },
      "styles": { "kinds": ["plain", "invert", "blur"], "perClient": 2 },
      "partition": { "kind": "dirichlet-prior", "alpha": 0.3, "perClient": 20, "minPerClass": 0 },
      "augment": ["crop4"]
    },
    "federation": { "clients": 10, "rounds": 20 },
    "model": {
      "kind": "resnet8", "width": 16,
      "pretrain": {
        "classes": [7, 2], "epochs": 4, "batch": 32, "optimizer": { "kind": "adam" },
        "schedule": { "kind": "step", "every": 2, "factor": 0.5 }, "augment": ["flip"], "seed": 9
      }
    },
    "clientModels": [
      { "share": 0.5, "model": { "kind": "cnn", "width": 12, "norm": "group" } },
      { "share": 0.3, "model": { "width": 20 } },
      { "share": 0.2, "model": { "kind": "mlp", "hidden": [12] } }
    ],
    "client": { "batch": 10 },
    "strategies": [ { "kind": "controlled" } ]
  }
  """
