import Base
import Foundation
import Tensor
import TestSupport
import Testing

/// Sizes, costs and properties of transformers and their layers.
@Suite("Transformers")
struct TransformerTests {
  static let base = ModelSpec(kind: .vit, width: 768, patch: 16, depth: 12, heads: 12)
  static let small = ModelSpec(
    kind: .vit, width: 24, initialisation: .timm, patch: 4, depth: 2, heads: 3)
  static let image = FeatureShape(height: 16, width: 12, channels: 3)

  @Test("ViT-B/16 at 224×224 has 85,798,656 parameters without its head")
  func baseSize() throws {
    let input = FeatureShape(height: 224, width: 224, channels: 3)
    let network = try Network(Self.base, input: input, classes: 100)
    let head = network.layout.entries.filter { $0.layer == network.classifier }
    #expect(network.classifier == "head" && network.featureWidth == 768)
    #expect(head.map(\.shape) == [[100, 768], [100]])
    #expect(network.layout.trainedCount - 76_900 == 85_798_656)
    #expect(network.layout.entries.count == 2 + 2 + 12 * 12 + 2 + 2)
    // Layer by layer: patches, then per block four dense layers and two products with N², head.
    let block = 2 * 197 * 768 * (2304 + 768 + 3072 + 3072) + 4 * 197 * 197 * 768
    let forward = 2 * 196 * 768 * 768 + 12 * block + 2 * 768 * 100
    #expect(network.forwardFLOPs == forward)
    // All parts three times, but for the patches, which have no input gradient.
    #expect(network.trainingFLOPs == 3 * forward - 2 * 196 * 768 * 768)
  }

