import Base
import Foundation
import Testing

@Suite("Kills")
struct KillTests {
  /// Momentum at both ends, control variates, a frozen frame, private training with error feedback,
  /// coded uploads and downloads with memories, an asynchronous method; all on a clock.
  private static let scenario = """
    {
      "fedsim": 1, "name": "drill", "seeds": [1],
      "data": {
        "dataset": { "kind": "synthetic", "trainPerClass": 12, "testPerClass": 4 },
        "partition": { "kind": "dirichlet", "alpha": 0.5 }, "augment": ["flip"]
      },
      "federation": { "clients": 5, "rounds": 10, "participation": 0.6 },
      "model": { "kind": "mlp", "hidden": [16] },
      "client": {
        "batch": 8, "work": { "steps": 3 },
        "optimizer": { "kind": "sgd", "learningRate": 0.02, "momentum": 0.9 }
      },
      "strategies": [
        { "kind": "fedavgm" }, { "kind": "scaffold" },
        { "kind": "fedloge", "constructionSteps": 50 },
        { "kind": "fedavg", "label": "private",
          "privacy": { "unit": "example", "mechanism": "dice-sgd", "clip": 1,
                       "noiseMultiplier": 1, "delta": 1e-3 } },
        { "kind": "fedavg", "label": "coded",
          "compression": { "uplink": { "kind": "topk", "ratio": 0.05 },
                           "downlink": { "kind": "quantize" } } },
        { "kind": "fedbuff", "buffer": 2 }
      ],
      "system": { "compute": { "kind": "lognormal", "speed": "1 MFLOP/s", "sigma": 1 },
                  "dropout": 0.1 },
      "evaluation": { "every": 2 },
      "output": { "checkpointEvery": 3, "keepCheckpoints": 2 }
    }
    """

  /// The same, run by nobody's leave.
  private static let whole: TemporaryFolder? = {
    let folder = TemporaryFolder()
    try? folder.write("s.json", scenario)
    let outcome = try? Program.run(["run", "s.json", "--quiet", "--out", "a"], in: folder.path)
    return outcome?.exit == 0 ? folder : nil
  }()

