import Aggregation
import Client
import Tensor

/// Checks of `privacy` against methods, models and sampling.
extension ScenarioChecks {
  /// Privacy that its section alone shows to be wrong: of the scenario, then of single strategies.
  mutating func checkPrivacy() {
    checkPrivacy(at: "privacy")
    for index in 0..<1000 where lines["strategies[\(index)]"] != nil {
      checkPrivacy(at: "strategies[\(index)].privacy")
    }
  }

  private mutating func checkPrivacy(at path: String) {
    guard let unit = text("\(path).unit"), unit != "none" else { return }
    if lines["\(path).noiseMultiplier"] == nil, lines["\(path).target"] == nil {
      error(
        "E3330",
        path,
        "found neither a noise multiplier nor a target",
        hint: "give \"noiseMultiplier\": 1 or \"target\": { \"epsilon\": 8 }"
      )
    }
    if let clip = number("\(path).clip"), let cap = number("\(path).errorCap"), cap < clip {
      error(
        "E3331",
        "\(path).errorCap",
        "found \(JSON.number(cap).compact), below the clip \(JSON.number(clip).compact)",
        hint: "give at least the clip, such as four times it"
      )
    }
    if text("\(path).accounting") == "strict", number("\(path).errorCap") == nil {
      error(
        "E3331",
        "\(path).accounting",
        "strict accounting needs a bound on what one example leaves in the error",
        hint: "give errorCap, such as four times the clip, or take \"paper\""
      )
    }
    if unit == "client" { checkClientPrivacy(at: path) }
  }

  private mutating func checkClientPrivacy(at path: String) {
    let placement = text("\(path).placement") ?? "server"
    let isDice = text("\(path).mechanism") == "dice-sgd"
    if placement != "server", isDice {
      error(
        "E3332",
        "\(path).placement",
        "found \"\(placement)\"; the server's error feedback needs clipped updates at the server",
        suggestion: "\"server\"",
        hint: "the mechanism \"error-feedback\" keeps errors at the clients"
      )
    }
    if text("\(path).clipping") == "adaptive", placement != "server" || isDice {
      error(
        "E3332",
        "\(path).clipping",
        "found \"adaptive\"; the server can follow the norms only where it clips and adds noise",
        suggestion: "\"flat\""
      )
    }
    if text("federation.weighting") == "samples", lines["federation.weighting"] != 0 {
      warn(
        "W3031",
        path,
        "updates count alike under client-level privacy, whatever federation.weighting says"
      )
    }
  }

  /// Privacy against the methods and the network; the scenario is valid otherwise.
  mutating func checkPrivateMethods(_ scenario: Scenario) {
    for (index, choice) in scenario.strategies.enumerated() {
      guard let settings = choice.privacy, !settings.isInert,
        let type = StrategyRegistry[choice.kind]
      else { continue }
      let path = "strategies[\(index)]"
      if settings.exampleLevel != nil { checkExampleLevel(scenario, path) }
      if let mechanism = settings.clientLevel {
        checkClientLevel(type, mechanism, settings, scenario, path)
      }
      let audit = ReleaseAudit(
        type,
        loss: choice.loss,
        settings: settings,
        normalization: scenario.data.normalize
      )
      if let sentence = audit.sentence {
        warn("W3032", path, "\(choice.label): \(sentence)")
      }
      if settings.noiseMultiplier == 0 {
        warn("W3033", path, "\(choice.label): no noise, so no epsilon")
      }
    }
  }

  private mutating func checkExampleLevel(_ scenario: Scenario, _ path: String) {
    let models =
      [("model", scenario.model)]
      + scenario.clientModels.enumerated().map {
        ("clientModels[\($0)].model", $1.model)
      }
    for (place, model) in models where model.norm == .batch {
      error(
        "E3333",
        path,
        "example-level privacy cannot use batch normalisation (\(place).norm): statistics mix "
          + "examples, so no gradient is one example's",
        hint: "set \(place).norm to \"group\", or privacy.unit to \"client\""
      )
    }
  }

  private mutating func checkClientLevel(
    _ type: any Strategy.Type,
    _ mechanism: PrivacySettings.ClientMechanism,
    _ settings: PrivacySettings,
    _ scenario: Scenario,
    _ path: String
  ) {
    if type.population == .pooled {
      error(
        "E3332",
        path,
        "\(type.card.kind) has one site with everybody's examples: no client to protect",
        hint: "set privacy.unit to \"example\", or this strategy's privacy to \"none\""
      )
    }
    if !type.sumsUploads, mechanism.placement != .local {
      error(
        "E3332",
        path,
        "\(type.card.kind) looks at each client's upload; noise on their sum protects none of them",
        hint: "set privacy.placement to \"local\""
      )
    }
    if mechanism.adaptive != nil, let sigma = settings.noiseMultiplier {
      let size = scenario.federation.expectedCohort
      let deviation = PrivateAggregate.countDeviation(cohort: size)
      if PrivateAggregate.updateMultiplier(sigma, countDeviation: deviation) == nil {
        error(
          "E3332",
          path,
          "the noise multiplier \(JSON.number(sigma).compact) is too large for an adaptive clip: "
            + "counting \(JSON.number(size).compact) clients alone costs more privacy",
          hint: "take less than \(JSON.number(size / 10).compact), or the clipping \"flat\""
        )
      }
    }
    let population = mechanism.assumedPopulation ?? scenario.federation.clients
    if settings.delta > 1 / Double(population) {
      warn(
        "W3034",
        path,
        "delta \(JSON.number(settings.delta).compact) is not below 1 / \(population) clients"
      )
    }
  }
}

extension Strategy {
  /// Whether uploads reach the method as a sum alone.
  static var sumsUploads: Bool { Fold.self == WeightedMean.self }
}
