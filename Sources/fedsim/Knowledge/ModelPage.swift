import Federation
import Scenario
import Tensor

/// What `explain` says of a model beyond its fields: its layers and tensors at their defaults.
enum ModelPage {
  /// Layers, tensors and cost for CIFAR-sized images and ten classes.
  static func parts(_ kind: String) -> [(head: String, lines: [String])] {
    let text = """
      {"fedsim": 1, "data": {"dataset": {"kind": "synthetic"}}, "model": {"kind": "\(kind)"},
       "strategies": [{"kind": "fedavg"}]}
      """
    let image = FeatureShape(height: 32, width: 32, channels: 3)
    guard let scenario = ScenarioReader().read(bytes: Array(text.utf8), file: kind).scenario,
      let network = try? Network(scenario.model, input: image, classes: 10)
    else { return [] }
    return [
      ("layers, for \(image) images and 10 classes", network.summary),
      (
        "tensors, with PyTorch's names and shapes",
        network.layout.entries.map { "\($0.name)  \($0.shape)" }
      ),
      (
        "cost",
        [
          "\(network.layout.trainedCount) parameters",
          "\(network.forwardFLOPs) FLOPs forward, \(network.trainingFLOPs) in training, per image",
        ]
      ),
    ]
  }
}
