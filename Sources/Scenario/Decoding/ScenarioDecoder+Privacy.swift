import Client

/// The section `privacy`.
extension ScenarioDecoder {
  /// What a section asks for; nil for none.
  func privacy(_ node: Node) throws(Missing) -> PrivacySettings? {
    let unit: PrivacySettings.Unit
    switch try node.text("unit") {
    case "none": return nil
    case "example": unit = .example(try exampleMechanism(node))
    case "client": unit = .client(try clientMechanism(node))
    default: throw node.missing("unit")
    }
    var settings = PrivacySettings(
      unit: unit, clip: try node.number("clip"),
      noiseMultiplier: node.has("noiseMultiplier") ? try node.number("noiseMultiplier") : nil,
      target: nil, delta: try node.number("delta"))
    guard node.has("target") else { return settings }
    let target = try node.node("target")
    settings.delta = try target.number("delta")
    settings.target = PrivacySettings.Target(
      epsilon: try target.number("epsilon"),
      isPerClient: target.has("per") ? try target.text("per") == "client" : false)
    return settings
  }

  private func exampleMechanism(_ node: Node) throws(Missing) -> PrivacySettings.ExampleMechanism {
    var mechanism = PrivacySettings.ExampleMechanism()
    mechanism.copies = try node.int("augmentationMultiplicity")
    switch try node.text("mechanism") {
    case "dp-sgd": mechanism.clipping = try node.choice("clipping")
    case "dice-sgd":
      mechanism.errorFeedback = ExamplePrivacy.ErrorFeedback(
        ratio: try node.number("errorRatio"),
        cap: node.has("errorCap") ? try node.number("errorCap") : nil,
        decay: try node.number("errorDecay"))
      mechanism.accounting = try node.choice("accounting")
    default: throw node.missing("mechanism")
    }
    return mechanism
  }

  private func clientMechanism(_ node: Node) throws(Missing) -> PrivacySettings.ClientMechanism {
    var mechanism = PrivacySettings.ClientMechanism()
    switch try node.text("mechanism") {
    case "dp-fedavg": mechanism.kind = .plain
    case "error-feedback": mechanism.kind = .clientErrorFeedback
    case "dice-sgd":
      mechanism.kind = .serverErrorFeedback(
        ratio: try node.number("errorRatio"),
        cap: node.has("errorCap") ? try node.number("errorCap") : nil)
    default: throw node.missing("mechanism")
    }
    mechanism.placement = try node.choice("placement")
    mechanism.noise = try node.choice("noise")
    if try node.text("clipping") == "adaptive" {
      mechanism.adaptive = PrivacySettings.ClientMechanism.Adaptive(
        quantile: try node.number("quantile"), rate: try node.number("clipRate"))
    }
    if node.has("assumedPopulation") {
      mechanism.assumedPopulation = try node.int("assumedPopulation")
    }
    return mechanism
  }
}
