import Base
import Codecs

/// How the messages of one direction are encoded, and what is remembered between them.
public struct LinkCompression: Sendable, Equatable {
  /// The codec of everything that does not stay dense; its density is the last one of a warm-up.
  public var codec: CodecSpec
  /// What is remembered between messages.
  public var memory: Memory
  /// Whether each tensor is encoded on its own, or all as one.
  public var grouping: CodecPlan.Grouping
  /// Tensors with fewer values stay dense.
  public var denseBelow: Int
  /// Whether tensors of fewer than two dimensions (biases, norms) stay dense.
  public var denseVectors: Bool
  /// Which blocks are encoded; others travel as plain numbers.
  public var blocks: Blocks
  /// Codecs of parameter groups in place of `codec`, the first that holds a tensor.
  public var overrides: [Override]
  /// What is left of a client's memory for each round that it missed, in [0, 1]: 1 keeps it.
  public var fading: Float
  /// How strongly each layer is compressed is chosen anew now and then; nil for never.
  public var layerwise: Layerwise?

  /// A link whose messages remember nothing.
  public init(
    _ codec: CodecSpec, memory: Memory = .none, grouping: CodecPlan.Grouping = .eachTensor,
    denseBelow: Int = 0, denseVectors: Bool = false, blocks: Blocks = .parameters,
    overrides: [Override] = [], fading: Float = 1, layerwise: Layerwise? = nil
  ) {
    self.codec = codec
    self.memory = memory
    self.grouping = grouping
    self.denseBelow = denseBelow
    self.denseVectors = denseVectors
    self.blocks = blocks
    self.overrides = overrides
    self.fading = fading
    self.layerwise = layerwise
  }

  /// What is remembered between messages.
  public enum Memory: Sendable, Equatable {
    /// Nothing.
    case none
    /// What compression has lost so far (``ErrorMemory``).
    case errorFeedback(ErrorUnits)
    /// An estimate of the client's update on both sides (``EstimateMemory``); η in (0, 1] of its
    /// momentum, 1 for none.
    case estimates(eta: Float)
    /// Momentum and what waits to be sent (``GradientAccumulator``).
    case deepGradient(DeepGradient)
    /// Factors of the clients' mean in two sums (``SharedFactors``); whether a client's error is
    /// what its own factors lost, instead of the mean's.
    case factors(ownError: Bool)
    /// On the way down: a model that server and clients share, moved by what is sent (EF21-P).
    case shadow
  }

  /// What an error is when learning rates change.
  public enum ErrorUnits: String, Sendable, CaseIterable {
    /// Part of an update: it is added as it is, so that nothing is lost, only late.
    case update
    /// Part of a gradient: it takes the learning rate of the round in which it is sent.
    case gradient
  }

  /// Deep gradient compression besides its codec.
  public struct DeepGradient: Sendable, Equatable {
    /// Momentum, clipping (in units of gradients) and masking; the number of clients is the
    /// cohort's.
    public var rule: GradientAccumulator.Rule
    /// How the density falls to that of the codec; nil for at once.
    public var warmUp: DensityWarmUp?
    /// Rounds that a stage of the warm-up lasts, ≥ 1.
    public var stage: Int

    /// Settings.
    public init(_ rule: GradientAccumulator.Rule, warmUp: DensityWarmUp? = nil, stage: Int = 1) {
      self.rule = rule
      self.warmUp = warmUp
      self.stage = stage
    }
  }

  /// Which blocks of a payload are encoded.
  public enum Blocks: String, Sendable, CaseIterable {
    /// Those whose tensors are all parameters of a network.
    case parameters
    /// All that travel as 32-bit floats.
    case all
  }

  /// A codec for one group of parameters.
  public struct Override: Sendable, Equatable {
    /// The group.
    public var group: ParameterGroup
    /// Its codec.
    public var codec: CodecSpec

    /// A codec for a group.
    public init(_ group: ParameterGroup, _ codec: CodecSpec) {
      self.group = group
      self.codec = codec
    }
  }

  /// L-GreCo (``LayerwiseChoice``).
  public struct Layerwise: Sendable, Equatable {
    /// Rounds between solutions, ≥ 1.
    public var every: Int
    /// How errors are measured.
    public var measure: LayerwiseChoice.Measure
    /// a > 0: the error allowed, relative to the uniform choice.
    public var slack: Double

    /// Settings.
    public init(every: Int = 10, measure: LayerwiseChoice.Measure = .norm, slack: Double = 1) {
      self.every = every
      self.measure = measure
      self.slack = slack
    }
  }

  /// Whether uploads are summed up before a method's fold sees them, which then gets one mean.
  public var sumsFirst: Bool {
    switch memory {
    case .estimates, .factors: true
    default: false
    }
  }

  /// Vectors of the size of an upload that each client keeps.
  public var vectorsPerClient: Int {
    switch memory {
    case .none, .shadow: 0
    case .errorFeedback, .factors: 1
    case .estimates(let eta): eta < 1 ? 2 : 1
    case .deepGradient: 2
    }
  }

  /// The density of a round; nil for codecs without one.
  ///
  /// `round`: from 1.
  package func density(round: Int) -> Double? {
    guard case .sparse(let sparse) = codec, let last = sparse.density else { return nil }
    guard case .deepGradient(let deep) = memory, let warmUp = deep.warmUp else { return last }
    return warmUp.density(epoch: (round - 1) / max(1, deep.stage), last: last)
  }

  /// The codec of a round: with the density of its warm-up, and dense from density 1 on.
  package func codec(round: Int) -> CodecSpec {
    if case .randomK(let random) = codec, let seed = random.seed {
      // Places that all clients share are others in every round.
      let next = RandomStream.mix(seed &+ UInt64(round))
      return .randomK(RandomKCodec(random.amount, isScaled: random.isScaled, seed: next))
    }
    guard case .sparse(let sparse) = codec, let density = density(round: round) else {
      return codec
    }
    return density < 1 ? .sparse(sparse.with(density: density)) : .dense(.float32)
  }

  /// What a layer may be encoded with: around `codec`, and dense in the end, whose error is 0;
  /// empty for codecs without a strength.
  package var options: [CodecSpec] {
    switch codec {
    case .sparse(let sparse):
      guard let density = sparse.density else { return [] }
      return LayerwiseChoice.densities(around: density).map { .sparse(sparse.with(density: $0)) }
        + [.dense(.float32)]
    case .integer(let integer):
      return (2...8).map {
        .integer(
          IntegerCodec(bits: $0, chunk: integer.chunk, isEntropyCoded: integer.isEntropyCoded))
      } + [.dense(.float32)]
    case .lowRank(let lowRank):
      return LayerwiseChoice.ranks(around: lowRank.rank).map { .lowRank(LowRankCodec(rank: $0)) }
        + [.dense(.float32)]
    default: return []
    }
  }

  /// The place of `codec` itself among the options.
  public var standard: Int { options.firstIndex(of: codec) ?? 0 }
}

extension SparseCodec {
  /// The share of values kept; nil where it is not a share.
  package var density: Double? {
    switch selection {
    case .top(.density(let density)), .sampled(let density), .topBlocks(.density(let density), _):
      density
    default: nil
    }
  }

  /// The same with another share.
  package func with(density: Double) -> SparseCodec {
    let selection: Selection =
      switch selection {
      case .sampled: .sampled(density: density)
      case .topBlocks(_, let length): .topBlocks(.density(density), length: length)
      default: .top(.density(density))
      }
    return SparseCodec(selection, indices: indices, values: values)
  }
}
