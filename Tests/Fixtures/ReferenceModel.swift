import Base
import Client
import Tensor

/// One training image as PyTorch sees it: values in the order (channel, row, column).
package struct ReferenceExample {
  package let values: [Double]
  package let label: Int

  package init(values: [Double], label: Int) {
    self.values = values
    self.label = label
  }

  /// The images of a set, floats as they are.
  package static func all(_ images: ImageSet) -> [ReferenceExample] {
    guard case .floats(let pixels) = images.pixels else { return [] }
    let shape = images.shape
    return images.labels.indices.map { image in
      var values: [Double] = []
      for c in 0..<shape.channels {
        for position in 0..<shape.positions {
          values.append(Double(pixels[image * shape.count + position * shape.channels + c]))
        }
      }
      return ReferenceExample(values: values, label: Int(images.labels[image]))
    }
  }
}

/// Logistic regression, or a network with one hidden layer of ReLUs, by plain loops over doubles.
///
/// Parameters lie as in PyTorch's state_dict(): weight [out, in] row by row, then bias,
/// layer by layer.
package struct ReferenceModel {
  package let inputs: Int
  /// Neurons of the hidden layer; 0 without one.
  package let hidden: Int
  package let classes: Int

  package init(inputs: Int, hidden: Int, classes: Int) {
    self.inputs = inputs
    self.hidden = hidden
    self.classes = classes
  }

  /// Parameters in all.
  package var count: Int {
    hidden == 0 ? (inputs + 1) * classes : (inputs + 1) * hidden + headCount
  }
  /// Parameters of the last layer, which come last.
  package var headCount: Int { ((hidden == 0 ? inputs : hidden) + 1) * classes }

  /// A dense layer's output: W·x + b with W at `start`.
  private func dense(_ w: [Double], at start: Int, _ x: [Double], _ outputs: Int) -> [Double] {
    (0..<outputs).map { o in
      var sum = w[start + outputs * x.count + o]
      for i in x.indices { sum += w[start + o * x.count + i] * x[i] }
      return sum
    }
  }

  /// Adds the gradient of a dense layer with output gradient `d`.
  private func addDense(_ g: inout [Double], at start: Int, _ d: [Double], _ x: [Double]) {
    for o in d.indices {
      for i in x.indices { g[start + o * x.count + i] += d[o] * x[i] }
      g[start + d.count * x.count + o] += d[o]
    }
  }

  /// The gradient of the mean softmax cross-entropy over some examples.
  package func gradient(_ w: [Double], _ examples: [ReferenceExample]) -> [Double] {
    var g = [Double](repeating: 0, count: count)
    let head = count - headCount
    for example in examples {
      let before = hidden == 0 ? [] : dense(w, at: 0, example.values, hidden)
      let features = hidden == 0 ? example.values : before.map { max($0, 0) }
      let logits = dense(w, at: head, features, classes)
      let largest = logits.max() ?? 0
      let powers = logits.map { exp($0 - largest) }
      let total = powers.reduce(0, +)
      let d = powers.indices.map { c in
        (powers[c] / total - (c == example.label ? 1 : 0)) / Double(examples.count)
      }
      addDense(&g, at: head, d, features)
      guard hidden > 0 else { continue }
      let below = (0..<hidden).map { h in
        guard before[h] > 0 else { return 0.0 }
        return (0..<classes).reduce(0) { $0 + d[$1] * w[head + $1 * hidden + h] }
      }
      addDense(&g, at: 0, below, example.values)
    }
    return g
  }
}

extension ParameterLayout {
  /// A flat vector in PyTorch's order of tensors and elements.
  package func torchOrder(_ vector: [Float]) -> [Float] {
    entries.flatMap { exported($0, from: vector) }
  }
}
