import Base
import Tensor
import TestSupport
import Testing

/// Sizes and costs of the models, and properties of whole networks.
@Suite("Networks")
struct NetworkTests {
  static let small = FeatureShape(height: 28, width: 28, channels: 1)
  static let cifar = FeatureShape(height: 32, width: 32, channels: 3)

  // Counted by hand, layer by layer; resnet18 has torchvision's 11,173,962 with a 3×3 stem.
  @Test("a dry pass counts what a pass counts, and its logits are 0 whatever memory held")
  func dryPass() throws {
    let network = try Network(
      ModelSpec(kind: .mlp, width: 1, hidden: [5]), input: FeatureShape(features: 6), classes: 3)
    let workspace = Workspace(network, capacity: 4, training: true)
    network.forward(workspace, batch: 4, training: true)
    let flops = workspace.flops
    workspace.logits.update(repeating: 7)
    workspace.isDryRun = true
    network.forward(workspace, batch: 4, training: true)
    #expect(workspace.flops == 2 * flops && flops > 0)
    #expect(workspace.logits.allSatisfy { $0 == 0 })
  }

  @Test(
    "Parameters and training FLOPs of an example",
    arguments: [
      (ModelSpec(kind: .logistic, width: 1), small, 7_850, 31_360),
      (ModelSpec(kind: .mlp, width: 1, hidden: [128]), small, 101_770, 409_088),
      (ModelSpec(kind: .cnn, width: 32), cifar, 1_626_442, 99_456_000),
      (ModelSpec(kind: .resnet8, width: 16, norm: .group(groups: 4)), cifar, 78_042, 74_125_056),
      (ModelSpec(kind: .resnet20, width: 16, norm: .batch), cifar, 272_474, 243_994_368),
      (ModelSpec(kind: .resnet18, width: 64, norm: .batch), cifar, 11_173_962, 3_328_997_376),
      (ModelSpec(kind: .vgg, width: 32), cifar, 669_354, 176_584_704),
    ] as [(ModelSpec, FeatureShape, Int, Int)])
  func sizes(
    spec: ModelSpec, input: FeatureShape, parameters: Int, flops: Int
  ) throws {
    let network = try Network(spec, input: input, classes: 10)
    #expect(network.layout.trainedCount == parameters)
    #expect(network.trainingFLOPs == flops)
  }

  @Test("LeNet-5 has its 61,706 parameters on 28×28 and 32×32 images of one channel")
  func leNet()
    throws
  {
    for side in [28, 32] {
      let shape = FeatureShape(height: side, width: side, channels: 1)
      let network = try Network(ModelSpec(kind: .lenet5, width: 6), input: shape, classes: 10)
      #expect(network.layout.count == 61_706)
      #expect(network.classifier == "fc3" && network.featureWidth == 84)
    }
  }

