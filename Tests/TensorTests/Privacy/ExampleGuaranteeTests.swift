import Tensor
import Testing

/// What privacy rests on: a bound on what one example can do, whatever is in it.
@Suite("Guarantees of clipped sums")
struct ExampleGuaranteeTests {
  @Test(
    "what is not finite is zero in every sum and harms nobody",
    arguments: ExampleGradientsTests.specs.indices)
  func notFinite(_ index: Int) throws {
    let fixture = ExampleFixture(try ExampleGradientsTests.network(index), examples: 6)
    let clean = fixture.swept()
    let norms = (0..<6).map { clean.squaredNorm($0) }
    let factors: [Float] = [1, 0, 0.5, 0, 0.25, 0]
    let expected = fixture.sum(clean, factors).map(Double.init)
    for bad in [Float.nan, .infinity, 3e38] {
      var values = fixture.values
      let width = fixture.network.input.count
      for example in [1, 3, 5] {
        for i in example * width..<(example + 1) * width { values[i] = bad }
      }
      let gradients = ExampleGradients(fixture.network, ranges: fixture.everything, capacity: 6)
      fixture.forward(0..<6, in: fixture.workspace, values: values)
      gradients.sweep(fixture.workspace, examples: 6)
      for example in [0, 2, 4] {
        #expect(gradients.isFinite(example))
        #expect(gradients.squaredNorm(example) == norms[example])
      }
      for example in [1, 3, 5] where bad.isNaN { #expect(!gradients.isFinite(example)) }
      // Whatever the factors of those that are not finite.
      let wild = [1, 3, 5].map { gradients.isFinite($0) ? Float(0) : 1e3 }
      let sum = fixture.sum(gradients, [1, wild[0], 0.5, wild[1], 0.25, wild[2]])
      let isFinite = sum.allSatisfy(\.isFinite)
      #expect(isFinite)
      expectAlike(sum, expected, within: 2e-6, "\(bad)")
    }
  }

  @Test(
    "one more example changes the clipped sum by no more than C",
    arguments: ExampleGradientsTests.specs.indices)
  func sensitivity(_ index: Int) throws {
    for seed in [11, 12] as [UInt64] {
      let fixture = ExampleFixture(
        try ExampleGradientsTests.network(index), examples: 6, seed: seed)
      let gradients = fixture.swept()
      let (factors, norm) = ExampleFixture.clipping(gradients)
      let whole = fixture.sum(gradients, factors)
      for missing in 0..<6 {
        var others = factors
        others[missing] = 0
        let apart = zip(whole, fixture.sum(gradients, others)).reduce(0.0) { sum, pair in
          sum + (Double(pair.0) - Double(pair.1)) * (Double(pair.0) - Double(pair.1))
        }.squareRoot()
        // Two sums of Floats differ by their own rounding too.
        let length = squared(whole, fixture.everything).squareRoot()
        #expect(apart <= norm * (1 + 1e-6) + 4e-7 * length)
        var alone = [Float](repeating: 0, count: 6)
        alone[missing] = factors[missing]
        let own = squared(fixture.sum(gradients, alone), fixture.everything).squareRoot()
        #expect(own <= norm * (1 + 1e-6), "\(own) > \(norm)")
      }
    }
  }

  @Test("layers are written out where that is cheap")
  func ways() throws {
    let cifar = FeatureShape(height: 32, width: 32, channels: 3)
    func written(_ spec: ModelSpec, rows: Int = 1) throws -> [String] {
      let network = try Network(spec, input: cifar, classes: 10)
      return ExampleGradients(
        network, ranges: [0..<network.layout.trainedCount], rowsPerExample: rows, capacity: 1
      ).layers.filter(\.isWrittenOut).map(\.name)
    }
    #expect(try written(ModelSpec(kind: .cnn, width: 32)) == ["conv1", "conv2"])
    #expect(try written(ModelSpec(kind: .cnn, width: 32), rows: 4) == ["conv1", "conv2"])
    #expect(try written(ModelSpec(kind: .mlp, width: 1, hidden: [64])) == [])
    // The last stages of a residual network have few positions and many weights.
    let deep = try written(ModelSpec(kind: .resnet18, width: 64))
    #expect(deep.contains("layer1.0.conv1") && deep.contains("layer2.0.conv1"))
    #expect(!deep.contains { $0.hasPrefix("layer4") || $0 == "layer3.1.conv2" || $0 == "fc" })
  }

  @Test("micro-batches fit batch and memory, whatever the machine")
  func microBatchSizes() throws {
    let cifar = FeatureShape(height: 32, width: 32, channels: 3)
    for spec in [
      ModelSpec(kind: .cnn, width: 32), ModelSpec(kind: .resnet8, width: 32),
      ModelSpec(kind: .resnet18, width: 64, norm: .group(groups: 8)),
    ] {
      let network = try Network(spec, input: cifar, classes: 10)
      let all = [0..<network.layout.trainedCount]
      for (rows, each) in [(1, 1), (7, 1), (256, 1), (256, 4), (3, 4)] {
        let size = ExampleGradients.microBatch(of: rows, network, ranges: all, rowsPerExample: each)
        #expect(size >= 1 && size <= max(1, rows / each))
        #expect(size * each <= max(each, network.microBatch(of: rows)))
      }
    }
  }
}
