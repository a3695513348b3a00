/// Building a frozen network a second time, with adapters of a pool after its layers.
extension NetworkBuilder {
  /// What becomes of a model's verbs while its layers are frozen.
  struct Adaptation {
    /// The choice of entries; nil in the pass that asks for the features as they are.
    var mixture: PoolMixture?
    /// Whether the model's own classifier is trained, on features as they are.
    var trainsClassifier = false
    /// Names of the tensors that were declared.
    var declared: Set<String> = []
  }

  /// Whether layers are built whose parameters stay as they are.
  var isFrozen: Bool { adaptation != nil }
  /// Whether the pass is built that asks a frozen network for its features.
  var isQuery: Bool { adaptation.map { $0.mixture == nil } ?? false }

  /// The network of a model's verbs, frozen, with a pool; `model` ends in `head`.
  package mutating func adapted(by pool: InstancePool, _ model: (inout NetworkBuilder) -> Map)
    -> Network
  {
    adaptation = Adaptation()
    var mixture = PoolMixture(
      choice: .everything, entries: pool.poolSize, matched: pool.matched, selection: 0, counts: 0)
    var matchSlot: Int?
    if pool.keys {
      let query = model(&self)
      mixture = PoolMixture(
        choice: pool.batchAveraged ? .perBatch : .perExample, entries: pool.poolSize,
        matched: pool.matched, selection: newSlot(perExample: pool.matched),
        counts: newSlot(fixed: pool.poolSize))
      matchSlot = match(query, mixture)
    }
    adaptation?.mixture = mixture
    let logits = model(&self)
    var network = build(logits: logits)
    network.pool = Network.Pool(
      settings: pool, selection: matchSlot == nil ? nil : mixture.selection, match: matchSlot)
    return network
  }

  /// The network of a model's verbs, frozen below its classifier; `model` ends in `head`.
  package mutating func probed(_ model: (inout NetworkBuilder) -> Map) -> Network {
    adaptation = Adaptation(trainsClassifier: true)
    let logits = model(&self)
    return build(logits: logits)
  }

  /// The last layer of a model: a dense layer on its features.
  ///
  /// A network with a pool has none: its features are the result of the pass that asks for them,
  /// and the pool's classifiers read those of the adapted pass.
  package mutating func head(_ name: String, _ x: Map, _ classes: Int) -> Map {
    guard let adaptation else { return classifier(name, x, classes) }
    if adaptation.trainsClassifier {
      self.adaptation = nil
      defer { self.adaptation = adaptation }
      return classifier(name, x, classes)
    }
    guard let mixture = adaptation.mixture else { return x }
    let inputs = x.shape.count
    declarePool("head.weight", [classes, inputs], .weight, mixture, fanIn: classes * inputs)
    declarePool("head.bias", [classes], .bias, mixture, fanIn: classes * inputs)
    noteClassifier("pool.head", reading: x)
    let y = newMap(FeatureShape(features: classes))
    add { layout in
      PoolHead(
        name: "pool.head", input: x.slot, output: y.slot, inputs: inputs, outputs: classes,
        mixture: mixture, weight: layout.offset("pool.head.weight"),
        bias: layout.offset("pool.head.bias"))
    }
    return y
  }

  /// A site: a scale and a shift after the layer of this name, in the adapted pass.
  mutating func site(_ name: String, _ x: Map) -> Map {
    guard let mixture = adaptation?.mixture else { return x }
    let channels = x.shape.channels
    declarePool(name + ".scale", [channels], .poolScale, mixture)
    declarePool(name + ".shift", [channels], .poolShift, mixture)
    let y = newMap(x.shape)
    let isShared = mixture.choice != .perExample
    let saved = newSlot(perExample: isShared ? 0 : 2 * channels, fixed: isShared ? 2 * channels : 0)
    add { layout in
      PoolScale(
        name: "pool.\(name)", input: x.slot, output: y.slot, saved: saved, shape: x.shape,
        mixture: mixture, scale: layout.offset("pool.\(name).scale"),
        shift: layout.offset("pool.\(name).shift"))
    }
    return y
  }

  /// The match of features with keys; the slot of its scores.
  private mutating func match(_ query: Map, _ mixture: PoolMixture) -> Int {
    let width = query.shape.count
    declarePool("keys", [width], .poolKey, mixture)
    let scores = newMap(FeatureShape(features: 1))
    add { layout in
      PoolMatch(
        input: query.slot, output: scores.slot, width: width, mixture: mixture,
        keys: layout.offset("pool.keys"))
    }
    return scores.slot
  }

  /// A tensor of each entry, [P, …].
  private mutating func declarePool(
    _ name: String, _ shape: [Int], _ role: ParameterLayout.Role, _ mixture: PoolMixture,
    fanIn: Int = 0
  ) {
    declareTrained(
      .init(
        name: "pool." + name, shape: [mixture.entries] + shape, role: role, fanIn: fanIn,
        fanOut: fanIn == 0 ? 0 : mixture.entries))
  }
}

extension Network {
  /// Where a pool's choices lie.
  package struct Pool: Sendable {
    package let settings: InstancePool
    /// Slot of the chosen indices; nil without keys.
    package let selection: Int?
    /// Slot of the sums of cosines; nil without keys.
    package let match: Int?
  }
}
