import Aggregation
import Base
import Scenario

/// A setting of small runs, and the values that it takes; the first is the plain one.
struct Factor: Sendable {
  let name: String
  /// Each with what it puts where.
  let levels: [Level]

  struct Level: Sendable {
    let name: String
    let patch: [(path: [String], value: JSON)]
  }
}

/// Settings that are tried in pairs.
enum Pairing {
  static let factors: [Factor] = [
    strategies, words("uplink", ["compression", "uplink"], uplinks), downlinks, memories, privacy,
    sampling, models, clocks, partitions, datasets, works, optimizers, losses, tests, outputs,
  ]

  /// A method with everything that costs time small; with dice, its other fields drawn.
  static func method(_ kind: String, _ dice: inout Dice) -> JSON {
    var values = FieldValues(dice: dice, reach: .small)
    defer { dice = values.dice }
    guard let variant = variants.first(where: { $0.name == kind }) else {
      return ["kind": "fedavg"]
    }
    let fields = values.dice.chance(0.5) ? variant.fields : []
    let parts = values.members(of: fields.filter { $0.name != "label" }, 2)
    var json = cheap(kind)
    for (key, value) in parts { json[key] = value }
    return json
  }

  /// A method with its defaults, but few iterations.
  static func cheap(_ kind: String) -> JSON {
    var json: JSON = ["kind": .string(kind)]
    for field in StrategyRegistry[kind]?.info.fields ?? [] {
      if case .integer(let range) = field.domain, case .integer(let initial) = field.initial {
        json[field.name] = .int(min(initial, max(range.lowerBound, 5)))
      }
    }
    return json
  }

  private static let variants: [Variant] = {
    let list = ScenarioKind.root.first { $0.name == "strategies" }?.type
    guard case .list(let element, _, _) = list, case .union(let union) = element else { return [] }
    return union.variants
  }()

  // MARK: Factors

  private static let strategies = Factor(
    name: "strategy",
    levels: StrategyRegistry.infos.map { info in
      var patch: [(path: [String], value: JSON)] = [(["strategies"], [cheap(info.kind)])]
      if ["knfu", "fedmd", "feddf"].contains(info.kind) {
        patch.append((["data", "public"], ["size": 8]))
      }
      return Factor.Level(name: info.kind, patch: patch)
    })

  private static func words(_ name: String, _ path: [String], _ values: [JSON]) -> Factor {
    Factor(
      name: name,
      levels: values.map { value in
        let patch = value.isNull ? [] : [(path: path, value: value)]
        return Factor.Level(name: value.compact, patch: patch)
      })
  }

  private static let codecs: [JSON] = [
    .null, ["kind": "dense", "format": "float16"], ["kind": "topk", "ratio": 0.1],
    ["kind": "topk", "ratio": 0.05, "indices": "bitmap", "values": "int8", "scope": "tensor"],
    ["kind": "random-k", "ratio": 0.1], ["kind": "threshold", "threshold": 0.001],
    ["kind": "quantize", "bits": 4], ["kind": "qsgd", "levels": 3, "coding": "elias"], "natural",
    "sign", ["kind": "ternary", "entropyCoded": true], ["kind": "low-rank", "rank": 2],
  ]
  private static let uplinks =
    codecs + [
      ["kind": "dgc", "ratio": 0.1], ["kind": "low-rank", "rank": 1, "sums": "factors"],
      ["kind": "topk", "ratio": 0.2, "scope": "tensor", "layerwise": ["every": 1]],
      ["kind": "quantize", "bits": 3, "groups": [["kind": "sign", "group": "head"]]],
    ]
  private static let downlinks = words("downlink", ["compression", "downlink"], codecs)

  private static let memories = Factor(
    name: "memory",
    levels: [
      Factor.Level(name: "as it is", patch: []),
      Factor.Level(name: "all blocks", patch: [(["compression", "uplink", "blocks"], "all")]),
      Factor.Level(name: "feedback", patch: [(["compression", "uplink", "errorFeedback"], true)]),
      Factor.Level(name: "none", patch: [(["compression", "uplink", "errorFeedback"], false)]),
      Factor.Level(
        name: "ef21",
        patch: [
          (["compression", "uplink", "errorFeedback"], true),
          (["compression", "uplink", "feedback"], "ef21"),
        ]), Factor.Level(name: "shadow", patch: [(["compression", "downlink", "shadow"], true)]),
      Factor.Level(
        name: "shadow of all blocks",
        patch: [
          (["compression", "downlink", "shadow"], true),
          (["compression", "downlink", "blocks"], "all"),
        ]),
    ])

