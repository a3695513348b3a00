import Client
import Scenario

/// Privacy in words: what is protected, how, under which assumptions.
extension ConditionText {
  /// One line when all strategies have the same privacy, else one for each that has some.
  var privacyLines: [String] {
    let choices = scenario.strategies
    guard choices.contains(where: { $0.privacy != nil }) else { return [] }
    if let common = choices.first?.privacy, choices.allSatisfy({ $0.privacy == common }) {
      return ["privacy: \(text(of: common))"]
    }
    return choices.compactMap { choice in
      choice.privacy.map { "privacy of \(choice.label): \(text(of: $0))" }
    }
  }

  /// A section of the scenario in words.
  private func text(of privacy: PrivacySettings) -> String {
    if privacy.isInert { return "none (nothing is clipped, no noise)" }
    var words: [String]
    switch privacy.unit {
    case .example(let mechanism): words = text(of: mechanism, privacy)
    case .client(let mechanism): words = text(of: mechanism, privacy)
    }
    if let sigma = privacy.noiseMultiplier { words.append("noise multiplier \(short(sigma))") }
    if let target = privacy.target {
      let of = target.isPerClient ? " for each client" : ""
      let kind = privacy.noiseMultiplier == nil ? "target" : "budget"
      words.append("\(kind) epsilon \(short(target.epsilon))\(of)")
    }
    words.append("delta \(short(privacy.delta))")
    return words.joined(separator: ", ")
  }

  private func text(of mechanism: PrivacySettings.ExampleMechanism, _ privacy: PrivacySettings)
    -> [String]
  {
    var words = ["examples, add/remove neighbours, Poisson batches of client.batch expected"]
    if let feedback = mechanism.errorFeedback {
      let cap = feedback.cap.map { ", cap \(short($0))" } ?? ""
      words.append(
        "DiceSGD with clip \(short(privacy.clip)), rho \(short(feedback.ratio))\(cap), accounting "
          + (mechanism.accounting == .paper ? "as published, not independently verified" : "strict")
      )
    } else {
      words.append("DP-SGD with \(mechanism.clipping.rawValue) clip \(short(privacy.clip))")
    }
    if mechanism.copies > 1 { words.append("\(mechanism.copies) augmented copies") }
    return words
  }

  private func text(of mechanism: PrivacySettings.ClientMechanism, _ privacy: PrivacySettings)
    -> [String]
  {
    var words = ["clients"]
    switch mechanism.kind {
    case .plain: words.append("clipped updates")
    case .clientErrorFeedback: words.append("clipped updates with error feedback at clients")
    case .serverErrorFeedback(let ratio, _):
      words.append(
        "DiceSGD on updates, rho \(short(ratio)), accounting as published, not independently "
          + "verified")
    }
    let clip = mechanism.adaptive == nil ? "clip" : "adaptive clip, first"
    words.append("\(clip) \(short(privacy.clip))")
    words.append("\(mechanism.noise.rawValue) noise: \(mechanism.placement.rawValue)")
    if mechanism.placement == .local { words.append("replace-one neighbours") }
    if let population = mechanism.assumedPopulation {
      words.append("assumed population \(population)")
    }
    return words
  }
}
