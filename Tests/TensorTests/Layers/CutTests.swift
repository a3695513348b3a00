import Base
import Tensor
import TestSupport
import Testing

/// A network cut in two computes what the whole one does.
@Suite("Cuts of networks")
struct CutTests {
  static let specs: [(ModelSpec, side: Int, cuts: [String])] = [
    (ModelSpec(kind: .logistic, width: 1), 5, []),
    (ModelSpec(kind: .mlp, width: 1, hidden: [9, 7], dropout: [0.5]), 5, ["fc1", "fc2"]),
    (ModelSpec(kind: .mlp, width: 1, hidden: [9], activation: .gelu), 5, ["fc1"]),
    (ModelSpec(kind: .cnn, width: 4, dropout: [0.2, 0.5]), 9, ["conv1", "conv2", "fc1"]),
    (ModelSpec(kind: .cnn, width: 4, norm: .batch), 10, ["conv1", "conv2", "fc1"]),
    (ModelSpec(kind: .lenet5, width: 3), 28, ["conv1", "conv2", "fc1", "fc2"]),
    (ModelSpec(kind: .vgg, width: 4), 17, ["layer1", "layer2", "layer3", "fc1"]),
    (ModelSpec(kind: .vgg, width: 4, norm: .group(groups: 2), blocks: 1), 6, ["layer1", "fc1"]),
    (
      ModelSpec(kind: .vit, width: 8, patch: 4, depth: 2, heads: 2), 8,
      ["blocks.0", "blocks.1", "norm"]
    ),
    (
      ModelSpec(kind: .resnet8, width: 4, norm: .group(groups: 2)), 9,
      ["conv1", "layer1.0", "layer2.0", "layer3.0", "avgpool"]
    ),
    (
      ModelSpec(kind: .resnet8, width: 4, norm: .batch), 8,
      ["conv1", "layer1.0", "layer2.0", "layer3.0", "avgpool"]
    ),
    (
      ModelSpec(kind: .resnet18, width: 4), 8,
      ["conv1"] + (0..<8).map { "layer\($0 / 2 + 1).\($0 % 2)" } + ["avgpool"]
    ),
    (
      ModelSpec(kind: .resnet20, width: 4), 8,
      ["conv1"] + (0..<9).map { "layer\($0 / 3 + 1).\($0 % 3)" } + ["avgpool"]
    ),
  ]

  private func network(_ spec: ModelSpec, _ side: Int) throws -> Network {
    try Network(spec, input: FeatureShape(height: side, width: side, channels: 3), classes: 4)
  }

  @Test("Every model can be cut after each of its blocks", arguments: specs)
  func names(
    _ spec: ModelSpec, side: Int, cuts: [String]
  ) throws {
    let network = try network(spec, side)
    #expect(network.cuts.map(\.name) == cuts)
    for cut in network.cuts {
      let head = network.head(from: cut)
      #expect(head.input == cut.shape)
      #expect(head.classes == 4 && head.classifier == network.classifier)
      let behind = network.after(cut)
      #expect(head.layout.entries.map(\.name) == behind.items.sorted(by: network).map(\.name))
      #expect(head.layout.entries.map(\.shape) == behind.items.sorted(by: network).map(\.shape))
      #expect(behind.count + network.before(cut).count == network.layout.count)
      #expect(head.cuts.isEmpty)
    }
    // Each step towards the image makes the head larger.
    let sizes = network.cuts.map { network.after($0).count }
    #expect(sizes == sizes.sorted(by: >))
  }

  @Test("The default VGG has the representations of its table")
  func sizes() throws {
    for (side, channels, expected) in [
      (32, 3, [8192, 4096, 1024, 512]), (28, 1, [6272, 3136, 576, 512]),
    ] {
      let shape = FeatureShape(height: side, width: side, channels: channels)
      let network = try Network(ModelSpec(kind: .vgg, width: 32), input: shape, classes: 10)
      #expect(network.cuts.map(\.shape.count) == expected)
    }
  }

  @Test("A head on the representation gives the network's logits, bit for bit", arguments: specs)
  func logits(_ spec: ModelSpec, side: Int, cuts: [String]) throws {
    let network = try network(spec, side)
    let (batch, parameters, whole) = run(network, training: false)
    for cut in network.cuts {
      let head = network.head(from: cut)
      let space = Workspace(head, capacity: batch, training: false)
      space.load(network.after(cut).gather(parameters))
      space.fill(Array(whole.representations(cut)))
      head.forward(space, batch: batch, training: false)
      #expect(Array(space.logits) == Array(whole.logits), "\(cut.name)")
    }
  }

  @Test("A head's gradient is the network's, bit for bit", arguments: specs)
  func gradients(
    _ spec: ModelSpec, side: Int, cuts: [String]
  ) throws {
    var spec = spec
    spec.dropout = []
    let network = try network(spec, side)
    let (batch, parameters, whole) = run(network, training: true)
    var full = Array(whole.gradient)
    full += [Float](repeating: 0, count: network.layout.count - full.count)
    for cut in network.cuts {
      let head = network.head(from: cut)
      let space = Workspace(head, capacity: batch, training: true)
      space.load(network.after(cut).gather(parameters))
      space.fill(Array(whole.representations(cut)), Array(whole.labels).map(Int.init))
      head.forward(space, batch: batch, training: true)
      space.takeLoss(head, batch: batch)
      head.backward(space, batch: batch)
      let expected = network.after(cut).gather(full).prefix(head.layout.trainedCount)
      #expect(Array(space.gradient) == Array(expected), "\(cut.name)")
    }
  }

  /// One pass on random images with norms that do something.
  private func run(_ network: Network, training: Bool) -> (Int, [Float], Workspace) {
    let batch = 5
    var stream = RandomStream(seed: 3, .test)
    var parameters = network.layout.initialParameters(.pytorch, seed: 3)
    for i in parameters.indices { parameters[i] += Float(0.1 * stream.uniform()) }
    let space = Workspace(network, capacity: batch, training: true)
    space.load(parameters)
    space.fill(
      (0..<batch * network.input.count).map { _ in Float(stream.gaussian()) },
      (0..<batch).map { $0 % network.classes })
    network.forward(space, batch: batch, training: training)
    guard training else { return (batch, parameters, space) }
    space.takeLoss(network, batch: batch)
    network.backward(space, batch: batch)
    return (batch, parameters, space)
  }
}

extension [ParameterSelection.Item] {
  /// In the order of the network's declarations.
  fileprivate func sorted(by network: Network) -> [Element] {
    network.layout.entries.compactMap { entry in first { $0.name == entry.name } }
  }
}
