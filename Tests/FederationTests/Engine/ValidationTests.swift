import Aggregation
import Base
import Client
import Data
import Federation
import Fixtures
import Records
import Scenario
import Testing

@Suite("Validation images, the best round, early stopping, unseen clients")
struct ValidationTests {
  private let data = SmallImages.floats(train: 60)

  private func text(_ evaluation: String, _ kinds: [String] = ["fedavg"]) -> ScenarioText {
    var text = ScenarioText()
    text.evaluation = evaluation
    text.publicSet = ScenarioText.somePublic.json
    text.strategies = kinds.map { ScenarioText.registered($0) }
    return text
  }

  @Test("nobody trains on validation images or on those of unseen clients, whatever the partition")
  func disjoint() throws {
    let partitions = [
      #"{ "kind": "iid" }"#, #"{ "kind": "dirichlet", "alpha": 0.5 }"#,
      #"{ "kind": "shards", "perClient": 2 }"#,
    ]
    for partition in partitions {
      for share in [0.1, 0.5, 0.9] {
        for local in [#"{}"#, #"{ "local": "holdout", "holdoutShare": 0.3 }"#] {
          var text = text(
            #"{ "validation": \#(share), "unseen": { "clients": 2 } }"#, ["fedavg"])
          text.partition = partition
          text.localTest = local
          text.seeds = "[1, 2, 3]"
          for split in try text.experiment(data).splits {
            let validation = try #require(split.validation)
            let unseen = try #require(split.unseen)
            #expect(split.clients.count == 3 && validation.count == 3 && unseen.clients.count == 2)
            let all =
              split.clients + validation + unseen.clients + (split.holdout ?? [])
              + (unseen.holdout ?? []) + [split.publicIndices]
            let flat = all.flatMap(\.self)
            #expect(Set(flat).count == flat.count)
            #expect(split.trainIndices == split.clients.flatMap(\.self).sorted())
            for (own, held) in zip(split.clients, validation) where own.count + held.count > 1 {
              let wanted = share * Double(own.count + held.count)
              #expect(!own.isEmpty && !held.isEmpty)
              #expect(abs(Double(held.count) - wanted) <= 1 || own.count == 1 || held.count == 1)
            }
            #expect(split.classCounts == data.train.classCounts(of: split.trainIndices))
          }
        }
      }
    }
  }

  @Test("the images of all other clients stay what they are when some are validated on")
  func nested() throws {
    let plain = try text("{}").experiment(data).splits[0]
    let held = try text(#"{ "validation": 0.25 }"#).experiment(data).splits[0]
    for client in 0..<3 {
      let both = held.clients[client] + (held.validation?[client] ?? [])
      #expect(both.sorted() == plain.clients[client].sorted())
    }
  }

  @Test("every method has its validation numbers and its unseen clients, whatever the threads")
  func everyMethod() throws {
    let kinds = StrategyRegistry.infos.map(\.kind)
    for seed in 0..<1 {
      let text = text(
        #"{ "every": 1, "validation": 0.3, "best": true, "unseen": { "clients": 2 } }"#, kinds)
      let fixture = try RunFixture { $0 = text }
      try fixture.run("one", threads: 1)
      try fixture.run("two", threads: 2)
      for kind in kinds {
        let one = try RunTrace.records(in: fixture.folder.at("one/\(kind)-s1"))
        var two = try RunTrace.records(in: fixture.folder.at("two/\(kind)-s1"))
        for place in two.indices { two[place].time = one[place].time }
        for place in two.indices { two[place].compression?.seconds = 0 }
        #expect(one == two, "\(kind)")
        let last = try #require(one.last)
        let validation = try #require(last.validation, "\(kind)")
        #expect((last.generic == nil) == (validation.generic == nil), "\(kind)")
        #expect((last.personal?.model == .own) == (validation.personal != nil), "\(kind)")
        #expect(validation.score == validation.generic?.balancedAccuracy ?? validation.personal)
        #expect(last.unseen?.model == last.personal?.model, "\(kind)")
        #expect(BestRound(one).round == validation.best, "\(kind) \(seed)")
      }
    }
  }

  @Test("the best round is the earliest of the best, and patience counts evaluations")
  func bestRound() {
    var stream = RandomStream(seed: 7, .test)
    for _ in 0..<2000 {
      let count = 1 + stream.below(12)
      let scores = (0..<count).map { _ -> Double? in
        stream.below(6) == 0 ? nil : Double(stream.below(4)) / 4
      }
      let records = scores.enumerated().map { place, score in
        var record = RoundRecord(
          round: 2 * place + 1, sampled: [], bytes: .init(up: 0, down: 0), time: .init(wall: 0),
          digest: "")
        record.validation = RoundRecord.Validation(score: score)
        return record
      }
      let best = BestRound(records)
      let known = scores.compactMap { $0 }
      if let highest = known.max(), let first = scores.firstIndex(of: highest) {
        #expect(best.round == records[first].round && best.score == highest)
        #expect(best.evaluationsSince == count - 1 - first)
      } else {
        #expect(best.round == nil && !best.isOver(1))
      }
      // Stopping later never comes before stopping sooner.
      let ends = (1...5).map { patience in
        (1...count).first { BestRound(records.prefix($0)).isOver(patience) } ?? Int.max
      }
      #expect(ends == ends.sorted())
    }
  }

  @Test("a run that ends early stays ended: resumed, verified, compared; the rest is as it was")
  func early() throws {
    var text = text(#"{ "every": 1, "validation": 0.3, "patience": 2, "best": true }"#)
    text.federation = #"{ "clients": 3, "rounds": 12 }"#
    text.optimizer = #"{ "kind": "sgd", "learningRate": 1e-30, "momentum": 0, "weightDecay": 0 }"#
    let fixture = try RunFixture { $0 = text }
    let result = try fixture.run("out")
    let records = try RunTrace.records(in: fixture.folder.at("out/fedavg-s1"))
    // Nothing is learnt, so nothing gets better than the first round.
    #expect(records.map(\.round) == [1, 2, 3])
    #expect(result.remarks.contains { $0.contains("fedavg after 3 of 12 rounds") })
    let files = ["out/fedavg-s1/rounds.jsonl", "out/environment.json"]
    let before = try files.map(fixture.bytes)
    try fixture.run("out", continues: true)
    #expect(try files.map(fixture.bytes) == before)
    let folder = try RunFolder(fixture.folder.at("out"))
    #expect(folder.unfinished.isEmpty)
    var whole = text
    whole.evaluation = #"{ "every": 1, "validation": 0.3 }"#
    let all = try RunFixture { $0 = whole }
    try all.run("out")
    let longer = try RunTrace.records(in: all.folder.at("out/fedavg-s1"))
    #expect(longer.prefix(3).map(\.digest) == records.map(\.digest))
  }

  @Test(
    "where all unseen clients have one model and one list, they are weighed by their own classes")
  func unseenWeights() throws {
    var text = text(#"{ "unseen": { "clients": 3 } }"#)
    text.partition = #"{ "kind": "dirichlet", "alpha": 0.3 }"#
    let fixture = try RunFixture { $0 = text }
    try fixture.run("out")
    let split = fixture.experiment.splits[0]
    let counts = try #require(split.unseen?.classCounts)
    let last = try #require(try RunTrace.records(in: fixture.folder.at("out/fedavg-s1")).last)
    // All test images are local tests here, so that a class has its recall.
    let recalls = try #require(last.generic?.perClass)
    let accuracies = (0..<3).filter { counts.total(of: $0) > 0 }.map { client -> Double in
      let total = Double(counts.total(of: client))
      return recalls.indices.reduce(0) { $0 + Double(counts[client, $1]) / total * recalls[$1] }
    }
    let unseen = try #require(last.unseen)
    #expect(unseen.model == .generic)
    #expect(abs(unseen.accuracy - Metrics.mean(accuracies)) < 1e-12)
    #expect(abs(unseen.fairness.worst - (accuracies.min() ?? -1)) < 1e-12)
  }

  @Test("clients of one image keep none for validation, and the run says that no round is the best")
  func nothingHeld() throws {
    var text = text(#"{ "validation": 0.5, "best": true, "patience": 1 }"#)
    text.publicSet = nil
    text.federation = #"{ "clients": 3, "rounds": 3 }"#
    let file = try PartitionFile(clients: [[0], [1], [2]])
    text.partition = file.json
    let experiment = try text.experiment(data)
    #expect(experiment.warnings.contains { $0.contains("no client keeps an image for validation") })
    #expect(try experiment.trial().digests.count == 4)
  }

  @Test("with best, results are those of that round, and costs those of all")
  func selected() {
    func record(_ round: Int, _ accuracy: Double, best: Int?) -> RoundRecord {
      var record = RoundRecord(
        round: round, sampled: [], bytes: .init(up: 10, down: 1), time: .init(wall: 0), digest: "")
      record.generic = .init(
        accuracy: accuracy, loss: 1, balancedAccuracy: accuracy, macroF1: 0, perClass: [])
      record.validation = .init(score: accuracy, best: best)
      return record
    }
    let run = StrategyRun(
      seed: 1, records: [record(1, 0.2, best: 1), record(2, 0.6, best: 2), record(3, 0.4, best: 2)])
    #expect(run.lastGeneric?.accuracy == 0.6)
    #expect(HeadlineMetric.all.first { $0.name == "bytes.up" }?.read(run) == 30)
    #expect(ComparisonMetric("validation.best")?.read(run) == 2)
    let last = StrategyRun(
      seed: 1, records: [record(1, 0.2, best: nil), record(2, 0.1, best: nil)])
    #expect(last.lastGeneric?.accuracy == 0.1)
    #expect(ComparisonMetric("validation.best")?.read(last) == nil)
  }

  @Test(
    "what cannot be meant is refused, what has no effect is said",
    arguments: [
      (#"{ "patience": 2 }"#, "E3220", "$.evaluation.patience"),
      (#"{ "best": true }"#, "E3220", "$.evaluation.best"),
      (#"{ "selectBy": "generic.loss" }"#, "E3220", "$.evaluation.selectBy"),
      (#"{ "validation": 0 }"#, "E3103", "$.evaluation.validation"),
      (#"{ "validation": 0.1, "selectBy": "generic.loss" }"#, "W3021", "$.evaluation.selectBy"),
      (#"{ "every": 1, "validation": 0.1, "patience": 9 }"#, "W3021", "$.evaluation.patience"),
      (
        #"{ "validation": 0.1, "selectBy": "loss", "best": true }"#, "E3105",
        "$.evaluation.selectBy"
      ),
      (#"{ "unseen": {} }"#, "E3104", "$.evaluation.unseen.clients"),
    ])
  func wrong(evaluation: String, code: String, path: String) {
    let problems = text(evaluation).problems
    #expect(problems.contains { $0.code == code && $0.path == path }, "\(problems)")
  }

  @Test("a measure that a method does not have is refused before anything is written")
  func missingMeasure() throws {
    let pairs = [("fedper", "generic.loss"), ("fedavg", "personal.accuracy")]
    for (kind, metric) in pairs {
      let experiment = try text(
        #"{ "validation": 0.2, "best": true, "selectBy": "\#(metric)" }"#, [kind]
      ).experiment(data)
      expectFailure(.scenarioInvalid, "E3222", [kind, metric]) {
        try experiment.requireRunnable(threads: 1)
      }
    }
  }
}
