import Client
import Tensor

/// Where a network's classifier lies in a full parameter vector, for methods that train another
/// one for the same features.
struct ClassifierPlace: Sendable {
  /// C.
  let classes: Int
  /// d.
  let width: Int
  /// Names and shapes: the weight [C, d], then the bias [C].
  let tensors: [NamedShape]
  private let weight: Range<Int>
  private let bias: Range<Int>

  /// The classifier of a network; networks are built with a bias there.
  init(_ network: Network) {
    let name = network.classifier
    guard let weight = network.layout[name + ".weight"], let bias = network.layout[name + ".bias"]
    else { preconditionFailure("ClassifierPlace: no \(name).weight and \(name).bias") }
    classes = network.classes
    width = network.featureWidth
    tensors = [NamedShape(weight.name, [classes, width]), NamedShape(bias.name, [classes])]
    self.weight = weight.range
    self.bias = bias.range
  }

  /// Floats of the classifier, C·d + C.
  var count: Int { weight.count + bias.count }

  /// The weight [C × d] in the order of the features, then the bias [C]: what `LinearHead` holds.
  func values(in model: [Float]) -> [Float] { Array(model[weight] + model[bias]) }

  /// Puts a classifier in a model's place for it.
  func place(_ values: [Float], into model: inout [Float]) {
    precondition(values.count == count, "ClassifierPlace: [\(values.count)] for [\(count)]")
    model.replaceSubrange(weight, with: values[..<weight.count])
    model.replaceSubrange(bias, with: values[weight.count...])
  }

  /// A new classifier as PyTorch makes one: all of it from U(−1/√d, 1/√d).
  func fresh(_ stream: inout RandomStream) -> [Float] {
    let bound = 1 / Double(width).squareRoot()
    return (0..<count).map { _ in Float(bound * (2 * stream.uniform() - 1)) }
  }
}

extension LinearHead {
  /// Epochs of cross-entropy on given features, in a new random order each.
  ///
  /// `features`: [n × d]; `labels`: [n]; the last batch of an epoch may be shorter.
  ///
  /// `order`: the stream that an epoch's order is drawn from.
  ///
  /// - Complexity: 6·epochs·n·C·d floating-point operations.
  mutating func train(
    on features: [Float],
    labels: [Int32],
    epochs: Int,
    batch: Int,
    learningRate: Double,
    order: (Int) -> RandomStream
  ) {
    var rows = [Float](repeating: 0, count: batch * width)
    var chosen = [Int32](repeating: 0, count: batch)
    for epoch in 0..<epochs {
      var stream = order(epoch)
      let places = stream.permutation(labels.count)
      for start in stride(from: 0, to: places.count, by: batch) {
        let part = places[start..<min(start + batch, places.count)]
        for (row, place) in part.enumerated() {
          chosen[row] = labels[place]
          for i in 0..<width { rows[row * width + i] = features[place * width + i] }
        }
        _ = accumulate(
          features: rows,
          labels: chosen,
          count: part.count,
          loss: SoftmaxCrossEntropy(),
          totalWeight: Double(part.count)
        )
        step(learningRate: learningRate)
      }
    }
  }
}
