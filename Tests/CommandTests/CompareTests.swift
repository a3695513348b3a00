import Base
import Foundation
import Testing

@testable import fedsim

@Suite("fedsim compare")
struct CompareTests {
  /// Three runs that all tests read: two of one scenario under other seeds, one of another batch.
  private static let finished: TemporaryFolder = {
    let folder = TemporaryFolder()
    let two = #"[ { "kind": "fedavg" }, { "kind": "fedprox", "proximalWeight": 1 } ]"#
    try? folder.write("s.json", text(two))
    try? folder.write("alone.json", text(#"[ { "kind": "local-only" }, { "kind": "scaffold" } ]"#))
    try? folder.write("same.json", text(#"[ { "kind": "fedprox", "proximalWeight": 0.5 } ]"#))
    for words in [
      "run s.json --out a --set seeds=[1,2]", "run s.json --out b --set seeds=[2,3]",
      "run s.json --out batch --seed 1 --set client.batch=20", "run alone.json --out c --seed 1",
      "run same.json --out d --seed 1",
    ] {
      _ = try? Program.run(
        (words + " --quiet").split(separator: " ").map(String.init), in: folder.path)
    }
    return folder
  }()

  private static func text(_ strategies: String) -> String {
    ScenarioText.tiny(model: #"{ "kind": "mlp", "hidden": [8] }"#, strategies: strategies)
  }

  private func run(_ words: String, in folder: TemporaryFolder = finished) throws -> Program.Outcome
  { try Program.run(words.split(separator: " ").map(String.init), in: folder.path) }

  @Test("seeds of two folders add up, a run that both have counts once")
  func seeds() throws {
    let outcome = try run("compare a b --format json")
    let json = try outcome.json()
    #expect(outcome.exit == 0, "\(outcome.text)")
    #expect(outcome.stderr.isEmpty)
    #expect(json["status"]?.text == "ok")
    let rows = try #require(json["comparison"]?["strategies"]?.elements)
    #expect(rows.compactMap { $0["strategy"]?.text } == ["fedavg", "fedprox"])
    #expect(rows.allSatisfy { $0["seeds"]?.compact == "[1,2,3]" })
    #expect(rows[1]["versus"]?["signFlip"]?["attainable"]?.double != nil)
    #expect(json["differences"]?.elements?.compactMap { $0["path"]?.text } == ["seeds"])
  }

  @Test("a comparison's values are those of the folders' own files")
  func values() throws {
    let json = try run("compare a --metric generic.loss --format json").json()
    let summary = try JSON(parsing: Self.finished.text("a/summary.json"))
    let metrics = summary["strategies"]?.elements?.map { $0["metrics"]?["generic.loss"]?["values"] }
    let rows = try #require(json["comparison"]?["strategies"]?.elements)
    #expect(rows.map { $0["values"] } == metrics)
  }

  @Test("the text is a table and sentences on stdout, and nothing is written")
  func text() throws {
    let before = Self.finished.tree("a")
    let outcome = try run("compare a b")
    #expect(outcome.exit == 0, "\(outcome.text)")
    #expect(outcome.stderr.isEmpty, "\(outcome.text)")
    for part in [
      "baseline fedavg", "difference", "fedprox - fedavg, generic.accuracy:",
      "3 seeds cannot reach p < 0.25",
      "clients:",
    ] { #expect(outcome.stdout.contains(part), "\(part) in \(outcome.text)") }
    for line in outcome.stdout.split(separator: "\n") { #expect(line.count <= 120) }
    #expect(Self.finished.tree("a") == before)
    #expect(!Self.finished.exists("compare.csv"))
  }

  @Test("--allow lets settings differ that are named, shows them, and tells the folders apart")
  func granted() throws {
    let outcome = try run("compare a batch --allow client.batch --allow model")
    #expect(outcome.exit == 0, "\(outcome.text)")
    #expect(outcome.stdout.contains("not the same conditions:"))
    #expect(outcome.stdout.contains("client.batch"))
    #expect(outcome.stderr.contains("--allow model: nothing differs there"))
    let json = try run("compare a batch --allow client --format json").json()
    let rows = try #require(json["comparison"]?["strategies"]?.elements)
    #expect(
      rows.compactMap { $0["strategy"]?.text } == [
        "fedavg@a", "fedprox@a", "fedavg@batch", "fedprox@batch",
      ])
    // A name that only begins alike grants nothing.
    #expect(try run("compare a batch --allow client.bat").exit == 7)
    #expect(try run("compare a batch --allow a[").exit == 2)
    let page = try run("report a batch --html granted.html --allow client.batch")
    #expect(page.exit == 0, "\(page.text)")
    #expect(Self.finished.text("granted.html").contains("What differs between the folders"))
  }

  @Test("unlike runs are refused with exit 7, and every setting that differs is named")
  func unlike() throws {
    let outcome = try run("compare a batch")
    #expect(outcome.exit == 7, "\(outcome.text)")
    #expect(outcome.stdout.isEmpty)
    for part in ["E7001", "client.batch", "10", "20"] {
      #expect(outcome.stderr.contains(part), "\(part) in \(outcome.text)")
    }
    #expect(!outcome.stderr.contains("seeds  "), "what may differ is not complained of")
    let json = try run("compare a batch --format json").json()
    #expect(json["code"]?.text == "E7001")
    #expect(json["exit"]?.int == 7)
    #expect(json["differences"]?.elements?.first?["path"]?.text == "client.batch")
    #expect(json["differences"]?.elements?.first?["values"] == ["10", "20"])
  }

  @Test("data are told apart by their hashes and splits, not by where they lay")
  func dataAndSplits() throws {
    let folder = TemporaryFolder()
    for name in ["a", "b"] {
      try FileManager.default.copyItem(atPath: Self.finished.at("a"), toPath: folder.at(name))
      try folder.forgetPromises(name)
      var scenario = try JSON(parsing: folder.text("\(name)/scenario.resolved.json"))
      var data = try #require(scenario["data"])
      data["dataset"] = ["kind": "cifar10", "path": .string("data/of/\(name)")]
      scenario["data"] = data
      try folder.write("\(name)/scenario.resolved.json", scenario.pretty)
    }
    let moved = try run("compare a b --only-changed", in: folder)
    #expect(moved.exit == 0, "\(moved.text)")
    #expect(moved.stdout == "no setting differs\n")

    let split = folder.text("b/split/partition-s2.json")
    try folder.write("b/split/partition-s2.json", split + "\n")
    let other = try run("compare a b", in: folder)
    #expect(other.exit == 7, "\(other.text)")
    #expect(other.stderr.contains("split of seed 2"), "\(other.text)")
    try folder.write("b/split/partition-s2.json", split)

    let environment = folder.text("b/environment.json")
    let hash = try #require(try JSON(parsing: environment)["data"]?["train"]?["xxh64"]?.text)
    try folder.write(
      "b/environment.json", environment.replacingOccurrences(of: hash, with: "0123456789abcdef"))
    let data = try run("compare a b", in: folder)
    #expect(data.exit == 7, "\(data.text)")
    #expect(data.stderr.contains("data (hash)"), "\(data.text)")
    // Without hashes only the path can tell.
    try folder.remove("b/environment.json")
    let unknown = try run("compare a b", in: folder)
    #expect(unknown.exit == 7, "\(unknown.text)")
    #expect(unknown.stderr.contains("data.dataset.path"), "\(unknown.text)")
  }

  @Test("--only-changed shows the settings that differ; the exit code says whether they may")
  func onlyChanged() throws {
    let like = try run("compare a d --only-changed")
    #expect(like.exit == 0, "\(like.text)")
    #expect(like.stdout.contains("strategies[0].kind"), "\(like.text)")
    #expect(like.stdout.contains("comparable: only"), "\(like.text)")
    let unlike = try run("compare a batch --only-changed")
    #expect(unlike.exit == 7, "\(unlike.text)")
    #expect(unlike.stdout.contains("client.batch"))
    #expect(try run("compare a --only-changed").stdout == "no setting differs\n")
  }

  @Test("one label with two settings is two strategies")
  func labels() throws {
    let json = try run("compare a d --format json").json()
    let rows = json["comparison"]?["strategies"]?.elements ?? []
    #expect(rows.compactMap { $0["strategy"]?.text } == ["fedavg", "fedprox@a", "fedprox@d"])
    let other = try run("compare a d --baseline fedprox@d --format json").json()
    #expect(other["comparison"]?["baseline"]?.text == "fedprox@d")
  }

  @Test("where one strategy has no generic model, clients' own accuracy is compared")
  func personal() throws {
    let outcome = try run("compare a c")
    #expect(outcome.exit == 0, "\(outcome.text)")
    #expect(outcome.stdout.contains("personal.accuracy"), "\(outcome.text)")
    let generic = try run("compare a c --metric generic.accuracy")
    #expect(generic.exit == 0, "\(generic.text)")
    #expect(generic.stdout.contains("no generic.accuracy: local-only"))
  }

  @Test("at equal bytes a method that sends twice as much is read earlier, and it is said where")
  func budget() throws {
    let json = try run("compare a c --metric generic.accuracy --budget bytes --format json").json()
    let rows = try #require(json["comparison"]?["strategies"]?.elements)
    func round(_ label: String) -> Int? {
      rows.first { $0["strategy"]?.text == label }?["readAt"]?.elements?.first?["round"]?.int
    }
    #expect(round("fedavg") == 2)
    #expect(round("scaffold") == 1)
    let text = try run("compare a c --metric generic.accuracy --budget bytes")
    #expect(text.stdout.contains("equal budget: at most"), "\(text.text)")
    #expect(text.stdout.contains("scaffold 1"), "\(text.text)")
    let seconds = try run("compare a --budget seconds")
    #expect(seconds.exit == 7, "\(seconds.text)")
    #expect(seconds.stderr.contains("E7003"))
  }

  @Test("--out writes a tidy table")
  func table() throws {
    let outcome = try run("compare a b --out deep/table")
    #expect(outcome.exit == 0, "\(outcome.text)")
    #expect(outcome.stdout.contains("table   deep/table/compare.csv"))
    let lines = Self.finished.text("deep/table/compare.csv").split(separator: "\n")
    #expect(lines.first == "strategy,baseline,metric,statistic,seed,value")
    #expect(lines.contains { $0.hasPrefix("fedprox,fedavg,generic.accuracy,signFlip.p,,") })
  }

  @Test("a scenario is run first, into the folder that is named")
  func scenario() throws {
    let folder = TemporaryFolder()
    try folder.write("s.json", Self.text(#"[ { "kind": "fedavg" }, { "kind": "fedavgm" } ]"#))
    let outcome = try run("compare s.json --out r --set seeds=[4,5]", in: folder)
    #expect(outcome.exit == 0, "\(outcome.text)")
    #expect(outcome.stdout.contains("comparison of r\n"), "\(outcome.text)")
    #expect(outcome.stderr.contains("round=2/2"), "\(outcome.text)")
    #expect(folder.exists("r/report.html"))
    #expect(folder.exists("r/fedavgm-s5/digest.txt"))
    #expect(folder.exists("r/compare.csv"))
    let again = try run("compare s.json --out r --format json", in: folder)
    #expect(again.exit == 9)
    #expect(try again.json()["code"]?.text == "E9003")
    let invalid = try run("compare s.json --set client.batch=0", in: folder)
    #expect(invalid.exit == 3, "\(invalid.text)")
  }

  @Test("a scenario that is stopped is not compared, and can go on", arguments: ["text", "json"])
  func stopped(format: String) throws {
    let folder = TemporaryFolder()
    try folder.write("s.json", ScenarioText.long(rounds: 40))
    let outcome = try Program.run(
      ["compare", "s.json", "--out", "r", "--format", format], in: folder.path,
      interrupt: Program.Interrupt(
        signals: [SIGINT], file: folder.at("r/scaffold-s1/digest.txt"), lines: 5))
    #expect(outcome.exit == 130, "\(outcome.text)")
    if format == "json" {
      #expect(try outcome.json()["exit"]?.int == 130)
      #expect(outcome.stderr.isEmpty)
    } else {
      #expect(outcome.stdout.isEmpty, "\(outcome.text)")
      #expect(outcome.stderr.contains("fedsim resume r"), "\(outcome.text)")
    }
  }

  @Test("runs that have not finished, and damaged ones, are told apart")
  func unfinished() throws {
    let folder = TemporaryFolder()
    try FileManager.default.copyItem(atPath: Self.finished.at("a"), toPath: folder.at("a"))
    try folder.forgetPromises("a")
    let trace = folder.text("a/fedprox-s2/rounds.jsonl")
    let first = String(trace.split(separator: "\n")[0])
    try folder.write("a/fedprox-s2/rounds.jsonl", first + "\n")
    let short = try run("compare a", in: folder)
    #expect(short.exit == 0, "\(short.text)")
    #expect(short.stdout.contains("left out: fedprox seed 2 of a: stopped after round 1"))
    try folder.write("a/fedprox-s2/rounds.jsonl", "no record\n" + first + "\n")
    let broken = try run("compare a", in: folder)
    #expect(broken.exit == 4, "\(broken.text)")
    #expect(broken.stderr.contains("E1014"))
    for run in ["fedavg-s1", "fedavg-s2", "fedprox-s1", "fedprox-s2"] {
      try folder.remove("a/\(run)/rounds.jsonl")
    }
    let none = try run("compare a", in: folder)
    #expect(none.exit == 4, "\(none.text)")
    #expect(none.stderr.contains("E4100"))
  }

  @Test("numbers that no run can have are compared or left out, and trap nowhere")
  func absurd()
    throws
  {
    let folder = TemporaryFolder()
    try FileManager.default.copyItem(atPath: Self.finished.at("a"), toPath: folder.at("a"))
    try folder.forgetPromises("a")
    let accuracies = ["fedavg-s1": "1e308", "fedavg-s2": "-1e299", "fedprox-s2": "1e299"]
    for (run, accuracy) in accuracies {
      let path = "a/\(run)/rounds.jsonl"
      let lines = folder.text(path).split(separator: "\n").map { line -> String in
        guard var record = try? JSON(parsing: String(line)), var generic = record["generic"],
          var bytes = record["bytes"], let number = try? JSON(parsing: accuracy)
        else { return String(line) }
        generic["accuracy"] = number
        bytes["up"] = .int(1 << 53)
        bytes["down"] = .int(1 << 53)
        record["generic"] = generic
        record["bytes"] = bytes
        return record.compact
      }
      try folder.write(path, lines.joined(separator: "\n") + "\n")
    }
    for words in ["compare a", "compare a --metric bytes.total", "compare a --budget steps"] {
      let outcome = try run(words, in: folder)
      #expect(outcome.exit == 0, "\(outcome.text)")
    }
    // No round of fedavg is within what fedprox spent.
    #expect(try run("compare a --budget bytes", in: folder).exit == 7)
    let text = try run("compare a", in: folder).stdout
    #expect(text.contains("left out: fedavg has no generic.accuracy under seed 1"), "\(text)")
  }

  @Test("one run with two results is refused")
  func twoResults() throws {
    let folder = TemporaryFolder()
    for name in ["a", "b"] {
      try FileManager.default.copyItem(atPath: Self.finished.at("a"), toPath: folder.at(name))
    }
    #expect(try run("compare a b", in: folder).exit == 0)
    try folder.forgetPromises("b")
    let path = "b/fedavg-s1/rounds.jsonl"
    let digest = try #require(
      try JSON(parsing: String(folder.text(path).split(separator: "\n")[1]))["digest"]?.text)
    try folder.write(
      path, folder.text(path).replacingOccurrences(of: digest, with: "0000000000000000"))
    let outcome = try run("compare a b", in: folder)
    #expect(outcome.exit == 7, "\(outcome.text)")
    #expect(outcome.stderr.contains("E7002"))
    #expect(outcome.stderr.contains("from round 2 on"), "\(outcome.text)")
  }

  @Test(
    "wrong words are named",
    arguments: [
      ("compare", "E2005", 2), ("compare a --metric generic.acuracy", "E2012", 2),
      ("compare a --baseline fedavgs", "E2012", 2), ("compare a --budget byte", "E2004", 2),
      ("compare a --tie-margin -1", "E2004", 2), ("compare a --tie-margin inf", "E2004", 2),
      ("compare a --seed 3", "E2007", 2), ("compare a --out=", "E2004", 2),
      ("compare s.json alone.json", "E2005", 2), ("compare a --zzz", "E2002", 2),
      ("compare none", "E4095", 4), ("compare none.json", "E4001", 4),
      ("compare a --metric privacy.epsilon.max", "E7003", 7),
    ] as [(String, String, Int32)])
  func wrong(words: String, code: String, exit: Int32) throws {
    let outcome = try run(words)
    #expect(outcome.exit == exit, "\(outcome.text)")
    #expect(outcome.stdout.isEmpty, "\(outcome.text)")
    #expect(outcome.stderr.contains("fedsim explain \(code)"), "\(outcome.text)")
    #expect(MessageCatalogue.entry(code) != nil)
  }
}