  @Test("Names and shapes are timm's, in its order")
  func names() throws {
    let layout = try Network(Self.small, input: Self.image, classes: 5).layout
    #expect(
      layout.entries.prefix(17).map(\.name) == [
        "cls_token", "pos_embed", "patch_embed.proj.weight", "patch_embed.proj.bias",
        "blocks.0.norm1.weight", "blocks.0.norm1.bias", "blocks.0.attn.qkv.weight",
        "blocks.0.attn.qkv.bias", "blocks.0.attn.proj.weight", "blocks.0.attn.proj.bias",
        "blocks.0.norm2.weight", "blocks.0.norm2.bias", "blocks.0.mlp.fc1.weight",
        "blocks.0.mlp.fc1.bias", "blocks.0.mlp.fc2.weight", "blocks.0.mlp.fc2.bias",
        "blocks.1.norm1.weight",
      ])
    #expect(
      layout.entries.suffix(4).map(\.name) == [
        "norm.weight", "norm.bias", "head.weight", "head.bias",
      ])
    #expect(layout["cls_token"]?.shape == [1, 1, 24] && layout["pos_embed"]?.shape == [1, 13, 24])
    #expect(layout["patch_embed.proj.weight"]?.shape == [24, 3, 4, 4])
    #expect(layout["blocks.1.attn.qkv.weight"]?.shape == [72, 24])
    #expect(layout["blocks.1.mlp.fc2.weight"]?.shape == [24, 96])
  }

  @Test(
    "Sizes that fit no image or no head are refused in words",
    arguments: [(5, 3, 2, "patches of 5×5"), (4, 5, 2, "5 heads"), (4, 3, 0, "0 blocks")])
  func refused(patch: Int, heads: Int, depth: Int, words: String) {
    let spec = ModelSpec(kind: .vit, width: 24, patch: patch, depth: depth, heads: heads)
    let error = #expect(throws: ModelError.self) {
      try Network(spec, input: Self.image, classes: 5)
    }
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
  }

  @Test("timm's rule: N(0, 0.02²), positions alike, the class token near 0, biases 0")
  func initialisation() throws {
    let spec = ModelSpec(kind: .vit, width: 96, patch: 4, depth: 2, heads: 3)
    let layout = try Network(spec, input: Self.image, classes: 5).layout
    let vector = layout.initialParameters(.timm, seed: 3)
    func check(_ name: String, _ deviation: Double, kurtosis: Double = 3) throws {
      let entry = try #require(layout[name])
      let values = vector[entry.range].map(Double.init)
      let n = Double(values.count)
      let mean = values.reduce(0, +) / n
      let square = values.map { $0 * $0 }.reduce(0, +) / n
      #expect(abs(mean) < 5 * deviation / n.squareRoot(), "\(name)")
      let error = 5 * ((kurtosis - 1) / n).squareRoot()
      #expect(abs(square / (deviation * deviation) - 1) < error, "\(name)")
    }
    for name in ["blocks.0.attn.qkv.weight", "blocks.1.mlp.fc2.weight", "pos_embed"] {
      try check(name, 0.02)
    }
    try check("cls_token", 1e-6)
    // A convolution keeps PyTorch's U(±1/√48).
    try check("patch_embed.proj.weight", 1 / 144.0.squareRoot(), kurtosis: 1.8)
    let bias = try #require(layout["patch_embed.proj.bias"])
    #expect(vector[bias.range].contains { $0 != 0 })
    for entry in layout.entries where entry.role == .bias && entry.name != bias.name {
      #expect(vector[entry.range].allSatisfy { $0 == 0 }, "\(entry.name)")
    }
    #expect(
      layout.initialParameters(.zero, seed: 3)[layout.entries[1].range].allSatisfy { $0 == 0 })
    #expect(layout.initialParameters(.pytorch, seed: 3).allSatisfy { $0.isFinite })
  }

  @Test(
    "Attention is invariant to adding a vector to all keys, and mixes values by weights of sum 1")
  func attentionProperties() throws {
    let (tokens, width) = (19, 8)
    let shape = FeatureShape(height: tokens, width: 1, channels: 3 * width)
    let network = try NetworkRecipe.build("attention 2; dense fc 2 0", input: shape)
    let workspace = Workspace(network, capacity: 1, training: false)
    var stream = RandomStream(seed: 4, .test)
    var map = (0..<shape.count).map { _ in Float(stream.gaussian()) }
    func output() -> [Float] {
      workspace.fill(map)
      network.forward(workspace, batch: 1, training: false)
      return Array(workspace.features.prefix(tokens * width))
    }
    let first = output()
    for t in 0..<tokens {
      for c in width..<2 * width { map[t * 3 * width + c] += 0.5 * Float(c - width) }
    }
    expectClose(output(), first.map(Double.init), bound: 64 * Rounding.unit, "moved keys")
    for t in 0..<tokens { for c in 2 * width..<3 * width { map[t * 3 * width + c] = 3 } }
    expectClose(
      output(), [Double](repeating: 3, count: tokens * width), bound: 16 * Rounding.unit,
      "equal values")
  }

  @Test("Scores far beyond exp's range give one-hot weights, and nothing that is not a number")
  func attentionExtremes() throws {
    let shape = FeatureShape(height: 3, width: 1, channels: 3)
    let network = try NetworkRecipe.build("attention 1; dense fc 2 0", input: shape)
    let workspace = Workspace(network, capacity: 1, training: false)
    // Queries 1, keys 1000, −1000 and 0, values 5, 6, 7: the first key takes all.
    workspace.fill([1, 1000, 5, 1, -1000, 6, 1, 0, 7])
    network.forward(workspace, batch: 1, training: false)
    #expect(Array(workspace.features.prefix(3)) == [5, 5, 5])
  }

  @Test(
    "Linear layers of many sizes: panels, stretches and blocks of rows that are not full",
    arguments: [
      (1, 1, 1), (3, 17, 33), (5, 40, 16), (64, 33, 7), (130, 300, 40), (260, 31, 530),
      (300, 257, 65),
    ])
  func linear(_ tokens: Int, _ inputs: Int, _ outputs: Int) throws {
    let network = try NetworkRecipe.build(
      "linear a \(inputs) 1; relu; linear b \(outputs) 1; global; dense fc 3 1",
      input: FeatureShape(height: tokens, width: 1, channels: 2))
    let check = GradientCheck(network, batch: 2)
    check.checkForward()
    check.checkDirections()
  }

  @Test("A batch in parts gives the gradient of the whole")
  func microBatches() throws {
    let network = try Network(Self.small, input: Self.image, classes: 5)
    #expect(network.examplesAreIndependent)
    let check = GradientCheck(network, batch: 5)
    let workspace = Workspace(network, capacity: 5, training: true)
    workspace.load(check.workspace.currentParameters)
    var first = 0
    for part in [2, 3] {
      let values = check.input[first * Self.image.count..<(first + part) * Self.image.count]
      workspace.fill(values.map(Float.init), Array(check.labels[first..<first + part]))
      network.forward(workspace, batch: part, training: true)
      workspace.takeLoss(network, batch: part)
      // The mean of a part counts for its share of the batch.
      for i in 0..<part * 5 { workspace.logitsGradient[i] *= Float(part) / 5 }
      network.backward(workspace, batch: part, accumulate: first > 0)
      first += part
    }
    expectClose(
      Array(workspace.gradient), check.gradient.map(Double.init),
      bound: Rounding.backward(network, batch: 5), "gradient")
  }
}
