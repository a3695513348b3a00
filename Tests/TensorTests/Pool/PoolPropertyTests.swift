import Foundation
import Tensor
import TestSupport
import Testing

/// What an adapted network must show, whatever its numbers.
@Suite("Adapted networks")
struct PoolPropertyTests {
  @Test(
    "With γ = 1 and β = 0 the features are the frozen network's, to the bit",
    arguments: PoolFixture.specs)
  func identity(spec: ModelSpec) throws {
    var fixture = try PoolFixture(spec, PoolFixture.pool, input: PoolFixture.image)
    fixture.change(where: { $0.role == .poolScale }) { _, _ in 1 }
    fixture.change(where: { $0.role == .poolShift }) { _, _ in 0 }
    let values = fixture.examples(4)
    let workspace = Workspace(fixture.base, capacity: 4, training: false)
    workspace.load(fixture.trained)
    workspace.fill(values)
    fixture.base.forward(workspace, batch: 4, training: false)
    #expect(fixture.evaluate(values).features == Array(workspace.features))
  }

  @Test("A mean scale and shift behind a linear layer, convolution or norm is a folded layer")
  func folding() throws {
    let pool = InstancePool(poolSize: 3, matched: 3, keys: false)
    for spec in [
      PoolFixture.transformer, ModelSpec(kind: .resnet8, width: 4, norm: .group(groups: 2)),
    ] {
      let fixture = try PoolFixture(spec, pool, input: PoolFixture.image)
      // γ̄ and β̄ go into the layer's weight and bias; a convolution without one keeps its β̄ in
      // the norm after, which takes any constant per group only: so those get γ̄ alone.
      var folded = fixture.trained
      let layout = fixture.network.layout
      var adapted = fixture.parameters
      for entry in layout.entries where entry.role == .poolShift {
        let layer = String(entry.layer.dropFirst(5))
        guard fixture.base.layout[layer + ".bias"] == nil else { continue }
        for i in entry.range { adapted[i] = 0 }
      }
      for entry in layout.entries where entry.role == .poolScale {
        let layer = String(entry.layer.dropFirst(5))
        let shift = try #require(layout[entry.layer + ".shift"])
        let channels = entry.shape[1]
        func mean(_ range: Range<Int>, _ c: Int) -> Double {
          (0..<3).map { Double(adapted[range.lowerBound + $0 * channels + c]) }.reduce(0, +) / 3
        }
        let weight = try #require(fixture.base.layout[layer + ".weight"])
        var values = fixture.base.layout.exported(weight, from: folded)
        let row = values.count / channels
        for index in values.indices {
          values[index] = Float(Double(values[index]) * mean(entry.range, index / row))
        }
        fixture.base.layout.place(values, weight, into: &folded)
        guard let bias = fixture.base.layout[layer + ".bias"] else { continue }
        for (c, i) in bias.range.enumerated() {
          folded[i] = Float(Double(folded[i]) * mean(entry.range, c) + mean(shift.range, c))
        }
      }
      let values = fixture.examples(4)
      let workspace = Workspace(fixture.base, capacity: 4, training: false)
      workspace.load(folded)
      workspace.fill(values)
      fixture.base.forward(workspace, batch: 4, training: false)
      expectClose(
        fixture.evaluate(values, adapted).features, Array(workspace.features).map(Double.init),
        bound: 1e-5, "\(spec.kind)")
    }
  }