  /// All files of a folder as bytes; text without times, and without files that are made of times.
  private func files(_ folder: TemporaryFolder, _ name: String) -> [String: Data] {
    let root = folder.at(name)
    var found: [String: Data] = [:]
    for path in (try? FileManager.default.subpathsOfDirectory(atPath: root)) ?? [] {
      let last = path.split(separator: "/").last.map(String.init) ?? path
      let isTime =
        ["environment.json", "report.html", "summary.json", "results.csv", ".lock"].contains(last)
        || last == "tables.json" || last.contains("tfevents")
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: root + "/" + path, isDirectory: &isFolder)
      if isTime || isFolder.boolValue { continue }
      var data = FileManager.default.contents(atPath: root + "/" + path) ?? Data()
      if last == "rounds.jsonl" {
        let text = String(decoding: data, as: UTF8.self).replacing(/"wall":[^,}]*/, with: "")
          .replacing(/"seconds":[^,}]*/, with: "")
        data = Data(text.utf8)
      }
      found[path] = data
    }
    return found
  }

  @Test(
    "a run that is killed, anywhere and again, ends with the files of one that was not",
    arguments: [
      [("fedavgm", 5)], [("scaffold", 3), ("fedloge", 8)], [("private", 4), ("private", 9)],
      [("coded", 7), ("fedbuff", 2), ("fedbuff", 9)],
    ])
  func killed(_ kills: [(run: String, line: Int)]) throws {
    let whole = try #require(Self.whole)
    let folder = TemporaryFolder()
    try folder.write("s.json", Self.scenario)
    var command = ["run", "s.json", "--out", "b", "--quiet"]
    for kill in kills {
      let outcome = try Program.run(
        command, in: folder.path,
        interrupt: Program.Interrupt(
          signals: [SIGKILL], file: folder.at("b/\(kill.run)-s1/digest.txt"), lines: kill.line))
      #expect(outcome.signal == SIGKILL, "\(kill): \(outcome.text)")
      // What a power cut leaves between writing a file and renaming it.
      try folder.write("b/\(kill.run)-s1/checkpoints/.last.safetensors.1.tmp", "torn")
      command = ["resume", "b", "--quiet"]
    }
    let outcome = try Program.run(command, in: folder.path)
    #expect(outcome.exit == 0, "\(outcome.text)")
    let (expected, found) = (files(whole, "a"), files(folder, "b"))
    #expect(expected.keys.sorted() == found.keys.sorted())
    for (path, data) in expected { #expect(found[path] == data, "\(path)") }
    #expect(expected.count > 60)
  }

  @Test("verify says the same of it, and finds a changed byte")
  func verified() throws {
    let whole = try #require(Self.whole)
    let same = try Program.run(["verify", "a", "--threads", "3"], in: whole.path)
    #expect(same.exit == 0, "\(same.text)")
    #expect(same.stdout.contains("the same: 60 rounds of 6 runs"), "\(same.text)")
    let folder = TemporaryFolder()
    try FileManager.default.copyItem(atPath: whole.at("a"), toPath: folder.at("a"))
    let text = folder.text("a/coded-s1/rounds.jsonl")
    let place = try #require(text.range(of: #""up":"#))
    try folder.write(
      "a/coded-s1/rounds.jsonl", text.replacingCharacters(in: place, with: "\"up\":1"))
    let other = try Program.run(["verify", "a", "--format", "json"], in: folder.path)
    #expect(other.exit == 7, "\(other.text)")
    let json = try other.json()
    #expect(json["code"]?.text == "E7010")
    let coded = json["runs"]?.elements?.first { $0["strategy"]?.text == "coded" }
    #expect(coded?["mismatch"]?["path"]?.text == "bytes.up")
    #expect(coded?["mismatch"]?["round"]?.int == 1)
  }

  @Test("plan writes nothing; its exit says whether limits are enough")
  func planned() throws {
    let folder = TemporaryFolder()
    try folder.write("s.json", Self.scenario)
    let words = ["plan", "s.json", "--probe", "0", "--format", "json"]
    let enough = try Program.run(words + ["--set", "limits.disk=1 GiB"], in: folder.path)
    #expect(enough.exit == 0, "\(enough.text)")
    let runs = try enough.json()["plan"]?["runs"]?.elements ?? []
    #expect(runs.count == 6)
    // Top-k places are coded by their gaps: lengths depend on values.
    #expect(runs.filter { $0["exact"]?.truth == false }.map { $0["strategy"]?.text } == ["coded"])
    let low = try Program.run(words + ["--set", "limits.disk=1 kB"], in: folder.path)
    #expect(low.exit == 6, "\(low.text)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["s.json"])
  }

  @Test("a run stopped by its limit goes on with a higher one; other changes are refused")
  func limited() throws {
    let folder = TemporaryFolder()
    try folder.write("s.json", Self.scenario)
    let stopped = try Program.run(
      ["run", "s.json", "--out", "b", "--set", "limits.wallTime=1 us"], in: folder.path)
    #expect(stopped.exit == 6, "\(stopped.text)")
    #expect(stopped.stderr.contains("limits.wallTime"), "\(stopped.text)")
    #expect(stopped.stderr.contains("checkpoint written"), "\(stopped.text)")
    let refused = try Program.run(["resume", "b", "--set", "client.batch=4"], in: folder.path)
    #expect(refused.exit == 2, "\(refused.text)")
    let resumed = try Program.run(["resume", "b", "--set", "limits.wallTime=1 h"], in: folder.path)
    #expect(resumed.exit == 0, "\(resumed.text)")
    let whole = try #require(Self.whole)
    for run in ["fedavgm", "fedbuff"] {
      #expect(folder.text("b/\(run)-s1/digest.txt") == whole.text("a/\(run)-s1/digest.txt"))
    }
  }
}
