import Base

/// A pool of scale-and-shift adapters on a frozen network, of which every input takes the few whose
/// keys match it best.
///
/// An entry p has, at every site s of the network, a scale γ_{p,s} and a shift β_{p,s} per channel,
/// a classifier (W_p, b_p), and a key κ_p as wide as the features.
/// - Source: Feng et al., ICCV 2023 (arXiv:2308.06051); scale and shift: Lian et al., NeurIPS 2022
///   (arXiv:2210.08823).
public struct InstancePool: Sendable, Equatable {
  /// P ≥ 1, entries.
  public var poolSize: Int
  /// k from 1 to P, the entries whose mean adapts the network.
  public var matched: Int
  /// One adapter for a whole batch, the mean over its examples.
  ///
  /// This is what the method's first release computed; predictions then depend on who shares the
  /// batch.
  public var batchAveraged: Bool
  /// Whether entries have keys.
  ///
  /// Without them nothing is matched, the frozen network is not asked, and all entries are always
  /// taken: k = P.
  public var keys: Bool

  /// A pool.
  public init(poolSize: Int, matched: Int, batchAveraged: Bool = false, keys: Bool = true) {
    self.poolSize = poolSize
    self.matched = matched
    self.batchAveraged = batchAveraged
    self.keys = keys
  }

  /// A single adapter without a key: scaling and shifting as such.
  public static let single = InstancePool(poolSize: 1, matched: 1, keys: false)

  /// Refuses numbers that make no pool.
  package func check() throws(ModelError) {
    guard poolSize >= 1, matched >= 1, matched <= poolSize else {
      throw ModelError(
        message: "a pool matches from 1 to all of its entries; these are \(matched) of \(poolSize)")
    }
    guard keys || matched == poolSize else {
      throw ModelError(
        message: "a pool without keys takes all of its \(poolSize) entries, not \(matched)")
    }
  }
}

extension Network {
  /// A network that is frozen, with a pool of adapters that are trained.
  ///
  /// Two passes over the frozen network: as it is, for the features q that are compared with the
  /// keys (cosine), and with y = γ̄ ⊙ x + β̄ after every convolution, norm, hidden dense layer and
  /// patch embedding, γ̄ and β̄ being means of the k matched entries. Logits are the mean of those
  /// entries' classifiers. The first pass, and whatever is before the first site, is never run
  /// backward. In training, dropout acts in the second pass only, and batch norm uses its running
  /// statistics in both.
  ///
  /// Tensors: `pool.keys` [P, D], `pool.<layer>.scale` and `pool.<layer>.shift` [P, d],
  /// `pool.head.weight` [P, C, D], `pool.head.bias` [P, C]; the frozen ones after them under their
  /// usual names, without the classifier.
  /// - Throws: ``ModelError`` when the image is too small, the pool impossible, or the model has no
  ///   layer before its classifier.
  public init(_ spec: ModelSpec, adaptedBy pool: InstancePool, input: FeatureShape, classes: Int)
    throws(ModelError)
  {
    try spec.check(input)
    try pool.check()
    guard spec.kind != .logistic, spec.kind != .mlp || !spec.hidden.isEmpty,
      spec.kind != .sequential || spec.hasWeightedLayers
    else {
      throw ModelError(
        message: "\(spec.kind.rawValue) has no layer before its classifier that could be adapted")
    }
    var builder = NetworkBuilder(input: input)
    self = builder.adapted(by: pool) { $0.model(spec, classes: classes) }
  }

  /// The parameters that training starts from: frozen tensors from a trained network, the pool at
  /// random: γ ~ N(1, 0.02²), β ~ N(0, 0.02²), keys ~ N(0, 0.02²), W ~ N(0, 2/(C·D)), b = 0.
  ///
  /// `base`: layout of the trained network, which may have any number of classes, and `vector`, its
  /// parameters.
  /// - Throws: ``ModelError`` when the trained network lacks a tensor.
  public func adaptedParameters(from base: ParameterLayout, _ vector: [Float], seed: UInt64)
    throws(ModelError) -> [Float]
  {
    var parameters = layout.initialParameters(.he, seed: seed)
    try layout.copy(from: base, vector, to: &parameters) { $0.role == .frozen }
    return parameters
  }
}

/// How often each entry of a pool was matched: a pool that has collapsed uses few.
public struct PoolUsage: Sendable, Equatable {
  /// Matches per entry, [P].
  public private(set) var counts: [Int]

  /// Nothing matched yet.
  public init(poolSize: Int) { counts = [Int](repeating: 0, count: poolSize) }

  /// Counts matches, such as a workspace's `matchedEntries`.
  public mutating func add(_ entries: some Sequence<Int32>) {
    for entry in entries where counts.indices.contains(Int(entry)) { counts[Int(entry)] += 1 }
  }

  /// −Σ p·ln p over the shares of matches, from 0 (one entry takes all) to ln P (all alike).
  public var entropy: Double {
    let total = Double(counts.reduce(0, +))
    var sum = 0.0
    for count in counts where count > 0 {
      sum -= Double(count) / total * log(Double(count) / total)
    }
    return sum
  }
}
