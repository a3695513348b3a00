import Aggregation
import Client
import Data

/// Public images, styles, pre-training and groups of clients.
extension ScenarioDecoder {
  func publicSet(_ data: Node) throws(Missing) -> DataSettings.PublicSet? {
    guard data.has("public") else { return nil }
    return .init(size: try data.node("public").int("size"))
  }

  func styles(_ data: Node) throws(Missing) -> DataSettings.Styles? {
    guard data.has("styles") else { return nil }
    let node = try data.node("styles")
    return .init(kinds: try node.choices("kinds"), perClient: try node.int("perClient"))
  }

  func pretrain(_ model: Node) throws(Missing) -> PretrainSettings? {
    guard model.has("pretrain") else { return nil }
    let node = try model.node("pretrain")
    return PretrainSettings(
      source: node.has("classes")
        ? .classes(try node.integers("classes").sorted()) : .images(try node.int("images")),
      epochs: try node.int("epochs"), batch: try node.int("batch"),
      optimizer: ScenarioFields.optimizer.read(try node.node("optimizer").json),
      schedule: ScenarioFields.schedule.read(try node.node("schedule").json),
      augment: try node.choices("augment"),
      seed: UInt64(max(0, try node.int("seed"))))
  }

  func clientModels(_ root: Node, clients: Int) throws(Missing) -> [ClientModelGroup] {
    guard root.has("clientModels") else { return [] }
    let nodes = try root.nodes("clientModels")
    var shares: [Double] = []
    for node in nodes { shares.append(try node.number("share")) }
    let ranges = ClientModelGroup.ranges(clients: clients, shares: shares)
    var groups: [ClientModelGroup] = []
    for (node, range) in zip(nodes, ranges) {
      groups.append(
        ClientModelGroup(
          model: ScenarioFields.model.read(try node.node("model").json), clients: range))
    }
    return groups
  }
}

extension AugmentationPlan {
  /// The plan of the words in a scenario.
  package init(_ steps: [DataSettings.Augmentation]) {
    self.init(cropPadding: steps.contains(.crop4) ? 4 : 0, flips: steps.contains(.flip))
  }
}
