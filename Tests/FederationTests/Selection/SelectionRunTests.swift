import Data
import Client
import Aggregation
import Base
import Federation
import Fixtures
import Foundation
import Scenario
import Testing

/// Cohorts in whole runs.
@Suite("Client selection in runs")
struct SelectionRunTests {
  static let sizes = [13, 7, 22]

  /// Three unequal clients; a linear model that starts from zero, so that every loss is ln 3.
  private func experiment(
    _ sampling: String, perRound: Int, rounds: Int = 1, kind: String = "fedavg"
  ) throws -> Experiment {
    let partition = try PartitionFile(sizes: Self.sizes)
    var text = ScenarioText(partition: partition.json)
    text.federation =
      #"{ "clients": 3, "rounds": \#(rounds), "perRound": \#(perRound), "sampling": \#(sampling) }"#
    text.model = #"{ "kind": "logistic", "init": "zero" }"#
    text.work = #"{ "epochs": 1 }"#
    text.batch = 32
    text.strategies = [#"{ "kind": "\#(kind)" }"#]
    return try text.experiment(SmallImages.floats(train: Self.sizes.reduce(0, +)))
  }

  private static func choice(_ loss: String, _ candidates: Int = 3) -> String {
    #"{ "kind": "power-of-choice", "candidates": \#(candidates), "loss": "\#(loss)" }"#
  }

  /// Bytes of the linear model: 24 · 3 weights and 3 biases.
  private static let model = 4 * 75
  /// Bytes of a report of fewer than 128 examples in a round before the 128th.
  private static let report = 13

  @Test("exact: every candidate gets the model and reports; the chosen one gets it once")
  func exactBytes() throws {
    let trial = try experiment(Self.choice("exact"), perRound: 1).trial()
    // Equal losses: the smallest number.
    #expect(trial.cohorts == [[0]])
    #expect(trial.bytesDown == [3 * Self.model])
    #expect(trial.bytesUp == [Self.model + 3 * Self.report])
    #expect(trial.serverMemory.isEmpty)
    let plain = try experiment(#""uniform""#, perRound: 1).trial()
    #expect(plain.bytesDown == [Self.model])
    #expect(plain.bytesUp == [Self.model])
  }

  @Test("last: one report with each upload, and who never told comes first")
  func last() throws {
    let one = try experiment(Self.choice("last"), perRound: 2).trial()
    #expect(one.cohorts == [[0, 1]])
    #expect(one.bytesDown == [2 * Self.model])
    #expect(one.bytesUp == [2 * (Self.model + Self.report)])
    // One step on all examples: the loss of the model of zeros.
    let losses = try #require(one.serverMemory["selection.loss"])
    for client in 0..<2 { #expect(abs(Double(losses[client]) - log(3.0)) < 1e-6) }
    #expect(one.serverMemory["selection.round"] == [1, 1, 0])
    // Client 2 has told nothing; of the others the one that told more, ties by number.
    let three = try experiment(Self.choice("last"), perRound: 2, rounds: 3).trial()
    #expect(three.cohorts[1] == [losses[1] > losses[0] ? 1 : 0, 2].sorted())
    let two = try experiment(Self.choice("last"), perRound: 2, rounds: 2).trial()
    let told = try #require(two.serverMemory["selection.loss"])
    let third = [0, 1, 2].sorted { (told[$1], $0) < (told[$0], $1) }.prefix(2).sorted()
    #expect(three.cohorts[2] == third)
  }

  @Test("exact: the second round's cohort has the largest loss of the first round's model")
  func exact() throws {
    let data = SmallImages.floats(train: Self.sizes.reduce(0, +))
    let partition = try PartitionFile(sizes: Self.sizes)
    let model = try experiment(Self.choice("exact"), perRound: 1).trial().model.map(Double.init)
    guard case .floats(let pixels) = data.train.pixels else {
      Issue.record("images are not floats")
      return
    }
    // Weights [3][24], then biases.
    let losses = partition.clients.map { examples in
      examples.reduce(0.0) { sum, image in
        let z = (0..<3).map { c in
          (0..<24).reduce(model[72 + c]) {
            $0 + model[24 * c + $1] * Double(pixels[24 * image + $1])
          }
        }
        let label = Int(data.train.labels[image])
        return sum + log(z.map { exp($0 - z[label]) }.reduce(0, +))
      } / Double(examples.count)
    }
    let worst = losses.indices.max { losses[$0] < losses[$1] } ?? 0
    #expect(losses.sorted()[2] - losses.sorted()[1] > 1e-3)
    let trial = try experiment(Self.choice("exact"), perRound: 1, rounds: 2).trial()
    #expect(trial.cohorts == [[0], [worst]])
    // The first round moved client 0's loss, so it is another one's turn.
    #expect(worst != 0)
  }

  @Test("candidates are drawn by size: with one of them, large clients come most often")
  func candidates() throws {
    let trial = try experiment(Self.choice("exact", 1), perRound: 1, rounds: 200).trial()
    let counts = (0..<3).map { client in trial.cohorts.count { $0 == [client] } }
    // Shares 13, 7 and 22 of 42; five deviations of at most 7.1.
    for client in 0..<3 {
      #expect(abs(Double(counts[client]) - 200 * Double(Self.sizes[client]) / 42) < 36)
    }
  }

  @Test("oort: U = n·√(mean squared loss), reported and counted; without a clock no durations")
  func oort() throws {
    let trial = try experiment(#""oort""#, perRound: 3).trial()
    #expect(trial.cohorts == [[0, 1, 2]])
    #expect(trial.bytesUp == [3 * (Self.model + Self.report)])
    let utilities = try #require(trial.serverMemory["selection.loss"])
    for (found, size) in zip(utilities, Self.sizes) {
      #expect(abs(Double(found) - Double(size) * log(3.0)) < 1e-5 * Double(size))
    }
    #expect(trial.serverMemory.names == ["selection.loss", "selection.pacer", "selection.round"])
    let pacer = try #require(trial.serverMemory["selection.pacer"])
    #expect(pacer.count == 2 && pacer[0] == 10)
    #expect(abs(Double(pacer[1]) - 42 * log(3.0)) < 1e-3)
  }

  @Test(
    "the same bits for any number of threads and through a checkpoint",
    arguments: [
      #"{ "kind": "power-of-choice", "candidates": 5 }"#,
      #"{ "kind": "power-of-choice", "candidates": 6, "loss": "last" }"#,
      #"{ "kind": "oort", "exploration": 0.5, "pacerWindow": 1 }"#,
    ], ["fedavg", "scaffold", "fedper", "fedmd", "fedproto", "local-only", "centralised"])
  func determinism(_ sampling: String, _ kind: String) throws {
    var federation = RandomFederation.all[0]
    federation.sampling = sampling
    let experiment = try federation.experiment(kind)
    let reference = try experiment.trial()
    let folder = try ScratchFolder()
    let others = [
      try experiment.trial(threads: 3), try experiment.trial(interruptedAfter: 2),
      try experiment.trial(interruptedAfter: 3, folder: folder.path),
    ]
    for other in others {
      #expect(other.digests == reference.digests)
      #expect(other.cohorts == reference.cohorts)
      #expect(other.bytesUp == reference.bytesUp && other.bytesDown == reference.bytesDown)
    }
    // Client 2 has no examples and cannot be chosen.
    if kind != "centralised" { #expect(reference.cohorts.allSatisfy { !$0.contains(2) }) }
    #expect(reference.cohorts.allSatisfy { $0.count == 5 })
  }

  @Test("bare words, defaults, and what is warned of or refused")
  func scenarios() throws {
    func read(_ federation: String, _ more: String = "") -> ScenarioReading {
      let text = """
        {"fedsim": 1, "data": {"dataset": {"kind": "synthetic"}},
        "federation": {\(federation)}, \(more)
        "strategies": [{"kind": "fedavg"}, {"kind": "fedprox"}]}
        """
      return ScenarioReader().read(bytes: Array(text.utf8), file: "s.json")
    }
    func sampling(_ text: String) throws -> FederationSettings.Sampling {
      let reading = read(text)
      return try #require(reading.scenario, "\(reading.problems)").federation.sampling
    }
    #expect(try sampling(#""sampling": "uniform""#) == .uniform)
    #expect(try sampling(#""sampling": { "kind": "poisson" }"#) == .poisson)
    #expect(
      try sampling(#""perRound": 4, "sampling": "power-of-choice""#)
        == .powerOfChoice(.init(candidates: 8, loss: .exact)))
    #expect(
      try sampling(#""participation": 0.75, "sampling": "power-of-choice""#)
        == .powerOfChoice(.init(candidates: 20, loss: .exact)))
    #expect(try sampling(#""sampling": "oort""#) == .oort(.init()))
    let slow = try sampling(#""sampling": { "kind": "oort", "penalty": 0.5, "pacerStep": 2 }"#)
    var expected = FederationSettings.Oort()
    (expected.penalty, expected.pacerStep) = (0.5, 2)
    #expect(slow == .oort(expected))

    let warned = read(#""sampling": "oort""#)
    #expect(warned.warnings.contains { $0.code == "W3035" && $0.path == "$.federation.sampling" })
    #expect(!read(#""sampling": "poisson""#).warnings.contains { $0.code == "W3035" })
    for candidates in [3, 21] {
      let wrong = read(
        #""perRound": 4, "sampling": {"kind": "power-of-choice", "candidates": \#(candidates)}"#)
      #expect(wrong.errors.map(\.code) == ["E3210"])
      #expect(wrong.errors.first?.suggestion == (candidates == 3 ? "4" : "20"))
    }
    #expect(read(#""sampling": "oortt""#).errors.first?.code == "E3105")
    #expect(read(#""sampling": {"kind": "oort", "candidates": 3}"#).errors.first?.code == "E3111")
    let secret = #""privacy": {"unit": "client", "noiseMultiplier": 1},"#
    let refused = read(#""sampling": "oort""#, secret)
    #expect(refused.errors.map(\.code) == ["E3335", "E3335"])
    #expect(read(#""sampling": "poisson""#, secret).errors.isEmpty)
  }
}
