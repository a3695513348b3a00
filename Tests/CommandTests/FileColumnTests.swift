import Base
import Foundation
import Testing

/// Runs of many kinds, and every column and key of all that they write, held against the tables
/// that `explain files` shows.
@Suite("Columns and keys of all files")
struct FileColumnTests {
  let folder = TemporaryFolder()

  /// What is left of the text of ten scenarios.
  private static let scenarios: [(name: String, text: String)] = [
    (
      "plain",
      scenario(
        top: targets, dataset: many, data: tail, federation: "\"clients\": 5, \"rounds\": 2",
        strategies: kinds("local-only", "fedavg", "fedper"), seeds: "[1, 2]")
    ),
    (
      "sets",
      scenario(
        top: targets, dataset: many,
        data: tail + #", "public": { "size": 16 }, "test": { "local": "holdout" }"#,
        model: #"{ "kind": "cnn", "width": 4, "pretrain": { "images": 24, "epochs": 1 } }"#,
        strategies: kinds("linear-probe", "knfu"))
    ), ("example", scenario(top: privacy("example"))),
    ("budget", scenario(top: privacy("example", more: #", "target": { "epsilon": 2 }"#))),
    ("dice", scenario(top: privacy("example", more: #", "mechanism": "dice-sgd""#))),
    ("client", scenario(top: privacy("client"), federation: poisson)),
    (
      "local",
      scenario(top: privacy("client", more: #", "placement": "local""#), federation: poisson)
    ), ("leaks", scenario(top: privacy("example"), strategies: kinds("fedproto"))),
    (
      "coded",
      scenario(
        top: #" "compression": { "uplink": { "kind": "topk", "ratio": 0.1 } },"#,
        strategies: kinds("fedavg"))
    ),
    (
      "clocked",
      scenario(top: targets + clock(#", "deadline": "0.4 s", "loss": 0.3, "dropout": 0.3"#))
    ),
    (
      "unseen",
      scenario(
        top: #" "evaluation": { "validation": 0.2, "best": true, "unseen": { "clients": 2 } },"#,
        data: #", "test": { "local": "holdout" }"#, strategies: kinds("fedavg", "ditto"))
    ), ("asynchronous", scenario(top: clock(""), strategies: kinds("fedbuff"))),
    ("named", scenario(dataset: #"{ "kind": "cifar10", "path": "cifar" }"#)),
    (
      "diverges",
      scenario(
        client: #"{ "batch": 10, "optimizer": { "kind": "sgd", "learningRate": 1e6 } }"#)
    ),
    (
      "blown-up",
      scenario(
        model: #"{ "kind": "cnn", "width": 4, "dropout": [], "norm": "batch" }"#,
        client: #"{ "batch": 10, "optimizer": { "kind": "sgd", "learningRate": 1e6 } }"#)
    ),
  ]

  private static let targets =
    #" "evaluation": { "targets": { "generic": [0.01, 0.999], "personal": [0.01] } },"#
  private static let mlp = #"{ "kind": "mlp", "hidden": [8] }"#
  /// The first of ten classes has more than a hundred images.
  private static let many = #"{ "kind": "synthetic", "trainPerClass": 120, "testPerClass": 5 }"#
  private static let tail = #", "longTail": { "profile": "exponential", "factor": 4 }"#
  private static let poisson = #""clients": 4, "rounds": 2, "sampling": "poisson""#

  private static func kinds(_ kinds: String...) -> String {
    "[" + kinds.map { "{ \"kind\": \"\($0)\" }" }.joined(separator: ", ") + "]"
  }

  private static func privacy(_ unit: String, more: String = "") -> String {
    """
     "privacy": { "unit": "\(unit)", "clip": 1, "noiseMultiplier": 1, "delta": 0.01\(more) },
    """
  }

  private static func clock(_ more: String) -> String {
    """
     "system": { "compute": { "kind": "lognormal", "speed": "1 MFLOP/s", "sigma": 1 },
      "network": { "up": "1 Mbit/s", "down": "4 Mbit/s", "latency": "20 ms" },
      "energy": { "computeWatts": 2, "sendWatts": 1, "receiveWatts": 0.5 },
      "cost": { "perGigabyteUp": 3, "perGigabyteDown": 1, "perDeviceHour": 2 }\(more) },
    """
  }

  private static func scenario(
    top: String = "", dataset: String = ScenarioText.synthetic, data: String = "",
    federation: String = #""clients": 4, "rounds": 2"#, model: String = mlp,
    client: String = ScenarioText.client, strategies: String = kinds("fedavg"),
    seeds: String = "[1]"
  ) -> String {
    ScenarioText.tiny(
      top: top, dataset: dataset, data: data, federation: federation, model: model, client: client,
      strategies: strategies
    ).replacing("\"seeds\": [1]", with: "\"seeds\": \(seeds)")
  }

  @Test("none is undocumented, and none is documented that no run writes")
  func columns() throws {
    try cifar()
    for (name, text) in Self.scenarios {
      try folder.write(name + ".json", text)
      let exit = ["diverges", "blown-up"].contains(name) ? 5 : 0
      try run(["run", name + ".json", "--out", name, "--quiet"], exit: Int32(exit))
    }
    try reports()
    let known = try Documented(run(["explain", "files", "--markdown"]))
    var found: [String: Set<String>] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
      guard let file = Self.page(path) else { continue }
      let paths = try Self.paths(folder.text(path), path)
      found[file, default: []].formUnion(paths)
      for one in paths { #expect(known.has(one, in: file), "\(path): \(one) is undocumented") }
    }
    for (file, paths) in known.paths {
      for path in paths {
        let isThere = found[file, default: []].contains { Documented.matches($0, path) }
        #expect(isThere, "\(file).\(path) is in no file")
      }
    }
  }

  @Test("every heading of the tables on a page is explained, and so of those on a terminal")
  func headings() throws {
    try cifar()
    var headings: Set<String> = []
    for name in ["plain", "example", "named"] {
      let text = try #require(Self.scenarios.first { $0.name == name }?.text)
      try folder.write(name + ".json", text)
      try run(["run", name + ".json", "--out", name, "--quiet"])
      let page = folder.text(name + "/report.html")
      let found = page.matches(of: /<th [^>]*scope="col(?:group)?"[^>]*>([^<]+)<\/th>/).map {
        String($0.1).replacing("&#39;", with: "'").replacing("&amp;", with: "&")
      }
      #expect(found.contains("class") == (name == "named"))
      headings.formUnion(found)
    }
    // Strategies are named by the scenario.
    headings.subtract(["fedavg", "fedper", "local-only"].flatMap { [$0, $0 + " %"] })
    #expect(headings.count > 20)
    for heading in headings.sorted() { try run(["explain", heading]) }
  }

  @Test("docs/pandas.md names files and columns that there are")
  func pandas() throws {
    let known = try Documented(run(["explain", "files", "--markdown"]))
    let page = try String(contentsOf: Self.docs.appending(path: "pandas.md"), encoding: .utf8)
    let blocks = page.components(separatedBy: "```python\n").dropFirst().map {
      $0.components(separatedBy: "```")[0]
    }
    #expect(blocks.count == 6)
    for block in blocks {
      let file = try #require(block.firstMatch(of: /"[^"\n]*?([a-z]+\.(?:csv|jsonl?))"/)?.1)
      let table = try #require(known.paths.first { $0.file == file }, "\(file)").paths
      // Names that the reading makes itself, and a word of pandas.
      let own =
        ["records"] + block.matches(of: /\["(\w+)"\] =/).map { String($0.1) }
        + block.matches(of: /assign\((\w+)=/).map { String($0.1) }
      let quoted = block.matches(of: /"([\w.]+)"/).map { String($0.1) }
      let asked = block.matches(of: /(\w+) == '/).map { String($0.1) }
      for name in Set(quoted + asked).subtracting(own + [String(file)]) {
        let isMetric = known.has(name, in: "rounds.jsonl") && file == "summary.json"
        let isKey = table.contains {
          $0 == name || $0.replacing("[]", with: "").hasSuffix("." + name)
        }
        #expect(isKey || isMetric, "\(file) has no \(name)")
      }
    }
  }

  private static let docs = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs")

  private func cifar() throws {
    try DataSamples.cifar10(in: folder, "cifar")
    try folder.write("cifar/batches.meta.txt", (0..<10).map { "kind \($0)\n" }.joined())
  }

  /// What other commands write over the runs.
  private func reports() throws {
    try run(["report", "plain", "--csv", "headline.csv", "--figures", "figures"])
    let json = try run(["compare", "plain", "--budget", "rounds", "--format", "json"])
    let comparison = try #require(try JSON(parsing: json)["comparison"])
    try folder.write("compare.json", comparison.pretty)
    try run(["compare", "plain", "--budget", "rounds", "--out", "compared"])
    try run([
      "audit", "example", "--attack", "canary,one-run,membership,label-counts,analytic",
      "--trials", "10", "--canaries", "20", "--iterations", "2",
    ])
    try folder.write("base.json", Self.scenario())
    try folder.write(
      "sweep.json",
      #"""
      { "fedsim": 1, "kind": "sweep", "name": "w", "base": "base.json",
        "grid": { "client.optimizer.learningRate": [0.01, 0.05, 1e6] },
        "prune": { "kind": "halving", "metric": "generic.accuracy", "rungs": [1, 2] },
        "front": { "maximise": ["generic.accuracy"], "minimise": ["bytes.up"],
                   "reference": { "generic.accuracy": 0, "bytes.up": 1e9 } } }
      """#)
    try run(["sweep", "sweep.json", "--out", "swept"], exit: 8)
    try run(["tune", "base.json", "--grid", "client.batch=5,10", "--seeds", "1,2", "--out", "tune"])
  }

  @discardableResult private func run(_ words: [String], exit: Int32 = 0) throws -> String {
    let outcome = try Program.run(words, in: folder.path)
    #expect(outcome.exit == exit, "\(words): \(outcome.text)")
    return outcome.stdout
  }

  /// The page of a file; nil for one that the tables do not speak of.
  static func page(_ path: String) -> String? {
    let parts = path.split(separator: "/").map(String.init)
    guard let last = parts.last else { return nil }
    if parts.contains("failures") { return last.hasSuffix(".json") ? "failures/RUN.json" : nil }
    if parts.contains("figures") { return last.hasSuffix(".csv") ? "figure.csv" : nil }
    let scenarios = [
      "scenario.json", "scenario.resolved.json", "overrides.json", "base.json", "tuned.json",
    ]
    // Scenarios of this test, and those that a sweep keeps.
    if parts.count == 1, !["headline.csv", "compare.json"].contains(last) { return nil }
    if scenarios.contains(last) || last == "sweep.json" || parts.contains("cifar") { return nil }
    let plain = last.replacing(/-s\d+(?=\.)/, with: "")
    if plain == "summary.csv" { return "split/summary.csv" }
    if parts == ["swept", "results.csv"] || parts == ["tune", "results.csv"] {
      return "sweep/results.csv"
    }
    return [".csv", ".json", ".jsonl", ".txt"].contains { plain.hasSuffix($0) } ? plain : nil
  }

  /// The columns of a table, or the paths of all values of an object or of one a line.
  static func paths(_ text: String, _ path: String) throws -> Set<String> {
    if path.hasSuffix("digest.txt") { return text.isEmpty ? [] : ["round", "digest"] }
    if path.hasSuffix(".csv") {
      let header = text.prefix { $0 != "\n" }
      return Set(header.split(separator: ",").map(String.init))
    }
    var paths: Set<String> = []
    let texts = path.hasSuffix(".jsonl") ? text.split(separator: "\n").map(String.init) : [text]
    for text in texts { collect(try JSON(parsing: text), "", &paths) }
    return paths
  }

  private static func collect(_ json: JSON, _ path: String, _ paths: inout Set<String>) {
    if !path.isEmpty, !path.hasSuffix("[]") { paths.insert(path) }
    for member in json.members ?? [] {
      collect(member.value, path.isEmpty ? member.key : path + "." + member.key, &paths)
    }
    for element in json.elements ?? [] where element.members != nil {
      collect(element, path + "[]", &paths)
    }
  }
}

/// The tables of `explain files --markdown`.
struct Documented {
  /// By file, in the order shown.
  var paths: [(file: String, paths: [String])] = []

  init(_ markdown: String) {
    for line in markdown.split(separator: "\n") {
      if line.hasPrefix("## ") { paths.append((String(line.dropFirst(3)), [])) }
      if line.hasPrefix("| `") {
        let name = line.dropFirst(3).prefix { $0 != "`" }
        paths[paths.count - 1].paths.append(String(name))
      }
    }
  }

  /// Whether a column or key is in a file's table, or only says which keys are below it.
  func has(_ path: String, in file: String) -> Bool {
    guard let table = paths.first(where: { $0.file == file }) else { return false }
    return table.paths.contains {
      Self.matches(path, $0) || $0.hasPrefix(path + ".") || $0.hasPrefix(path + "[].")
    }
  }

  /// Whether a path is what a table has, in which `<…>` stands for any name.
  static func matches(_ path: String, _ pattern: String) -> Bool {
    var rest = path[...]
    for (index, part) in pattern.replacing(/<[^>]*>/, with: "<").split(
      separator: "<", omittingEmptySubsequences: false
    ).enumerated() {
      if index == 0 {
        guard rest.hasPrefix(part) else { return false }
        rest = rest.dropFirst(part.count)
      } else if part.isEmpty {
        rest = ""
      } else {
        guard let place = rest.range(of: part, options: .backwards) else { return false }
        rest = rest[place.upperBound...]
      }
    }
    return rest.isEmpty
  }
}
