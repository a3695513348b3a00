import Base
import Tensor

/// Where a network's classifier is in its parameter vector: what turns a head of one's own into a
/// whole model.
///
/// A head is the weight [C × d], a row per class in the order of the network's classifier, then the
/// bias [C], as in `LinearHead`.
package struct ClassifierPlace: Sendable {
  package let classes: Int
  package let width: Int
  /// The weight's range of the vector.
  package let weight: Range<Int>
  /// The bias's range of the vector.
  package let bias: Range<Int>

  /// Nil when the classifier is not a weight [C × d] and a bias.
  package init?(_ network: Network) {
    guard let weight = network.layout[network.classifier + ".weight"],
      let bias = network.layout[network.classifier + ".bias"],
      weight.range.count == network.classes * network.featureWidth
    else { return nil }
    classes = network.classes
    width = network.featureWidth
    self.weight = weight.range
    self.bias = bias.range
  }

  /// The classifier of a network that a method's `objection` lets through.
  package init(required network: Network) {
    guard let place = ClassifierPlace(network) else {
      preconditionFailure("ClassifierPlace: \(network.classifier) is no linear layer with a bias")
    }
    self = place
  }

  /// What a method says to a network whose classifier is not a linear layer with a bias.
  package static func objection(_ kind: String, to network: Network) -> (
    problem: String, hint: String
  )? {
    ClassifierPlace(network) == nil
      ? ("\(kind) needs a linear classifier with a bias", "choose another model") : nil
  }

  /// Floats of a head, C·d + C.
  package var count: Int { classes * width + classes }

  package func head(of model: [Float]) -> [Float] { Array(model[weight]) + Array(model[bias]) }

  package func put(_ head: [Float], into model: inout [Float]) {
    precondition(head.count == count, "ClassifierPlace: [\(head.count)] for [\(count)]")
    model.replaceSubrange(weight, with: head[..<weight.count])
    model.replaceSubrange(bias, with: head[weight.count...])
  }

  /// The tensors of a head as a message names them: `<name>.weight` and `<name>.bias`.
  package func tensors(_ name: String) -> [NamedShape] {
    [NamedShape(name + ".weight", [classes, width]), NamedShape(name + ".bias", [classes])]
  }

  /// A head as PyTorch starts a Linear(d, C): all of it U(−1/√d, 1/√d).
  package func fresh(_ stream: inout RandomStream) -> [Float] {
    let bound = 1 / Double(width).squareRoot()
    return (0..<count).map { _ in Float(bound * (2 * stream.uniform() - 1)) }
  }
}
