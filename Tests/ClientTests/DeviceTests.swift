import Base
import Client
import Tensor
import TestSupport
import Testing

/// A client with labels that tell its images apart: image i has label i.
struct DeviceFixture {
  let images: ImageSet
  let network: Network
  let workspace: Workspace
  let loader: BatchLoader

  init(_ recipe: String = "dense a 5 1; relu; dense b 40 1", count: Int = 40) throws {
    let shape = FeatureShape(height: 2, width: 3, channels: 1)
    var stream = RandomStream(seed: 12, .test)
    images = ImageSet(
      shape: shape,
      pixels: .floats((0..<count * shape.count).map { _ in Float(stream.uniform() * 2 - 1) }),
      labels: (0..<count).map { Int32($0) }, classes: count)
    network = try NetworkRecipe.build(recipe, input: shape)
    workspace = Workspace(network, capacity: 16, training: true, moments: 1)
    loader = BatchLoader(images, PixelTransform(channels: 1))
    workspace.load(network.layout.initialParameters(.pytorch, seed: 5))
  }

  func device(
    examples: [Int], batch: Int = 4, work: LocalSettings.Work = .epochs(1),
    order: LocalSettings.Order = .sequential, rate: Double = 0.1, round: Int = 1, client: Int = 0,
    phase: StreamAddress.Phase = .training
  ) -> Device {
    Device(
      client: client, round: round, rounds: 10, seed: 1, examples: examples, network: network,
      workspace: workspace, loader: loader,
      settings: LocalSettings(
        work: work, batch: batch, order: order,
        optimizer: OptimizerSpec(learningRate: rate, momentum: 0.5)), phase: phase)
  }

  /// The images of the next batches, told by their labels.
  func batches(_ device: inout Device, _ count: Int) -> [[Int]] {
    (0..<count).map { _ in
      let size = device.nextBatch()
      device.load(0, size)
      return workspace.labels[..<size].map { Int($0) }
    }
  }
}

@Suite("A device's batches")
struct DeviceBatchTests {
  @Test("sequential order repeats the partition's order, with a short last batch")
  func sequential()
    throws
  {
    let fixture = try DeviceFixture()
    var device = fixture.device(examples: [9, 2, 7, 30, 1, 0, 12, 5, 33, 8])
    let epoch = [[9, 2, 7, 30], [1, 0, 12, 5], [33, 8]]
    #expect(fixture.batches(&device, 6) == epoch + epoch)
  }

  @Test("shuffled order is a new permutation in every epoch, round and client")
  func shuffled()
    throws
  {
    let fixture = try DeviceFixture()
    let examples = Array(10..<31)
    var orders: [[Int]] = []
    for (round, client) in [(1, 0), (1, 1), (2, 0)] {
      var device = fixture.device(
        examples: examples, order: .shuffled, round: round, client: client)
      for _ in 0..<3 { orders.append(fixture.batches(&device, 6).flatMap { $0 }) }
    }
    for order in orders { #expect(order.sorted() == examples) }
    #expect(Set(orders).count == 9)
    var again = fixture.device(examples: examples, order: .shuffled, round: 2)
    #expect(fixture.batches(&again, 6).flatMap { $0 } == orders[6])
    // Another phase repeats no draw.
    var later = fixture.device(examples: examples, order: .shuffled, round: 2, phase: .evaluation)
    #expect(!orders.contains(fixture.batches(&later, 6).flatMap { $0 }))
  }

  @Test(
    "work in epochs is max(1, round(e·⌈n/B⌉)) steps",
    arguments: [
      (1.0, 10, 3), (2, 10, 6), (0.5, 10, 2), (0.4, 10, 1), (0.01, 10, 1), (1.5, 8, 3), (1, 1, 1),
      (1, 4, 1), (1, 5, 2),
    ])
  func steps(_ epochs: Double, _ examples: Int, _ expected: Int) throws {
    #expect(LocalSettings.Work.epochs(epochs).steps(examples: examples, batch: 4) == expected)
    let fixture = try DeviceFixture()
    var device = fixture.device(examples: Array(0..<examples), work: .epochs(epochs))
    var rule = PlainRule(SoftmaxCrossEntropy())
    #expect(try device.train(&rule).steps == expected)
  }

  @Test("a client without examples makes no step")
  func empty() throws {
    let fixture = try DeviceFixture()
    var device = fixture.device(examples: [], work: .steps(5))
    var rule = PlainRule(SoftmaxCrossEntropy())
    #expect(try device.train(&rule) == LocalReport())
  }
}

@Suite("Ways through a batch")
struct BatchPassTests {
  /// Changes nothing, but says that it might.
  struct SilentRule: LocalRule { let loss: SoftmaxCrossEntropy? = SoftmaxCrossEntropy() }

