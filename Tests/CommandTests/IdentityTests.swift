import Testing

/// Two settings of methods that must give the same model, to the bit.
struct Identity: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let first: (method: String, model: String)
  let second: (method: String, model: String)
  /// Members of the scenario's section `federation`.
  var federation = "\"clients\": 4, \"rounds\": 3, \"participation\": 0.5"
}

private let generic = "final/generic.safetensors"
private let personal = "final/personal/000.safetensors"

/// Each follows from the equations: where a term vanishes, nothing else may remain of the method.
private let identities: [Identity] = [
  Identity(
    testDescription: "FedProx with μ = 0 is FedAvg",
    first: (#"{ "kind": "fedprox", "proximalWeight": 0 }"#, generic),
    second: (#"{ "kind": "fedavg" }"#, generic)),
  Identity(
    testDescription: "FedAvgM with β = 0 and η_g = 1 is FedAvg",
    first: (#"{ "kind": "fedavgm", "serverMomentum": 0, "serverLearningRate": 1 }"#, generic),
    second: (#"{ "kind": "fedavg" }"#, generic)),
  Identity(
    testDescription: "fine-tuning for evaluation leaves FedAvg's training alone",
    first: (#"{ "kind": "fedavg-ft", "epochs": 3 }"#, generic),
    second: (#"{ "kind": "fedavg" }"#, generic)),
  Identity(
    testDescription: "FedPer without private layers is FedAvg",
    first: (#"{ "kind": "fedper", "privateLayers": 0 }"#, generic),
    second: (#"{ "kind": "fedavg" }"#, generic)),
  Identity(
    testDescription: "FedPer with all layers private is local training",
    first: (#"{ "kind": "fedper", "privateLayers": 1000 }"#, personal),
    second: (#"{ "kind": "local-only" }"#, personal)),
  Identity(
    testDescription: "SCAFFOLD's first round, with its variates at zero, is uniform FedAvg",
    first: (#"{ "kind": "scaffold" }"#, generic), second: (#"{ "kind": "fedavg" }"#, generic),
    federation: "\"clients\": 4, \"rounds\": 1, \"weighting\": \"uniform\""),
  Identity(
    testDescription: "with one client, centralised training is that client's own",
    first: (#"{ "kind": "centralised" }"#, generic),
    second: (#"{ "kind": "local-only" }"#, personal), federation: "\"clients\": 1, \"rounds\": 3"),
]

@Suite("Identities between methods")
struct IdentityTests {
  @Test("methods coincide where their equations do", arguments: identities)
  func same(
    identity: Identity
  ) throws {
    let folder = TemporaryFolder()
    var models: [[UInt8]] = []
    for (name, side) in [("a", identity.first), ("b", identity.second)] {
      try folder.write(
        "\(name).json",
        ScenarioText.tiny(
          top: #""output": { "personalModels": true },"#,
          data: #", "partition": { "kind": "dirichlet", "alpha": 0.5 }"#,
          federation: identity.federation, strategies: "[ \(side.method) ]"))
      let outcome = try Program.run(
        ["run", "\(name).json", "--quiet", "--out", name, "--set", "strategies[0].label=m"],
        in: folder.path)
      #expect(outcome.exit == 0, "\(outcome.text)")
      models.append(try #require(folder.bytes("\(name)/m-s1/\(side.model)")))
    }
    #expect(models[0].count > 10_000)
    #expect(models[0] == models[1])
  }

  @Test("a method whose own term is on differs from the one it generalises")
  func different() throws {
    let folder = TemporaryFolder()
    try folder.write(
      "s.json",
      ScenarioText.tiny(
        federation: "\"clients\": 4, \"rounds\": 3",
        strategies: """
          [ { "kind": "fedavg" }, { "kind": "fedprox", "proximalWeight": 0.1 },
            { "kind": "fedavgm" }, { "kind": "scaffold" }, { "kind": "centralised" } ]
          """))
    #expect(try Program.run(["run", "s.json", "--out", "o"], in: folder.path).exit == 0)
    let models = ["fedavg", "fedprox", "fedavgm", "scaffold", "centralised"].map {
      folder.bytes("o/\($0)-s1/\(generic)")
    }
    #expect(models.allSatisfy { $0 != nil })
    #expect(Set(models).count == models.count)
  }
}
