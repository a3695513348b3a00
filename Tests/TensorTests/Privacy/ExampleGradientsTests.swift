import Base
import Tensor
import TestSupport
import Testing

/// Norms and sums of single examples' gradients against gradients that were taken one by one.
@Suite("Gradients of single examples")
struct ExampleGradientsTests {
  static let input = FeatureShape(height: 8, width: 8, channels: 3)

  /// Every model, with every norm that leaves examples alone.
  static let specs: [(spec: ModelSpec, side: Int)] = [
    (standardised(ModelSpec(kind: .cnn, width: 4, norm: .group(groups: 2))), 9),
    (standardised(ModelSpec(kind: .resnet8, width: 16, norm: .group(groups: 4))), 8),
    (standardised(ModelSpec(kind: .lenet5, width: 6)), 28),
    (ModelSpec(kind: .logistic, width: 1), 5),
    (ModelSpec(kind: .mlp, width: 1, hidden: [11, 9], dropout: [0.3]), 5),
    (ModelSpec(kind: .mlp, width: 1, hidden: [16], activation: .gelu), 4),
    (ModelSpec(kind: .cnn, width: 8), 10),
    (ModelSpec(kind: .cnn, width: 16, dropout: [0.25, 0.5]), 10),
    (ModelSpec(kind: .cnn, width: 4, norm: .group(groups: 2)), 9),
    (
      ModelSpec(
        kind: .cnn, width: 16,
        activation: .temperedSigmoid(scale: 2, inverseTemperature: 2, offset: 1)), 8
    ), (ModelSpec(kind: .lenet5, width: 6), 28),
    (ModelSpec(kind: .resnet8, width: 16, norm: .group(groups: 4)), 8),
    (ModelSpec(kind: .resnet8, width: 4), 9),
    (ModelSpec(kind: .resnet20, width: 4, norm: .group(groups: 2)), 8),
    (ModelSpec(kind: .resnet18, width: 8, norm: .group(groups: 4)), 16),
    (ModelSpec(kind: .vgg, width: 16), 8),
    (ModelSpec(kind: .vgg, width: 4, norm: .group(groups: 2)), 9),
    (ModelSpec(kind: .vit, width: 12, patch: 4, depth: 2, heads: 3, mlpRatio: 2), 8),
    (ModelSpec(kind: .vit, width: 32, patch: 2, depth: 1, heads: 2), 8),
  ]

  private static func standardised(_ spec: ModelSpec) -> ModelSpec {
    var spec = spec
    spec.standardisesWeights = true
    return spec
  }

  static func network(_ index: Int, _ classifier: ModelSpec.Classifier = .linear) throws -> Network
  {
    var spec = specs[index].spec
    spec.classifier = classifier
    let side = specs[index].side
    return try Network(
      spec, input: FeatureShape(height: side, width: side, channels: 3), classes: 5)
  }