  private func problem(_ spec: ModelSpec, side: Int, images: Int = 40) throws -> (
    Network, BatchLoader
  ) {
    let shape = FeatureShape(height: side, width: side, channels: 3)
    var stream = RandomStream(seed: 3, .test)
    let pixels = (0..<images * shape.count).map { _ in Float(stream.gaussian()) }
    let labels = (0..<images).map { Int32($0 * 7 % 5) }
    let set = ImageSet(shape: shape, pixels: .floats(pixels), labels: labels, classes: 5)
    let network = try Network(spec, input: shape, classes: 5)
    return (network, BatchLoader(set, PixelTransform(channels: 3)))
  }

  private func device(
    _ network: Network, _ loader: BatchLoader, _ workspace: Workspace, batch: Int,
    augmentation: AugmentationPlan = AugmentationPlan()
  ) -> Device {
    Device(
      client: 1, round: 2, rounds: 3, seed: 4, examples: Array(0..<loader.images.count),
      network: network, workspace: workspace, loader: loader,
      settings: LocalSettings(
        work: .epochs(2), batch: batch, order: .shuffled,
        optimizer: OptimizerSpec(learningRate: 0.05), augmentation: augmentation))
  }

  @Test(
    "weights moved while their gradient is formed have the optimizer's bits",
    arguments: [
      ModelSpec(kind: .mlp, width: 1, hidden: [16, 24]),
      ModelSpec(kind: .cnn, width: 16, dropout: [0.25, 0.5]), ModelSpec(kind: .cnn, width: 4),
      ModelSpec(kind: .logistic, width: 1),
    ])
  func directSteps(_ spec: ModelSpec) throws {
    let (network, loader) = try problem(spec, side: 8)
    let initial = network.layout.initialParameters(.pytorch, seed: 1)
    func train<Rule: LocalRule>(_ rule: Rule) throws -> [Float] {
      let workspace = Workspace(network, capacity: 10, training: true)
      workspace.load(initial)
      var rule = rule
      var device = device(network, loader, workspace, batch: 10)
      #expect(network.microBatch(of: 10) == 10)
      _ = try device.train(&rule)
      return workspace.currentParameters
    }
    let direct = try train(PlainRule(SoftmaxCrossEntropy()))
    #expect(direct != initial)
    #expect(direct.map(\.bitPattern) == (try train(SilentRule())).map(\.bitPattern))
  }

  @Test("micro-batches add up to the gradient of the whole batch, dropout and crops alike")
  func microBatches() throws {
    let spec = ModelSpec(kind: .resnet8, width: 8, norm: .group(groups: 4))
    let (network, loader) = try problem(spec, side: 16)
    let part = network.microBatch(of: 40)
    #expect(part < 40 && part > 0)
    let workspace = Workspace(network, capacity: 40, training: true)
    let initial = network.layout.initialParameters(.pytorch, seed: 1)
    let plan = AugmentationPlan(cropPadding: 2, flips: true)

    workspace.load(initial)
    var device = device(network, loader, workspace, batch: 40, augmentation: plan)
    var rule = SilentRule()
    #expect(device.nextBatch() == 40)
    let result = try device.computeGradient(&rule)
    let parts = Array(workspace.gradient)

    workspace.load(initial)
    var whole = self.device(network, loader, workspace, batch: 40, augmentation: plan)
    _ = whole.nextBatch()
    whole.load(0, 40)
    network.forward(workspace, batch: 40, training: true)
    let mean = workspace.takeLoss(network, batch: 40)
    network.backward(workspace, batch: 40)
    #expect(abs(result.lossSum / 40 - mean) < 1e-4 * mean)
    #expect(result.weight == 40)
    for entry in network.layout.entries {
      expectClose(
        Array(parts[entry.range]), workspace.gradient[entry.range].map(Double.init),
        bound: 2 * Rounding.backward(network, batch: 40), entry.name)
    }
  }

  @Test("no batch up to a size has a larger micro-batch than the largest, and one has it")
  func largestMicroBatch() throws {
    for spec in [
      ModelSpec(kind: .resnet8, width: 8, norm: .group(groups: 4)),
      ModelSpec(kind: .cnn, width: 4), ModelSpec(kind: .mlp, width: 1, hidden: [3]),
      ModelSpec(kind: .resnet8, width: 8, norm: .batch),
    ] {
      let (network, _) = try problem(spec, side: 8)
      for batch in 1...300 {
        let sizes = (1...batch).map(network.microBatch)
        #expect(sizes.max() == network.largestMicroBatch(upTo: batch), "\(spec.kind) \(batch)")
      }
    }
  }

  @Test("batch norm sees the whole batch at once")
  func batchNorm() throws {
    let spec = ModelSpec(kind: .resnet8, width: 8, norm: .batch)
    let (network, _) = try problem(spec, side: 8)
    #expect(!network.examplesAreIndependent)
    #expect(network.microBatch(of: 37) == 37)
  }

