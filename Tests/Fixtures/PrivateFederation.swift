import Federation

/// A small federation under privacy.
package struct PrivateFederation: Sendable {
  package static let sizes = [23, 17, 32, 0, 12]

  /// An experiment of one strategy per privacy section.
  package static func experiment(
    _ privacy: [String?], kind: String = "fedavg", sampling: String = "uniform",
    participation: Double = 0.6, rounds: Int = 4, _ change: (inout ScenarioText) -> Void = { _ in }
  ) throws -> Experiment {
    let file = try PartitionFile(sizes: sizes)
    var text = ScenarioText(partition: file.json)
    text.federation = """
      { "clients": 5, "rounds": \(rounds), "participation": \(participation),
        "sampling": \(sampling.hasPrefix("{") ? sampling : "\"\(sampling)\""), "weighting": "uniform" }
      """
    text.order = "shuffled"
    text.optimizer = ScenarioText.Optimizers.momentum
    text.publicSet = ScenarioText.somePublic.json
    text.strategies = privacy.map { section in
      ScenarioText.strategy(kind, section.map { #""privacy": \#($0)"# } ?? "")
    }
    change(&text)
    return try text.experiment(
      SmallImages.floats(train: sizes.reduce(0, +) + ScenarioText.somePublic.spareImages))
  }

  /// Mechanisms with every kind of state.
  package static let sections = [
    #"{ "unit": "example", "noiseMultiplier": 1, "clip": 0.5 }"#,
    #"{ "unit": "example", "noiseMultiplier": 1, "clip": 0.2, "clipping": "per-layer" }"#,
    """
    { "unit": "example", "mechanism": "dice-sgd", "noiseMultiplier": 0.5, "clip": 0.1,
      "errorCap": 2, "errorDecay": 0.5 }
    """, #"{ "unit": "client", "noiseMultiplier": 0.4, "clip": 0.3 }"#,
    #"{ "unit": "client", "noiseMultiplier": 0.1, "clip": 0.1, "clipping": "adaptive" }"#,
    """
    { "unit": "client", "mechanism": "error-feedback", "noiseMultiplier": 0.4, "clip": 0.1,
      "placement": "distributed", "noise": "discrete" }
    """,
    """
    { "unit": "client", "mechanism": "dice-sgd", "noiseMultiplier": 0.4, "clip": 0.1,
      "errorCap": 0.8 }
    """, #"{ "unit": "client", "noiseMultiplier": 0.4, "clip": 0.1, "placement": "local" }"#,
  ]
}
