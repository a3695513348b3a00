import Base
import Tensor

/// One network in memory that is asked for gradients of its mean cross-entropy: what a client
/// computes, and what an attacker who knows the model can compute for any image.
///
/// No dropout and no augmentation: both only blur what a gradient reveals.
final class GradientProbe {
  /// Built to give the gradient of its input.
  let network: Network
  /// Most images at once.
  let capacity: Int
  let workspace: Workspace

  /// Memory for batches of up to `capacity` images.
  init(_ network: Network, capacity: Int) {
    precondition(network.givesInputGradient, "GradientProbe: no gradient of the input")
    self.network = network
    self.capacity = capacity
    workspace = Workspace(network, capacity: capacity, training: true)
  }

  /// The gradient of the mean over these images of −log softmax(z)_y by the trained parameters,
  /// and by the images, in `workspace`.
  ///
  /// - Parameters:
  ///   - model: [layout.count].
  ///   - images: [labels.count × input.count], normalised, channels last.
  ///   - labels: at most `capacity`.
  func run(_ model: [Float], _ images: [Float], _ labels: [Int]) {
    workspace.load(model)
    _ = workspace.input.update(fromContentsOf: images)
    for (place, label) in labels.enumerated() { workspace.labels[place] = Int32(label) }
    network.forward(workspace, batch: labels.count, training: true)
    if let z = workspace.logits.baseAddress, let y = workspace.labels.baseAddress {
      _ = SoftmaxCrossEntropy().evaluate(
        logits: z, labels: y, batch: labels.count, classes: network.classes,
        gradient: workspace.logitsGradient.baseAddress)
    }
    network.backward(workspace, batch: labels.count)
    workspace.forget()
  }

  /// The gradient by the trained parameters, [trainedCount].
  func gradient(_ model: [Float], _ images: [Float], _ labels: [Int]) -> [Float] {
    run(model, images, labels)
    return Array(workspace.gradient)
  }

  /// The gradient by the images, [labels.count × input.count].
  func inputGradient(_ model: [Float], _ images: [Float], _ labels: [Int]) -> [Float] {
    run(model, images, labels)
    return Array(workspace.inputGradient.prefix(images.count))
  }
}

/// What protects a gradient before anybody else sees it: clipped to a norm, with noise.
package struct GradientDefence: Sendable, Equatable {
  /// C: g ← g·min(1, C/‖g‖); > 0.
  package var clip: Double
  /// σ ≥ 0: then N(0, σ²C²) is added to every coordinate.
  package var noise: Double

  /// What is sent in the place of `gradient`; `key` addresses the noise.
  ///
  /// - Source: Abadi et al., CCS 2016, algorithm 1, for one example.
  func protect(_ gradient: [Float], _ key: RandomStream) -> [Float] {
    let length = Norm.length(gradient)
    let factor = length > clip ? clip / length : 1
    var sent = gradient.map { Float(Double($0) * factor) }
    GaussianNoise(key).add(to: &sent, deviation: noise * clip)
    return sent
  }
}

enum Norm {
  /// ‖x‖.
  static func length(_ x: [Float]) -> Double {
    var sum = 0.0
    for value in x { sum += Double(value) * Double(value) }
    return sum.squareRoot()
  }
}
