import Fixtures
import Foundation
import Scenario
import Tensor
import Testing

@testable import Base
@testable import Studies

/// The audit of whole run folders.
@Suite("Leakage audit")
struct LeakageAuditTests {
  static func small(_ attacks: [AuditSettings.Attack] = AuditSettings.Attack.allCases)
    -> AuditSettings
  {
    var settings = AuditSettings()
    settings.attacks = attacks
    settings.iterations = 5
    settings.batches = [2]
    settings.noises = [0, 0.1]
    return settings
  }

  static func audit(_ fixture: RunFixture, _ name: String) throws -> LeakageAudit {
    LeakageAudit(
      folder: fixture.folder.at(name), experiment: fixture.experiment,
      scenarioHash: try #require(try fixture.text.reading().hash))
  }

  @Test("A run's audit finds images, labels and members, and is the same for any threads")
  func whole() throws {
    let fixture = try RunFixture { text in
      text.strategies = [ScenarioText.strategy("fedavg"), ScenarioText.strategy("fedprox")]
      text.seeds = "[1, 2]"
    }
    try fixture.run("out")
    let audit = try Self.audit(fixture, "out")
    let report = try audit.run(Self.small())
    #expect(try audit.run(Self.small(), threads: 3).json == report.json)
    #expect(report.runs.map(\.strategy) == ["fedavg", "fedprox", "fedavg", "fedprox"])
    #expect(report.runs.map(\.seed) == [1, 1, 2, 2])
    for run in report.runs {
      #expect(run.model == "final model")
      #expect(run.membership.first?.group == "all")
      #expect((run.membership.first?.score.members ?? 0) > 5)
      let exact = try #require(run.inversion.first)
      #expect(exact.attack == .analytic && exact.batch == 1 && exact.defence == nil)
      #expect(exact.images == 4 && exact.labels == 1 && exact.exact == 1)
      #expect((exact.psnr ?? 0) > 60)
      let noisy = try #require(run.inversion.first { $0.defence?.noise == 0.1 })
      #expect((noisy.psnr ?? 99) < 40)
      #expect(Set(run.inversion.map(\.attack)) == [.analytic, .cosine, .squares])
      #expect(run.pictures.filter { $0.score == nil }.count == 4)
    }
    try audit.write(report)
    let json = try JSON(parsing: try fixture.bytes("out/audit/audit.json"))
    #expect(json == report.json)
    let page = String(decoding: try fixture.bytes("out/audit/audit.html"), as: UTF8.self)
    #expect(TagBalance.problem(page) == nil)
    // The name of SVG's elements is no address that anybody reads.
    let plain = page.replacing("xmlns=\"http://www.w3.org/2000/svg\"", with: "")
    for forbidden in ["http://", "https://", "href=", "url(", "@import", "src=\"/"] {
      #expect(!plain.contains(forbidden), "\(forbidden)")
    }
    let pictures = page.components(separatedBy: "<img ").dropFirst()
    #expect(!pictures.isEmpty)
    for picture in pictures {
      #expect(picture.hasPrefix("src=\"data:image/png;base64,"))
      let tag = picture.prefix { $0 != ">" }
      #expect(tag.contains("alt=\"") && !tag.contains("alt=\"\""))
    }
    #expect(report.text(width: 120).contains("fedprox"))
  }

  @Test("Without the final model the checkpoint is attacked, with the same findings")
  func checkpoint() throws {
    let fixture = try RunFixture { $0.federation = #"{ "clients": 3, "rounds": 2 }"# }
    try fixture.run("out")
    let audit = try Self.audit(fixture, "out")
    let settings = Self.small([.membership, .analytic])
    let final = try audit.run(settings).json
    try FileManager.default.removeItem(
      atPath: fixture.folder.at("out/fedavg-s1/final/generic.safetensors"))
    let report = try audit.run(settings)
    #expect(report.runs[0].model == "model after round 2")
    let (before, after) = (final["runs"]?.elements?[0], report.json["runs"]?.elements?[0])
    for part in ["membership", "inversion"] { #expect(before?[part] == after?[part]) }
  }

  @Test("An interrupted run is audited where it stands; what never began is named")
  func interrupted() throws {
    let fixture = try RunFixture { text in
      text.federation = #"{ "clients": 3, "rounds": 4 }"#
      text.strategies = [ScenarioText.strategy("fedavg"), ScenarioText.strategy("fedprox")]
    }
    try fixture.run("out", stopAfter: 3)
    let report = try Self.audit(fixture, "out").run(Self.small([.membership]))
    #expect(report.runs.map(\.model) == ["model after round 3", nil])
    #expect(report.runs[1].notes == ["not trained yet: no checkpoint"])
    var settings = Self.small([.analytic])
    settings.model = .initial
    let initial = try Self.audit(fixture, "out").run(settings)
    #expect(initial.runs.map(\.model) == ["initial model", "initial model"])
    #expect(initial.runs.allSatisfy { ($0.inversion.first?.psnr ?? 0) > 60 })
  }

  @Test("Methods with other networks, or without a model for all, say so")
  func misfits() throws {
    let fixture = try RunFixture { text in
      text.strategies = [ScenarioText.strategy("local-only"), ScenarioText.strategy("fedetf")]
      text.model = #"{ "kind": "mlp", "hidden": [8] }"#
    }
    try fixture.run("out")
    let report = try Self.audit(fixture, "out").run(Self.small([.membership, .analytic]))
    #expect(report.runs[0].model == nil)
    #expect(report.runs[0].notes == ["the method has no model for everybody"])
    #expect(report.runs[1].membership.first?.group == "all")
    #expect(report.runs[1].inversion.isEmpty)
    #expect(report.runs[1].notes.first?.contains("network of its own") == true)
    let alone = try RunFixture { $0.strategies = [ScenarioText.strategy("local-only")] }
    try alone.run("out")
    let failure = #expect(throws: Failure.self) {
      _ = try Self.audit(alone, "out").run(Self.small([.membership]))
    }
    #expect(failure?.code == "E4097")
  }

  @Test("A model with other tensors is refused, and so is a folder that is none")
  func damaged()
    throws
  {
    let fixture = try RunFixture { _ in }
    try fixture.run("out")
    let path = fixture.folder.at("out/fedavg-s1/final/generic.safetensors")
    let item = Safetensors.Item(name: "a", shape: [1], values: [1])
    try AtomicFile.write(Safetensors(items: [item], metadata: [:]).encoded(), to: path)
    let misfit = #expect(throws: Failure.self) {
      _ = try Self.audit(fixture, "out").run(Self.small([.membership]))
    }
    #expect(misfit?.code == "E4099" && misfit?.exit == .dataMissingOrCorrupt)
    let none = #expect(throws: Failure.self) { _ = try LeakageAudit(folder: path) }
    #expect(none?.code == "E4095")
    try AtomicFile.write("{}", to: fixture.folder.at("out/scenario.resolved.json"))
    let broken = #expect(throws: Failure.self) {
      _ = try LeakageAudit(folder: fixture.folder.at("out"))
    }
    #expect(broken?.code == "E4098")
  }
}