  @Test("Images that are too small are refused with their size", arguments: ModelSpec.Kind.allCases)
  func tooSmall(kind: ModelSpec.Kind) throws {
    let spec = ModelSpec(kind: kind, width: 4, hidden: [3], patch: 1, depth: 1, heads: 2)
    let least = kind.minimumSide
    let fits = FeatureShape(height: least, width: least + 1, channels: 1)
    let network = try Network(spec, input: fits, classes: 3)
    #expect(network.classes == 3)
    guard least > 1 else { return }
    #expect(throws: ModelError.self) {
      try Network(
        spec, input: FeatureShape(height: least + 4, width: least - 1, channels: 1), classes: 3)
    }
  }

  static let specs = [
    ModelSpec(kind: .mlp, width: 1, hidden: [9], dropout: [0.3]),
    ModelSpec(kind: .cnn, width: 4, norm: .group(groups: 2), dropout: [0.25, 0.5]),
    ModelSpec(kind: .resnet8, width: 4, norm: .batch),
    ModelSpec(kind: .resnet8, width: 4, norm: .none, activation: .gelu),
    ModelSpec(kind: .vit, width: 12, patch: 4, depth: 2, heads: 3, mlpRatio: 2),
  ]
  static let input = FeatureShape(height: 8, width: 8, channels: 2)

  private func data(_ count: Int, _ input: FeatureShape = input) -> ([Float], [Int]) {
    var stream = RandomStream(seed: 5, .test)
    let values = (0..<count * input.count).map { _ in Float(stream.gaussian()) }
    return (values, (0..<count).map { _ in stream.below(4) })
  }

  @Test("With accumulate, gradients of two batches add up: models", arguments: specs)
  func accumulateModels(spec: ModelSpec) throws {
    checkAccumulate(try Network(spec, input: Self.input, classes: 5))
  }

  @Test(
    "With accumulate, gradients of two batches add up: layers", arguments: GoldenFile.names("layer")
  )
  func accumulateLayers(name: String) throws { checkAccumulate(try GoldenFile(name).network()) }

  private func checkAccumulate(_ network: Network) {
    let workspace = Workspace(network, capacity: 3, training: true)
    workspace.load(network.layout.initialParameters(.pytorch, seed: 2))
    let (values, labels) = data(6, network.input)
    let half = 3 * network.input.count
    func run(_ part: Int, accumulate: Bool) {
      workspace.fill(
        Array(values[part * half..<(part + 1) * half]), Array(labels[3 * part..<3 * part + 3]))
      network.forward(workspace, batch: 3, training: true, dropoutKey: UInt64(part))
      workspace.takeLoss(network, batch: 3)
      network.backward(workspace, batch: 3, accumulate: accumulate)
    }
    run(0, accumulate: false)
    let first = Array(workspace.gradient)
    run(1, accumulate: false)
    let second = Array(workspace.gradient)
    run(0, accumulate: false)
    run(1, accumulate: true)
    for entry in network.layout.entries where entry.role.isTrained {
      let sum = entry.range.map { Double(first[$0]) + Double(second[$0]) }
      expectClose(
        Array(workspace.gradient[entry.range]), sum, bound: Rounding.backward(network, batch: 3),
        floor: Double(first[entry.range].map(abs).max() ?? 0), entry.name)
    }
  }

  @Test("In evaluation an example's logits do not depend on its neighbours", arguments: specs)
  func neighbours(spec: ModelSpec) throws {
    let network = try Network(spec, input: Self.input, classes: 5)
    let workspace = Workspace(network, capacity: 7, training: false)
    var parameters = network.layout.initialParameters(.pytorch, seed: 2)
    for entry in network.layout.entries where entry.role == .runningMean {
      for i in entry.range { parameters[i] = 0.1 }
    }
    workspace.load(parameters)
    let (values, _) = data(7)
    workspace.fill(values)
    network.forward(workspace, batch: 7, training: false)
    let together = Array(workspace.logits)
    #expect(workspace.currentParameters == parameters)
    for example in 0..<7 {
      workspace.fill(Array(values[example * Self.input.count..<(example + 1) * Self.input.count]))
      network.forward(workspace, batch: 1, training: false)
      expectClose(
        Array(workspace.logits.prefix(5)),
        together[example * 5..<(example + 1) * 5].map(Double.init),
        bound: Rounding.forward(network, batch: 1), "example \(example)")
    }
  }

  @Test("The same step twice gives the same bits, whatever was in the workspace", arguments: specs)
  func repeatable(spec: ModelSpec) throws {
    let network = try Network(spec, input: Self.input, classes: 5)
    let (values, labels) = data(5)
    func gradient(_ workspace: Workspace) -> [Float] {
      workspace.load(network.layout.initialParameters(.pytorch, seed: 2))
      workspace.fill(values, labels)
      network.forward(workspace, batch: 5, training: true, dropoutKey: 9)
      workspace.takeLoss(network, batch: 5)
      network.backward(workspace, batch: 5)
      return Array(workspace.gradient) + workspace.currentParameters
    }
    let used = Workspace(network, capacity: 8, training: true)
    used.fill([Float](repeating: 1e6, count: 8 * Self.input.count), Array(repeating: 1, count: 8))
    used.load([Float](repeating: 3, count: network.layout.count))
    network.forward(used, batch: 8, training: true)
    used.takeLoss(network, batch: 8)
    network.backward(used, batch: 8)
    let fresh = gradient(Workspace(network, capacity: 5, training: true))
    #expect(gradient(used) == fresh)
    #expect(fresh.allSatisfy { $0.isFinite })
  }

  @Test("A workspace for evaluation has no gradients, and features are the classifier's input")
  func evaluationWorkspace() throws {
    let network = try Network(Self.specs[1], input: Self.input, classes: 5)
    let workspace = Workspace(network, capacity: 2, training: false, moments: 2)
    #expect(workspace.gradient.isEmpty && workspace.moments.isEmpty)
    let training = Workspace(network, capacity: 2, training: true, moments: 2)
    #expect(training.byteCount > workspace.byteCount + 3 * 4 * network.layout.trainedCount)
    let parameters = network.layout.initialParameters(.pytorch, seed: 1)
    workspace.load(parameters)
    workspace.fill(data(2).0)
    network.forward(workspace, batch: 2, training: false)
    let weight = try #require(network.layout[network.classifier + ".weight"])
    let bias = try #require(network.layout[network.classifier + ".bias"])
    for example in 0..<2 {
      for c in 0..<5 {
        var z = Double(parameters[bias.range.lowerBound + c])
        for d in 0..<network.featureWidth {
          z +=
            Double(workspace.features[example * network.featureWidth + d])
            * Double(parameters[weight.range.lowerBound + c * network.featureWidth + d])
        }
        expectClose(workspace.logits[example * 5 + c], z, ulps: 64)
      }
    }
  }
}

