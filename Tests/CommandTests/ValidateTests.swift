import Base
import Foundation
import Testing

/// `validate` says what `run` would say: it makes the same checks up to the first step.
@Suite("Validate")
struct ValidateTests {
  let folder = TemporaryFolder()

  /// Changes of a tiny scenario, as `--set` takes them; most are at the end of a range or fit badly
  /// with each other.
  private static let changes: [String] = [
    "data.dataset.trainPerClass=1", "data.dataset.trainPerClass=1000000", "data.dataset.classes=2",
    "data.dataset.classes=60", "data.augment=[\"crop4\",\"flip\"]", "data.longTail={\"factor\":10}",
    "data.longTail={\"factor\":25}",
    "data.longTail={\"profile\":\"explicit\",\"counts\":[0,0,0,0,0,0,0,0,0,3]}",
    "data.longTail={\"profile\":\"explicit\",\"counts\":[1,2]}",
    "data.partition={\"kind\":\"dirichlet\",\"alpha\":1e-300}",
    "data.partition={\"kind\":\"dirichlet\",\"alpha\":0.01,\"minPerClient\":40}",
    "data.partition={\"kind\":\"dirichlet-cut\",\"alpha\":0.001,\"minPerClient\":49}",
    "data.partition={\"kind\":\"dirichlet-prior\",\"alpha\":0.1,\"perClient\":50}",
    "data.partition={\"kind\":\"dirichlet-prior\",\"alpha\":0.1,\"minPerClass\":6}",
    "data.partition={\"kind\":\"shards\",\"perClient\":50}",
    "data.partition={\"kind\":\"shards\",\"perClient\":51}",
    "data.partition={\"kind\":\"quantity\",\"minPerClient\":50}",
    "data.partition={\"kind\":\"quantity\",\"minPerClient\":51}",
    "data.partition={\"kind\":\"file\",\"path\":\"nowhere.json\"}",
    "data.partition={\"kind\":\"natural\"}", "data.public={\"size\":20}",
    "data.public={\"size\":199}", "data.styles={\"kinds\":[\"rotate90\",\"grayscale\"]}",
    "federation.clients=1", "federation.clients=200", "federation.clients=201",
    "federation.participation=1e-9", "federation.sampling=poisson", "federation.rounds=0",
    "model={\"kind\":\"vit\",\"patch\":7}", "model={\"kind\":\"vit\",\"patch\":64}",
    "model={\"kind\":\"vit\",\"patch\":16,\"width\":12,\"depth\":1,\"heads\":5}",
    "model={\"kind\":\"vit\",\"patch\":16,\"width\":12,\"depth\":1,\"heads\":2}",
    "model={\"kind\":\"mlp\",\"hidden\":[65536,65536,65536]}",
    "model={\"kind\":\"cnn\",\"width\":4,\"dropout\":[],\"norm\":\"batch\"}",
    "model={\"kind\":\"lenet5\",\"width\":1}", "model={\"kind\":\"logistic\"}",
    "model.init={\"kind\":\"file\",\"path\":\"nowhere.safetensors\"}",
    "model.pretrain={\"images\":10,\"epochs\":1}", "model.pretrain={\"images\":200}",
    "model.pretrain={\"classes\":[0,1],\"epochs\":1}", "client.batch=1000000",
    "strategies=[{\"kind\":\"fedins\"}]", "strategies=[{\"kind\":\"ccvr\"}]",
    "strategies=[{\"kind\":\"fedetf\"}]", "strategies=[{\"kind\":\"fedloge\"}]",
    "strategies=[{\"kind\":\"feddf\"}]", "strategies=[{\"kind\":\"fedmd\"}]",
    "strategies=[{\"kind\":\"fedbuff\",\"buffer\":3}]", "strategies=[{\"kind\":\"fedproto\"}]",
    "privacy={\"unit\":\"example\",\"clip\":1,\"noiseMultiplier\":1}",
    "privacy={\"unit\":\"client\",\"clip\":1,\"noiseMultiplier\":1}",
    "privacy={\"unit\":\"client\",\"clip\":1,\"noise\":\"discrete\","
      + "\"placement\":\"distributed\",\"noiseMultiplier\":1e6}",
    "privacy={\"unit\":\"client\",\"clip\":1,\"placement\":\"local\",\"noise\":\"discrete\","
      + "\"noiseMultiplier\":1000}",
    "compression={\"uplink\":{\"kind\":\"topk\",\"ratio\":0.1,\"feedback\":\"ef21\"}}",
    "compression={\"uplink\":{\"kind\":\"low-rank\",\"rank\":200}}",
    "system={\"deadline\":\"1 s\"}",
    "system={\"availability\":{\"kind\":\"trace\",\"path\":\"n\"}}",
    "system={\"compute\":{\"kind\":\"table\",\"path\":\"/dev/zero\"}}",
    "limits={\"memory\":\"1 kB\"}", "limits={\"disk\":\"1 B\"}", "evaluation.every=1000000",
    "clientModels=[{\"share\":1,\"model\":{\"kind\":\"logistic\"}}]",
  ]