  /// Norms, norms per layer and clipped sums.
  private func check(
    _ fixture: ExampleFixture, _ given: [Range<Int>]? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let truth = fixture.truth()
    let ranges = given ?? fixture.everything
    let gradients = fixture.swept(ranges)
    var expected = [Double](repeating: 0, count: fixture.network.layout.trainedCount)
    let (factors, _) = ExampleFixture.clipping(gradients)
    let isMixed = factors.contains { $0 < 1 } && factors.contains(1)
    #expect(isMixed, sourceLocation: sourceLocation)
    for (example, gradient) in truth.enumerated() {
      let norm = squared(gradient, ranges).squareRoot()
      let own = gradients.squaredNorm(example).squareRoot()
      #expect(
        abs(own - norm) <= 1e-5 * norm, "example \(example): \(own) for \(norm)",
        sourceLocation: sourceLocation)
      #expect(gradients.isFinite(example), sourceLocation: sourceLocation)
      for (index, layer) in gradients.layers.enumerated() {
        let part = squared(gradient, layer.ranges).squareRoot()
        let found = gradients.squaredNorm(example, layer: index).squareRoot()
        // A layer's gradient may be what is left after much has cancelled.
        #expect(
          abs(found - part) <= 1e-5 * part + 1e-6 * norm,
          "example \(example), \(layer.name): \(found) for \(part)", sourceLocation: sourceLocation)
      }
      for range in ranges {
        for i in range { expected[i] += Double(factors[example]) * Double(gradient[i]) }
      }
    }
    expectAlike(
      fixture.sum(gradients, factors), expected, "clipped sum", sourceLocation: sourceLocation)
    let covered = gradients.layers.flatMap(\.ranges).reduce(0) { $0 + $1.count }
    #expect(covered == ranges.reduce(0) { $0 + $1.count }, sourceLocation: sourceLocation)
  }

  @Test("models", arguments: specs.indices)
  func models(_ index: Int) throws {
    check(ExampleFixture(try Self.network(index), examples: 6))
  }

  @Test("models whose gradients come from several rows each", arguments: specs.indices)
  func multiplicity(_ index: Int) throws {
    check(ExampleFixture(try Self.network(index), examples: 4, rows: 4))
  }

  @Test(
    "classifiers of directions", arguments: [ModelSpec.Classifier.cosine, .frame(width: 7)],
    [1, 4, 8])
  func directions(_ classifier: ModelSpec.Classifier, _ index: Int) throws {
    check(ExampleFixture(try Self.network(index, classifier), examples: 6))
  }

  @Test("layers one by one", arguments: GoldenFile.names("layer"))
  func layers(_ name: String)
    throws
  {
    let network = try GoldenFile(name).network()
    guard network.examplesAreIndependent else { return }
    check(ExampleFixture(network, examples: 6))
    check(ExampleFixture(network, examples: 3, rows: 3))
  }

  @Test("joined operations", arguments: FusionTests.recipes.indices)
  func joined(_ index: Int)
    throws
  {
    let (recipe, height, width) = FusionTests.recipes[index]
    let network = try NetworkRecipe.build(
      recipe, input: FeatureShape(height: height, width: width, channels: 3))
    check(ExampleFixture(network, examples: 6))
  }

  @Test(
    "pools of adapters on frozen networks", arguments: PoolFixture.specs,
    [
      InstancePool(poolSize: 5, matched: 2), .single,
      InstancePool(poolSize: 3, matched: 3, keys: false),
    ])
  func pools(_ spec: ModelSpec, _ pool: InstancePool) throws {
    let fixture = try PoolFixture(spec, pool, input: PoolFixture.image)
    #expect(fixture.network.examplesAreIndependent)
    check(ExampleFixture(fixture.network, examples: 6, parameters: fixture.parameters))
    check(ExampleFixture(fixture.network, examples: 3, rows: 2, parameters: fixture.parameters))
  }

  @Test("a frozen body with batch norm leaves examples alone")
  func probe() throws {
    let spec = ModelSpec(kind: .resnet8, width: 4, norm: .batch)
    let network = try Network(probing: spec, input: Self.input, classes: 5)
    check(ExampleFixture(network, examples: 6))
  }

  @Test("weights that several operations share", arguments: [1, 3])
  func tied(_ rows: Int) throws {
    // Of two tensors with one name and shape the first is read by both layers; nobody reads the
    // second, which comes first here to be left out.
    for recipe in [
      "dense in 6 1; relu; dense a 6 1; relu; dense a 6 1; dense fc 4 1",
      "conv c 4 3 1 1 1; relu; conv a 4 3 1 1 0; relu; conv a 4 3 1 1 0; dense fc 4 1",
    ] {
      let network = try NetworkRecipe.build(
        recipe, input: FeatureShape(height: 4, width: 5, channels: 2))
      let used = network.layout.entries.indices.filter { index in
        !network.layout.entries[..<index].contains { $0.name == network.layout.entries[index].name }
      }.map { network.layout.entries[$0].range }
      let fixture = ExampleFixture(network, examples: 5, rows: rows)
      check(fixture, used)
      let names = fixture.swept(used).layers.map(\.name)
      #expect(names.filter { $0 == "a" }.count == 1)
    }
  }

  @Test("parameters that stay count in nothing and stay", arguments: specs.indices)
  func parts(
    _ index: Int
  ) throws {
    let network = try Self.network(index)
    let fixture = ExampleFixture(network, examples: 5)
    let classifier = network.layout.entries.filter { $0.layer == network.classifier }.map(\.range)
    let body = network.layout.entries.filter { $0.layer != network.classifier && $0.role.isTrained }
      .map(\.range)
    // Biases and norms alone; and a stretch that cuts tensors in two.
    let small = network.layout.entries.filter { $0.role == .bias || $0.role.isNorm }.map(\.range)
    let count = network.layout.trainedCount
    for ranges in [classifier, body, small, [count / 5..<count / 2, count - 3..<count - 1]]
    where !ranges.isEmpty {
      check(fixture, ranges)
      let gradients = fixture.swept(ranges)
      var target = [Float](repeating: 3, count: count)
      target.withUnsafeMutableBufferPointer { gradients.add([1, 1, 1, 1, 1], to: $0) }
      for i in 0..<count where !ranges.contains(where: { $0.contains(i) }) {
        if target[i] != 3 {
          Issue.record("\(i) moved to \(target[i])")
          break
        }
      }
    }
  }

  @Test("all factors one: the gradient of the batch", arguments: specs.indices)
  func batch(
    _ index: Int
  ) throws {
    let fixture = ExampleFixture(try Self.network(index), examples: 7)
    let gradients = fixture.swept()
    let sum = fixture.sum(gradients, [Float](repeating: 1, count: 7))
    fixture.forward(0..<7, in: fixture.workspace)
    fixture.network.backward(fixture.workspace, batch: 7)
    expectAlike(sum, fixture.workspace.gradient.map(Double.init), within: 2e-6)
  }

  @Test("two sums of one sweep, and the workspace's own gradient untouched", arguments: [4, 8, 15])
  func twoSums(_ index: Int) throws {
    let fixture = ExampleFixture(try Self.network(index), examples: 5)
    for i in fixture.workspace.gradient.indices { fixture.workspace.gradient[i] = Float(i % 7) }
    let gradients = fixture.swept()
    let isUntouched = fixture.workspace.gradient.indices.allSatisfy {
      fixture.workspace.gradient[$0] == Float($0 % 7)
    }
    #expect(isUntouched)
    // Layers that stay pass gradients on and leave theirs nowhere.
    let early = fixture.network.layout.entries[0].range
    let other = fixture.swept([early])
    let isStillUntouched = fixture.workspace.gradient.indices.allSatisfy {
      fixture.workspace.gradient[$0] == Float($0 % 7)
    }
    #expect(isStillUntouched && other.layers.count == 1)
    fixture.forward(0..<5, in: fixture.workspace)
    gradients.sweep(fixture.workspace, examples: 5)
    let factors: [Float] = [0.25, 1, 0, 0.5, 0.125]
    let first = fixture.sum(gradients, factors)
    let second = fixture.sum(gradients, factors.map { 1 - $0 })
    #expect(fixture.sum(gradients, factors) == first)
    let whole = fixture.sum(gradients, [1, 1, 1, 1, 1])
    expectAlike(zip(first, second).map { $0 + $1 }, whole.map(Double.init), within: 2e-6)
  }

  @Test("a sweep in two parts, and one that starts late, are the same", arguments: specs.indices)
  func split(_ index: Int) throws {
    let fixture = ExampleFixture(try Self.network(index), examples: 5)
    let whole = fixture.swept()
    let parts = ExampleGradients(fixture.network, ranges: fixture.everything, capacity: 5)
    fixture.forward(0..<5, in: fixture.workspace)
    parts.sweep(fixture.workspace, examples: 5)
    // Norms and sums of a head alone, though the rows of an earlier sweep are still there.
    fixture.forward(0..<5, in: fixture.workspace)
    parts.sweep(fixture.workspace, examples: 5, part: .head)
    let ofHead = whole.layers.indices.filter { whole.layers[$0].name == fixture.network.classifier }
    let norm = ofHead.reduce(0) { $0 + whole.squaredNorm(2, layer: $1) }
    #expect(parts.squaredNorm(2) == norm)
    let partial = fixture.sum(parts, [0, 0, 1, 0, 0])
    #expect(abs(squared(partial, fixture.everything) - norm) <= 1e-5 * norm)
    parts.sweep(fixture.workspace, examples: 5, part: .body)
    for example in 0..<5 { #expect(parts.squaredNorm(example) == whole.squaredNorm(example)) }
    let factors: [Float] = [1, 0.5, 0.25, 2, 0]
    #expect(fixture.sum(parts, factors) == fixture.sum(whole, factors))
    // What is added between the parts counts: a change of the features' gradient changes the body.
    guard !fixture.workspace.featuresGradient.isEmpty else { return }
    fixture.forward(0..<5, in: fixture.workspace)
    parts.sweep(fixture.workspace, examples: 5, part: .head)
    let width = fixture.network.featureWidth
    for i in width..<2 * width { fixture.workspace.featuresGradient[i] = 0 }
    parts.sweep(fixture.workspace, examples: 5, part: .body)
    let head = parts.layers.indices.filter { parts.layers[$0].name == fixture.network.classifier }
    for layer in parts.layers.indices {
      #expect(
        head.contains(layer)
          ? parts.squaredNorm(1, layer: layer) > 0 : parts.squaredNorm(1, layer: layer) == 0)
      #expect(parts.squaredNorm(2, layer: layer) == whole.squaredNorm(2, layer: layer))
    }
    let moving = fixture.network.layout.entries.filter { $0.layer == fixture.network.classifier }
    let late = ExampleGradients(fixture.network, ranges: moving.map(\.range), capacity: 5)
    fixture.forward(0..<5, in: fixture.workspace)
    late.sweep(
      fixture.workspace, examples: 5, from: fixture.network.firstStep(moving: moving.map(\.range)))
    for layer in head { #expect(late.squaredNorm(3) == whole.squaredNorm(3, layer: layer)) }
  }

  @Test("micro-batches add up to the whole batch", arguments: specs.indices)
  func microBatches(
    _ index: Int
  ) throws {
    let fixture = ExampleFixture(try Self.network(index), examples: 7)
    let whole = fixture.swept()
    let (factors, _) = ExampleFixture.clipping(whole)
    let expected = fixture.sum(whole, factors).map(Double.init)
    let parts = ExampleGradients(fixture.network, ranges: fixture.everything, capacity: 3)
    var sum = [Float](repeating: 0, count: fixture.network.layout.trainedCount)
    for first in [0, 3, 6] {
      let range = first..<min(7, first + 3)
      fixture.forward(range, in: fixture.workspace)
      parts.sweep(fixture.workspace, examples: range.count)
      for example in range {
        let norm = whole.squaredNorm(example)
        #expect(abs(parts.squaredNorm(example - first) - norm) <= 1e-5 * norm)
      }
      sum.withUnsafeMutableBufferPointer { parts.add(Array(factors[range]), to: $0) }
    }
    expectAlike(sum, expected, within: 2e-6)
  }

  @Test("factors of their own for each layer", arguments: [3, 8, 14])
  func perLayer(_ index: Int)
    throws
  {
    let fixture = ExampleFixture(try Self.network(index), examples: 5)
    let truth = fixture.truth()
    let gradients = fixture.swept()
    let count = gradients.layers.count
    var stream = RandomStream(seed: 5, .test)
    let factors = (0..<5 * count).map { _ in Float(stream.uniform()) }
    var target = [Float](repeating: 0, count: fixture.network.layout.trainedCount)
    target.withUnsafeMutableBufferPointer { gradients.add(layerFactors: factors, to: $0) }
    var expected = [Double](repeating: 0, count: target.count)
    for (example, gradient) in truth.enumerated() {
      for (index, layer) in gradients.layers.enumerated() {
        for i in layer.ranges.joined() {
          expected[i] += Double(factors[example * count + index]) * Double(gradient[i])
        }
      }
    }
    expectAlike(target, expected)
  }
}
