import Fixtures
import Foundation
import Testing

@testable import Base
@testable import Records
@testable import Studies

@Suite("Successive halving", .serialized)
struct HalvingTests {
  private func halving(_ metric: String = "generic.accuracy", keep: Double = 1.0 / 3) throws
    -> Halving
  { Halving(metric: try #require(ComparisonMetric(metric)), rungs: [1], keep: keep) }

  @Test("the best n/eta go on, rounded down, at least one")
  func counts() throws {
    let third = try halving()
    #expect((1...10).map { third.kept(of: $0) } == [1, 1, 1, 1, 1, 2, 2, 2, 3, 3])
    #expect(third.kept(of: 27) == 9)
    #expect(try halving(keep: 0.5).kept(of: 5) == 2)
    #expect(try halving(keep: 0.1).kept(of: 30) == 3)
  }

  @Test("ties go to the earlier trial, those without a value come last")
  func ranks() throws {
    let half = try halving(keep: 0.5)
    #expect(half.best([0.1, 0.5, 0.3, 0.4]) == [1, 3])
    #expect(half.best([0.2, 0.2, 0.2, 0.2]) == [0, 1])
    #expect(half.best([nil, nil, 0.1, nil]) == [0, 2])
    #expect(try halving("generic.loss", keep: 0.5).best([0.1, 0.5, 0.3, nil]) == [0, 2])
  }

  private static let members = #"""
    "grid": { "client.optimizer.learningRate": [0.3, 0.003, 0.03, 0.1, 0.001, 0.01] },
    "prune": { "kind": "halving", "rungs": [2, 5], "factor": 2 }
    """#
  private static let base = SweepFixture.base(
    rounds: 8, more: #""output": { "checkpointEvery": 3 },"#,
    strategies: #"[ { "kind": "fedper" }, { "kind": "scaffold" } ]"#)

  /// The mean over seeds of the best strategy's last accuracy up to a round, read from the files
  /// of runs that were never stopped.
  private func value(_ fixture: SweepFixture, _ trial: SweepTrial, upTo rung: Int) throws -> Double
  {
    var best = -1.0
    for label in ["fedper", "scaffold"] {
      var sum = 0.0
      var count = 0.0
      for run in trial.runs {
        let text = try fixture.text("full/runs/\(run.folder)/\(label)-s\(run.seed)/rounds.jsonl")
        let accuracies = try text.split(separator: "\n").compactMap { line -> Double? in
          let json = try JSON(parsing: Array(line.utf8))
          guard json["round"]?.int ?? 99 <= rung else { return nil }
          return json["generic"]?["accuracy"]?.double
        }
        guard let last = accuracies.last else { continue }
        sum += last
        count += 1
      }
      if count == Double(trial.runs.count) { best = max(best, sum / count) }
    }
    return best
  }

  @Test("it picks what a slow reading of full runs picks; who goes on has the bits of a full run")
  func picks() throws {
    let fixture = try SweepFixture(Self.members, base: Self.base)
    let full = SweepFixture.read(
      #""grid": { "client.optimizer.learningRate": [0.3, 0.003, 0.03, 0.1, 0.001, 0.01] }"#,
      base: Self.base)
    let sweep = try #require(full.sweep)
    _ = try SweepRunner(sweep, in: SweepFolder(fixture.folder.at("full")), shard: nil, threads: 1)
      .run(interruption: { nil }, tell: { _ in }, report: { _, _ in })

    var active = sweep.trials
    var stopped: [Int: Int] = [:]
    for (rung, kept) in [(2, 3), (5, 1)] {
      let values = try active.map { try value(fixture, $0, upTo: rung) }
      let ranked = active.indices.sorted {
        values[$0] == values[$1] ? $0 < $1 : values[$0] > values[$1]
      }
      for index in ranked.dropFirst(kept) { stopped[active[index].number] = rung }
      active = ranked.prefix(kept).sorted().map { active[$0] }
    }

    let outcome = try fixture.run("out", stopAfter: nil)
    #expect(outcome.exit == .done)
    #expect(outcome.missing == nil)
    #expect(
      outcome.results.states
        == Dictionary(
          uniqueKeysWithValues: (1...6).map { ($0, stopped[$0] == nil ? .finished : .pruned) }))
    for trial in fixture.sweep.trials {
      for run in trial.runs {
        for label in ["fedper", "scaffold"] {
          let file = "runs/\(run.folder)/\(label)-s\(run.seed)/digest.txt"
          let all = try fixture.text("full/\(file)").split(separator: "\n")
          let rounds = stopped[trial.number] ?? 8
          // Round 0 has a line, too.
          let expected = all.prefix(rounds + 1)
          #expect(try fixture.text("out/\(file)").split(separator: "\n") == Array(expected))
        }
      }
    }
    let winner = try #require(active.first?.runs.first)
    for name in ["fedper-s1/clients.csv", "scaffold-s1/final/generic.safetensors"] {
      let path = "runs/\(winner.folder)/\(name)"
      let bytes = FileManager.default.contents(atPath: fixture.folder.at("full/" + path))
      #expect(bytes != nil)
      #expect(FileManager.default.contents(atPath: fixture.folder.at("out/" + path)) == bytes)
    }
    // Trials that were stopped are read at their rung and are on no front.
    #expect(outcome.results.front.points.allSatisfy { $0.trial == active.first?.number })
    let rows = try fixture.text("out/trials.csv").split(separator: "\n").dropFirst()
    #expect(rows.count == 12)
    #expect(rows.count { $0.contains(",pruned,2,2,") } == 6)
    #expect(rows.count { $0.contains(",pruned,5,2,") } == 4)

    try sharded(fixture, like: "out")
  }

  /// Shards wait for each other at rungs and end with the same tables.
  private func sharded(_ fixture: SweepFixture, like expected: String) throws {
    let first = try fixture.run("parts", shard: "1/2")
    #expect(first.exit == .done)
    #expect(first.missing?.contains("rung 2") == true)
    var turn = 0
    var missing = first.missing
    while missing != nil, turn < 12 {
      turn += 1
      // Some of the turns are interrupted.
      missing = try fixture.run(
        "parts", shard: turn % 2 == 1 ? "2/2" : "1/2", stopAfter: turn == 1 ? 5 : nil
      ).missing
    }
    #expect(missing == nil)
    for table in ["results.csv", "trials.csv", "front.csv", "failed.csv"] {
      #expect(try fixture.text("parts/\(table)") == fixture.text("\(expected)/\(table)"))
    }
  }

  @Test("a trial that diverges is behind all others")
  func diverged() throws {
    let fixture = try SweepFixture(
      #"""
      "seeds": [1],
      "list": [ { "client.optimizer.learningRate": 1e6, "client.optimizer.weightDecay": 1e3,
                  "client.work.epochs": 4 }, { "client.batch": 10 } ],
      "prune": { "kind": "halving", "rungs": [2], "keep": 0.5 }
      """#)
    let outcome = try fixture.run("out")
    #expect(outcome.exit == .sweepWithFailures)
    #expect(outcome.results.states == [1: .failed, 2: .finished])
    #expect(outcome.missing == nil)
  }
}
