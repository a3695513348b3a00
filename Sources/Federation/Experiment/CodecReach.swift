import Aggregation
import Scenario
import Tensor

/// Whether what a scenario asks of `compression` reaches anything that a method sends.
struct CodecReach {
  struct Finding: Equatable {
    /// A code of the message catalogue.
    let code: String
    /// The direction: "uplink" or "downlink".
    var link = "uplink"
    /// What has no effect, and why.
    let text: String
    let hint: String
  }

  let choice: Scenario.StrategyChoice
  let settings: CompressionSettings

  /// What a strategy's codecs do not reach on an experiment's data.
  ///
  /// `sizesCount`: whether tensors that are no parameters have the sizes of a run; without, they
  /// are taken for large enough.
  static func findings(
    _ choice: Scenario.StrategyChoice, _ experiment: Experiment, sizesCount: Bool
  ) -> [Finding] {
    guard let settings = choice.compression, !settings.isInert else { return [] }
    let reach = CodecReach(choice: choice, settings: settings)
    let sketch = experiment.messages(of: choice) { reach.reachesAll($0, sizesCount) }
    return sketch.map { reach.findings($0, sizesCount) } ?? []
  }

  private func links(_ sketch: MessageSketch) -> [(
    name: String, link: LinkCompression, sent: [MessageSketch.Sent]
  )] {
    [("uplink", settings.uplink, sketch.up), ("downlink", settings.downlink, sketch.down)]
      .compactMap { name, link, sent in link.map { (name, $0, sent) } }
  }

  private func reachesAll(_ sketch: MessageSketch, _ sizesCount: Bool) -> Bool {
    links(sketch).allSatisfy { _, link, sent in
      let planner = BlockPlanner(link, sketch.problem)
      return sent.contains { planner.obstacle($0.tensor, sizesCount: sizesCount) == nil }
    }
  }

  private func findings(_ sketch: MessageSketch, _ sizesCount: Bool) -> [Finding] {
    var findings: [Finding] = []
    for (name, link, sent) in links(sketch) {
      let planner = BlockPlanner(link, sketch.problem)
      let judged = sent.map { ($0, planner.obstacle($0.tensor, sizesCount: sizesCount)) }
      let reached = judged.filter { $1 == nil }.map(\.0)
      if reached.isEmpty {
        if sent.isEmpty, !sketch.isWhole { continue }
        findings.append(
          nothing(name, link, judged.compactMap { sent, why in why.map { (sent, $0) } }))
        continue
      }
      findings += groups(name, link, sent, planner)
      if name == "uplink", link.layerwise != nil { findings += layerwise(sent, sketch) }
      if name == "uplink" { findings += zeros(link, reached, planner) }
    }
    return findings
  }

  /// A codec that applies to nothing.
  private func nothing(
    _ name: String, _ link: LinkCompression,
    _ judged: [(sent: MessageSketch.Sent, why: CodecObstacle)]
  ) -> Finding {
    let head = "\(choice.label): \(name) \"\(link.word)\" encodes nothing: "
    guard !judged.isEmpty else {
      let whom = name == "uplink" ? "its clients send" : "its server sends"
      return Finding(
        code: "W3044", link: name, text: head + "\(whom) nothing",
        hint: "leave \(name) out for \(choice.kind)")
    }
    var reasons: [String] = []
    for why in CodecObstacle.allCases {
      let names = judged.filter { $0.why == why }.map { "\($0.sent.block)/\($0.sent.tensor.name)" }
      guard !names.isEmpty else { continue }
      let unique = names.enumerated().filter { names.firstIndex(of: $1) == $0 }.map(\.element)
      let shown =
        unique.count > 3 ? unique.prefix(2) + ["\(unique.count - 2) others"] : unique.prefix(3)
      reasons.append("\(shown.joined(separator: ", ")): \(link.words(for: why))")
    }
    let first = CodecObstacle.allCases.last { why in judged.contains { $0.why == why } }
    return Finding(
      code: "W3044", link: name, text: head + reasons.joined(separator: "; "),
      hint: link.remedy(for: first ?? .wholeNumbers))
  }

  /// Codecs of groups that hold nothing of what is sent.
  private func groups(
    _ name: String, _ link: LinkCompression, _ sent: [MessageSketch.Sent], _ planner: BlockPlanner
  ) -> [Finding] {
    link.overrides.map(\.group).filter { group in !sent.contains { planner.holds(group, $0.tensor) }
    }.map { group in
      Finding(
        code: "W3047", link: name,
        text:
          "\(choice.label): \(name) has a codec for the group \"\(group.rawValue)\", and nothing "
          + "of it is sent", hint: "leave the group out for \(choice.kind)")
    }
  }

  /// Strengths are chosen by what the server's model moves, for the first block of an upload.
  private func layerwise(_ sent: [MessageSketch.Sent], _ sketch: MessageSketch) -> [Finding] {
    let first = sent.filter { $0.block == sent.first?.block }
    let names = Set(sketch.problem.layout.entries.map(\.name))
    if first.allSatisfy({ names.contains($0.tensor.name) }) { return [] }
    return [
      Finding(
        code: "W3045",
        text:
          "\(choice.label): layerwise chooses nothing: strengths follow what the server's model "
          + "moves, and \(first.first?.block ?? "its upload") is no part of it",
        hint: "leave layerwise out")
    ]
  }

  /// Soft labels and prototypes are sent whole, not as differences.
  private func zeros(
    _ link: LinkCompression, _ reached: [MessageSketch.Sent], _ planner: BlockPlanner
  ) -> [Finding] {
    guard link.codec.losesMuch,
      let whole = reached.first(where: { !planner.isParameter($0.tensor) && $0.tensor.count > 1 })
    else { return [] }
    return [
      Finding(
        code: "W3046",
        text:
          "\(choice.label): \(whole.block)/\(whole.tensor.name) is no difference of models: what "
          + "\"\(link.word)\" leaves out of it is 0 to the server",
        hint: "take a codec that keeps every value, such as \"quantize\", or blocks \"parameters\"")
    ]
  }
}

extension LinkCompression {
  fileprivate func words(for why: CodecObstacle) -> String {
    switch why {
    case .wholeNumbers: "whole numbers"
    case .noParameter: "no parameters of a network, and blocks is \"parameters\""
    case .group: "groups has them as 32-bit floats"
    case .belowDense: "fewer than denseBelow = \(denseBelow) values"
    case .vector: "one dimension, and denseVectors is true"
    case .lowRank: "factors would be longer"
    case .everyValue: "ratio 1 keeps every value"
    }
  }

  fileprivate func remedy(for why: CodecObstacle) -> String {
    switch why {
    case .wholeNumbers: "leave the link out"
    case .noParameter: "set blocks to \"all\", or leave the link out"
    case .group: "take another codec for the group"
    case .belowDense: "lower denseBelow"
    case .vector: "set denseVectors to false"
    case .lowRank: "lower rank, or take another codec"
    case .everyValue: "lower ratio"
    }
  }
}
