import Aggregation
import Codecs

/// The section `compression`.
extension ScenarioDecoder {
  /// What a section asks for.
  func compression(_ node: Node) throws(Missing) -> CompressionSettings {
    CompressionSettings(
      uplink: try link(try node.node("uplink")), downlink: try link(try node.node("downlink")))
  }

  private func link(_ node: Node) throws(Missing) -> LinkCompression? {
    let kind = try node.text("kind")
    if kind == "none" { return nil }
    var link = LinkCompression(
      kind == "dgc" ? .sparse(try sparse(node)) : try codec(node),
      grouping: try node.text("scope") == "model" ? .together : .eachTensor,
      denseBelow: try node.int("denseBelow"), denseVectors: try node.flag("denseVectors"),
      blocks: try node.choice("blocks"))
    for group in try node.nodes("groups") {
      link.overrides.append(.init(try group.choice("group"), try codec(group)))
    }
    if node.has("layerwise") { link.layerwise = try layerwise(try node.node("layerwise")) }
    if node.has("fading") { link.fading = Float(try node.number("fading")) }
    link.memory = try memory(node, kind)
    if case .randomK(let random) = link.codec, link.memory != .none {
      // A biased form contracts; the unbiased one would let the memory grow.
      link.codec = .randomK(RandomKCodec(random.amount, isScaled: false, seed: random.seed))
    }
    return link
  }

  private func memory(_ node: Node, _ kind: String) throws(Missing) -> LinkCompression.Memory {
    if kind == "dgc" { return .deepGradient(try deepGradient(node)) }
    if node.has("shadow"), try node.flag("shadow") { return .shadow }
    if node.has("sums"), try node.text("sums") == "factors" {
      return .factors(ownError: try node.text("errorReference") == "own")
    }
    guard node.has("errorFeedback"), try node.flag("errorFeedback") else { return .none }
    if try node.text("feedback") == "ef21" {
      return .estimates(eta: Float(try node.number("smoothing")))
    }
    return .errorFeedback(try node.choice("errorUnits"))
  }

  private func layerwise(_ node: Node) throws(Missing) -> LinkCompression.Layerwise {
    LinkCompression.Layerwise(
      every: try node.int("every"), measure: try node.text("measure") == "norm" ? .norm : .squared,
      slack: try node.number("slack"))
  }

  private func deepGradient(_ node: Node) throws(Missing) -> LinkCompression.DeepGradient {
    let warmUp: DensityWarmUp? =
      switch try node.text("warmup") {
      case "quarters": .quarters
      case "geometric": .geometric(epochs: try node.int("warmupStages"))
      default: nil
      }
    return LinkCompression.DeepGradient(
      GradientAccumulator.Rule(
        momentum: Float(try node.number("momentum")), isNesterov: try node.flag("nesterov"),
        clip: node.has("clip") ? try node.number("clip") : nil,
        masksMomentum: try node.flag("masking")), warmUp: warmUp,
      stage: try node.int("warmupRounds"))
  }

  private func codec(_ node: Node) throws(Missing) -> CodecSpec {
    switch try node.text("kind") {
    case "dense":
      switch try node.text("format") {
      case "float16": return .dense(.float16)
      case "bfloat16": return .dense(.bfloat16)
      default: return .dense(.float32)
      }
    case "topk", "threshold": return .sparse(try sparse(node))
    case "random-k":
      let isShared = try node.text("places") == "shared"
      return .randomK(RandomKCodec(.density(try node.number("ratio")), seed: isShared ? 0 : nil))
    case "quantize":
      return .integer(
        IntegerCodec(
          bits: try node.int("bits"), chunk: try node.int("chunk"),
          isEntropyCoded: try node.flag("entropyCoded")))
    case "qsgd": return .qsgd(try qsgd(node))
    case "natural": return .natural(NaturalCodec(isEntropyCoded: try node.flag("entropyCoded")))
    case "sign": return .sign(SignCodec(isScaled: try node.flag("scaled")))
    case "ternary":
      let clip = try node.number("clip")
      return .ternary(
        TernaryCodec(clip: clip > 0 ? clip : nil, isEntropyCoded: try node.flag("entropyCoded")))
    case "low-rank": return .lowRank(LowRankCodec(rank: try node.int("rank")))
    default: throw node.missing("kind")
    }
  }

  private func qsgd(_ node: Node) throws(Missing) -> QSGDCodec {
    let coding: QSGDCodec.Coding =
      switch try node.text("coding") {
      case "elias": .elias
      case "entropy": .entropy
      default: .fixed
      }
    return QSGDCodec(
      levels: try node.int("levels"), bucket: try node.int("bucket"),
      norm: try node.text("norm") == "l2" ? .euclidean : .largest, coding: coding)
  }

  private func sparse(_ node: Node) throws(Missing) -> SparseCodec {
    let selection: SparseCodec.Selection
    if node.has("threshold") {
      selection = .threshold(Float(try node.number("threshold")))
    } else {
      let ratio = try node.number("ratio")
      let block = node.has("block") ? try node.int("block") : 1
      if try node.text("selection") == "sampled" {
        selection = .sampled(density: ratio)
      } else {
        selection = block > 1 ? .topBlocks(.density(ratio), length: block) : .top(.density(ratio))
      }
    }
    let indices: IndexCoding =
      switch try node.text("indices") {
      case "packed": .packed
      case "bitmap": .bitmap
      case "runs": .runs
      case "u32": .words
      default: .rice
      }
    let values: ValueCoding =
      switch try node.text("values") {
      case "float16": .float16
      case "bfloat16": .bfloat16
      case "int8": .int8
      case "sign": .sign
      default: .float32
      }
    return SparseCodec(selection, indices: indices, values: values)
  }
}