  private static let privacy = words(
    "privacy", ["privacy"],
    [
      .null, ["unit": "example", "noiseMultiplier": 1],
      ["unit": "example", "target": ["epsilon": 8], "clipping": "per-layer"],
      ["unit": "example", "mechanism": "dice-sgd", "noiseMultiplier": 1],
      ["unit": "client", "noiseMultiplier": 1],
      ["unit": "client", "noiseMultiplier": 0.5, "placement": "local"],
      ["unit": "client", "noiseMultiplier": 1, "placement": "distributed"],
      ["unit": "client", "noiseMultiplier": 1, "noise": "discrete", "placement": "distributed"],
      ["unit": "client", "noiseMultiplier": 1, "clipping": "adaptive"],
      ["unit": "client", "mechanism": "error-feedback", "noiseMultiplier": 1],
      ["unit": "client", "mechanism": "dice-sgd", "noiseMultiplier": 1],
      ["unit": "client", "noiseMultiplier": 0, "clip": 1e30],
      ["unit": "client", "noiseMultiplier": 1, "correlation": "banded"],
      [
        "unit": "client", "target": ["epsilon": 8],
        "correlation": ["kind": "banded-inverse", "bands": 2],
      ],
    ])

  private static let sampling = words(
    "sampling", ["federation"],
    [
      ["clients": 4, "rounds": 2], ["clients": 4, "rounds": 2, "participation": 0.5],
      ["clients": 4, "rounds": 2, "participation": 0.3, "sampling": "poisson"],
      ["clients": 4, "rounds": 2, "perRound": 1, "weighting": "uniform"],
      ["clients": 4, "rounds": 2, "perRound": 2, "sampling": "power-of-choice"],
      ["clients": 4, "rounds": 2, "perRound": 2, "sampling": "oort"], ["clients": 1, "rounds": 2],
      [
        "clients": 4, "rounds": 2, "perRound": 2,
        "sampling": ["kind": "separated", "separation": 2],
      ],
      [
        "clients": 4, "rounds": 2, "perRound": 2,
        "sampling": ["kind": "cyclic-poisson", "groups": 2],
      ],
      ["clients": 4, "rounds": 1], ["clients": 4, "rounds": 0],
    ])

  private static let models = words(
    "model", ["model"],
    [
      ["kind": "mlp", "hidden": [4]], ["kind": "logistic"],
      ["kind": "cnn", "width": 2, "dropout": [0.2]],
      ["kind": "cnn", "width": 2, "norm": "batch", "classifier": "cosine"],
      ["kind": "lenet5", "width": 3], ["kind": "resnet8", "width": 2],
      ["kind": "vit", "width": 4, "depth": 1, "heads": 2, "patch": 4],
      ["kind": "vgg", "width": 2, "blocks": 1, "activation": "tanh"],
      ["kind": "mlp", "hidden": [4], "pretrain": ["images": 8, "epochs": 1]],
    ])

  private static let clocks = words(
    "clock", ["system"],
    [
      .null, ["compute": ["kind": "lognormal"]], ["deadline": "100 ms", "dropout": 0.3],
      ["deadline": "1 ms", "stragglers": "partial"], ["loss": 0.5, "network": ["sigma": 1]],
      ["overSelection": 2, "compute": ["kind": "zipf"]],
      ["availability": ["kind": "rate", "rate": 0.3]],
      ["dropout": 0.99, "energy": ["computeWatts": 1]],
    ])

  private static let partitions = words(
    "partition", ["data", "partition"],
    [
      .null, ["kind": "dirichlet", "alpha": 0.1],
      ["kind": "dirichlet-cut", "alpha": 1, "minPerClient": 1],
      ["kind": "dirichlet-balanced", "alpha": 0.5], ["kind": "dirichlet-prior", "alpha": 0.5],
      ["kind": "shards", "perClient": 1], ["kind": "quantity", "sigma": 2],
    ])

  private static let datasets = Factor(
    name: "data",
    levels: [
      Factor.Level(name: "synthetic", patch: []),
      Factor.Level(name: "grey arrays", patch: [(["data", "dataset"], RunKind.arrays)]),
      Factor.Level(
        name: "long tail",
        patch: [(["data", "longTail"], ["profile": "exponential", "factor": 6])]),
      Factor.Level(
        name: "styles",
        patch: [
          (["data", "styles"], ["kinds": ["invert", "rotate90"]]), (["data", "augment"], ["flip"]),
        ]),
    ])

  private static let works = words(
    "work", ["client", "work"], [["steps": 2], ["epochs": 1], ["epochs": 0.1], ["epochs": 2.5]])

  private static let optimizers = words(
    "optimizer", ["client", "optimizer"],
    [
      .null, ["kind": "sgd", "momentum": 0, "weightDecay": 0], ["kind": "adam"], ["kind": "adamw"],
      ["kind": "sgd", "momentum": 0.9, "nesterov": true, "learningRate": 1000],
    ])

  private static let losses = Factor(
    name: "loss",
    levels: [JSON.null, "balanced-softmax", "focal", "ldam", "class-balanced"].map { loss in
      let patch = loss.isNull ? [] : [(path: ["strategies", "0", "loss"], value: loss)]
      return Factor.Level(name: loss.compact, patch: patch)
    })

  private static let tests = words(
    "local tests", ["data", "test"],
    [.null, ["local": "match-client-labels"], ["local": "holdout"], ["perClass": 1]])

  private static let outputs = words(
    "output", ["output"],
    [
      .null, ["checkpointEvery": 1, "keepCheckpoints": 2],
      ["checkpointEvery": 0, "personalModels": false],
    ])
}
