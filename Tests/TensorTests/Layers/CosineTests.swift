import Base
import Tensor
import TestSupport
import Testing

/// Cosine classifiers, besides what golden files and finite differences say of them.
@Suite("Cosine classifiers")
struct CosineTests {
  private func network(_ recipe: String) throws -> Network {
    try NetworkRecipe.build(recipe, input: FeatureShape(features: 7))
  }

  private func logits(_ network: Network, _ parameters: [Float], _ input: [Float]) -> [Float] {
    let workspace = Workspace(network, capacity: 1, training: true)
    workspace.load(parameters)
    workspace.fill(input)
    network.forward(workspace, batch: 1, training: true)
    return Array(workspace.logits)
  }

  @Test("logits are cosines: blind to the lengths of features and unit rows, linear in the scale")
  func lengths() throws {
    let plain = try network("cosine fc 5 0 1")
    let scaled = try network("cosine fc 5 1 1")
    var stream = RandomStream(seed: 4, .test)
    let w = (0..<35).map { _ in Float(stream.gaussian()) }
    let x = (0..<7).map { _ in Float(stream.gaussian()) }
    let z = logits(plain, w, x)
    #expect(z.allSatisfy { abs($0) <= 1 + Float(Rounding.unit) })
    // Powers of two change no bit of a direction.
    #expect(logits(plain, w, x.map { 8 * $0 }) == z)
    #expect(logits(plain, w.map { $0 / 4 }, x) == z)
    #expect(logits(scaled, w + [2], x) == z.map { 2 * $0 })
    #expect(logits(plain, w, [Float](repeating: 0, count: 7)).allSatisfy { $0 == 0 })
  }

  @Test("parts of a batch add up, and no gradient comes from features without a direction")
  func parts() throws {
    let network = try network("dense a 6 0; cosine fc 5 1 1")
    let check = GradientCheck(network, batch: 6)
    check.checkCoordinates(perTensor: 40)
    let workspace = Workspace(network, capacity: 3, training: true)
    workspace.load(check.reference.parameters.map(Float.init))
    for part in 0..<2 {
      let examples = part * 3..<(part + 1) * 3
      workspace.fill(
        check.input[part * 21..<(part + 1) * 21].map(Float.init), Array(check.labels[examples]))
      network.forward(workspace, batch: 3, training: true)
      workspace.takeLoss(network, batch: 3)
      // Half the mean of three is the sum over six.
      for i in 0..<15 { workspace.logitsGradient[i] /= 2 }
      network.backward(workspace, batch: 3, accumulate: part > 0)
    }
    expectClose(
      Array(workspace.gradient), check.gradient.map(Double.init),
      bound: Rounding.backward(network, batch: 6))
    let still = Workspace(network, capacity: 1, training: true)
    still.load([Float](repeating: 0, count: 42) + workspace.currentParameters[42...])
    still.fill([1, 2, 3, 4, 5, 6, 7], [2])
    network.forward(still, batch: 1, training: true)
    still.takeLoss(network, batch: 1)
    network.backward(still, batch: 1)
    #expect(still.gradient.allSatisfy { $0 == 0 })
  }

  @Test("models end in what they are told; a frame's features are those before its projection")
  func models() throws {
    var spec = ModelSpec(kind: .mlp, width: 1, hidden: [6])
    let input = FeatureShape(height: 2, width: 2, channels: 1)
    spec.classifier = .cosine
    let cosine = try Network(spec, input: input, classes: 3)
    #expect(cosine.layout.entries.map(\.name) == ["fc1.weight", "fc1.bias", "fc2.weight"])
    #expect(cosine.classifier == "fc2" && cosine.featureWidth == 6)
    spec.classifier = .frame(width: 4)
    let frame = try Network(spec, input: input, classes: 3)
    #expect(
      frame.layout.entries.map(\.name) == [
        "fc1.weight", "fc1.bias", "proj.weight", "proj.bias", "etf.weight", "etf.scale",
      ])
    #expect(frame.layout["etf.weight"]?.shape == [3, 4] && frame.layout["etf.scale"]?.shape == [1])
    #expect(frame.classifier == "etf" && frame.featureWidth == 6)
    let check = GradientCheck(frame, batch: 4)
    check.checkForward()
    check.checkCoordinates(perTensor: 40)
    // On a map, columns lie as the map does, and leave in PyTorch's order.
    let flat = try NetworkRecipe.build(
      "conv c 3 3 1 1 1; cosine fc 4 1 0", input: FeatureShape(height: 3, width: 2, channels: 2))
    #expect(
      flat.layout["fc.weight"]?.order
        == .channelsLastColumns(FeatureShape(height: 3, width: 2, channels: 3)))
    GradientCheck(flat, batch: 3).checkCoordinates(perTensor: 30)
  }
}
