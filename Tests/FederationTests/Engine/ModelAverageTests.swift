import Aggregation
import Base
import Federation
import Fixtures
import Scenario
import Testing

@Suite("Averages over rounds that are measured")
struct ModelAverageTests {
  private let data = SmallImages.floats(train: 60)

  private func text(
    _ evaluation: String, _ strategy: String = ScenarioText.strategy("fedavg"), rounds: Int = 5
  ) -> ScenarioText {
    var text = ScenarioText()
    text.federation = #"{ "clients": 3, "rounds": \#(rounds), "participation": 0.7 }"#
    text.evaluation = evaluation
    text.publicSet = ScenarioText.somePublic.json
    text.strategies = [strategy]
    return text
  }

  @Test("the average is that of the rounds' models, warmed up", arguments: [0.0, 0.3, 0.5, 0.999])
  func definition(decay: Double) throws {
    let found = try text(#"{ "ema": \#(decay) }"#).experiment(data).trial()
    // Runs of t rounds end with θ_t: nothing here knows how many rounds there will be.
    let models = try (1...5).map { try text("{}", rounds: $0).experiment(data).trial().model }
    var average = found.initial.map(Double.init)
    for (t, model) in zip(1..., models) {
      let beta = min(decay, Double(t) / (9 + Double(t)))
      for i in average.indices { average[i] = beta * average[i] + (1 - beta) * Double(model[i]) }
    }
    let measured = try #require(found.genericModel)
    #expect(found.model == models[4])
    for (one, other) in zip(measured, average) { #expect(abs(Double(one) - other) < 1e-6) }
    if decay == 0 { #expect(measured == found.model) } else { #expect(measured != found.model) }
  }

  @Test("training, messages and bytes are what they are without; so are clients' own models")
  func aside() throws {
    for kind in ["fedavg", "local-only", "fedavg-ft", "fedrod", "fedloge"] {
      let strategy = ScenarioText.registered(kind)
      let plain = try text("{}", strategy).experiment(data).trial()
      let averaged = try text(#"{ "ema": 0.9 }"#, strategy).experiment(data).trial()
      #expect(plain.model == averaged.model && plain.bytesUp == averaged.bytesUp)
      #expect(plain.cohorts == averaged.cohorts && plain.trainLoss == averaged.trainLoss)
      #expect((plain.genericModel == nil) == (averaged.genericModel == nil))
      if kind == "local-only" {
        // No generic model: nothing is averaged, nothing is kept.
        #expect(plain.digests == averaged.digests)
        #expect(plain.clientModels == averaged.clientModels)
      } else {
        #expect(plain.genericModel != averaged.genericModel)
        #expect(averaged.serverMemory["average.model"] != nil)
      }
    }
  }

  @Test("every method goes on from a checkpoint with the same bits, on any number of threads")
  func resume() throws {
    for info in StrategyRegistry.infos {
      let text = text(
        #"{ "ema": 0.9, "diagnostics": false }"#, ScenarioText.registered(info.kind), rounds: 3)
      let experiment = try text.experiment(data)
      let whole = try experiment.trial()
      let parts = try experiment.trial(threads: 2, interruptedAfter: 2)
      #expect(whole.digests == parts.digests, "\(info.kind)")
      #expect(whole.genericModel == parts.genericModel, "\(info.kind)")
    }
  }

  @Test("a decay is at least 0 and below 1")
  func range() {
    for value in ["1", "-0.1", "\"0.9\""] {
      #expect(text(#"{ "ema": \#(value) }"#).problems.contains { $0.path == "$.evaluation.ema" })
    }
  }
}
