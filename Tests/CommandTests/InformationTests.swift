import Base
import Foundation
import Testing

@Suite("Commands that inform")
struct InformationTests {
  let folder = TemporaryFolder()

  @Test(
    "text goes to stdout and nothing to stderr",
    arguments: [
      ("version", "scenario format 1"), ("--version", "fedsim"), ("help", "make a comparison|run"),
      ("help run", "--threads N"), ("run --help", "SCENARIO.json"), ("", "Usage|usage|fedsim"),
      ("list strategies", "scaffold"), ("list models", "resnet8"), ("list datasets", "cifar10"),
      ("list partitions", "dirichlet-cut"), ("list codecs", "topk"), ("list accountants", "pld"),
      ("privacy --help", "without-replacement"),
      ("privacy epsilon --rate 0.1 --noise 2 --steps 9 --delta 1e-5", "PLD"),
      ("explain fedprox", "proximalWeight"), ("explain topk", "Rice gaps"),
      ("explain dgc", "warmupRounds"), ("explain E3302", "optimizer"),
      ("explain client.optimizer.learningRate", "learningRate"), ("schema", "$schema"),
      ("explain files", "rounds.jsonl"), ("explain clients.csv", "accuracy_alone"),
      ("explain clients.csv.epsilon", "no guarantee"),
      ("explain rounds.jsonl.generic.accuracy", "test images"),
      ("explain summary.json.strategies.metrics.bytes.up.mean", "Over seeds"),
      ("explain generic.shots.tail", "rounds.jsonl"), ("explain shots", "cumulative"),
      ("explain helped", "alone"), ("explain prior-weighted", "weighted"),
      ("explain digest", "bit for bit"),
      ("doctor", "GFLOP"),
    ])
  func text(words: String, expected: String) throws {
    let outcome = try Program.run(words.split(separator: " ").map(String.init), in: folder.path)
    #expect(outcome.exit == 0, "\(outcome.text)")
    let isFound = expected.split(separator: "|").contains { outcome.stdout.contains($0) }
    #expect(isFound, "\(expected) in \(outcome.text)")
    #expect(outcome.stderr.isEmpty, "\(outcome.text)")
    #expect(!outcome.stdout.contains("\u{1B}"), "no escape codes where there is no terminal")
  }

  @Test(
    "with --format json stdout is exactly one object and stderr is empty",
    arguments: [
      ("version", 0), ("help", 0), ("help run", 0), ("list strategies", 0), ("list models", 0),
      ("list datasets", 0), ("list partitions", 0), ("list codecs", 0), ("list accountants", 0),
      ("explain fedprox", 0), ("explain E3302", 0), ("explain model.width", 0), ("schema", 0),
      ("doctor", 0), ("validate good.json", 0), ("validate bad.json", 3), ("run bad.json", 3),
      ("validate missing.json", 4), ("run missing.json", 4), ("resume missing", 4),
      ("data check nothing", 4), ("data check cifar", 4), ("versoin", 2), ("run", 2),
      ("run good.json --treads 2", 2), ("list modles", 2), ("explain gradientz", 2),
      ("explain W3002 --markdown", 2),
      ("explain fedper --markdown --format json", 2),
      ("run good.json --out o", 0), ("resume good-run", 4), ("bench w9", 2), ("help privacy", 0),
      ("privacy", 2), ("privacy noise", 2),
      ("privacy epsilon --rate 0.1 --noise 2 --steps 9 --delta 1e-5", 0),
      ("bench w3 --clients 2 --cohort 2 --samples 4 --rounds 1", 0),
    ])
  func json(words: String, exit: Int32) throws {
    try folder.write("good.json", ScenarioText.tiny())
    try folder.write("bad.json", #"{ "fedsim": 1, "lr": 2 }"#)
    try folder.write("cifar/data_batch_1.bin", [1, 2, 3])
    let outcome = try Program.run(
      words.split(separator: " ").map(String.init) + ["--format", "json"], in: folder.path)
    #expect(outcome.exit == exit, "\(outcome.text)")
    #expect(outcome.stderr.isEmpty, "\(outcome.text)")
    let json = try outcome.json()
    if exit != 0 {
      #expect(json["status"]?.text == "error")
      #expect(json["exit"]?.int == Int(exit))
      let code = try #require(json["code"]?.text)
      let page = try Program.run(["explain", code], in: folder.path)
      #expect(page.exit == 0, "every code has a page: \(page.text)")
    }
  }

  @Test(
    "the facts in each page of docs/strategies and in docs/files.md are the program's",
    arguments: strategyPages + ["../files.md"])
  func facts(name: String) throws {
    let page = try String(
      contentsOf: Self.pages.appending(path: name).standardizedFileURL, encoding: .utf8)
    let start = try #require(page.range(of: "<!-- facts: fedsim explain "))
    let kind = String(page[start.upperBound...].prefix { $0 != " " })
    let shown = page.split(separator: " --markdown -->\n", maxSplits: 1).last?
      .components(separatedBy: "<!-- end of facts -->").first
    let run = try Program.run(["explain", kind, "--markdown"], in: folder.path)
    #expect(run.exit == 0)
    #expect(run.stdout == shown, "make facts writes them anew")
  }

  private static let pages = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/strategies")
  static let strategyPages =
    (try? FileManager.default.contentsOfDirectory(atPath: pages.path(percentEncoded: false)))?
    .filter { $0.hasSuffix(".md") }.sorted() ?? []

  @Test(
    "what stands in many places alike is explained once, with its places",
    arguments: ["loss", "kind", "weighting", "denseBelow", "strategies[].compression", "batch"])
  func explainedOnce(name: String) throws {
    let json = try Program.run(["explain", name, "--format", "json"], in: folder.path).json()
    let pages = json["pages"]?.elements ?? [json]
    #expect(!pages.isEmpty)
    var bodies: [String] = []
    for page in pages {
      for head in ["values", "fields"] {
        let lines = page[head]?.elements?.compactMap(\.text) ?? []
        // Without the words in brackets, which say under which kinds a line holds.
        let texts = lines.map { $0.replacing(/\[[^\]]*\]/, with: "") }
        #expect(Set(texts).count == texts.count, "\(texts)")
      }
      let parts = ["meaning", "values", "fields"].map { page[$0]?.compact ?? "" }
      bodies.append(parts.joined())
    }
    #expect(Set(bodies).count == bodies.count)
  }

