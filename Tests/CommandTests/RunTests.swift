import Base
import Foundation
import Testing

@Suite("fedsim run")
struct RunTests {
  let folder = TemporaryFolder()

  private func run(_ words: String, environment: [String: String] = [:]) throws -> Program.Outcome {
    if !folder.exists("tiny.json") { try folder.write("tiny.json", ScenarioText.tiny()) }
    return try Program.run(
      words.split(separator: " ").map(String.init), in: folder.path, environment: environment)
  }

  @Test("a run prints its table and writes a complete folder")
  func completeFolder() throws {
    let outcome = try run("run tiny.json --out out/deep")
    #expect(outcome.exit == 0, "\(outcome.text)")
    for part in ["generic accuracy %", "fedavg", "report  out/deep/report.html", "digest  "] {
      #expect(outcome.stdout.contains(part), "\(part) in \(outcome.text)")
    }
    #expect(outcome.stderr.contains("round=2/2"), "\(outcome.text)")
    #expect(!(outcome.stdout + outcome.stderr).contains("\u{1B}"), "no escape codes in a pipe")
    let names = Set(folder.tree("out/deep").keys)
    let expected = [
      "scenario.json", "scenario.resolved.json", "environment.json", "summary.json", "results.csv",
      "report.html", "split/partition.json", "split/summary.csv", "fedavg-s1/rounds.jsonl",
      "fedavg-s1/classes.csv", "fedavg-s1/clients.csv", "fedavg-s1/messages.csv",
      "fedavg-s1/digest.txt", "fedavg-s1/checkpoints/last.safetensors",
      "fedavg-s1/checkpoints/last.json", "fedavg-s1/final/generic.safetensors",
    ]
    for name in expected { #expect(names.contains(name), "\(name) is missing") }
    #expect(!names.contains { $0.hasSuffix(".tmp") })
    #expect(folder.text("out/deep/scenario.json") == folder.text("tiny.json"))
    let lines = folder.text("out/deep/fedavg-s1/rounds.jsonl").split(separator: "\n")
    #expect(lines.count == 2)
    for (index, line) in lines.enumerated() {
      let record = try JSON(parsing: String(line))
      #expect(record["round"]?.int == index + 1)
      for key in ["sampled", "bytes", "train", "generic", "time", "digest"] {
        #expect(record[key] != nil, "\(key) in \(line)")
      }
    }
  }

  @Test("with --format json the result is one object with the summary, and stderr is empty")
  func jsonResult() throws {
    let outcome = try run("run tiny.json --out o --format json")
    let json = try outcome.json()
    #expect(outcome.exit == 0)
    #expect(outcome.stderr.isEmpty, "\(outcome.text)")
    #expect(json["status"]?.text == "ok")
    #expect(json["folder"]?.text == "o")
    #expect(json["summary"]?.members != nil)
  }

  @Test("--quiet says nothing on stderr but the table is there")
  func quiet() throws {
    let outcome = try run("run tiny.json --out o --quiet")
    #expect(outcome.exit == 0)
    #expect(outcome.stderr.isEmpty, "\(outcome.text)")
    #expect(outcome.stdout.contains("report  o/report.html"))
  }

  @Test("options are read wherever they stand, and after -- everything is an operand")
  func optionsAnywhere() throws {
    try folder.write("--odd.json", ScenarioText.tiny())
    let outcome = try run(
      "--format json run --set federation.rounds=1 -o out --seed 4 --set=client.batch=20 "
        + "--threads 3 -q -- --odd.json")
    #expect(outcome.exit == 0, "\(outcome.text)")
    let resolved = try JSON(parsing: folder.text("out/scenario.resolved.json"))
    #expect(resolved["federation"]?["rounds"]?.int == 1)
    #expect(resolved["client"]?["batch"]?.int == 20)
    #expect(resolved["seeds"]?.compact == "[4]")
    #expect(folder.exists("out/fedavg-s4/digest.txt"))
    #expect(try JSON(parsing: folder.text("out/environment.json"))["threads"]?.int == 3)
  }

  @Test("colours appear in no output that is not a terminal", arguments: ["", "1"])
  func colours(
    value: String
  ) throws {
    let outcome = try run(
      "run tiny.json --out o", environment: ["NO_COLOR": value, "TERM": "xterm-256color"])
    #expect(outcome.exit == 0)
    #expect(!(outcome.stdout + outcome.stderr).contains("\u{1B}"))
  }

  @Test("two runs and any number of threads have the same digests")
  func digests() throws {
    let scenario = ScenarioText.tiny(
      federation: "\"clients\": 7, \"rounds\": 2, \"participation\": 0.7",
      strategies: "[ { \"kind\": \"scaffold\" }, { \"kind\": \"fedavg-ft\" } ]")
    try folder.write("s.json", scenario)
    for (name, threads) in [("a", 1), ("b", 1), ("c", 2), ("d", 3), ("e", 8)] {
      let outcome = try run("run s.json --quiet --out \(name) --threads \(threads)")
      #expect(outcome.exit == 0, "\(outcome.text)")
    }
    for file in [
      "scaffold-s1/digest.txt", "fedavg-ft-s1/digest.txt", "scaffold-s1/final/generic.safetensors",
      "fedavg-ft-s1/clients.csv",
    ] {
      let first = try #require(folder.bytes("a/" + file))
      #expect(!first.isEmpty)
      for name in ["b", "c", "d", "e"] {
        #expect(folder.bytes("\(name)/\(file)") == first, "\(name)/\(file)")
      }
    }
  }

  @Test("another seed gives other digests")
  func seeds() throws {
    #expect(try run("run tiny.json --quiet --out a --seed 1").exit == 0)
    #expect(try run("run tiny.json --quiet --out b --seed 2").exit == 0)
    #expect(folder.text("a/fedavg-s1/digest.txt") != folder.text("b/fedavg-s2/digest.txt"))
  }

  @Test(
    "a folder that holds something is left as it is",
    arguments: ["run tiny.json --out o --again", "run tiny.json --out o --seed 3"])
  func existingFolder(
    words: String
  ) throws {
    #expect(try run("run tiny.json --quiet --out o").exit == 0)
    let before = folder.tree("o")
    let outcome = try run(words)
    #expect(outcome.exit == 9, "\(outcome.text)")
    #expect(outcome.stderr.contains("fedsim resume o"), "\(outcome.text)")
    #expect(folder.tree("o") == before)
  }

  @Test("a finished run that is resumed changes no digest and no line")
  func resumeFinished() throws {
    #expect(try run("run tiny.json --quiet --out o").exit == 0)
    let before = folder.tree("o/fedavg-s1")
    let outcome = try run("resume o")
    #expect(outcome.exit == 0, "\(outcome.text)")
    #expect(folder.tree("o/fedavg-s1") == before)
  }

  @Test("divergence has exit 5, names round and client, and lets the others finish")
  func divergence() throws {
    // An adaptive optimizer bounds each step by its rate; the server's own rate is what explodes.
    try folder.write(
      "s.json",
      ScenarioText.tiny(
        federation: "\"clients\": 4, \"rounds\": 3",
        strategies: """
          [ { "kind": "fedavgm", "serverLearningRate": 1e6, "label": "wild" },
            { "kind": "fedavg" } ]
          """))
    let outcome = try run("run s.json --out o")
    #expect(outcome.exit == 5, "\(outcome.text)")
    for part in ["wild seed 1: diverged in round ", "client ", "local step ", "learningRate"] {
      #expect(outcome.stderr.contains(part), "\(part) in \(outcome.text)")
    }
    #expect(folder.text("o/fedavg-s1/digest.txt").split(separator: "\n").count == 4)
    #expect(folder.exists("o/report.html"))

    try folder.write("rate.json", ScenarioText.tiny())
    let all = try run("run rate.json --out p --set client.optimizer.learningRate=1e6")
    #expect(all.exit == 5, "\(all.text)")
    #expect(all.stderr.contains("fedavg seed 1: diverged in round 1, client "), "\(all.text)")
    let json = try run(
      "run rate.json --out q --set client.optimizer.learningRate=1e6 --format json"
    ).json()
    #expect(json["exit"]?.int == 5)
    #expect(json["troubles"]?.elements?.count == 1)
  }

  @Test(
    "a folder that cannot be written has exit 2 and is named",
    arguments: ["/proc/fedsim/out", "blocked/out", "/dev/null/out"])
  func unwritable(out: String)
    throws
  {
    try folder.write("blocked", "a file where a folder should be")
    let outcome = try run("run tiny.json --out \(out)")
    #expect(outcome.exit == 2, "\(outcome.text)")
    let parent = out.split(separator: "/").dropLast().joined(separator: "/")
    #expect(outcome.stderr.contains(parent), "\(outcome.text)")
    #expect(outcome.stderr.contains("more: fedsim explain E10"), "\(outcome.text)")
  }
}
