import Aggregation
import Base
import Federation
import Fixtures
import Records
import Tensor
import Testing

@Suite("The folder of an experiment")
struct RunFolderTests {
  @Test("every file of the contract is written, for every strategy")
  func files() throws {
    let kinds = StrategyRegistry.infos.map(\.kind)
    let fixture = try RunFixture { $0.strategies = kinds.map { ScenarioText.registered($0) } }
    let result = try fixture.run("out")
    #expect(result.exit == .done)
    #expect(result.results.map(\.label) == kinds)
    let files = Set(try fixture.files("out"))
    for name in [
      "scenario.json", "scenario.resolved.json", "environment.json", "split/partition.json",
      "split/summary.csv", "split/normalization.json", "summary.json", "results.csv", "report.html",
    ] { #expect(files.contains(name), "\(name)") }
    for (index, kind) in kinds.enumerated() {
      for name in [
        "rounds.jsonl", "classes.csv", "clients.csv", "messages.csv", "digest.txt",
        "checkpoints/last.json", "checkpoints/last.safetensors",
        "tensorboard/events.out.tfevents.0.fedsim",
      ] { #expect(files.contains("\(kind)-s1/\(name)"), "\(kind) \(name)") }
      let models = try fixture.experiment.models(ofStrategy: index)
      #expect(files.contains("\(kind)-s1/final/generic.safetensors") == models.contains(.generic))
      for client in 0..<3 {
        #expect(
          files.contains("\(kind)-s1/final/personal/00\(client).safetensors")
            == models.contains(.personal))
      }
    }
    #expect(try fixture.bytes("out/scenario.json") == Array(fixture.text.json.utf8))
  }

  @Test("rounds.jsonl has one line per round with the keys of the contract, and a digest chain")
  func rounds() throws {
    let fixture = try RunFixture {
      $0.strategies = [ScenarioText.strategy("fedavg-ft")]
      $0.federation = #"{ "clients": 3, "rounds": 5, "participation": 0.67 }"#
      $0.evaluation = #"{ "every": 2 }"#
    }
    try fixture.run("out")
    let trial = try fixture.experiment.trial()
    let rounds = try fixture.rounds("out/fedavg-ft-s1")
    #expect(rounds.map { $0["round"]?.int } == [1, 2, 3, 4, 5])
    for (index, round) in rounds.enumerated() {
      let isEvaluated = [1, 2, 4, 5].contains(index + 1)
      let measures = isEvaluated ? ["generic", "personal"] : []
      let keys = ["round", "sampled", "bytes", "train"] + measures + ["time", "digest"]
      #expect(round.members?.map(\.key) == keys)
      #expect(round["sampled"]?.elements?.compactMap(\.int) == trial.cohorts[index])
      #expect(round["bytes"]?["up"]?.int == trial.bytesUp[index])
      #expect(round["train"]?["loss"]?.double == trial.trainLoss[index])
      #expect(round["digest"]?.text == trial.digests[index + 1])
    }
    let digests = try fixture.lines("out/fedavg-ft-s1/digest.txt")
    #expect(digests == trial.digests.enumerated().map { "\($0.offset) \($0.element)" })
    // Header; four evaluated rounds of three classes, of both models, and of three clients.
    #expect(try fixture.lines("out/fedavg-ft-s1/classes.csv").count == 1 + 4 * 2 * 3)
    #expect(try fixture.lines("out/fedavg-ft-s1/clients.csv").count == 1 + 4 * 3)
  }

  @Test("the models written are those of the last round, with PyTorch's names")
  func models() throws {
    let fixture = try RunFixture { $0.strategies = [ScenarioText.strategy("fedavg-ft")] }
    try fixture.run("out")
    let trial = try fixture.experiment.trial()
    let layout = fixture.experiment.network.layout
    func model(_ name: String) throws -> [Float] {
      let bytes = try fixture.bytes("out/fedavg-ft-s1/final/\(name).safetensors")
      let file = try Safetensors(decoding: bytes)
      #expect(file.items.map(\.name) == ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"])
      return try layout.parameters(from: file)
    }
    #expect(try model("generic") == trial.model)
    for client in 0..<3 { #expect(try model("personal/00\(client)") == trial.clientModels[client]) }
  }

  /// Class scores of every public image.
  private static let predictions = ScenarioText.somePublic.count * 3

  /// Floats up and down per client and round, by strategy, in a model of w floats with a head of h.
  static let floats: [(kind: String, floats: @Sendable (_ w: Int, _ h: Int) -> Int)] = [
    ("fedavg", { w, _ in w }), ("fedprox", { w, _ in w }), ("fedavgm", { w, _ in w }),
    ("fedavg-ft", { w, _ in w }), ("scaffold", { w, _ in 2 * w }), ("fedper", { w, h in w - h }),
    ("local-only", { _, _ in 0 }), ("centralised", { _, _ in 0 }), ("feddf", { w, _ in w }),
    ("fedloge", { w, _ in w }), ("fedrod", { w, _ in w }), ("knfu", { _, _ in predictions }),
    ("fedmd", { _, _ in predictions }), ("fedetf", { w, _ in w + 1 }),
    ("linear-probe", { _, h in h }),
    // A site on six channels: scale and shift; a head; a key for each of 25 entries.
    ("fedins", { _, h in 25 * (2 * 6 + h + 6) }), ("fedssf", { _, h in 2 * 6 + h }),
    ("fedadam", { w, _ in w }), ("fedyogi", { w, _ in w }), ("fedadagrad", { w, _ in w }),
    ("feddyn", { w, _ in w }), ("moon", { w, _ in w }), ("fedrep", { w, h in w - h }),
    ("fedbabu", { w, h in w - h }), ("fedbn", { w, _ in w }), ("lg-fedavg", { _, h in h }),
    ("ditto", { w, _ in w }), ("pfedme", { w, _ in w }), ("per-fedavg", { w, _ in w }),
    ("apfl", { w, _ in w }),
  ]

  /// Methods whose directions, rounds or clients differ: their formulas are in their own tests.
  static let elsewhere = [
    "fednova", "ccvr", "creff", "fedd2s", "feddistill", "fedproto", "fedgen", "fedbuff", "fedasync",
  ]

  @Test("bytes of a round are the sum over its messages, and what the method's formula says")
  func bytes() throws {
    let kinds = Self.floats.map(\.kind) + Self.elsewhere
    #expect(kinds.sorted() == StrategyRegistry.infos.map(\.kind).sorted())
    let fixture = try RunFixture {
      $0.strategies = Self.floats.map { ScenarioText.registered($0.kind) }
      $0.federation = #"{ "clients": 3, "rounds": 3, "participation": 0.67 }"#
    }
    try fixture.run("out")
    let (w, h) = ((24 + 1) * 6 + (6 + 1) * 3, (6 + 1) * 3)
    #expect(fixture.experiment.network.layout.count == w)
    for (kind, floats) in Self.floats {
      let rounds = try fixture.rounds("out/\(kind)-s1")
      let rows = try fixture.lines("out/\(kind)-s1/messages.csv").dropFirst().map {
        $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
      for round in rounds {
        let number = try #require(round["round"]?.int)
        let cohort = try #require(round["sampled"]?.elements).count
        for direction in ["up", "down"] {
          let sent = rows.filter { $0[0] == "\(number)" && $0[2] == direction }
          let bytes = sent.compactMap { Int($0[7]) }.reduce(0, +)
          #expect(round["bytes"]?[direction]?.int == bytes)
          #expect(bytes == 4 * floats(w, h) * cohort, "\(kind) \(direction)")
          // The shape of every tensor is that of its bytes.
          for row in sent {
            let count = row[5].split(separator: "x").compactMap { Int($0) }.reduce(1, *)
            #expect(Int(row[6]) == 4 * count)
          }
        }
      }
    }
  }

  @Test("helped is there when local-only is, and says who is better off than alone")
  func helped()
    throws
  {
    let fixture = try RunFixture {
      // The reference runs first wherever it stands.
      $0.strategies = ["fedavg", "local-only"].map { ScenarioText.strategy($0) }
    }
    try fixture.run("out")
    let rows = try fixture.lines("out/fedavg-s1/clients.csv").dropFirst().map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    let alone = try fixture.lines("out/local-only-s1/clients.csv").dropFirst().map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    #expect(rows.map { $0[6] } == alone.map { $0[4] })
    for round in try fixture.rounds("out/fedavg-s1") {
      let mine = rows.filter { $0[0] == "\(round["round"]?.int ?? 0)" }
      let better = mine.count { (Double($0[4]) ?? 0) > (Double($0[6]) ?? 0) }
      let share = round["personal"]?["fairness"]?["helped"]?.double
      #expect(share == Double(better) / Double(mine.count))
    }
    let own = try #require(try fixture.rounds("out/local-only-s1").first)
    #expect(own["personal"] != nil)
    #expect(own["personal"]?["fairness"]?["helped"] == nil)
    let without = try RunFixture { $0.strategies = [ScenarioText.strategy("fedavg")] }
    try without.run("out")
    let first = try #require(try without.rounds("out/fedavg-s1").first)
    #expect(first["personal"]?["fairness"]?["helped"] == nil)
  }

  @Test("without rounds the initial model is measured and written")
  func noRounds() throws {
    let fixture = try RunFixture {
      $0.strategies = ["fedavg", "fedper"].map { ScenarioText.strategy($0) }
      $0.federation = #"{ "clients": 3, "rounds": 0 }"#
    }
    #expect(try fixture.run("out").exit == .done)
    let before = try fixture.bytes("out/fedavg-s1/classes.csv")
    #expect(try fixture.lines("out/fedavg-s1/digest.txt").count == 1)
    #expect(try fixture.run("out", continues: true).exit == .done)
    #expect(try fixture.bytes("out/fedavg-s1/classes.csv") == before)
    let rounds = try fixture.rounds("out/fedavg-s1")
    #expect(rounds.map { $0["round"]?.int } == [0])
    #expect(rounds.first?["generic"]?["accuracy"]?.double != nil)
    #expect(rounds.first?["train"] == nil)
    let trial = try fixture.experiment.trial()
    #expect(trial.model == trial.initial)
    #expect(try fixture.lines("out/fedavg-s1/digest.txt") == ["0 \(trial.digests[0])"])
    let file = try Safetensors(
      decoding: try fixture.bytes("out/fedavg-s1/final/generic.safetensors"))
    let model = try fixture.experiment.network.layout.parameters(from: file)
    #expect(model == trial.initial)
  }

  @Test("a run that diverges ends with exit 5, and the others go on")
  func divergence() throws {
    let fixture = try RunFixture {
      $0.strategies = [
        ScenarioText.strategy("fedprox", #""proximalWeight": 1e6"#),
        ScenarioText.strategy("fedavg"),
      ]
      $0.federation = #"{ "clients": 3, "rounds": 8 }"#
    }
    let result = try fixture.run("out")
    #expect(result.exit == .diverged)
    #expect(result.troubles.count == 1)
    #expect(result.troubles.first?.contains("fedprox seed 1: diverged in round") == true)
    #expect(try fixture.rounds("out/fedavg-s1").count == 8)
    #expect(!fixture.exists("out/fedprox-s1/final/generic.safetensors"))
    #expect(fixture.exists("out/report.html"))
  }
}
