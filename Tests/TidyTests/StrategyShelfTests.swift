import Aggregation
import Base
import Federation
import Foundation
import Records
import Scenario
import Studies
import Testing

@Suite("Every strategy is complete")
struct StrategyShelfTests {
  /// The name in a scenario, read from the source.
  private func kind(of file: Repository.File) throws -> String {
    let start = try #require(file.text.range(of: "kind: \""), "\(file.path) has no card")
    return String(file.text[start.upperBound...].prefix { $0 != "\"" })
  }

  @Test("its file is registered under its kind", arguments: Repository.strategies)
  func registered(
    file: Repository.File
  ) throws {
    let type = try #require(StrategyRegistry[try kind(of: file)])
    #expect("\(type).swift" == file.name)
  }

  @Test("a test speaks of it", arguments: Repository.strategies)
  func tested(file: Repository.File)
    throws
  {
    let type = String(file.name.dropLast(".swift".count))
    let word = "\"\(try kind(of: file))\""
    let isTested = Repository.tests.contains { test in
      guard ["AggregationTests", "FederationTests", "CommandTests"].contains(test.module) else {
        return false
      }
      return test.text.contains(type) || test.text.contains(word)
        || test.text.contains(word.replacing("\"", with: "\\\""))
    }
    #expect(isTested, "no test mentions \(type) or \(word)")
  }

  @Test("it has a guide with its links, its kind and its fields", arguments: Repository.strategies)
  func guide(file: Repository.File) throws {
    let name = file.name.replacing(".swift", with: ".md")
    let guide = try #require(
      Repository.documents.first { $0.path == "docs/strategies/\(name)" }, "no guide \(name)")
    #expect(guide.text.contains("Sources/Aggregation/Strategies/\(file.name)"))
    #expect(guide.text.contains("scenarios/"))
    let kind = try kind(of: file)
    #expect(guide.text.contains("`\(kind)`"))
    let info = try #require(StrategyRegistry[kind]).info
    for field in info.fields {
      #expect(guide.text.contains("`\(field.name)`"), "\(name) does not name \(field.name)")
    }
    // Links lead somewhere.
    for part in guide.text.split(separator: "](").dropFirst() {
      let target = part.prefix { $0 != ")" }
      if target.hasPrefix("http") { continue }
      let place = Repository.root.appending(path: "docs/strategies/\(target)")
      #expect((try? place.checkResourceIsReachable()) == true, "\(name) links to \(target)")
    }
  }

  @Test("a scenario runs it", arguments: Repository.strategies)
  func scenario(file: Repository.File)
    throws
  {
    let kind = try kind(of: file)
    let isRun = Repository.scenarios.contains { scenario in
      ScenarioReader().read(bytes: Array(scenario.text.utf8), file: scenario.name).scenario?
        .strategies.contains { $0.kind == kind } ?? false
    }
    #expect(isRun, "no scenario has \(kind)")
  }

  @Test(
    "every scenario is valid, named after its file, and says what it is for",
    arguments: Repository.scenarios)
  func valid(scenario: Repository.File) throws {
    let reading = ScenarioReader().read(bytes: Array(scenario.text.utf8), file: scenario.name)
    #expect(reading.errors.isEmpty, "\(reading.errors.map(\.text))")
    // What a scenario is about may be what it is warned of; its header then says so.
    let unexpected = reading.warnings.filter { !scenario.text.contains("\($0.code) is meant") }
    #expect(unexpected.isEmpty, "\(unexpected.map(\.text))")
    #expect(reading.scenario?.name == scenario.name.replacing(".json", with: ""))
    #expect(scenario.text.contains("\"//\": "))
  }

  @Test(
    "every sweep is valid, named after its file, and says what it is for",
    arguments: Repository.sweeps)
  func validSweep(file: Repository.File) throws {
    let folder = file.path.split(separator: "/").dropLast().joined(separator: "/")
    let bases = Repository.scenarios
    let reading = SweepReader().read(bytes: Array(file.text.utf8), file: file.name) {
      name throws(Failure) in
      let path = "\(folder)/\(name)".replacing(/[^\/]+\/\.\.\//, with: "")
      guard let base = bases.first(where: { $0.path == path }) else {
        throw Failure(.dataMissingOrCorrupt, "E4001", "\(name): no such file")
      }
      return (name, Array(base.text.utf8))
    }
    #expect(reading.problems.isEmpty, "\(reading.problems.map(\.text))")
    #expect(reading.sweep?.name == file.name.replacing(".json", with: ""))
    #expect(file.text.contains("\"//\": "))
  }
}

@Suite("The guide's samples are those that are compiled and run")
struct GuideTests {
  private func guide() throws -> String {
    try #require(Repository.documents.first { $0.name == "write-your-own-strategy.md" }).text
  }

  /// What stands between the fences of one language.
  private func blocks(_ language: String) throws -> [String] {
    try guide().components(separatedBy: "```\(language)\n").dropFirst().map {
      $0.components(separatedBy: "```\n")[0]
    }
  }

  @Test(
    "each sample file stands in the guide as it is",
    arguments: Repository.tests.filter { $0.module == "GuideTests" })
  func sample(file: Repository.File) throws {
    // Inside the library nobody imports it.
    let isMethod = !file.name.hasSuffix("Tests.swift")
    let text = isMethod ? file.text.replacing("import Aggregation\n", with: "") : file.text
    let isShown = try blocks("swift").contains(text)
    // The second example is shown without its test.
    #expect(isShown || file.name == "MedianFedAvgTests.swift", "\(file.name) differs")
  }

  @Test("its scenario is valid once the method is known, and FedAvg learns in it")
  func scenario() throws {
    let text = try #require(try blocks("json").first)
    let reading = ScenarioReader().read(
      bytes: Array(text.utf8), file: "clipped-fedavg.json",
      overrides: [#"strategies=[{"kind":"fedavg"}]"#])
    #expect(reading.problems.isEmpty, "\(reading.problems.map(\.text))")
    var scenario = try #require(reading.scenario)
    scenario.seeds = [1]
    scenario.federation.rounds = 6
    let trial = try Experiment(scenario).trial()
    let accuracy = try #require(trial.generic).accuracy
    #expect(accuracy > 0.15, "FedAvg stays at \(accuracy), and guessing has 0.1")
  }
}
