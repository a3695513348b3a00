import Base
import Foundation
import Testing

@Suite("Sweeps from the command line")
struct SweepTests {
  let folder = TemporaryFolder()

  private func write(_ members: String, rounds: Int = 2) throws {
    try folder.write(
      "s/base.json",
      ScenarioText.tiny(
        federation: "\"clients\": 4, \"rounds\": \(rounds)", model: #"{ "kind": "logistic" }"#))
    try folder.write(
      "s/sweep.json", "{ \"fedsim\": 1, \"kind\": \"sweep\", \"base\": \"base.json\",\n\(members) }"
    )
  }

  private func sweep(_ words: [String]) throws -> Program.Outcome {
    try Program.run(["sweep"] + words, in: folder.path)
  }

  private static let rates = #""grid": { "client.optimizer.learningRate": [0.01, 0.1] }"#

  @Test("a sweep leaves tables and run folders; --print before it writes nothing")
  func whole()
    throws
  {
    try write(Self.rates)
    let listed = try sweep(["s/sweep.json", "--print", "--quiet"])
    #expect(listed.exit == 0, "\(listed.text)")
    #expect(listed.stdout.contains("not begun"))
    #expect(listed.stderr.isEmpty)
    #expect(!folder.exists("runs"))
    let outcome = try sweep(["s/sweep.json"])
    #expect(outcome.exit == 0, "\(outcome.text)")
    #expect(outcome.stdout.contains("best generic.accuracy"))
    #expect(outcome.stdout.contains("2 of 2 runs done"))
    #expect(outcome.stderr.contains("2/2  trial 2  seed 1  learningRate=0.1"), "\(outcome.text)")
    for name in ["results.csv", "trials.csv", "front.csv", "failed.csv", "sweep.json", "base.json"]
    { #expect(folder.exists("runs/sweep/\(name)"), "\(name)") }
    let again = try sweep(["s/sweep.json", "--print", "--format", "json"]).json()
    let states = again["runs"]?.elements?.compactMap { $0["state"]?.text }
    #expect(states == ["finished", "finished"])
    // A run's folder is one like any other.
    let run = try #require(again["runs"]?.elements?.first?["hash"]?.text)
    let resumed = try Program.run(["resume", "runs/sweep/runs/\(run)-s1"], in: folder.path)
    #expect(resumed.exit == 0, "\(resumed.text)")
    let compared = try Program.run(["compare", "runs/sweep/runs/\(run)-s1"], in: folder.path)
    #expect(compared.exit == 0, "\(compared.text)")
  }

  @Test("its folder goes on with the files as they were")
  func frozen() throws {
    try write(Self.rates)
    #expect(try sweep(["s/sweep.json", "--out", "o", "--shard", "1/2", "--quiet"]).exit == 0)
    try write(#""grid": { "client.batch": [3] }"#, rounds: 9)
    let outcome = try sweep(["o", "--format", "json"])
    #expect(outcome.exit == 0, "\(outcome.text)")
    #expect(outcome.stderr.isEmpty)
    let json = try outcome.json()
    #expect(json["runs"]?["done"]?.int == 2)
    #expect(json["paths"]?.elements?.map(\.text) == ["client.optimizer.learningRate"])
    #expect(json["base"]?.text == "s/base.json")
    #expect(json["trials"]?.elements?.count == 2)
    #expect(json["missing"]?.isNull == true)
  }

  @Test("a run that diverges gives exit 8, and no command that would repeat it")
  func failing() throws {
    try write(
      #"""
      "list": [ { "client.optimizer.learningRate": 1e6, "client.optimizer.weightDecay": 1e3 }, {} ]
      """#, rounds: 4)
    let outcome = try sweep(["s/sweep.json", "--out", "o", "--format", "json"])
    #expect(outcome.exit == 8, "\(outcome.text)")
    let json = try outcome.json()
    #expect(json["status"]?.text == "error")
    #expect(json["runs"]?["done"]?.int == 2)
    #expect(json["failed"]?.elements?.first?["code"]?.text == "E8001")
    // It would diverge again: nobody is told to resume it.
    #expect(folder.text("o/failed.csv").contains("E8001"))
    #expect(!folder.text("o/failed.csv").contains("fedsim resume"))
    let text = try sweep(["s/sweep.json", "--out", "o"])
    #expect(text.exit == 8)
    #expect(text.stderr.contains("diverged"))
  }

  @Test("Ctrl-C ends with 130; the same line goes on to the tables of one go")
  func interrupted()
    throws
  {
    try write(Self.rates, rounds: 300)
    let stopped = try Program.run(
      ["sweep", "s/sweep.json", "--out", "o"], in: folder.path,
      interrupt: Program.Interrupt(signals: [SIGINT], file: folder.at("o/sweep.json"), lines: 1))
    #expect(stopped.exit == 130, "\(stopped.text)")
    #expect(folder.exists("o/results.csv"))
    #expect(try sweep(["s/sweep.json", "--out", "o", "--quiet"]).exit == 0)
    #expect(try sweep(["s/sweep.json", "--out", "p", "--quiet"]).exit == 0)
    for name in ["results.csv", "trials.csv", "front.csv", "failed.csv"] {
      #expect(folder.text("o/\(name)") == folder.text("p/\(name)"), "\(name)")
    }
  }

  @Test("shards in several processes at once end with the tables of one")
  func together()
    async throws
  {
    try write(#""seeds": [1, 2, 3], "grid": { "client.batch": [4, 5, 10] }"#, rounds: 4)
    let parts = ["1/3", "2/3", "3/3"].map { shard in
      Task.detached { [folder] in
        try Program.run(
          ["sweep", "s/sweep.json", "--out", "o", "--shard", shard, "--threads", "1"],
          in: folder.path)
      }
    }
    // A process without a shard may join them.
    let all = try sweep(["s/sweep.json", "--out", "o", "--threads", "1"])
    #expect(all.exit == 0, "\(all.text)")
    for part in parts {
      let outcome = try await part.value
      #expect(outcome.exit == 0, "\(outcome.text)")
    }
    #expect(try sweep(["s/sweep.json", "--out", "p", "--quiet"]).exit == 0)
    #expect(try sweep(["s/sweep.json", "--out", "o", "--quiet"]).exit == 0)
    for name in ["results.csv", "trials.csv", "front.csv", "failed.csv"] {
      #expect(folder.text("o/\(name)") == folder.text("p/\(name)"), "\(name)")
    }
  }

  @Test(
    "what is wrong has its exit code and its page",
    arguments: [
      ("s/sweep.json --shard 3/2", 2, "E2020"), ("s/sweep.json --shrad 1/2", 2, "E2002"),
      ("", 2, "E2005"), ("missing.json", 4, "E4001"), ("other", 4, "E4110"),
      ("s/wrong.json", 3, "E3103"), ("s/base.json", 3, "E3104"),
      ("s/sweep.json --out s", 9, "E9004"), ("s/sweep.json --out other", 9, "E9004"),
    ])
  func wrong(words: String, exit: Int32, code: String) throws {
    try write(Self.rates)
    try folder.write("other/notes.txt", "mine")
    try folder.write(
      "s/wrong.json",
      """
      { "fedsim": 1, "kind": "sweep", "base": "base.json",
        "grid": { "client.batch": [0, 5] } }
      """)
    let words = words.split(separator: " ").map(String.init)
    let outcome = try sweep(words + ["--format", "json"])
    #expect(outcome.exit == exit, "\(outcome.text)")
    let json = try outcome.json()
    #expect(json["code"]?.text == code)
    let page = try Program.run(["explain", code], in: folder.path)
    #expect(page.exit == 0)
    if exit == 3 {
      let text = try sweep(words)
      #expect(text.exit == 3)
      #expect(text.stdout.isEmpty)
      #expect(text.stderr.contains("problem"), "\(text.text)")
    }
  }

  @Test("a sweep file where a scenario is expected is recognised")
  func mistaken() throws {
    try write(Self.rates)
    let outcome = try Program.run(["run", "s/sweep.json"], in: folder.path)
    #expect(outcome.exit == 3)
    #expect(outcome.stderr.contains("run it with: fedsim sweep s/sweep.json"), "\(outcome.text)")
    #expect(outcome.stderr.contains("E3430"))
  }

  @Test("the schema of sweep files is printed")
  func schema() throws {
    let outcome = try Program.run(["schema", "sweep"], in: folder.path)
    #expect(outcome.exit == 0)
    #expect(try outcome.json()["title"]?.text == "fedsim sweep, version 1")
  }
}

@Suite("Tuning from the command line")
struct TuneTests {
  let folder = TemporaryFolder()

  init() throws {
    try folder.write(
      "s/base.json",
      ScenarioText.tiny(
        model: #"{ "kind": "logistic" }"#,
        strategies: #"[ { "kind": "fedavg" }, { "kind": "fedper", "client": { "batch": 5 } } ]"#))
  }

  private func tune(_ words: String) throws -> Program.Outcome {
    try Program.run(["tune"] + words.split(separator: " ").map(String.init), in: folder.path)
  }

  @Test("one grid, a choice for each strategy, a scenario that runs, a folder that goes on")
  func whole() throws {
    let grid = "--grid client.optimizer.learningRate=0.01,0.1 --seeds 7,8"
    let listed = try tune("s/base.json \(grid) --print")
    #expect(listed.exit == 0 && !folder.exists("runs"), "\(listed.text)")
    let outcome = try tune(
      "s/base.json \(grid) --by validation.generic.loss --set data.test.perClass=2")
    #expect(outcome.exit == 0, "\(outcome.text)")
    #expect(outcome.stdout.contains("chosen values") && outcome.stdout.contains("tuned.json"))
    // FedPer has no generic model to have a loss.
    #expect(outcome.stdout.contains("nothing chosen for fedper"))
    let again = try tune("runs/base-tune --format json")
    #expect(again.exit == 0, "\(again.text)")
    let tuned = try #require(again.json()["tuned"]?.elements)
    #expect(tuned.map { $0["strategy"]?.text } == ["fedavg"])
    let run = try Program.run(
      ["run", "runs/base-tune/tuned.json", "--out", "o", "--quiet"], in: folder.path)
    #expect(run.exit == 0, "\(run.text)")
    let resolved = try JSON(parsing: folder.text("o/scenario.resolved.json"))
    let first = resolved["strategies"]?.elements?.first
    #expect(
      first?["client"]?["optimizer"]?["learningRate"]
        == tuned[0]["values"]?["client.optimizer.learningRate"])
    #expect(resolved["seeds"]?.compact == "[1]" && resolved["evaluation"]?["validation"] == nil)
  }

  @Test(
    "mistakes are said before anything is written",
    arguments: [
      ("s/base.json", 2, "no grid"), ("s/base.json --grid client.batch", 2, "PATH=VALUE"),
      ("s/base.json --grid client.batch=", 2, "values between commas"),
      ("s/base.json --grid client.batch=1 --grid client.batch=2", 2, "given twice"),
      ("s/base.json --grid client.bacth=1,2", 3, "\"batch\""),
      ("s/base.json --grid client.batch=1,2 --by generic.accuracy", 3, "validation."),
      ("s/base.json --grid federation.rounds=1,2", 3, "E3432"),
      ("s/base.json --grid client.batch=1,2 --validation 1", 3, "tune.validation"),
      ("s/base.json --grid client.batch=1,2 --seeds x", 3, "seeds"),
      ("s/none.json --grid client.batch=1,2", 4, "s/none.json"),
    ])
  func wrong(words: String, exit: Int32, says: String) throws {
    let outcome = try tune(words)
    #expect(outcome.exit == exit, "\(outcome.text)")
    #expect(outcome.text.contains(says), "\(outcome.text)")
    #expect(!folder.exists("runs"))
  }
}
