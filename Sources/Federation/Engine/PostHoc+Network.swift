import Client
import Tensor

extension PostHoc {
  /// Changes the classifier within a full parameter vector of a network.
  ///
  /// `counts`: training images per class, [C].
  package func change(_ model: inout [Float], of network: Network, _ counts: [Int]) {
    guard self != .none, let weight = network.layout[network.classifier + ".weight"] else { return }
    let bias = network.layout[network.classifier + ".bias"]
    var rows = Array(model[weight.range])
    var shifts =
      bias.map { Array(model[$0.range]) } ?? [Float](repeating: 0, count: network.classes)
    apply(weight: &rows, bias: &shifts, counts: counts)
    model.replaceSubrange(weight.range, with: rows)
    if let bias { model.replaceSubrange(bias.range, with: shifts) }
  }
}
