import Federation
import Testing

@testable import Base
@testable import Scenario
@testable import Studies

@Suite("Reading sweep files")
struct SweepReaderTests {
  private func trials(_ members: String, base: String = SweepFixture.base()) throws -> [[String]] {
    let reading = SweepFixture.read(members, base: base)
    let sweep = try #require(reading.sweep, "\(reading.problems.map(\.text))")
    return sweep.trials.map(\.overrides)
  }

  @Test("a grid is the product, its last path varying fastest")
  func grid() throws {
    let found = try trials(
      #""grid": { "client.batch": [4, 5], "//": "why", "$.federation.rounds": [2, 3, 4] }"#)
    #expect(
      found == [
        ["client.batch=4", "federation.rounds=2"], ["client.batch=4", "federation.rounds=3"],
        ["client.batch=4", "federation.rounds=4"], ["client.batch=5", "federation.rounds=2"],
        ["client.batch=5", "federation.rounds=3"], ["client.batch=5", "federation.rounds=4"],
      ])
  }

  @Test("a list adds points of their own, {} is the scenario as it is")
  func list() throws {
    let found = try trials(
      #"""
      "grid": { "client.batch": [4] },
      "list": [ {}, { "federation.rounds": 7, "strategies.0.kind": "scaffold" } ]
      """#)
    #expect(
      found == [
        ["client.batch=4"], [], ["federation.rounds=7", "strategies[0].kind=\"scaffold\""],
      ])
  }

  @Test("drawn values depend on seed, trial and path alone, and stay in their bounds")
  func random()
    throws
  {
    func draw(_ trials: Int, _ seed: Int, _ more: String = "") throws -> [[String]] {
      try self.trials(
        #"""
        "random": { \#(more) "client.optimizer.learningRate": { "log": [0.001, 0.5] },
          "client.batch": { "integers": [2, 9] }, "trials": \#(trials), "seed": \#(seed) }
        """#)
    }
    let few = try draw(3, 1)
    let many = try draw(40, 1)
    #expect(few.count == 3)
    #expect(Array(many.prefix(3)) == few)
    #expect(try draw(3, 2) != few)
    let wider = try draw(3, 1, #""federation.participation": { "uniform": [0.4, 0.9] },"#)
    #expect(wider.map { Array($0.dropFirst()) } == few)
    var rates: [Double] = []
    var batches: Set<Int> = []
    for trial in many {
      let rate = try #require(Double(trial[0].split(separator: "=")[1]))
      #expect((0.001...0.5).contains(rate))
      #expect(SweepPoints.rounded(rate) == rate)
      rates.append(rate)
      batches.insert(try #require(Int(trial[1].split(separator: "=")[1])))
    }
    #expect(batches.isSubset(of: Set(2...9)))
    #expect(batches.count >= 6, "40 draws of 8 values")
    // Half of a logarithmic distribution is below the geometric mean, 0.0224.
    #expect((10...30).contains(rates.count { $0 < 0.0224 }))
  }

  @Test(
    "six significant digits",
    arguments: [
      (0.0314159265, 0.0314159), (123456.5, 123457.0), (-2.0 / 3, -0.666667), (0.05, 0.05), (0, 0),
      (1e-12, 1e-12), (7e15, 7e15), (0.99999995, 1.0),
    ] as [(Double, Double)])
  func rounded(number: Double, expected: Double) {
    #expect(SweepPoints.rounded(number) == expected)
  }

  @Test("null takes fields away; a null epsilon means no privacy")
  func null() throws {
    let privacy = #"""
      "privacy": { "unit": "example", "clip": 1, "target": { "epsilon": 8, "delta": 1e-3 } },
      """#
    let reading = SweepFixture.read(
      #"""
      "grid": { "privacy.target.epsilon": [4, null], "privacy.clip": [0.5, 1] },
      "list": [ { "client.optimizer.learningRate": null }, { "privacy": null } ]
      """#, base: SweepFixture.base(more: privacy))
    let sweep = try #require(reading.sweep, "\(reading.problems.map(\.text))")
    #expect(
      sweep.trials.map(\.overrides) == [
        ["privacy.target.epsilon=4", "privacy.clip=0.5"],
        ["privacy.target.epsilon=4", "privacy.clip=1"], ["privacy.clip=0.5", "privacy=null"],
        ["client.optimizer.learningRate=null"],
      ])
    // Without privacy its clip does not matter: trials 4 and 6 are trial 3.
    #expect(sweep.trials.map(\.number) == [1, 2, 3, 5])
    let warnings = reading.problems.filter { $0.code == "W3090" }
    #expect(warnings.map { $0.message.suffix(9) } == ["(trial 4)", "(trial 6)"])
    #expect(warnings.allSatisfy { $0.message.contains("of trial 3 again") })
    #expect(sweep.trials[2].scenario.strategies[0].privacy == nil)
    #expect(sweep.trials[0].scenario.strategies[0].privacy != nil)
    #expect(sweep.trials[2].values == [nil, nil, .number(0.04), nil])
    #expect(sweep.paths[3] == "privacy")
    #expect(sweep.trials[3].resolved["client"]?["optimizer"]?["learningRate"]?.double == 0.05)
  }

  @Test("a run has the hash of its scenario with its seed alone")
  func hashes() throws {
    let base = SweepFixture.base()
    let reading = SweepFixture.read(
      #""seeds": [7, 9], "grid": { "client.batch": [4, 5] }"#, base: base)
    let sweep = try #require(reading.sweep)
    #expect(sweep.trials.flatMap(\.runs).count == 4)
    for trial in sweep.trials {
      for run in trial.runs {
        let alone = ScenarioReader().read(
          bytes: Array(base.utf8), file: "base.json",
          overrides: trial.overrides + ["seeds=[\(run.seed)]"])
        #expect(alone.hash == run.hash)
      }
    }
    #expect(sweep.runs.map(\.seed) == [7, 7, 9, 9], "seed-major")
    let parts = (1...3).compactMap { SweepShard("\($0)/3") }
    for run in sweep.runs { #expect(parts.count { $0.owns(run) } == 1) }
  }

  @Test(
    "shards are i/n",
    arguments: ["0/2", "3/2", "1", "1/", "/2", "1/2/3", "+1/2", "a/b", "1/0", "1/9999999"])
  func shards(text: String) { #expect(SweepShard(text) == nil) }

  @Test(
    "what is wrong is said with its code, its line and what was meant",
    arguments: [
      (
        #""list": [{}], "prune": { "kind": "halving", "rungs": [1], "metric": "time.wall" }"#,
        "E3427", "time.wall"
      ), (#""gird": { "client.batch": [4] }"#, "E3101", "\"grid\""),
      (#""grid": { "client.batch": 4 }"#, "E3102", "a list"),
      (#""grid": { "client.batch": [] }"#, "E3108", "1 to"),
      (#""grid": { "client.batch": [4, 4] }"#, "E3109", "again"),
      (#""grid": { "client..batch": [4] }"#, "E3421", "client..batch"),
      (#""grid": { "seeds": [[1], [2]] }"#, "E3422", "seeds"),
      (
        #""grid": { "strategies[0].kind": ["fedavg"], "strategies.0.kind": ["fedper"] }"#, "E3423",
        "twice"
      ), (#""list": []"#, "E3424", "no trial"), (#""random": { "trials": 3 }"#, "E3424", "no path"),
      (#""random": { "client.batch": {}, "trials": 1 }"#, "E3425", "no distribution"),
      (#""random": { "client.batch": { "log": [0, 1] }, "trials": 1 }"#, "E3425", "0 < low"),
      (
        #""random": { "client.batch": { "integers": [3, 2] }, "trials": 1 }"#, "E3425",
        "low <= high"
      ), (#""random": { "client.batch": { "lgo": [1, 2] }, "trials": 1 }"#, "E3101", "\"log\""),
      (#""list": [{}], "prune": { "kind": "halving", "rungs": [2, 1] }"#, "E3426", "ascending"),
      (#""list": [{}], "prune": { "kind": "halving", "rungs": [9] }"#, "E3426", "beyond the 4"),
      (
        #""list": [{}], "prune": { "kind": "halving", "rungs": [1], "factor": 2, "keep": 0.5 }"#,
        "E3106", "both"
      ),
      (
        #""list": [{}], "front": { "maximise": ["generic.acuracy"] }"#, "E3427",
        "\"generic.accuracy\""
      ),
      (
        #""list": [{}], "front": { "maximise": ["bytes.up"], "minimise": ["bytes.up"] }"#, "E3428",
        "both"
      ),
      (
        #""grid": { "client.batch": [4] }, "random": { "model.width": { "choice": [1] }, "trials": 100000 }"#,
        "E3429", "100001"
      ), (#""grid": { "client.optimizer.learningrate": [4] }"#, "E3101", "learningRate"),
      (#""grid": { "client.batch": [4, -1] }"#, "E3103", "(trial 2)"),
      (#""list": [{}, { "strategies[3].kind": "fedavg" }]"#, "E3004", "no element [3]"),
    ])
  func wrong(members: String, code: String, words: String) throws {
    let reading = SweepFixture.read(members)
    #expect(reading.sweep == nil)
    let problem = try #require(
      reading.problems.first { $0.code == code }, "\(reading.problems.map(\.text))")
    #expect(problem.text.contains(words), "\(problem.text)")
    #expect(problem.line == 3 || code == "E3424", "\(problem.text)")
  }

  @Test("all problems of all trials are told at once, each once")
  func everything() throws {
    let reading = SweepFixture.read(
      """
      "grid": { "client.batch": [4,
         -1], "client.optimizer.learningRate": [0.1,
         0, "x"] }
      """)
    #expect(reading.sweep == nil)
    let told = reading.problems.filter { $0.severity == .error }.map { "\($0.code) \($0.line)" }
    #expect(told.sorted() == ["E3102 5", "E3103 4", "E3103 5"])
    #expect(reading.problems.contains { $0.message.contains("(trials 4, 5, 6)") })
    #expect(reading.problems.contains { $0.message.contains("(trials 2, 5)") })
  }

  @Test("problems of the file and of its trials are told together")
  func together() {
    let reading = SweepFixture.read(
      #""gird": {}, "grid": { "client.batch": [4, -1] }, "order": "any""#)
    #expect(reading.problems.map(\.code).sorted() == ["E3101", "E3103", "E3105"])
    #expect(reading.sweep == nil)
  }

  @Test("a problem of the base scenario is told at the line that names it")
  func base() throws {
    let wrong = SweepFixture.base().replacing("\"clients\": 4", with: "\"clients\": 0")
    let reading = SweepFixture.read(#""grid": { "client.batch": [4, 5] }"#, base: wrong)
    let problem = try #require(reading.problems.first)
    #expect(problem.line == 2)
    #expect(problem.message.contains("base.json:4"))
    #expect(!problem.message.contains("trial"))
    let missing = SweepReader().read(
      bytes: Array(#"{ "fedsim": 1, "kind": "sweep", "base": "no.json", "list": [{}] }"#.utf8),
      file: "test.json"
    ) { name throws(Failure) in throw Failure(.dataMissingOrCorrupt, "E4001", "\(name): gone") }
    #expect(missing.problems.map(\.code) == ["E3420"])
  }

  @Test("random bytes and cut files never trap")
  func fuzz() {
    let text = #"""
      { "fedsim": 1, "kind": "sweep", "base": "base.json", "grid": { "client.batch": [4, null] },
        "random": { "a.b": { "log": [1, 2] }, "trials": 2, "seed": 3 }, "order": "trial-major",
        "prune": { "kind": "halving", "rungs": [1, 2] }, "front": { "reference": { "x": 1 } } }
      """#
    let bytes = Array(text.utf8)
    var stream = RandomStream(seed: 1, .test)
    for round in 0..<400 {
      var changed = Array(bytes.prefix(round % 2 == 0 ? bytes.count : stream.below(bytes.count)))
      for _ in 0..<3 where !changed.isEmpty {
        changed[stream.below(changed.count)] = UInt8(stream.below(128))
      }
      let reading = SweepReader().read(bytes: changed, file: "x.json") { _ in
        ("base.json", Array(SweepFixture.base().utf8))
      }
      #expect(reading.sweep != nil || reading.problems.contains { $0.severity == .error })
    }
  }
}
