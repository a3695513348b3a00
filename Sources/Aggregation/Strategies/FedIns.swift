import Base
import Client
import Tensor

/// FedIns: a frozen network with a pool of small adapters, of which every input takes the few whose
/// keys match it best; clients train the pool, the server averages it.
///
/// Feng et al., ICCV 2023, arXiv:2308.06051; scale and shift (SSF): Lian et al., NeurIPS 2022,
/// arXiv:2210.08823.
///
/// | paper | here |
/// |---|---|
/// | F, the frozen network | tensors with the role `frozen`; `model.pretrain` or a file made them |
/// | P, k | `poolSize`, `matched` |
/// | κ_p | `pool.keys` |
/// | γ_{p,s}, β_{p,s} | `pool.<layer>.scale`, `pool.<layer>.shift` |
/// | W_p, b_p | `pool.head.weight`, `pool.head.bias` |
/// | a_p, r = Σ_{p∈T} a_p | cosines; `workspace.matches` |
/// | λ | `matchingWeight` |
/// | w_i = 1/K | `uploadWeighting` |
package struct FedIns: BasedStrategy {
  package enum Weighting: String, CaseIterable, Sendable {
    case uniform, scenario
    package var rule: WeightingRule { self == .uniform ? .uniform : .scenario }
  }

  package struct Fields: StrategyFields {
    let poolSize = Hyperparameter(
      "poolSize", "P", in: 1...10_000, default: 25,
      "entries of the pool; 8 to 10 suffice for small networks", degenerate: (1, "fedssf"))
    let matched = Hyperparameter(
      "matched", "k", in: 1...10_000, default: 3,
      "entries whose mean adapts an image, at most poolSize")
    let matchingWeight = Hyperparameter(
      "matchingWeight", "λ", in: 0...1, default: 0.1,
      "weight of 1 − r in the loss; at 0 keys stay at random")
    let batchAveraged = Hyperparameter(
      "batchAveraged", default: false,
      "compatibility with public code of 2023: one adapter for a whole batch")
    let weighting = FedIns.weightingField
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fedins", title: "FedIns",
    summary: "A frozen network with a shared pool of adapters; each image takes those whose keys "
      + "match it.",
    source: "Feng et al., ICCV 2023, arXiv:2308.06051; SSF: Lian et al., NeurIPS 2022, "
      + "arXiv:2210.08823",
    equations: [
      "q = F(x);  a_p = cos(q, κ_p);  T = the k largest a_p;  r = Σ_{p∈T} a_p",
      "after every layer s of F:  y = γ̄_s ⊙ x + β̄_s,  γ̄_s = (1/k)·Σ_{p∈T} γ_{p,s}, β̄_s alike;  h",
      "z = (1/k)·Σ_{p∈T} (W_p·h + b_p);  loss = (1 − λ)·CE(z, y) + λ·(1 − r)",
      "pool ← pool + Σ_{k∈S} w_k·(pool_k − pool),   w_k = 1/|S|;  F stays",
    ],
    messages: [
      "down: model (the pool: keys, scales, shifts, heads)", "up: model difference (the pool)",
      "floats each way: P·(2·Σ_s d_s + D + C·(D + 1))",
    ], memory: "none; the frozen network is everybody's from the start and never sent",
    notes: [
      "Public code's first release (2023) averaged adapters over a mini-batch, so that predictions "
        + "depended on who shared it; batchAveraged does that. Here, and in public code since "
        + "2025, every image has its own adapter.",
      "r is the sum of the k cosines, not their mean, as in public code.",
      "Public code drops a last batch that is short; here it is a batch.",
      "Public code of 2025 makes one step per image, which is client.batch 1; that of 2023 one per "
        + "batch of 32.", "A loss composed by the scenario takes CE's place.",
    ],
    deviations: [
      "The paper's network is ViT-B/16; any model serves, with an adapter after every "
        + "convolution, norm, hidden dense layer and patch embedding.",
      "The last round is reported, not the best one.",
    ], composes: [.loss, .serverOptimizer, .groups], fields: Fields.all)

  /// Whether uploads count alike.
  static let weightingField = Hyperparameter(
    "weighting", "w_k", default: Weighting.uniform,
    "uniform: 1/|S| as in the paper; scenario: as federation.weighting says")

  package static let needs: MethodNeeds = [.trainedNetwork]

  /// The paper's steps are plain SGD, under which entries that no image took rest.
  package static func caution(about optimizer: OptimizerSpec) -> (warning: String, hint: String)? {
    let steps: String
    switch optimizer.kind {
    case .sgd where optimizer.momentum == 0: return nil
    case .sgd: steps = "momentum \(JSON.number(optimizer.momentum).compact)"
    default: steps = optimizer.kind.rawValue
    }
    return (
      "fedins with \(steps): entries of the pool move on when no image takes them",
      "the paper takes sgd with momentum 0 and weightDecay 0"
    )
  }

  package static func adapt(_ settings: Settings, _ base: BaseModel) throws(ModelError)
    -> AdaptedNetwork?
  {
    try base.adapted(
      by: InstancePool(
        poolSize: settings.poolSize, matched: settings.matched,
        batchAveraged: settings.batchAveraged))
  }

  /// (1 − λ)·CE + λ·(1 − r), means over the batch.
  package struct Rule: LocalRule {
    package let loss: SoftmaxCrossEntropy?
    let matchingWeight: Double

    package static var adjustsGradient: Bool { false }

    /// From the gradient of CE to that of the whole; r goes to the keys alone.
    package mutating func addTerms(_ part: BatchPart) -> Double {
      let space = part.workspace
      let classes = part.network.classes
      guard matchingWeight > 0, let loss, let logits = space.logits.baseAddress,
        let labels = space.labels.baseAddress
      else { return 0 }
      let crossEntropy = loss.evaluate(
        logits: logits, labels: labels, batch: part.count, classes: classes
      ).lossSum
      let rest = Float(1 - matchingWeight)
      for i in 0..<part.count * classes { space.logitsGradient[i] *= rest }
      var mismatch = 0.0
      for example in 0..<part.count {
        mismatch += 1 - Double(space.matches[example])
        space.matchesGradient[example] = Float(-matchingWeight / Double(part.batch))
      }
      // Reports divide by Σ of the loss's weights, of which each example has its share here.
      let share = part.totalWeight / Double(part.batch)
      return matchingWeight * (share * mismatch - crossEntropy)
    }
  }

  let matchingWeight: Double
  package let uploadWeighting: WeightingRule
  package let base: FedAvg

  package init(_ settings: Settings, _ problem: LearningProblem) {
    matchingWeight = settings.matchingWeight
    uploadWeighting = settings.weighting.rule
    base = FedAvg(ModelExchange(problem) { $0.role.isTrained })
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    device.workspace.load(base.exchange.model(received, memory))
    var rule = Rule(loss: device.loss, matchingWeight: matchingWeight)
    let report = try device.train(&rule)
    base.exchange.remember(device, &memory)
    return ClientUpdate(base.exchange.difference(device, from: received), report)
  }

  /// How often each entry of the pool is taken for some images, by the model in the device's
  /// workspace: a pool that has collapsed has an entropy near ln k, one that all use near ln P.
  package static func usage(_ device: Device, of images: some RandomAccessCollection<Int>)
    -> PoolUsage
  {
    let keys = device.network.layout["pool.keys"]
    var usage = PoolUsage(poolSize: keys?.shape.first ?? 0)
    let entries = device.workspace.matchedEntries
    let matched = entries.count / device.workspace.capacity
    device.forEachBatch(of: images) { usage.add(entries.prefix($0.count * matched)) }
    return usage
  }
}
