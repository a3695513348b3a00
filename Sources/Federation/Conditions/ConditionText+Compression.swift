import Aggregation
import Base
import Codecs
import Scenario

/// Codecs and memories in words.
extension ConditionText {
  /// One line when all strategies have the same compression, else one for each that has some.
  var compressionLines: [String] {
    let choices = scenario.strategies
    guard choices.contains(where: { $0.compression?.isInert == false }) else { return [] }
    if let common = choices.first?.compression, choices.allSatisfy({ $0.compression == common }) {
      return [text(of: common)]
    }
    return choices.compactMap { choice in
      guard let settings = choice.compression, !settings.isInert else { return nil }
      return "\(choice.label): \(text(of: settings))"
    }
  }

  private func text(of settings: CompressionSettings) -> String {
    let links = [("uplink", settings.uplink), ("downlink", settings.downlink)]
    return links.compactMap { name, link in link.map { "\(name): \(text(of: $0))" } }.joined(
      separator: "; ")
  }

  private func text(of link: LinkCompression) -> String {
    var words = text(of: link.codec)
    switch link.memory {
    case .none: break
    case .errorFeedback: words += " + error feedback"
    case .estimates: words += " + EF21"
    case .deepGradient(let deep):
      words = "deep gradient compression, \(words), momentum \(amount(Double(deep.rule.momentum)))"
    case .factors: words += ", the mean's factors"
    case .shadow: words += ", changes of a shared model"
    }
    if let layerwise = link.layerwise { words += ", by layer every \(layerwise.every) rounds" }
    return words
  }

  private func text(of codec: CodecSpec) -> String {
    switch codec {
    case .dense(let format): "dense \(format)"
    case .sparse(let sparse):
      switch sparse.selection {
      case .top(.density(let share)), .sampled(let share):
        "top-k \(amount(100 * share)) % \(sparse.values)"
      case .topBlocks(.density(let share), let length):
        "top blocks of \(length), \(amount(100 * share)) % \(sparse.values)"
      case .top(.count(let k)), .topBlocks(.count(let k), _): "top-\(k) \(sparse.values)"
      case .threshold(let tau): "from \(amount(Double(tau))) on, \(sparse.values)"
      }
    case .randomK(let random):
      if case .density(let share) = random.amount {
        "random-k \(amount(100 * share)) %"
      } else {
        "random-k"
      }
    case .integer(let integer): "\(integer.bits)-bit integers"
    case .qsgd(let qsgd): "QSGD with \(qsgd.levels) levels"
    case .natural: "powers of two"
    case .sign: "signs"
    case .ternary: "ternary"
    case .lowRank(let lowRank): "rank \(lowRank.rank)"
    case .empty: "nothing"
    }
  }

  private func amount(_ value: Double) -> String { NumberText.fixed(value, value < 1 ? 2 : 0) }
}
