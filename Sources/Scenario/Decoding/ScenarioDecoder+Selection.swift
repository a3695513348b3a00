/// How a cohort is drawn.
extension ScenarioDecoder {
  func sampling(_ node: Node) throws(Missing) -> FederationSettings.Sampling {
    switch try node.text("kind") {
    case "uniform": return .uniform
    case "poisson": return .poisson
    case "power-of-choice":
      return .powerOfChoice(
        .init(candidates: try node.int("candidates"), loss: try node.choice("loss")))
    case "oort":
      var settings = FederationSettings.Oort()
      settings.exploration = try node.number("exploration")
      settings.explorationDecay = try node.number("explorationDecay")
      settings.explorationMinimum = try node.number("explorationMinimum")
      settings.cutOff = try node.number("cutOff")
      settings.clip = try node.number("clip")
      settings.penalty = try node.number("penalty")
      settings.pacerStep = try node.number("pacerStep")
      settings.pacerWindow = try node.int("pacerWindow")
      return .oort(settings)
    default: throw node.missing("kind")
    }
  }
}
