import Fixtures
import Foundation
import Testing

@testable import Base
@testable import Records
@testable import Studies

@Suite("Sweeps", .serialized)
struct SweepRunTests {
  private static let twentyFour = #"""
    "seeds": [1, 2, 3],
    "grid": { "client.optimizer.learningRate": [0.01, 0.03, 0.1, 0.3], "client.batch": [5, 10] }
    """#

  /// 24 runs that nobody stops, for all tests to compare with.
  private static let whole: SweepFixture? = {
    let fixture = try? SweepFixture(twentyFour)
    _ = try? fixture?.run("out")
    return fixture
  }()

  private let tables = ["results.csv", "trials.csv", "front.csv", "failed.csv"]

  @Test("24 runs give 24 ordinary run folders, and every number of theirs")
  func everything() throws {
    let fixture = try #require(Self.whole)
    let outcome = try fixture.run("out")
    #expect(outcome.exit == .done)
    #expect(outcome.missing == nil)
    #expect(outcome.results.doneRuns == 24)
    #expect(outcome.results.states.values.allSatisfy { $0 == .finished })
    let lines = try fixture.text("out/results.csv").split(separator: "\n").map(String.init)
    #expect(
      lines[0]
        == "trial,client.optimizer.learningRate,client.batch,strategy,seed,round,metric,value")
    #expect(!lines.contains { $0.contains("time.wall") })
    for run in fixture.sweep.runs {
      let folder = try RunFolder(fixture.folder.at("out/runs/\(run.folder)"))
      #expect(folder.unfinished.isEmpty)
      let strategy = try #require(folder.entries.first?.runs.first?.run)
      let accuracy = try #require(strategy.lastGeneric?.accuracy)
      let up = strategy.records.reduce(0) { $0 + $1.bytes.up }
      let rows = lines.filter { $0.hasPrefix("\(run.trial),") && $0.contains(",\(run.seed),4,") }
      #expect(rows.contains { $0.hasSuffix("generic.accuracy,\(CSV.number(accuracy))") })
      #expect(rows.contains { $0.hasSuffix("bytes.up,\(up)") })
    }
    #expect(try fixture.text("out/failed.csv").split(separator: "\n").count == 1)
    let trials = try fixture.text("out/trials.csv").split(separator: "\n")
    #expect(trials.count == 9)
    #expect(trials[1].hasPrefix("1,0.01,5,fedavg,finished,4,3,"))
  }

  @Test("a second sweep computes nothing: no file of a run changes")
  func again() throws {
    let fixture = try #require(Self.whole)
    let before = try fixture.tree("out/runs")
    #expect(before.count > 24 * 10)
    var started = 0
    let outcome = try fixture.run("out") { if case .started = $0 { started += 1 } }
    #expect(outcome.exit == .done)
    #expect(started == 0)
    #expect(try fixture.tree("out/runs") == before)
  }

  @Test("two shards, each stopped and continued, end with the tables of one go")
  func shards()
    throws
  {
    let whole = try #require(Self.whole)
    let fixture = try SweepFixture(Self.twentyFour)
    let first = try fixture.run("out", shard: "1/2", stopAfter: 7)
    #expect(first.exit == .interrupted)
    #expect(first.results.doneRuns < 3)
    #expect(try fixture.run("out", shard: "2/2", stopAfter: 10, threads: 2).exit == .interrupted)
    let second = try fixture.run("out", shard: "2/2")
    #expect(second.exit == .done)
    #expect(second.missing?.contains("of 24 runs") == true)
    #expect(try fixture.run("out", shard: "1/2", stopAfter: 5).exit == .interrupted)
    let last = try fixture.run("out", shard: "1/2")
    #expect(last.exit == .done)
    #expect(last.missing == nil)
    for table in tables {
      #expect(try fixture.text("out/\(table)") == whole.text("out/\(table)"), "\(table)")
    }
    // Without a shard there is nothing left but to gather.
    let before = try fixture.tree("out/runs")
    try removeFile(fixture.folder.at("out/results.csv"))
    try fixture.run("out")
    #expect(try fixture.tree("out/runs") == before)
    #expect(try fixture.text("out/results.csv") == whole.text("out/results.csv"))
  }

  @Test("a run that another process holds is left to it")
  func held() throws {
    let fixture = try SweepFixture(#""seeds": [1], "grid": { "client.batch": [5, 10] }"#)
    let run = try #require(fixture.sweep.runs.first)
    try fixture.folder.makeFolder("out/runs/\(run.folder)")
    let lock = try FolderLock(fixture.folder.at("out/runs/\(run.folder)"))
    var held = 0
    let outcome = try fixture.run("out") { if case .held = $0 { held += 1 } }
    #expect(held == 1)
    #expect(outcome.exit == .done)
    #expect(outcome.results.doneRuns == 1)
    #expect(outcome.missing != nil)
    withExtendedLifetime(lock) {}
  }

  @Test("another sweep file in the same folder takes over what it has, and leaves the rest alone")
  func changed() throws {
    let first = try SweepFixture(#""seeds": [1], "grid": { "client.batch": [5, 10] }"#)
    try first.run("out")
    let reading = SweepFixture.read(#""seeds": [1], "grid": { "client.batch": [10, 20] }"#)
    let runner = SweepRunner(
      try #require(reading.sweep), in: SweepFolder(first.folder.at("out")), shard: nil, threads: 1)
    var started: [Int] = []
    var alone = 0
    let outcome = try runner.run { event in
      if case .started(let run, _, _, _) = event { started.append(run.trial) }
      if case .leftAlone(let count) = event { alone = count }
    } report: { _, _ in
    }
    #expect(started == [2])
    #expect(alone == 1)
    #expect(outcome.results.doneRuns == 2)
    let trials = try first.text("out/trials.csv").split(separator: "\n").dropFirst()
    #expect(trials.map { $0.prefix(4) } == ["1,10", "2,20"])
    try first.folder.write("other/notes.txt", text: "mine")
    expectFailure(.folderInUse, "E9004") { try first.run("other") }
  }

  @Test("a run that diverges and one without data stop no other; both are in failed.csv")
  func failing() throws {
    let fixture = try SweepFixture(
      #"""
      "seeds": [1],
      "list": [ { "client.optimizer.learningRate": 1e6, "client.optimizer.weightDecay": 1e3 }, { "client.batch": 5 },
                { "data.dataset": { "kind": "mnist", "path": "nowhere" } }, { "client.batch": 10 } ]
      """#)
    let outcome = try fixture.run("out")
    #expect(outcome.exit == .sweepWithFailures)
    #expect(outcome.results.failed.map(\.run.trial) == [1, 3])
    #expect(outcome.results.failed.map(\.failure.code) == ["E8001", "E4001"])
    #expect(outcome.results.states == [1: .failed, 2: .finished, 3: .failed, 4: .finished])
    let failed = try fixture.text("out/failed.csv").split(separator: "\n")
    #expect(failed[0] == "run,trial,seed,exit,code,message,command")
    #expect(failed[1].contains(",1,1,5,E8001,") && failed[1].contains("diverged in round"))
    // Nobody is told to go on with what diverged.
    #expect(failed[1].hasSuffix(",") && !failed[1].contains("fedsim resume"))
    #expect(failed[2].contains(",3,1,4,E4001,"))
    let rows = try fixture.text("out/results.csv").split(separator: "\n").dropFirst()
    #expect(Set(rows.map { $0.prefix(1) }) == ["2", "4"])
    // What diverged would do so again; what lacked data may have them now.
    var started: [Int] = []
    let again = try fixture.run("out") { event in
      if case .started(let run, _, _, _) = event { started.append(run.trial) }
    }
    #expect(started == [3])
    #expect(again.exit == .sweepWithFailures)
  }

  @Test("a run that reaches its limit stops no other, and goes on once the limit is gone")
  func limited() throws {
    let trials = #""list": [ { "client.batch": 5 }, { "client.batch": 10 } ]"#
    let bound = try SweepFixture(
      trials, base: SweepFixture.base(more: #""limits": { "wallTime": 1e-9 },"#))
    let stopped = try bound.run("out")
    #expect(stopped.exit == .sweepWithFailures)
    #expect(stopped.results.failed.map(\.failure.code) == ["E6002", "E6002", "E6002", "E6002"])
    #expect(try bound.text("out/failed.csv").contains("limits.wallTime"))
    let free = try SweepFixture(trials)
    try free.run("whole")
    let runner = SweepRunner(
      free.sweep, in: SweepFolder(bound.folder.at("out")), shard: nil, threads: 1)
    let done = try runner.run(tell: { _ in }, report: { _, _ in })
    #expect(done.exit == .done)
    #expect(try bound.text("out/results.csv") == free.text("whole/results.csv"))
  }

  @Test("of two strategies one diverges: the other's numbers count")
  func half() throws {
    let fixture = try SweepFixture(
      #""seeds": [1], "list": [ { "client.work.epochs": 9 } ]"#,
      base: SweepFixture.base(
        strategies: #"""
          [ { "kind": "fedprox", "proximalWeight": 1e6, "label": "wild" }, { "kind": "fedavg" } ]
          """#))
    let outcome = try fixture.run("out")
    #expect(outcome.exit == .sweepWithFailures)
    #expect(outcome.results.failed.first?.failure.diverged == ["wild"])
    #expect(outcome.results.entries.map(\.label) == ["fedavg"])
    #expect(outcome.missing == nil, "nothing more can be done")
  }

  @Test("a listing writes nothing and knows what is done")
  func listing() throws {
    let fixture = try #require(Self.whole)
    let listing = try SweepListing(
      fixture.sweep, in: SweepFolder(fixture.folder.at("out")), shard: nil)
    #expect(listing.rows.map(\.state) == Array(repeating: "finished", count: 24))
    // 2 of 4 clients in 4 rounds, 10 images each in batches of 5.
    let cost = try #require(listing.rows.first?.cost)
    #expect(cost.clientRounds == 8)
    #expect(cost.steps == 16)
    let text = listing.text(fixture.sweep, width: 120)
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 120 })
    let other = SweepFolder(fixture.folder.at("nothing"))
    let fresh = try SweepListing(fixture.sweep, in: other, shard: SweepShard("1/2"))
    #expect(fresh.rows.allSatisfy { $0.state == "not begun" })
    #expect(fresh.rows.count < 24)
    #expect(!FileManager.default.fileExists(atPath: fixture.folder.at("nothing")))
  }

  @Test("the table fits its width", arguments: [60, 80, 120])
  func table(width: Int) throws {
    let results = try #require(Self.whole).run("out").results
    let text = SweepTable(results).text(width: width)
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= width }, "\(text)")
    let best = try #require(results.front.winners(0).first)
    #expect(text.contains("best generic.accuracy"))
    #expect(text.contains("trial \(best.trial) fedavg"))
    #expect(text.contains("*"))
  }

  @Test("the page draws a mark for every point and needs nothing from outside")
  func page() throws {
    var fixture = try SweepFixture(
      #"""
      "seeds": [1], "grid": { "federation.participation": [0.25, 0.5, 1] },
      "front": { "minimise": ["bytes.up", "privacy.epsilon"] }
      """#, base: SweepFixture.base(strategies: #"[ { "kind": "fedavg" }, { "kind": "fedper" } ]"#))
    try fixture.run("out")
    let html = try fixture.text("out/sweep.html")
    #expect(html.contains("generic.accuracy against bytes.up"))
    // Without privacy epsilon is infinite for all.
    #expect(html.contains(">none</text>"))
    #expect(html.components(separatedBy: "<path class=\"mark s0").count - 1 >= 6)
    #expect(html.contains("participation=0.25"))
    let bare = html.replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "")
    for word in ["http:", "https:", "url("] { #expect(!bare.contains(word), "\(word)") }
    for element in ["html", "head", "body", "main", "svg", "figure", "table", "tr", "path"] {
      let opened =
        html.components(separatedBy: "<\(element)>").count
        + html.components(separatedBy: "<\(element) ").count - 2
      let closed = html.components(separatedBy: "</\(element)>").count - 1
      #expect(element == "path" ? opened >= closed : opened == closed, "\(element)")
    }
    fixture = try SweepFixture(#""list": [ {} ]"#)
    let empty = try fixture.run("fresh", stopAfter: 0)
    #expect(empty.exit == .interrupted)
    #expect(try fixture.text("fresh/sweep.html").contains("0 of 2 runs done"))
  }
}