  @Test("ViT-B/16 has 74 sites in their order, 205,824 floats per entry, and the paper's totals")
  func counts() throws {
    let image = FeatureShape(height: 224, width: 224, channels: 3)
    let pool = InstancePool(poolSize: 25, matched: 3)
    for (classes, floats) in [(10, 5_357_050), (100, 7_087_300), (200, 9_009_800)] {
      let network = try Network(
        TransformerTests.base, adaptedBy: pool, input: image, classes: classes)
      #expect(network.layout.trainedCount == floats)
      #expect(network.layout.movingCount == floats)
      #expect(network.layout.count - floats == 85_798_656)
      let sites = network.layout.entries.filter { $0.role == .poolScale }
      #expect(sites.count == 74)
      #expect(2 * sites.map { $0.shape[1] }.reduce(0, +) == 205_824)
      #expect(
        sites.prefix(8).map(\.name) == [
          "pool.patch_embed.proj.scale", "pool.blocks.0.norm1.scale",
          "pool.blocks.0.attn.qkv.scale", "pool.blocks.0.attn.proj.scale",
          "pool.blocks.0.norm2.scale", "pool.blocks.0.mlp.fc1.scale", "pool.blocks.0.mlp.fc2.scale",
          "pool.blocks.1.norm1.scale",
        ])
      #expect(sites.last?.name == "pool.norm.scale" && sites[2].shape == [25, 2304])
    }
    let single = try Network(TransformerTests.base, adaptedBy: .single, input: image, classes: 200)
    #expect(single.layout.trainedCount == 359_624)
    // No query pass: one forward pass, and input gradients after the patches only.
    let plain = try Network(TransformerTests.base, input: image, classes: 200)
    #expect(single.forwardFLOPs == plain.forwardFLOPs)
    let double = try Network(TransformerTests.base, adaptedBy: pool, input: image, classes: 200)
    #expect(double.forwardFLOPs == 2 * plain.forwardFLOPs - 2 * 768 * 200)
    #expect(
      double.trainingFLOPs - double.forwardFLOPs == single.trainingFLOPs - single.forwardFLOPs)
    #expect(single.trainingFLOPs < plain.trainingFLOPs)
  }

  @Test("Maps that no backward pass reads share memory: asking for features takes little of it")
  func sharedMaps() throws {
    for spec in [PoolFixture.transformer, ModelSpec(kind: .resnet20, width: 16)] {
      let asked = try Network(
        spec, adaptedBy: InstancePool(poolSize: 2, matched: 1), input: PoolFixture.image, classes: 5
      )
      let plain = try Network(spec, input: PoolFixture.image, classes: 5)
      let single = try Network(spec, adaptedBy: .single, input: PoolFixture.image, classes: 5)
      let extra = asked.activationsPerExample - single.activationsPerExample
      // Each example's own means of scales and shifts are the other new thing.
      let means = asked.layout.entries.filter { $0.role == .poolScale }.map { 2 * $0.shape[1] }
      #expect(extra - means.reduce(0, +) < plain.activationsPerExample / 3, "\(spec.kind)")
      let bytes = Workspace(asked, capacity: 4, training: true).byteCount
      let stated = asked.workspaceBytes(capacity: 4, moments: 0)
      #expect(abs(bytes - stated) < 64 * (asked.slots.count + 16))
    }
  }

  @Test("Tensors of the pool have the stated names and shapes, and no classifier of the base")
  func names() throws {
    let fixture = try PoolFixture(
      ModelSpec(kind: .resnet8, width: 4, norm: .batch), PoolFixture.pool, input: PoolFixture.image)
    let layout = fixture.network.layout
    #expect(layout["pool.keys"]?.shape == [5, 16])
    #expect(layout["pool.conv1.scale"]?.shape == [5, 4])
    #expect(layout["pool.layer3.0.downsample.1.shift"]?.shape == [5, 16])
    #expect(layout["pool.head.weight"]?.shape == [5, 5, 16])
    #expect(layout["pool.head.bias"]?.shape == [5, 5])
    #expect(layout["fc.weight"] == nil && layout["conv1.weight"]?.role == .frozen)
    #expect(layout["bn1.running_mean"]?.role == .frozen)
    #expect(fixture.network.classifier == "pool.head" && fixture.network.featureWidth == 16)
    // Nine convolutions and nine norms of a residual network with three blocks.
    #expect(layout.entries.count { $0.role == .poolScale } == 18)
    #expect(fixture.network.examplesAreIndependent)
  }

  @Test(
    "Initial pools: γ around 1, β and keys around 0 by 0.02, heads by 2/(C·D), frozen as trained")
  func initialisation() throws {
    let fixture = try PoolFixture(
      ModelSpec(kind: .resnet8, width: 32, norm: .group(groups: 4)),
      InstancePool(poolSize: 10, matched: 3), input: PoolFixture.image)
    let layout = fixture.network.layout
    func start(_ seed: UInt64) throws -> [Float] {
      try fixture.network.adaptedParameters(from: fixture.base.layout, fixture.trained, seed: seed)
    }
    let vector = try start(6)
    #expect(try start(6) == vector)
    #expect(try start(7) != vector)
    func check(_ name: String, mean: Double, deviation: Double) throws {
      let entry = try #require(layout[name])
      let values = vector[entry.range].map { Double($0) - mean }
      let n = Double(values.count)
      #expect(abs(values.reduce(0, +) / n) < 5 * deviation / n.squareRoot(), "\(name)")
      let square = values.map { $0 * $0 }.reduce(0, +) / n
      #expect(abs(square / (deviation * deviation) - 1) < 5 * (2 / n).squareRoot(), "\(name)")
    }
    try check("pool.layer3.0.bn2.scale", mean: 1, deviation: 0.02)
    try check("pool.layer3.0.bn2.shift", mean: 0, deviation: 0.02)
    try check("pool.keys", mean: 0, deviation: 0.02)
    try check("pool.head.weight", mean: 0, deviation: (2.0 / (5 * 128)).squareRoot())
    let bias = try #require(layout["pool.head.bias"])
    #expect(vector[bias.range].allSatisfy { $0 == 0 })
    for entry in layout.entries where entry.role == .frozen {
      let source = try #require(fixture.base.layout[entry.name])
      #expect(vector[entry.range].elementsEqual(fixture.trained[source.range]), "\(entry.name)")
    }
    let other = try Network(
      ModelSpec(kind: .resnet8, width: 16, norm: .group(groups: 4)), input: PoolFixture.image,
      classes: 5
    ).layout
    #expect(throws: ModelError.self) {
      try fixture.network.adaptedParameters(
        from: other, [Float](repeating: 0, count: other.count), seed: 1)
    }
  }

  @Test("What makes no pool, or has nothing to adapt, is refused in words")
  func refused() {
    func message(_ spec: ModelSpec, _ pool: InstancePool) -> String {
      do {
        _ = try Network(spec, adaptedBy: pool, input: PoolFixture.image, classes: 5)
        return "nothing"
      } catch { return error.message }
    }
    let spec = PoolFixture.transformer
    #expect(message(spec, InstancePool(poolSize: 3, matched: 4)).contains("4 of 3"))
    #expect(message(spec, InstancePool(poolSize: 3, matched: 0)).contains("0 of 3"))
    #expect(message(spec, InstancePool(poolSize: 0, matched: 0)).contains("0 of 0"))
    #expect(message(spec, InstancePool(poolSize: 3, matched: 2, keys: false)).contains("keys"))
    #expect(message(ModelSpec(kind: .logistic, width: 1), PoolFixture.pool).contains("logistic"))
    #expect(message(ModelSpec(kind: .mlp, width: 1), PoolFixture.pool).contains("mlp"))
    #expect(message(ModelSpec(kind: .lenet5, width: 6), PoolFixture.pool).contains("16×16"))
    #expect(
      message(ModelSpec(kind: .vit, width: 12, patch: 3), PoolFixture.pool).contains("patches"))
  }
}