/// Networks whose layers are listed.
@Suite("Listed layers")
struct SequentialTests {
  private func network(
    _ layers: [ModelSpec.Layer], _ input: FeatureShape, norm: ModelSpec.Norm = .none
  ) throws -> Network {
    var spec = ModelSpec(kind: .sequential, width: 1, norm: norm)
    spec.layers = layers
    return try Network(spec, input: input, classes: 10)
  }

  @Test("the networks of Tramer and Boneh have their parameters")
  func published() throws {
    // arXiv:2011.11660, table 6 and its code: a small CNN on 81 channels of 7×7, one on 243 of
    // 8×8, and the end-to-end network for MNIST.
    let small = try network(
      [
        .convolution(channels: 16, window: .init(kernel: 3, stride: 2, padding: 1)),
        .convolution(channels: 32, window: .init(kernel: 3, stride: 1, padding: 1)),
        .dense(units: 32),
      ], FeatureShape(height: 7, width: 7, channels: 81))
    // 81·9·16+16, 16·9·32+32, 512·32+32, 32·10+10.
    #expect(small.layout.count == 33_066)
    let large = try network(
      [
        .convolution(channels: 64, window: .init(kernel: 3, stride: 1, padding: 1)),
        .maximum(.init(kernel: 2, stride: 2, padding: 0)),
        .convolution(channels: 64, window: .init(kernel: 3, stride: 1, padding: 1)),
      ], FeatureShape(height: 8, width: 8, channels: 243))
    #expect(large.layout.count == 187_210)
    let whole = try network(
      [
        .convolution(channels: 16, window: .init(kernel: 8, stride: 2, padding: 2)),
        .maximum(.init(kernel: 2, stride: 1, padding: 0)),
        .convolution(channels: 32, window: .init(kernel: 4, stride: 2, padding: 0)),
        .maximum(.init(kernel: 2, stride: 1, padding: 0)), .dense(units: 32),
      ], FeatureShape(height: 28, width: 28, channels: 1))
    #expect(whole.layout.count == 26_010)
    #expect(
      whole.layout.entries.map(\.layer) == [
        "conv1", "conv1", "conv2", "conv2", "fc1", "fc1", "fc2", "fc2",
      ])
    #expect(whole.classifier == "fc2" && whole.featureWidth == 32)
    #expect(whole.cuts.map(\.name) == ["conv1", "conv2", "fc1"])
  }

  @Test("windows that do not fit are refused with their layer")
  func misfits() throws {
    let image = FeatureShape(height: 6, width: 5, channels: 2)
    let convolution = ModelSpec.Layer.convolution(
      channels: 3, window: .init(kernel: 3, stride: 2, padding: 0))
    _ = try network([convolution], image)
    let second = #expect(throws: ModelError.self) {
      try network([convolution, convolution], image)
    }
    #expect(second?.message.hasPrefix("layer 2: a window of 3") == true)
    let padded = #expect(throws: ModelError.self) {
      try network([.maximum(.init(kernel: 2, stride: 1, padding: 2))], image)
    }
    #expect(padded?.message.contains("more than half") == true)
    // Convolutions may be padded by more than they are wide.
    _ = try network(
      [.convolution(channels: 1, window: .init(kernel: 1, stride: 1, padding: 3))], image)
  }

  @Test("standardised weights do not see a shift or a scale of the weights")
  func invariance() throws {
    var spec = ModelSpec(kind: .cnn, width: 16)
    spec.standardisesWeights = true
    let shape = FeatureShape(height: 8, width: 8, channels: 3)
    let network = try Network(spec, input: shape, classes: 4)
    var parameters = network.layout.initialParameters(.pytorch, seed: 3)
    var stream = RandomStream(seed: 8, .test)
    let images = (0..<2 * shape.count).map { _ in Float(stream.gaussian()) }
    func logits() -> [Float] {
      let workspace = Workspace(network, capacity: 2, training: false)
      workspace.load(parameters)
      workspace.fill(images, [0, 1])
      network.forward(workspace, batch: 2, training: false)
      return Array(workspace.logits)
    }
    let before = logits()
    let entry = try #require(network.layout["conv2.weight"])
    for place in entry.range { parameters[place] = 4 * parameters[place] + 0.5 }
    for (old, new) in zip(before, logits()) { #expect(abs(old - new) < 1e-4 * (1 + abs(old))) }
    // A constant kernel standardises to nothing instead of to NaN.
    for place in entry.range { parameters[place] = 0.25 }
    let flat = logits()
    #expect(flat.allSatisfy { $0.isFinite })
  }
}
