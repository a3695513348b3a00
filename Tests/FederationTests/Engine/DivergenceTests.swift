import Base
import Client
import Data
import Federation
import Fixtures
import Tensor
import Testing

@Suite("Divergence, traced to its place")
struct DivergenceTests {
  private func report(_ fixture: RunFixture, _ run: String) throws -> JSON {
    try JSON(parsing: try fixture.bytes("out/\(run)/divergence.json"))
  }

  @Test("a rate that is too high: place, batch, losses, the likeliest cause, the rounds before")
  func rate() throws {
    let fixture = try RunFixture {
      $0.strategies = ["fedavg", "local-only"].map { ScenarioText.strategy($0) }
      $0.federation = #"{ "clients": 3, "rounds": 40 }"#
      $0.optimizer = #"{ "kind": "sgd", "learningRate": 1e6, "momentum": 0.9 }"#
      $0.work = #"{ "steps": 3 }"#
    }
    let result = try fixture.run("out")
    #expect(result.exit == .diverged && result.troubles.count == 2)
    let json = try report(fixture, "fedavg-s1")
    let round = try #require(json["round"]?.int)
    #expect((1...3).contains(round))
    #expect(try fixture.rounds("out/fedavg-s1").count == round - 1)
    let client = try #require(json["client"]?.int)
    let step = try #require(json["step"]?.int)
    #expect((1...3).contains(step))
    // The batch is of that client's images: they lie one client after the other.
    let starts = RunFixture.sizes.indices.map { RunFixture.sizes[..<$0].reduce(0, +) }
    let own = starts[client]..<starts[client] + RunFixture.sizes[client]
    let batch = (json["batch"]?.elements ?? []).compactMap(\.int)
    #expect(batch.count == 4 && batch.allSatisfy(own.contains))
    #expect(["output", "parameter", "upload"].contains(json["place"]?["kind"]?.text ?? ""))
    let causes = (json["causes"]?.elements ?? []).compactMap(\.text)
    #expect(causes.count == 2)
    #expect(causes.first?.contains("client.optimizer.learningRate") == true)
    let sentence = result.troubles.first { $0.hasPrefix("fedavg") } ?? ""
    #expect(sentence.contains("round \(round), client \(client), local step \(step)"))
    #expect(sentence.contains("batch of 4 images"))
  }

  @Test("a proximal weight that overshoots is named among the causes")
  func proximalWeight() throws {
    let fixture = try RunFixture {
      $0.strategies = [ScenarioText.strategy("fedprox", #""proximalWeight": 1000"#)]
      $0.federation = #"{ "clients": 3, "rounds": 40 }"#
      $0.work = #"{ "steps": 40 }"#
    }
    let result = try fixture.run("out")
    #expect(result.exit == .diverged)
    let causes = try report(fixture, "fedprox-s1")["causes"]?.elements?.compactMap(\.text) ?? []
    #expect(causes.contains { $0.contains("proximalWeight 1000 times the learning rate is") })
  }

  @Test("a pixel that is not a number is traced to its image")
  func pixel() throws {
    let fixture = try RunFixture { $0.federation = #"{ "clients": 3, "rounds": 2 }"# }
    var data = fixture.data
    guard case .floats(var pixels) = data.train.pixels else {
      Issue.record("the images are bytes")
      return
    }
    pixels[17 * data.train.shape.count + 2] = .nan
    data = LabelledData(
      title: data.title,
      train: ImageSet(
        shape: data.train.shape, pixels: .floats(pixels), labels: data.train.labels,
        classes: data.train.classes), test: data.test)
    let experiment = try Experiment(fixture.experiment.scenario, data: data)
    let thrown = #expect(throws: Divergence.self) { _ = try experiment.trial() }
    // Images 13 to 19 are those of client 1.
    #expect(thrown?.client == 1 && thrown?.round == 1)
    guard case .pass(.input(let place)) = thrown?.trace?.place else {
      Issue.record("\(String(describing: thrown?.trace))")
      return
    }
    #expect(thrown?.trace?.examples[place] == 17)
  }

  @Test("a layer that overflows is named, and a parameter before it")
  func layers() throws {
    let network = try Network(
      ModelSpec(kind: .mlp, width: 1, hidden: [3, 4]),
      input: FeatureShape(height: 1, width: 1, channels: 2), classes: 2)
    let space = Workspace(network, capacity: 2, training: true)
    var weights = [Float](repeating: 0.5, count: network.layout.count)
    for index in 0..<4 { space.input[index] = Float(index + 1) }
    func find(_ weights: [Float]) -> NonFinitePlace? {
      space.load(weights)
      network.forward(space, batch: 2, training: true)
      return network.firstNonFinite(space, batch: 2)
    }
    #expect(find(weights) == nil)
    let second = try #require(network.layout["fc2.weight"])
    for index in second.range { weights[index] = 3e38 }
    #expect(find(weights) == .output(layer: "fc2", example: 0))
    weights[second.range.lowerBound] = .nan
    #expect(find(weights) == .parameter("fc2.weight"))
    space.input[3] = .infinity
    weights[second.range.lowerBound] = 0
    #expect(find(weights) == .input(example: 1))
  }

  @Test("the last good checkpoint stays, and an attempt that ends well leaves no report")
  func checkpoint() throws {
    let fixture = try RunFixture {
      $0.strategies = [
        """
        { "kind": "fedavg", "serverOptimizer": { "kind": "sgd", "learningRate": 1e6 } }
        """
      ]
      $0.federation = #"{ "clients": 3, "rounds": 50 }"#
      $0.output = #"{ "checkpointEvery": 1 }"#
      $0.work = #"{ "steps": 1 }"#
    }
    let result = try fixture.run("out")
    #expect(result.exit == .diverged)
    let json = try report(fixture, "fedavg-s1")
    let round = try #require(json["round"]?.int)
    let records = try fixture.rounds("out/fedavg-s1")
    #expect(records.count == round - 1)
    #expect(json["lastCheckpoint"]?.int == (round > 1 ? round - 1 : nil))
    // Resuming ends at the same place.
    let again = try fixture.run("out", continues: true)
    #expect(again.exit == .diverged && again.troubles == result.troubles)
    #expect(try report(fixture, "fedavg-s1").compact == json.compact)
  }
}
