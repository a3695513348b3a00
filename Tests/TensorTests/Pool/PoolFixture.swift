import Base
import Tensor
import TestSupport
import Testing

/// A frozen network with random weights and a pool on it, with data.
struct PoolFixture {
  let spec: ModelSpec
  let input: FeatureShape
  let classes: Int
  /// The network as it was trained, and its parameters.
  let base: Network
  let trained: [Float]
  let network: Network
  /// Where training starts.
  var parameters: [Float]

  init(
    _ spec: ModelSpec, _ pool: InstancePool, input: FeatureShape, classes: Int = 5,
    baseClasses: Int = 7
  ) throws {
    self.spec = spec
    self.input = input
    self.classes = classes
    base = try Network(spec, input: input, classes: baseClasses)
    var stream = RandomStream(seed: 11, .test)
    trained = GradientCheck.parameters(base, &stream, seed: 11)
    network = try Network(spec, adaptedBy: pool, input: input, classes: classes)
    parameters = try network.adaptedParameters(from: base.layout, trained, seed: 4)
    // Adapters that differ by more than their first 0.02, so that a wrong one shows.
    for entry in network.layout.entries where entry.role.isTrained {
      for i in entry.range {
        switch entry.role {
        case .poolScale: parameters[i] = Float(0.5 + stream.uniform())
        case .poolShift, .bias: parameters[i] = Float(stream.uniform() - 0.5)
        default: break
        }
      }
    }
  }

  /// Random examples.
  func examples(_ count: Int, seed: UInt64 = 1) -> [Float] {
    var stream = RandomStream(seed: seed, .test)
    return (0..<count * input.count).map { _ in Float(stream.gaussian()) }
  }

  /// What an evaluation of some examples gives.
  struct Result {
    var logits: [Float]
    var matches: [Float]
    var entries: [Int32]
    var features: [Float]
  }

  /// Evaluates examples as one batch.
  func evaluate(_ values: [Float], _ parameters: [Float]? = nil) -> Result {
    let batch = values.count / input.count
    let workspace = Workspace(network, capacity: batch, training: false)
    workspace.load(parameters ?? self.parameters)
    workspace.fill(values)
    network.forward(workspace, batch: batch, training: false)
    return Result(
      logits: Array(workspace.logits), matches: Array(workspace.matches),
      entries: Array(workspace.matchedEntries), features: Array(workspace.features))
  }

  /// Changes the parameters of some entries.
  mutating func change(
    where included: (ParameterLayout.Entry) -> Bool, _ value: (Int, Float) -> Float
  ) {
    for entry in network.layout.entries where included(entry) {
      for (index, place) in entry.range.enumerated() {
        parameters[place] = value(index, parameters[place])
      }
    }
  }

  static let transformer = ModelSpec(
    kind: .vit, width: 12, patch: 4, depth: 2, heads: 3, mlpRatio: 2)
  static let image = FeatureShape(height: 8, width: 8, channels: 3)

  /// Every kind that can be adapted, with every norm.
  static let specs: [ModelSpec] = [
    transformer, ModelSpec(kind: .mlp, width: 1, hidden: [11, 9]), ModelSpec(kind: .cnn, width: 4),
    ModelSpec(kind: .cnn, width: 4, norm: .batch, dropout: [0.25, 0.5]),
    ModelSpec(kind: .resnet8, width: 4),
    ModelSpec(kind: .resnet8, width: 4, norm: .group(groups: 2), activation: .gelu),
    ModelSpec(kind: .resnet8, width: 4, norm: .batch),
    ModelSpec(kind: .resnet20, width: 4, norm: .group(groups: 2)),
    ModelSpec(kind: .resnet18, width: 2, norm: .group(groups: 1)),
  ]
  static let pool = InstancePool(poolSize: 5, matched: 2)
}