  private func expectEqual(_ sets: [String]) throws {
    let options = sets.flatMap { ["--set", $0] } + ["--threads", "1"]
    let said = try Program.run(
      ["validate", "s.json", "--quiet"] + options, in: folder.path, limit: 60)
    let out = "o-\(UUID().uuidString)"
    let done = try Program.run(
      ["run", "s.json", "--out", out, "--quiet"] + options, in: folder.path, limit: 60)
    let words = "\(sets)\n\(said.text)\n\(done.text)"
    // A run may also diverge or stop at a limit of its time or folder: no file says so before.
    if done.exit == 5 || done.exit == 6 && said.exit == 0 { return }
    #expect(said.exit == done.exit, "\(words)")
    #expect([0, 3, 4, 6].contains(said.exit ?? -1), "\(words)")
    if said.exit != 0 {
      func code(_ text: String) -> Substring? {
        text.components(separatedBy: "fedsim explain ").last?.prefix(5)
      }
      #expect(code(said.stderr) == code(done.stderr), "\(words)")
    }
  }

  @Test("every single change has the verdict of a run of one round")
  func changes() throws {
    try folder.write("s.json", ScenarioText.tiny(federation: "\"clients\": 4, \"rounds\": 1"))
    for change in Self.changes { try expectEqual([change]) }
  }

  @Test("seeded pairs and triples of changes have the verdict of a run")
  func combinations() throws {
    try folder.write("s.json", ScenarioText.tiny(federation: "\"clients\": 4, \"rounds\": 1"))
    var stream = RandomStream(seed: 20, .test)
    for _ in 0..<25 {
      let count = 2 + stream.below(2)
      try expectEqual((0..<count).map { _ in Self.changes[stream.below(Self.changes.count)] })
    }
  }

  @Test("without data only the file is looked at")
  func noData() throws {
    try folder.write("s.json", ScenarioText.tiny(dataset: #"{ "kind": "npy", "path": "none" }"#))
    let whole = try Program.run(["validate", "s.json"], in: folder.path)
    #expect(whole.exit == 4 && whole.stderr.contains("none"), "\(whole.text)")
    let file = try Program.run(["validate", "s.json", "--no-data"], in: folder.path)
    #expect(file.exit == 0, "\(file.text)")
    let json = try Program.run(["validate", "s.json", "--format", "json"], in: folder.path)
    #expect(json.exit == 4)
    let object = try json.json()
    #expect(object["status"]?.text == "error" && object["code"]?.text == "E4001")
    #expect(object["exit"]?.int == 4)
  }

  @Test("special files end nothing but the command", arguments: ["/dev/zero", "/dev/null", "pipe"])
  func special(path: String) throws {
    mkfifo(folder.at("pipe"), 0o600)
    for command in [["validate", path], ["run", path], ["plan", path], ["sweep", path]] {
      let outcome = try Program.run(command, in: folder.path, limit: 20)
      #expect(outcome.exit == 4, "\(outcome.text)")
      #expect(outcome.stderr.contains("not a regular file"), "\(outcome.text)")
    }
  }

  @Test("a limit of the address space is seen before memory is taken, and named")
  func addressSpace() throws {
    try folder.write(
      "s.json", ScenarioText.tiny(model: #"{ "kind": "mlp", "hidden": [20000, 20000] }"#))
    let program = try #require(Program.path)
    for command in ["validate s.json", "run s.json --out o", "plan s.json"] {
      let process = Process()
      process.executableURL = URL(filePath: "/bin/sh")
      process.currentDirectoryURL = URL(filePath: folder.path)
      let call = "exec \"\(program)\" \(command) --threads 1 2> errors > /dev/null"
      process.arguments = ["-c", "ulimit -v 4000000; " + call]
      try process.run()
      process.waitUntilExit()
      #expect(process.terminationReason == .exit, "\(command)")
      #expect(process.terminationStatus == 3, "\(command): \(folder.text("errors"))")
      #expect(folder.text("errors").contains("ulimit -v"), "\(folder.text("errors"))")
    }
    #expect(!folder.exists("o"))
  }
}
