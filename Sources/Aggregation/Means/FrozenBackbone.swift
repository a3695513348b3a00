import Tensor

/// Networks that freeze the scenario's and train a part on top of it.
extension BaseModel {
  /// The network frozen, with a pool of adapters; the pool starts at random.
  package func adapted(by pool: InstancePool) throws(ModelError) -> AdaptedNetwork {
    let network = try Network(spec, adaptedBy: pool, input: input, classes: classes)
    return AdaptedNetwork(network) { layout, vector, seed throws(ModelError) in
      try network.adaptedParameters(from: layout, vector, seed: seed)
    }
  }

  /// The network frozen, with one adapter and no key: what a pool of one entry is without the
  /// query that nobody needs.
  ///
  /// The adapter starts as that pool's entry does.
  func adaptedOnce() throws(ModelError) -> AdaptedNetwork {
    let network = try Network(spec, adaptedBy: .single, input: input, classes: classes)
    let keyed = try Network(
      spec, adaptedBy: InstancePool(poolSize: 1, matched: 1), input: input, classes: classes)
    return AdaptedNetwork(network) { layout, vector, seed throws(ModelError) in
      let start = try keyed.adaptedParameters(from: layout, vector, seed: seed)
      return try network.parameters(from: keyed.layout, start)
    }
  }

  /// The network frozen below its classifier, which starts as the scenario's does.
  func probed() throws(ModelError) -> AdaptedNetwork {
    let network = try Network(probing: spec, input: input, classes: classes)
    return AdaptedNetwork(network) { layout, vector, _ throws(ModelError) in
      try network.parameters(from: layout, vector)
    }
  }
}

extension AdaptedNetwork {
  /// A network whose tensors are found by their names in that of the same model, where none is
  /// missing.
  fileprivate init(
    _ network: Network,
    byName: @escaping @Sendable (ParameterLayout, [Float], UInt64) throws(ModelError) -> [Float]
  ) {
    self.init(network) { base, vector, seed in
      do throws(ModelError) { return try byName(base.layout, vector, seed) } catch {
        preconditionFailure("AdaptedNetwork: \(error.message)")
      }
    }
  }
}
