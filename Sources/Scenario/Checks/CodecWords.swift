import Aggregation
import Codecs

extension LinkCompression {
  package var word: String {
    if case .deepGradient = memory { return "dgc" }
    return switch codec {
    case .dense: "dense"
    case .sparse(let sparse): if case .threshold = sparse.selection { "threshold" } else { "topk" }
    case .randomK: "random-k"
    case .integer: "quantize"
    case .qsgd: "qsgd"
    case .natural: "natural"
    case .sign: "sign"
    case .ternary: "ternary"
    case .lowRank: "low-rank"
    case .empty: "none"
    }
  }
}

extension CodecSpec {
  /// Whether leaving out is what it does, so that nothing makes up for it.
  package var losesMuch: Bool {
    switch self {
    case .sparse, .randomK, .sign, .lowRank: true
    default: false
    }
  }
}
