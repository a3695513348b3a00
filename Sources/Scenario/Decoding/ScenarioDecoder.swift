import Aggregation
import Base
import Client
import Data
import Tensor

/// Turns a resolved tree into a `Scenario`.
///
/// The validator has checked everything; a value that is missing nevertheless is a programming
/// mistake, reported as a thrown path and never as a trap.
struct ScenarioDecoder {
  /// The path whose value was missing or of another type.
  struct Missing: Error { let path: String }

  let cards: [StrategyCard]

  func scenario(_ tree: JSON) throws(Missing) -> Scenario {
    let root = Node(tree, "")
    var data = try data(try root.node("data"))
    data.pretrain = try pretrain(try root.node("model"))
    let federation = ScenarioFields.federation.read(try root.node("federation").json)
    var client = ScenarioFields.client.read(try root.node("client").json)
    client.augmentation = AugmentationPlan(data.augment)
    return Scenario(
      name: try root.text("name"), seeds: try root.integers("seeds").map { UInt64(max(0, $0)) },
      data: data, federation: federation,
      model: ScenarioFields.model.read(try root.node("model").json),
      clientModels: try clientModels(root, clients: federation.clients), client: client,
      strategies: try strategies(
        try root.nodes("strategies"),
        privacy: root.has("privacy") ? try privacy(try root.node("privacy")) : nil,
        compression: root.has("compression") ? try compression(try root.node("compression")) : nil),
      evaluation: ScenarioFields.evaluation.read(try root.node("evaluation").json),
      output: ScenarioFields.output.read(try root.node("output").json),
      system: ScenarioFields.system.read(tree),
      limits: ScenarioFields.limits.read(tree) ?? LimitSettings())
  }

  // MARK: - Data

  private func data(_ node: Node) throws(Missing) -> DataSettings {
    let test = try node.node("test")
    return DataSettings(
      dataset: try dataset(try node.node("dataset")),
      longTail: node.has("longTail") ? try longTail(try node.node("longTail")) : nil,
      partition: try partition(try node.node("partition")),
      localTest: .init(
        policy: try test.choice("local"), perClass: try test.int("perClass"),
        holdoutShare: try test.number("holdoutShare")), augment: try node.choices("augment"),
      normalize: try node.choice("normalize"), publicSet: try publicSet(node),
      styles: try styles(node))
  }

  private func dataset(_ node: Node) throws(Missing) -> DataSettings.Dataset {
    switch try node.text("kind") {
    case "synthetic":
      .synthetic(
        classes: try node.int("classes"), trainPerClass: try node.int("trainPerClass"),
        testPerClass: try node.int("testPerClass"), seed: UInt64(max(0, try node.int("seed"))))
    case "cifar10": .cifar10(path: try node.text("path"))
    case "cifar100":
      .cifar100(path: try node.text("path"), coarse: try node.text("labels") == "coarse")
    case "mnist": .mnist(path: try node.text("path"), prefix: try node.text("prefix"))
    case "leaf": .leaf(path: try node.text("path"))
    case "npy": .npy(path: try node.text("path"))
    default: throw node.missing("kind")
    }
  }

  private func longTail(_ node: Node) throws(Missing) -> DataSettings.LongTail {
    let profile: DataSettings.LongTail.Profile
    switch try node.text("profile") {
    case "exponential": profile = .exponential(factor: try node.number("factor"))
    case "step": profile = .step(factor: try node.number("factor"))
    case "pareto": profile = .pareto(factor: try node.number("factor"))
    case "explicit": profile = .explicit(counts: try node.integers("counts"))
    default: throw node.missing("profile")
    }
    let cap = node.has("maxPerClass") ? try node.int("maxPerClass") : nil
    return .init(profile: profile, maxPerClass: cap)
  }

  private func partition(_ node: Node) throws(Missing) -> DataSettings.Partition {
    switch try node.text("kind") {
    case "iid": return .iid
    case "dirichlet":
      return .dirichlet(alpha: try node.number("alpha"), minPerClient: try node.int("minPerClient"))
    case "dirichlet-cut":
      return .dirichletCut(
        alpha: try node.number("alpha"), minPerClient: try node.int("minPerClient"))
    case "dirichlet-balanced": return .dirichletBalanced(alpha: try node.number("alpha"))
    case "dirichlet-prior":
      return .dirichletPrior(
        alpha: try node.number("alpha"),
        perClient: node.has("perClient") ? try node.int("perClient") : nil,
        minPerClass: try node.int("minPerClass"))
    case "shards": return .shards(perClient: try node.int("perClient"))
    case "quantity":
      let law: DataSettings.QuantityLaw =
        try node.text("distribution") == "power-law"
        ? .powerLaw(exponent: try node.number("exponent"))
        : .logNormal(sigma: try node.number("sigma"))
      return .quantity(law, minPerClient: try node.int("minPerClient"))
    case "file": return .file(path: try node.text("path"))
    case "natural": return .natural
    default: throw node.missing("kind")
    }
  }
}

/// An object of the resolved tree and its path.
struct Node {
  let json: JSON
  let path: String

  init(_ json: JSON, _ path: String) {
    self.json = json
    self.path = path
  }

  func missing(_ key: String) -> ScenarioDecoder.Missing {
    ScenarioDecoder.Missing(path: path.isEmpty ? key : "\(path).\(key)")
  }

  func has(_ key: String) -> Bool { json[key] != nil }

  private func get<T>(_ key: String, _ value: T?) throws(ScenarioDecoder.Missing) -> T {
    guard let value else { throw missing(key) }
    return value
  }

  func node(_ key: String) throws(ScenarioDecoder.Missing) -> Node {
    Node(try get(key, json[key]), missing(key).path)
  }
  func nodes(_ key: String) throws(ScenarioDecoder.Missing) -> [Node] {
    let items = try get(key, json[key]?.elements)
    return items.enumerated().map { Node($1, "\(missing(key).path)[\($0)]") }
  }
  func int(_ key: String) throws(ScenarioDecoder.Missing) -> Int { try get(key, json[key]?.int) }
  func number(_ key: String) throws(ScenarioDecoder.Missing) -> Double {
    try get(key, json[key]?.double)
  }
  func flag(_ key: String) throws(ScenarioDecoder.Missing) -> Bool {
    try get(key, json[key]?.truth)
  }
  func text(_ key: String) throws(ScenarioDecoder.Missing) -> String {
    try get(key, json[key]?.text)
  }
  func choice<Word: RawRepresentable<String>>(_ key: String) throws(ScenarioDecoder.Missing) -> Word
  { try get(key, json[key]?.text.flatMap(Word.init(rawValue:))) }
  func integers(_ key: String) throws(ScenarioDecoder.Missing) -> [Int] {
    try get(key, json[key]?.elements).compactMap(\.int)
  }
  func numbers(_ key: String) throws(ScenarioDecoder.Missing) -> [Double] {
    try get(key, json[key]?.elements).compactMap(\.double)
  }
  func choices<Word: RawRepresentable<String>>(_ key: String) throws(ScenarioDecoder.Missing)
    -> [Word]
  { try words(key).compactMap(Word.init(rawValue:)) }
  func words(_ key: String) throws(ScenarioDecoder.Missing) -> [String] {
    try get(key, json[key]?.elements).compactMap(\.text)
  }
}
