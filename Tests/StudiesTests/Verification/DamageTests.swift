import Base
import Federation
import Fixtures
import Foundation
import Records
import Report
import Studies
import Testing

@Suite("Damaged run folders")
struct DamageTests {
  /// Every table, a private run, one in which time counts, and a reference.
  private static func fixture() throws -> RunFixture {
    try RunFixture {
      $0.strategies = [
        ScenarioText.registered("local-only"), ScenarioText.registered("fedbuff"),
        ScenarioText.strategy(
          "fedavg",
          #""label": "private", "privacy": { "unit": "example", "mechanism": "dp-sgd", "#
            + #""clip": 1, "noiseMultiplier": 1, "delta": 1e-3 }"#),
      ]
      $0.federation = #"{ "clients": 3, "rounds": 4, "participation": 0.67 }"#
      $0.evaluation = #"{ "every": 2, "diagnostics": true }"#
      $0.output = #"{ "checkpointEvery": 2 }"#
      $0.order = "shuffled"
    }
  }

  /// A small generator of its own: tries must not depend on what is tested.
  private struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) << 32 | (state &* 0x9E37_79B9_7F4A_7C15) >> 32
    }
  }

  /// What can happen to a file.
  private enum Damage: CaseIterable {
    case flip, digit, lose, twice, swap, cut, last, empty, gone, more

    func apply(_ bytes: [UInt8], _ dice: inout Dice) -> [UInt8]? {
      if self == .gone { return nil }
      if bytes.isEmpty { return self == .more ? [49] : bytes }
      var bytes = bytes
      var lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
      let place = Int.random(in: bytes.indices, using: &dice)
      let line = Int.random(in: lines.indices, using: &dice)
      switch self {
      case .flip: bytes[place] ^= 1 << UInt8.random(in: 0...6, using: &dice)
      case .digit:
        let digits = bytes.indices.filter { (48...57).contains(bytes[$0]) }
        guard let chosen = digits.randomElement(using: &dice) else { return bytes }
        bytes[chosen] = 48 + (bytes[chosen] - 47) % 10
      case .cut: bytes.removeSubrange(place...)
      case .last:
        let end = bytes.dropLast().lastIndex(of: 10).map { $0 + 1 } ?? 0
        bytes.removeSubrange(end...)
      case .empty: return []
      case .more: bytes += [UInt8]("5,1,2,3\n".utf8)
      case .lose, .twice, .swap:
        if self == .lose { lines.remove(at: line) }
        if self == .twice { lines.insert(lines[line], at: line) }
        if self == .swap { lines.swapAt(line, Int.random(in: lines.indices, using: &dice)) }
        return Array(lines.joined(separator: [10]))
      case .gone: return nil
      }
      return bytes
    }
  }

  /// All numbers that a report over a folder shows; nil when it is refused with exit 4.
  private func numbers(_ fixture: RunFixture, _ name: String) throws -> String? {
    do {
      let folder = try RunFolder(fixture.folder.at(name))
      var input = try RunReport([folder]).input
      input.warnings = []
      return input.page.html
    } catch let failure {
      #expect(failure.exit == .dataMissingOrCorrupt, "\(failure.message)")
      return nil
    }
  }

  private func isSame(_ fixture: RunFixture, _ name: String) throws -> Bool? {
    do {
      let experiment = fixture.experiment
      let path = fixture.folder.at(name)
      let runs = try experiment.verify(
        path, rounds: nil, scenarioHash: fixture.source.hash, threads: 1, report: { _ in })
      let files = try experiment.verifyFiles(path, source: fixture.source)
      return files.isEmpty && runs.allSatisfy { $0.mismatch == nil }
    } catch let failure {
      #expect([.dataMissingOrCorrupt, .folderInUse].contains(failure.exit), "\(failure.message)")
      return nil
    }
  }

  /// Whether a resume ends with the tables of the whole run; nil when it is refused.
  private func resumes(_ fixture: RunFixture, _ name: String) throws -> Bool? {
    do { #expect(try fixture.run(name, continues: true).exit == .done) } catch let failure
      as Failure
    {
      #expect([.dataMissingOrCorrupt, .folderInUse].contains(failure.exit), "\(failure.message)")
      return nil
    }
    for run in ["local-only-s1", "fedbuff-s1", "private-s1"] {
      var tables = ["classes.csv", "clients.csv", "messages.csv", "digest.txt"]
      if run == "private-s1" { tables.append("privacy.jsonl") }
      if run == "fedbuff-s1" { tables.append("events.jsonl") }
      for table in tables {
        let (found, whole) = ("\(name)/\(run)/\(table)", "whole/\(run)/\(table)")
        if try fixture.bytes(found) != fixture.bytes(whole) { return false }
      }
      let rounds = try [name, "whole"].map { try fixture.rounds("\($0)/\(run)").map(timeless) }
      if rounds[0] != rounds[1] { return false }
    }
    return true
  }

  private func timeless(_ round: JSON) -> String {
    var round = round
    round["time"] = nil
    return round.compact
  }

  /// What no command reads as numbers, or what is written for people.
  private static let unread = ["report.html", ".lock", "last.json", "scenario.json"]

  @Test(
    "no damage of any file gives other numbers: it is refused, or changes nothing",
    arguments: ["whole", "cut"])
  func damaged(_ state: String) throws {
    let fixture = try Self.fixture()
    try fixture.run("whole")
    try fixture.run("cut", stopAfter: 9)
    let clean = try #require(try numbers(fixture, state))
    if state == "whole" { #expect(try isSame(fixture, state) == true) }
    let names = try fixture.files(state)
    let original = try Dictionary(
      uniqueKeysWithValues: names.map { ($0, try fixture.bytes("\(state)/\($0)")) })
    var dice = Dice(state: 7)
    func restore() throws {
      try? FileManager.default.removeItem(atPath: fixture.folder.at("try"))
      for (name, bytes) in original { try fixture.folder.write("try/\(name)", bytes) }
    }
    let read = names.filter { name in !Self.unread.contains { name.hasSuffix($0) } }
    for (place, name) in read.enumerated() {
      for (number, damage) in (Damage.allCases + [.flip, .digit]).enumerated() {
        let bytes = try #require(original[name])
        let changed = damage.apply(bytes, &dice)
        if changed == bytes { continue }
        try restore()
        if let changed {
          try fixture.folder.write("try/\(name)", changed)
        } else {
          try removeFile(fixture.folder.at("try/\(name)"))
        }
        let what = "\(state)/\(name): \(damage)"
        let found = try numbers(fixture, "try").map {
          $0.replacing(fixture.folder.at("try"), with: fixture.folder.at(state))
        }
        // What is lost without a promise is not shown.
        let isLess =
          changed == nil
          && ["environment.json", "diagnostics.json"].contains { name.hasSuffix($0) }
        #expect(found == nil || isLess || found == clean, "report, \(what)")
        // Making runs again takes its time: some of the tries.
        guard (number + place) % 9 == 0 else { continue }
        if state == "whole", try isSame(fixture, "try") == true {
          // Missing checkpoints are allowed; what is there must be what was written.
          let isFree = changed == nil && name.hasSuffix("last.safetensors")
          #expect(isFree || name == "environment.json", "verify, \(what)")
        }
        #expect(try resumes(fixture, "try") != false, "resume, \(what)")
      }
    }
  }

  @Test("damage in a table is named with its line, and the hint is possible")
  func named() throws {
    let fixture = try Self.fixture()
    try fixture.run("whole")
    let run = "whole/fedbuff-s1"
    for (name, line, code) in [
      ("rounds.jsonl", 3, "E1014"), ("classes.csv", 4, "E4120"), ("clients.csv", 5, "E4120"),
      ("messages.csv", 6, "E4120"), ("events.jsonl", 2, "E4120"), ("digest.txt", 3, "E4120"),
    ] {
      let whole = try fixture.bytes("\(run)/\(name)")
      var lines = try fixture.lines("\(run)/\(name)")
      lines[line - 1] = "x" + lines[line - 1]
      try fixture.folder.write("\(run)/\(name)", text: lines.joined(separator: "\n") + "\n")
      let words = ["\(run)/\(name), line \(line):"]
      expectDataFailure(code, words) { _ = try RunFolder(fixture.folder.at("whole")) }
      expectDataFailure("E4120", words) { try fixture.run("whole", continues: true) }
      try fixture.folder.write("\(run)/\(name)", whole)
    }
    // A line in the middle is lost.
    var lines = try fixture.lines("\(run)/rounds.jsonl")
    lines.remove(at: 1)
    try fixture.folder.write("\(run)/rounds.jsonl", text: lines.joined(separator: "\n") + "\n")
    expectDataFailure("E4121", ["rounds.jsonl, line 2", "round 3"]) {
      _ = try RunFolder(fixture.folder.at("whole"))
    }
    expectDataFailure("E4120", ["rounds.jsonl, line 2", "lost", "delete"]) {
      try fixture.run("whole", continues: true)
    }
    try FileManager.default.removeItem(atPath: fixture.folder.at(run))
    #expect(try fixture.run("whole", continues: true).exit == .done)
    #expect(try isSame(fixture, "whole") == true)
  }

  @Test("verify counts rounds and runs: what is lost is a mismatch")
  func lost() throws {
    let fixture = try Self.fixture()
    try fixture.run("whole")
    func mismatches() throws -> [Verification.Mismatch?] {
      try fixture.experiment.verify(
        fixture.folder.at("whole"), rounds: nil, scenarioHash: fixture.source.hash, threads: 1,
        report: { _ in }
      ).map(\.mismatch)
    }
    let rounds = try fixture.bytes("whole/private-s1/rounds.jsonl")
    let end = try #require(rounds.dropLast().lastIndex(of: 10))
    try fixture.folder.write("whole/private-s1/rounds.jsonl", Array(rounds[...end]))
    var found = try mismatches()
    #expect(found.map { $0?.round } == [nil, nil, 4])
    #expect(found[2]?.isLost == true)
    try FileManager.default.removeItem(atPath: fixture.folder.at("whole/private-s1"))
    found = try mismatches()
    #expect(found.map { $0?.recorded } == [nil, nil, "absent"])
    try fixture.folder.makeFolder("whole/private-s1")
    #expect(try mismatches()[2]?.recorded == "empty")
    // A link that leads nowhere but to itself cannot be looked into, as a folder of somebody else.
    try FileManager.default.removeItem(atPath: fixture.folder.at("whole/private-s1"))
    try FileManager.default.createSymbolicLink(
      atPath: fixture.folder.at("whole/private-s1"),
      withDestinationPath: fixture.folder.at("whole/private-s1"))
    #expect(try mismatches()[2]?.recorded.contains("cannot be read") == true)
    expectDataFailure("E4010", ["private-s1"]) { _ = try RunFolder(fixture.folder.at("whole")) }
  }

  @Test("a folder of a version without checksums is read, and that is said")
  func old() throws {
    let fixture = try Self.fixture()
    try fixture.run("whole")
    var environment = try JSON(parsing: try fixture.bytes("whole/environment.json"))
    for key in ["files", "checksum"] { environment[key] = nil }
    try fixture.folder.write("whole/environment.json", text: environment.pretty)
    for run in ["local-only", "fedbuff", "private"] {
      try removeFile(fixture.folder.at("whole/\(run)-s1/tables.json"))
    }
    let folder = try RunFolder(fixture.folder.at("whole"))
    #expect(folder.unprotected.count == 1 && folder.unprotected[0].contains("W4001"))
    // Its runs are finished, but nothing says that their tables are whole.
    expectDataFailure("E4122", ["local-only-s1", "delete"]) {
      try fixture.run("whole", continues: true)
    }
  }

  /// Numbers that no run writes, or that are as large as a number can be.
  private static let extremes = [
    "9223372036854775807", "-9223372036854775808", "9007199254740992", "-1", "1e308", "-1e308",
    "1e400", "1e-320", "0", "1.5", "null", "\"x\"", "[]", "{}", "",
  ]

  @Test("no number in a file can stop a report: it is refused with exit 4, or shown")
  func extreme()
    throws
  {
    let fixture = try Self.fixture()
    try fixture.run("whole")
    // As a folder without checksums, so that the readers see the numbers.
    var environment = try JSON(parsing: try fixture.bytes("whole/environment.json"))
    for key in ["files", "checksum"] { environment[key] = nil }
    try fixture.folder.write("whole/environment.json", text: environment.pretty)
    var summary = try JSON(parsing: try fixture.bytes("whole/summary.json"))
    summary["checksum"] = nil
    try fixture.folder.write("whole/summary.json", text: summary.pretty)
    for run in ["local-only", "fedbuff", "private"] {
      try removeFile(fixture.folder.at("whole/\(run)-s1/tables.json"))
    }
    for name in try fixture.files("whole") where name.hasSuffix("diagnostics.json") {
      var json = try JSON(parsing: try fixture.bytes("whole/\(name)"))
      json["checksum"] = nil
      try fixture.folder.write("whole/\(name)", text: json.pretty)
    }
    var dice = Dice(state: 3)
    for (name, tries) in [
      ("fedbuff-s1/rounds.jsonl", 120), ("private-s1/rounds.jsonl", 80),
      ("fedbuff-s1/clients.csv", 60), ("local-only-s1/clients.csv", 40),
      ("private-s1/privacy.jsonl", 40), ("private-s1/diagnostics.json", 50),
      ("split/summary.csv", 50), ("environment.json", 40), ("summary.json", 40),
    ] {
      let text = String(decoding: try fixture.bytes("whole/\(name)"), as: UTF8.self)
      let numbers = text.matches(of: /-?[0-9][0-9.e+-]*/).map(\.range)
      for _ in 0..<tries {
        let place = try #require(numbers.randomElement(using: &dice))
        let value = try #require(Self.extremes.randomElement(using: &dice))
        let changed = text.replacingCharacters(in: place, with: value)
        try fixture.folder.write("whole/\(name)", text: changed)
        do {
          let folder = try RunFolder(fixture.folder.at("whole"))
          let report = try RunReport([folder])
          #expect(!report.html.isEmpty && !report.csv.isEmpty && !report.latex.isEmpty)
          _ = try Comparison(ComparedStrategy.all([folder])).json.compact
        } catch let failure {
          #expect(
            [.dataMissingOrCorrupt, .mismatch].contains(failure.exit),
            "\(name): \(value): \(failure.message)")
        }
      }
      try fixture.folder.write("whole/\(name)", text: text)
    }
  }

  @Test("the numbers that trapped are refused with file and line")
  func trapped() throws {
    let fixture = try Self.fixture()
    try fixture.run("whole")
    for run in ["local-only", "fedbuff", "private"] {
      try removeFile(fixture.folder.at("whole/\(run)-s1/tables.json"))
      try removeFile(fixture.folder.at("whole/\(run)-s1/checkpoints/last.safetensors"))
    }
    let most = "9223372036854775807"
    func refuse(_ name: String, _ code: String, _ line: Int, _ change: (String) -> String) throws {
      let path = "whole/fedbuff-s1/\(name)"
      var lines = try fixture.lines(path)
      let before = lines
      lines[line - 1] = change(lines[line - 1])
      #expect(lines != before)
      try fixture.folder.write(path, text: lines.joined(separator: "\n") + "\n")
      expectDataFailure(code, ["\(name), line \(line)"]) {
        _ = try RunFolder(fixture.folder.at("whole"))
      }
      try fixture.folder.write(path, text: before.joined(separator: "\n") + "\n")
    }
    try refuse("clients.csv", "E4124", 2) { $0.replacing(/^1,0,/, with: "1,-1,") }
    try refuse("clients.csv", "E4124", 2) { $0.replacing(/^1,0,/, with: "1,\(most),") }
    try refuse("rounds.jsonl", "E1014", 2) { $0.replacing(/"up":[0-9]+/, with: "\"up\":\(most)") }
    try refuse("rounds.jsonl", "E1014", 4) {
      $0.replacing(/"round":[0-9]+/, with: "\"round\":\(most)")
    }
    try refuse("rounds.jsonl", "E4121", 4) { $0.replacing(/"round":[0-9]+/, with: "\"round\":7") }
  }
}