  @Test("a name with many meanings is a list of its places")
  func index() throws {
    let text = try Program.run(["explain", "kind"], in: folder.path).stdout
    for place in [
      "data.dataset.kind", "model.kind, clientModels[].model.kind", "strategies[].kind",
    ] {
      #expect(text.contains("  \(place)  "), "\(place)")
    }
    #expect(text.count { $0 == "\n" } < 40)
  }

  @Test("places of a shared field are listed, and every strategy is called so")
  func places() throws {
    let loss = try Program.run(["explain", "strategies.loss"], in: folder.path).stdout
    #expect(loss.contains("fedprox") && loss.contains("default: \"balanced-softmax\""))
    #expect(loss.count { $0 == "\n" } < 40, "\(loss)")
    let label = try Program.run(["explain", "label"], in: folder.path).stdout
    #expect(label.contains("[every strategy]"), "\(label)")
    let dense = try Program.run(["explain", "denseBelow"], in: folder.path).stdout
    #expect(dense.contains("stands at"))
    #expect(dense.contains("  compression.uplink.denseBelow\n"))
    #expect(dense.contains("  strategies[].compression.downlink.denseBelow\n"))
  }

  @Test("validate lists every problem at once, with paths and lines")
  func validate() throws {
    try folder.write(
      "s.json",
      ScenarioText.tiny(
        top: "\n\"sede\": 1,", data: ", \"longTail\": { \"factor\": 0.01 }",
        federation: "\"clients\": -3, \"rounds\": 2"))
    let outcome = try Program.run(["validate", "s.json"], in: folder.path)
    #expect(outcome.exit == 3)
    for part in [
      "3 problems", "$.sede  (line 2)", "did you mean \"seeds\" ?", "$.data.longTail.factor",
      "did you mean 100 ?", "$.federation.clients", "-3",
    ] { #expect(outcome.stderr.contains(part), "\(part) in \(outcome.text)") }
    #expect(outcome.stdout.isEmpty)
  }

  @Test("data check accepts whole files, in words and as JSON, and says what they hold")
  func dataCheck() throws {
    try DataSamples.npy(in: folder, "npy")
    try DataSamples.cifar10(in: folder, "cifar")
    try DataSamples.mnist(in: folder, "mnist")
    try DataSamples.leaf(in: folder, "leaf")
    for name in ["npy", "cifar", "mnist", "leaf"] {
      let text = try Program.run(["data", "check", name], in: folder.path)
      #expect(text.exit == 0, "\(text.text)")
      #expect(text.stdout.contains("classes"), "\(text.text)")
      let json = try Program.run(["data", "check", name, "--format=json"], in: folder.path).json()
      #expect(json["status"]?.text == "ok")
      #expect(json["classes"]?.int != nil)
    }
  }
}
