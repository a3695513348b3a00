import Foundation
import Testing

@Suite("What was written stays right, or is refused")
struct DurabilityTests {
  let folder = TemporaryFolder()

  private func run(_ words: String, shell setup: String = "true", stdout: Program.Stream = .file)
    throws -> Program.Outcome
  {
    try Program.run(
      words.split(separator: " ").map(String.init), in: folder.path, shell: setup, stdout: stdout)
  }

  private func edit(_ file: String, _ change: (inout String) -> Void) throws {
    var text = folder.text(file)
    let before = text
    change(&text)
    try #require(text != before, "\(file)")
    try folder.write(file, text)
  }

  private func make(_ name: String = "r", rounds: Int = 6) throws {
    try folder.write(
      "s.json",
      ScenarioText.tiny(
        top: "\"output\": { \"checkpointEvery\": 2 },",
        federation: "\"clients\": 4, \"rounds\": \(rounds)",
        model: #"{ "kind": "mlp", "hidden": [8] }"#))
    let outcome = try run("run s.json --quiet --out \(name)")
    #expect(outcome.exit == 0, "\(outcome.text)")
  }

  @Test("a damaged line of rounds.jsonl is refused by every command, with file and line")
  func rounds() throws {
    try make()
    let file = "r/fedavg-s1/rounds.jsonl"
    try edit(file) { text in
      var lines = text.split(separator: "\n").map(String.init)
      lines[2] = lines[2].replacing("round", with: "rouXd")
      text = lines.joined(separator: "\n") + "\n"
    }
    for words in ["resume r", "verify r", "report r", "compare r"] {
      let outcome = try run(words)
      #expect(outcome.exit == 4, "\(words): \(outcome.text)")
      #expect(outcome.stderr.contains("\(file), line 3:"), "\(words): \(outcome.text)")
    }
    #expect(folder.text(file).split(separator: "\n").count == 6)
  }

  @Test("verify counts: a lost line or run is exit 7, and so is a changed file beside the runs")
  func lost() throws {
    try make()
    let rounds = folder.text("r/fedavg-s1/rounds.jsonl")
    try edit("r/fedavg-s1/rounds.jsonl") { text in
      text = text.split(separator: "\n").dropLast().map { $0 + "\n" }.joined()
    }
    var outcome = try run("verify r")
    #expect(outcome.exit == 7 && outcome.stderr.contains("E7012"), "\(outcome.text)")
    #expect(try run("verify r --rounds 1..5").exit == 0)
    try folder.write("r/fedavg-s1/rounds.jsonl", rounds)
    for file in ["r/results.csv", "r/split/partition.json", "r/summary.json"] {
      let before = folder.text(file)
      try edit(file) { $0 = $0.replacing("1", with: "2", maxReplacements: 1) }
      outcome = try run("verify r")
      #expect(outcome.exit == 7 && outcome.stderr.contains("E7013"), "\(outcome.text)")
      #expect(outcome.stdout.contains(String(file.dropFirst(2))), "\(outcome.text)")
      try folder.write(file, before)
    }
    try folder.remove("r/fedavg-s1")
    outcome = try run("verify r")
    #expect(outcome.exit == 7 && outcome.stdout.contains("absent"), "\(outcome.text)")
  }

  @Test("an edited scenario is refused with the fields that differ, by all that go on from it")
  func edited() throws {
    try make()
    try edit("r/scenario.json") { $0 = $0.replacing("\"batch\": 10", with: "\"batch\": 20") }
    for (words, exit, code) in [
      ("resume r", 9, "E9005"), ("audit r", 9, "E9005"), ("verify r", 7, "E7011"),
    ] {
      let outcome = try run(words)
      #expect(outcome.exit == Int32(exit), "\(outcome.text)")
      #expect(outcome.stderr.contains(code), "\(outcome.text)")
      #expect(outcome.stderr.contains("$.client.batch was 10 and is 20"), "\(outcome.text)")
    }
    // What the hint says.
    #expect(try run("run r/scenario.json --out other --quiet").exit == 0)
    #expect(try run("report r").exit == 0)
    try edit("r/scenario.json") { $0 = $0.replacing("\"batch\": 20", with: "\"batch\": 10") }
    #expect(try run("resume r --quiet").exit == 0)
    try edit("r/scenario.resolved.json") {
      $0 = $0.replacing("\"batch\": 10", with: "\"batch\": 20")
    }
    for words in ["report r", "compare r", "audit r"] {
      let outcome = try run(words)
      #expect(outcome.exit == 4 && outcome.stderr.contains("E4127"), "\(outcome.text)")
    }
    #expect(try run("resume r --quiet").exit == 0)
    #expect(try run("report r").exit == 0)
  }

  @Test("a place that cannot be written is exit 2 on the command line, else 4")
  func unwritable()
    throws
  {
    try make()
    try folder.write("file", "x")
    for words in [
      "run s.json --out file/r", "run s.json --out /proc/r", "report r --html none/r.html",
      "report r --latex r", "compare r --out file", "sweep w.json --out file/w",
    ] {
      try folder.write(
        "w.json",
        #"{ "fedsim": 1, "kind": "sweep", "base": "s.json", "grid": { "client.batch": [5] } }"#)
      let outcome = try run(words)
      #expect(outcome.exit == 2, "\(words): \(outcome.text)")
    }
    try folder.remove("r/report.html")
    try folder.write("r/report.html/x", "")
    let outcome = try run("report r")
    #expect(outcome.exit == 4 && outcome.stderr.contains("--html FILE"), "\(outcome.text)")
    #expect(try run("report r --html here.html").exit == 0)
  }

  @Test("a damaged or edited sweep folder is refused with its file")
  func sweeps() throws {
    try make()
    try folder.write(
      "w.json",
      #"{ "fedsim": 1, "kind": "sweep", "base": "s.json", "grid": { "client.batch": [5] } }"#)
    #expect(try run("sweep w.json --out w --quiet").exit == 0)
    let resolved = folder.text("w/sweep.resolved.json")
    for damaged in ["", "{", "[1]", resolved.replacing("base", with: "bXse")] {
      try folder.write("w/sweep.resolved.json", damaged)
      let outcome = try run("sweep w")
      #expect(outcome.exit == 4, "\(outcome.text)")
      #expect(outcome.stderr.contains("w/sweep.resolved.json"), "\(outcome.text)")
    }
    try folder.write("w/sweep.resolved.json", resolved)
    #expect(try run("sweep w --quiet").exit == 0)
    try edit("w/base.json") { $0 = $0.replacing("0.05", with: "0.06") }
    let outcome = try run("sweep w")
    #expect(outcome.exit == 4 && outcome.stderr.contains("E4129"), "\(outcome.text)")
    try edit("w/base.json") { $0 = $0.replacing("0.06", with: "0.05") }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.at("w/runs"))
    let table = "w/runs/\(try #require(names.first))/fedavg-s1/messages.csv"
    try edit(table) { $0 = $0.replacing("f32", with: "f33", maxReplacements: 1) }
    let damaged = try run("sweep w")
    #expect(damaged.exit == 4 && damaged.stderr.contains(table), "\(damaged.text)")
  }

  @Test(
    "a result that cannot be written is exit 6, and said",
    arguments: [
      "list strategies", "schema", "explain fedavg", "explain E1003", "help", "version",
      "list models --format json", "validate s.json --format json", "plan s.json --format json",
      "report r --format json", "compare r", "run s.json --out q --format json",
    ])
  func full(_ words: String) throws {
    guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
    if words.contains("s.json") || words.contains(" r") { try make(rounds: 1) }
    let outcome = try run(words, stdout: .full)
    #expect(outcome.exit == 6, "\(outcome.text)")
    #expect(outcome.stderr.contains("E1032"), "\(outcome.text)")
    #expect(try run(words.replacing("--out q", with: "--out q2"), stdout: .brokenPipe).exit == 0)
  }

  @Test("what a full disk left before a run had begun is taken by run")
  func unbegun() throws {
    try make()
    try folder.write("q/.lock", "")
    try folder.write("q/scenario.resolved.json", "{")
    try folder.write("q/split/partition.json", "")
    let outcome = try run("resume q")
    #expect(outcome.exit == 4 && outcome.stderr.contains("fedsim run"), "\(outcome.text)")
    #expect(try run("run s.json --quiet --out q").exit == 0)
    #expect(folder.text("q/fedavg-s1/digest.txt") == folder.text("r/fedavg-s1/digest.txt"))
    // Somebody's own files are not taken for that.
    try folder.write("mine/scenario.resolved.json", "{}")
    #expect(try run("run s.json --quiet --out mine").exit == 9)
  }

  @Test("a file that may not grow is exit 6 with a message, and the run goes on elsewhere")
  func fileLimit() throws {
    try make()
    try folder.remove("r")
    let outcome = try run("run s.json --quiet --out r", shell: "ulimit -f 8")
    #expect(outcome.exit == 6, "\(outcome.text)")
    #expect(outcome.stderr.contains("E1031"), "\(outcome.text)")
    #expect(try run("resume r --quiet").exit == 0)
    #expect(try run("verify r").exit == 0)
  }

  @Test(
    "a lost terminal and a spent limit of processor time end a run behind a checkpoint",
    arguments: [SIGHUP, SIGXCPU])
  func signals(_ number: Int32) throws {
    try folder.write("s.json", ScenarioText.long(rounds: 60))
    let outcome = try Program.run(
      ["run", "s.json", "--out", "b"], in: folder.path,
      interrupt: Program.Interrupt(
        signals: [number], file: folder.at("b/scaffold-s1/digest.txt"), lines: 4))
    #expect(outcome.exit == 143, "\(outcome.text)")
    #expect(outcome.stderr.contains("checkpoint written"), "\(outcome.text)")
    #expect(folder.exists("b/scaffold-s1/checkpoints/last.safetensors"))
  }

  @Test("who was told to live without a terminal does")
  func nohup() throws {
    try folder.write("s.json", ScenarioText.long(rounds: 20))
    let outcome = try Program.run(
      ["run", "s.json", "--out", "b", "--quiet"], in: folder.path, shell: "trap '' HUP",
      interrupt: Program.Interrupt(
        signals: [SIGHUP], file: folder.at("b/scaffold-s1/digest.txt"), lines: 4))
    #expect(outcome.exit == 0, "\(outcome.text)")
  }

  @Test("pre-training and a first round that would take hours end when somebody asks")
  func long()
    throws
  {
    let endless = #""work": { "epochs": 1000000 }, "#
    try folder.write(
      "round.json", ScenarioText.tiny(client: "{ " + endless + ScenarioText.client.dropFirst(2)))
    let round = try Program.run(
      ["run", "round.json", "--out", "a"], in: folder.path,
      interrupt: Program.Interrupt(
        signals: [SIGINT], file: folder.at("a/fedavg-s1/digest.txt"), lines: 1))
    #expect(round.exit == 130, "\(round.text)")
    #expect(round.stderr.contains("in its first round"), "\(round.text)")
    let pretrain = #", "pretrain": { "classes": [0, 1], "epochs": 1000000 } }"#
    try folder.write(
      "pre.json", ScenarioText.tiny(model: ScenarioText.model.dropLast(2) + pretrain))
    let before = try Program.run(
      ["run", "pre.json", "--out", "b"], in: folder.path,
      interrupt: Program.Interrupt(
        signals: [SIGINT], file: folder.at("b/environment.json"), lines: 1))
    #expect(before.exit == 130, "\(before.text)")
    #expect(before.stderr.contains("pretrain"), "\(before.text)")
  }

  @Test("names with bytes that steer a terminal are written out")
  func escapes() throws {
    try make()
    let name = "a\u{1B}[31m\u{7}b"
    try FileManager.default.moveItem(atPath: folder.at("r"), toPath: folder.at(name))
    for words in [["verify", name], ["report", name], ["resume", name], ["report", name + "x"]] {
      let outcome = try Program.run(words, in: folder.path)
      #expect(!outcome.text.unicodeScalars.contains("\u{1B}"), "\(words)")
      if words[0] == "verify" { continue }  // it has no reason to name its folder
      #expect(outcome.text.contains("a\\x1B[31m\\x07b"), "\(words): \(outcome.text)")
    }
  }
}
