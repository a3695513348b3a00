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
    var data = ScenarioFields.data.read(try root.node("data").json)
    data.pretrain = ScenarioFields.pretrain.read(try root.node("model").json)
    let groups = ScenarioFields.clientModels.read(tree) ?? []
    let federation = ScenarioFields.federation.read(try root.node("federation").json)
    var client = ScenarioFields.client.read(try root.node("client").json)
    client.augmentation = AugmentationPlan(data.augment)
    return Scenario(
      name: try root.text("name"), seeds: try root.integers("seeds").map { UInt64(max(0, $0)) },
      data: data, federation: federation,
      model: ScenarioFields.model.read(try root.node("model").json),
      clientModels: zip(
        groups, ClientModelGroup.ranges(clients: federation.clients, shares: groups.map(\.share))
      ).map { ClientModelGroup(model: $0.model, clients: $1) }, client: client,
      strategies: try strategies(
        try root.nodes("strategies"),
        privacy: root.has("privacy") ? try privacy(try root.node("privacy")) : nil,
        compression: root.has("compression") ? try compression(try root.node("compression")) : nil),
      evaluation: ScenarioFields.evaluation.read(try root.node("evaluation").json),
      output: ScenarioFields.output.read(try root.node("output").json),
      system: ScenarioFields.system.read(tree),
      limits: ScenarioFields.limits.read(tree) ?? LimitSettings())
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