  @Test("a loaded model is copied before anything changes it, and never changed itself")
  func lentModels() throws {
    let (network, loader) = try problem(ModelSpec(kind: .mlp, width: 1, hidden: [16]), side: 4)
    let initial = network.layout.initialParameters(.pytorch, seed: 1)
    let workspace = Workspace(network, capacity: 10, training: true)
    let model = initial
    workspace.load(model)
    #expect(workspace.currentParameters == initial)
    workspace.load(model)
    workspace.mutableParameters[0] = 7
    #expect(model == initial)
    workspace.load(model)
    var device = device(network, loader, workspace, batch: 10)
    var rule = PlainRule(SoftmaxCrossEntropy())
    _ = try device.train(&rule)
    #expect(model == initial && workspace.currentParameters != initial)
    let shared = workspace.shareParameters()
    let trained = shared.withValues { Array($0) }
    workspace.load(model)
    network.forward(workspace, batch: 1, training: true)
    #expect(shared.withValues { Array($0) } == trained)
    workspace.forget()
  }
}

@Suite("Local training")
struct LocalTrainingTests {
  /// Counts its calls and looks at what it is given.
  struct CountingRule: LocalRule {
    var adjusted: [Int] = []
    var terms: [Int] = []
    let loss: SoftmaxCrossEntropy? = SoftmaxCrossEntropy()

    mutating func addTerms(_ part: BatchPart) -> Double {
      terms.append(part.count)
      return 0
    }

    mutating func adjust(_ gradient: inout MutableSpan<Float>, at parameters: Span<Float>) {
      adjusted.append(gradient.count)
      #expect(gradient.count == parameters.count)
    }
  }

  /// Makes every gradient zero.
  struct ZeroRule: LocalRule {
    let loss: SoftmaxCrossEntropy? = SoftmaxCrossEntropy()

    mutating func adjust(_ gradient: inout MutableSpan<Float>, at parameters: Span<Float>) {
      for i in gradient.indices { gradient[i] = 0 }
    }
  }

  @Test("a rule is called once per step, with the batch and all trained parameters")
  func calls()
    throws
  {
    let fixture = try DeviceFixture()
    var device = fixture.device(examples: Array(0..<10), work: .epochs(2))
    var rule = CountingRule()
    let report = try device.train(&rule)
    #expect(rule.terms == [4, 4, 2, 4, 4, 2])
    #expect(rule.adjusted == Array(repeating: fixture.network.layout.trainedCount, count: 6))
    #expect(report.steps == 6)
    #expect(report.examples == 20)
    #expect(report.exampleWeight == 20)
  }

  @Test("what a rule makes of the gradient is what the optimizer sees")
  func zeroGradient() throws {
    let fixture = try DeviceFixture()
    let before = fixture.workspace.currentParameters
    var device = fixture.device(examples: Array(0..<10))
    var zero = ZeroRule()
    _ = try device.train(&zero)
    #expect(fixture.workspace.currentParameters == before)
    var plain = PlainRule(SoftmaxCrossEntropy())
    _ = try device.train(&plain)
    #expect(fixture.workspace.currentParameters != before)
  }

  @Test(
    "a phase moves its own ranges and leaves every other parameter's bits", arguments: ["a", "b"])
  func ranges(_ layer: String) throws {
    let fixture = try DeviceFixture()
    let before = fixture.workspace.currentParameters
    let own = ParameterSelection(fixture.network.layout) { $0.layer == layer }
    var device = fixture.device(examples: Array(0..<10))
    var rule = PlainRule(SoftmaxCrossEntropy())
    _ = try device.train(LocalPhase(.epochs(2), ranges: own.ranges), &rule)
    let after = fixture.workspace.currentParameters
    let moves = Set(own.ranges.flatMap { $0 })
    for i in before.indices where !moves.contains(i) {
      #expect(after[i].bitPattern == before[i].bitPattern)
    }
    #expect(own.gather(after) != own.gather(before))
  }

  @Test("a step's reported loss is the mean over its batch before the step")
  func loss() throws {
    let fixture = try DeviceFixture()
    let start = fixture.workspace.currentParameters
    let reference = ReferenceNetwork(fixture.network, start)
    guard case .floats(let pixels) = fixture.images.pixels else { return }
    // One full batch: the loss at the start.
    var device = fixture.device(examples: Array(0..<10), batch: 16)
    var rule = PlainRule(SoftmaxCrossEntropy())
    let report = try device.train(&rule)
    let expected = reference.loss(pixels[..<60].map(Double.init), labels: Array(0..<10), batch: 10)
      .loss
    let bound = Rounding.forward(fixture.network, batch: 10) * max(1, expected)
    #expect(abs(report.lossSum / report.exampleWeight - expected) <= bound)
  }

  @Test("a loss that is not finite is thrown with its round, client and step")
  func divergence()
    throws
  {
    let fixture = try DeviceFixture()
    var device = fixture.device(
      examples: Array(0..<12), work: .epochs(9), rate: 1e30, round: 7, client: 3)
    var rule = PlainRule(SoftmaxCrossEntropy())
    let thrown = #expect(throws: Divergence.self) { try device.train(&rule) }
    #expect(thrown?.round == 7)
    #expect(thrown?.client == 3)
    // The first loss is finite: it is that of the initial weights.
    let step = try #require(thrown?.step)
    #expect((2...5).contains(step))
  }
}
