import Aggregation
import Client
import Codecs
import Tensor

/// Checks of `compression` against itself, methods and privacy.
extension ScenarioChecks {
  /// Compression that its section alone shows to be wrong.
  mutating func checkCompression(at path: String) {
    for link in ["uplink", "downlink"] {
      let link = "\(path).\(link)"
      if lines["\(link).layerwise"] != nil, text("\(link).scope") == "model" {
        error(
          "E3340", "\(link).scope",
          "found \"model\"; layer-wise strengths need each tensor on its own",
          suggestion: "\"tensor\"")
      }
      if lines["\(link).layerwise"] != nil, link.hasSuffix("downlink") {
        error(
          "E3340", "\(link).layerwise", "strengths are chosen for uploads alone",
          hint: "move layerwise to the uplink")
      }
      if let block = int("\(link).block"), block > 1, text("\(link).selection") == "sampled" {
        error(
          "E3340", "\(link).selection",
          "found \"sampled\"; blocks are chosen by their norms, exactly", suggestion: "\"exact\"")
      }
    }
  }

  /// Compression against the methods and privacy; the scenario is valid otherwise.
  mutating func checkCompressedMethods(_ scenario: Scenario) {
    for method in scenario.methods {
      guard let settings = method.choice.compression, !settings.isInert else { continue }
      if let uplink = settings.uplink {
        checkUplink(uplink, method)
        if let privacy = method.choice.privacy, !privacy.isInert {
          checkOrder(uplink, privacy, method.path)
        }
      }
      if let downlink = settings.downlink { checkShadow(downlink, method) }
    }
  }

  /// Codecs that reach nothing of a method, as far as the scenario alone can tell.
  ///
  /// Last of all: its dry run needs a scenario without errors.
  mutating func checkReach(_ scenario: Scenario) {
    guard scenario.strategies.contains(where: { $0.compression?.isInert == false }) else { return }
    for finding in reach(scenario) {
      warn(finding.code, "strategies[\(finding.strategy)]", finding.text, hint: finding.hint)
    }
  }

  /// A model that all clients share, for methods that send each of them something else.
  private mutating func checkShadow(_ link: LinkCompression, _ method: CheckedMethod) {
    guard link.memory == .shadow, link.blocks == .all, method.type.needs.contains(.ownDownloads)
    else { return }
    error(
      "E3343", method.path,
      "\(method.label): shadow moves one model that all clients share, and \(method.choice.kind) "
        + "sends each client a message of its own",
      hint: "set \"shadow\" to false in its downlink, or blocks to \"parameters\"")
  }

  private mutating func checkUplink(_ link: LinkCompression, _ method: CheckedMethod) {
    let (choice, type) = (method.choice, method.type)
    if type.needs.contains(.wholeUploads), link.codec.losesMuch || link.memory != .none {
      error(
        "E3341", method.path,
        "\(choice.kind) sends models and not differences: what a codec leaves out would become "
          + "zero",
        hint: "take a codec that keeps every value, such as \"quantize\" without errorFeedback")
    }
    switch link.memory {
    case .estimates, .factors:
      if !type.sumsUploads || type.disclosures.count != 1 {
        error(
          "E3341", method.path,
          "ef21 and sums of factors give the mean of updates alone; \(choice.kind) needs more of "
            + "its uploads, or sends more than a model",
          hint: "take \"feedback\": \"ef-sgd\", and \"sums\": \"updates\"")
      }
    case .deepGradient(let deep):
      if deep.rule.momentum > 0, method.client.optimizer.momentum > 0 {
        warn(
          "W3041", method.path,
          "\(method.label): momentum counts twice, in client.optimizer and in dgc",
          hint: "set client.optimizer.momentum to 0")
      }
      if choice.composition.serverOptimizer.momentum > 0 {
        warn(
          "W3041", method.path, "\(method.label): momentum counts twice, at the server and in dgc",
          hint: "set serverOptimizer.momentum to 0")
      }
    case .errorFeedback where link.codec.isUnbiased && link.codec != .dense(.float32):
      warn(
        "W3042", method.path,
        "\(method.label): error feedback of an unbiased codec may let its memory grow",
        hint: "set errorFeedback to false")
    case .none where !link.codec.isUnbiased && link.codec.losesMuch:
      warn(
        "W3043", method.path,
        "\(method.label): a biased codec without error feedback never sends what it leaves out",
        hint: "set errorFeedback to true")
    default: break
    }
  }

  /// Which orders of clip, noise and encoding protect clients.
  private mutating func checkOrder(
    _ link: LinkCompression, _ privacy: PrivacySettings, _ path: String
  ) {
    guard let mechanism = privacy.clientLevel else { return }  // gradients are noisy already
    switch link.memory {
    case .estimates, .factors:
      error(
        "E3342", path,
        "ef21 and sums of factors sum messages before anybody can clip what one of them does",
        hint: "take \"feedback\": \"ef-sgd\", or privacy.unit \"example\"")
      return
    default: break
    }
    if mechanism.placement == .distributed, !link.isLinear {
      error(
        "E3342", path,
        "with distributed noise only the sum of the messages is protected, and the encoded "
          + "messages of clients are not summed before they are read",
        hint: "take the placement \"server\" or \"local\", or random-k with shared places and no "
          + "errorFeedback")
    }
  }
}

extension LinkCompression {
  /// Whether the sum of decoded messages is a function of the sum of what was meant.
  fileprivate var isLinear: Bool {
    guard memory == .none, layerwise == nil, overrides.isEmpty else { return false }
    switch codec {
    case .dense(let format): return format == .float32
    case .randomK(let random): return random.seed != nil
    default: return false
    }
  }
}
