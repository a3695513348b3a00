import Aggregation
import Client
import Data
import Federation
import Fixtures
import Records
import Scenario
import Tensor
import TestSupport
import Testing

/// Measures against plain loops over images and a slow forward pass in double precision.
@Suite("Evaluation")
struct EvaluationTests {
  /// A trial of FedAvg with what its measures depend on.
  private struct Fixture {
    let data: LabelledData
    let experiment: Experiment
    let trial: Trial
    var split: Split { experiment.splits[0] }

    init(_ localTest: String) throws {
      let file = try PartitionFile(sizes: [13, 7, 0, 22])
      data = SmallImages.floats(train: 42, test: 40)
      var text = ScenarioText(partition: file.json)
      text.localTest = localTest
      text.federation = #"{ "clients": 4, "rounds": 3 }"#
      experiment = try text.experiment(data)
      trial = try experiment.trial(threads: 2)
    }

    /// Which images of a set the model gets right, asked for some classes alone.
    func right(_ images: ImageSet, _ model: [Float], among classes: Set<Int> = [0, 1, 2])
      -> [Bool]
    {
      var network = ReferenceNetwork(experiment.network, model)
      network.training = false
      guard case .floats(let pixels) = images.pixels else { return [] }
      let size = images.shape.count
      return images.labels.indices.map { image in
        let input = pixels[image * size..<(image + 1) * size].map(Double.init)
        let logits = network.logits(input, batch: 1)
        let kept = logits.indices.filter(classes.contains)
        return kept.max { logits[$0] < logits[$1] } == Int(images.labels[image])
      }
    }

    /// Share of `true` among some images; nil for none.
    func share(_ right: [Bool], _ images: [Int]) -> Double? {
      images.isEmpty ? nil : Double(images.count { right[$0] }) / Double(images.count)
    }
  }

  /// A mean of at most 40 shares: a rounding each.
  private static let bound = 40 * Double.ulpOfOne

  @Test("the generic measures are those of a plain loop over the test set")
  func generic() throws {
    let fixture = try Fixture(#"{ "local": "prior-weighted", "perClass": 5 }"#)
    let generic = try #require(fixture.trial.generic)
    let test = fixture.data.test
    let right = fixture.right(test, fixture.trial.model)
    #expect(generic.accuracy == Double(right.count { $0 }) / 40)
    for label in 0..<3 {
      let images = test.labels.indices.filter { test.labels[$0] == Int32(label) }
      #expect(generic.perClass[label] == fixture.share(right, images))
    }
    let mean = generic.perClass.reduce(0, +) / 3
    #expect(abs(generic.balancedAccuracy - mean) <= Self.bound)
    // Better than chance, or the test shows little.
    #expect(generic.accuracy > 0.4)
  }

  @Test("prior-weighted: the first test images of each class, weighted by the client's mix")
  func priorWeighted() throws {
    let fixture = try Fixture(#"{ "local": "prior-weighted", "perClass": 5 }"#)
    let test = fixture.data.test
    let right = fixture.right(test, fixture.trial.model)
    let shares = (0..<3).map { label in
      let images = test.labels.indices.filter { test.labels[$0] == Int32(label) }
      return fixture.share(right, Array(images.prefix(5))) ?? 0
    }
    var accuracies: [Double] = []
    for client in fixture.split.clients where !client.isEmpty {
      let labels = client.map { Int(fixture.data.train.labels[$0]) }
      accuracies.append(labels.map { shares[$0] }.reduce(0, +) / Double(labels.count))
    }
    try expectPersonal(fixture.trial, accuracies)
  }

  @Test("holdout: the client's own images that never trained")
  func holdout() throws {
    let fixture = try Fixture(#"{ "local": "holdout", "holdoutShare": 0.3 }"#)
    let right = fixture.right(fixture.data.train, fixture.trial.model)
    let held = try #require(fixture.split.holdout)
    #expect(held.map(\.count) == [4, 2, 0, 7])
    #expect(Set(held.joined()).isDisjoint(with: fixture.split.clients.joined()))
    try expectPersonal(fixture.trial, held.compactMap { fixture.share(right, $0) })
  }

  @Test("match-client-labels: test images drawn to the client's label counts")
  func matching()
    throws
  {
    let fixture = try Fixture(#"{ "local": "match-client-labels" }"#)
    let tests = LocalTests(
      fixture.experiment.scenario.data.localTest, split: fixture.split, test: fixture.data.test,
      seed: 1)
    let right = fixture.right(fixture.data.test, fixture.trial.model)
    let accuracies = (0..<4).compactMap { fixture.share(right, tests.images(of: $0)) }
    try expectPersonal(fixture.trial, accuracies)
  }

  @Test(
    "a mask asks for the classes of the local test alone, on every policy",
    arguments: ["prior-weighted", "match-client-labels", "holdout"])
  func masked(_ policy: String) throws {
    let fixture = try Fixture(#"{ "local": "\#(policy)", "mask": true }"#)
    let plain = try Fixture(#"{ "local": "\#(policy)" }"#)
    #expect(fixture.trial.digests == plain.trial.digests)
    #expect(fixture.trial.generic == plain.trial.generic)
    let (train, test) = (fixture.data.train, fixture.data.test)
    let tests = LocalTests(
      fixture.experiment.scenario.data.localTest, split: fixture.split, test: test, seed: 1)
    let images = tests.source == .testSet ? test : train
    let accuracies = (0..<4).filter { !tests.excludes($0) }.map { client -> Double in
      let weights = tests.classWeights(of: client, labels: images.labels)
      let own = Set(weights.indices.filter { weights[$0] > 0 })
      let right = fixture.right(images, fixture.trial.model, among: own)
      return own.sorted().reduce(0) { sum, label in
        let ofClass = tests.images(of: client).filter { images.labels[$0] == Int32(label) }
        return sum + weights[label] * (fixture.share(right, ofClass) ?? 0)
      }
    }
    try expectPersonal(fixture.trial, accuracies)
  }

  @Test("with every method a mask changes no training and no generic number, and never hurts")
  func maskedMethods() throws {
    let data = SmallImages.floats(train: 60)
    for info in StrategyRegistry.infos {
      var text = ScenarioText()
      text.partition = #"{ "kind": "dirichlet", "alpha": 0.2 }"#
      text.publicSet = ScenarioText.somePublic.json
      text.evaluation = #"{ "unseen": { "clients": 2 } }"#
      text.strategies = [ScenarioText.registered(info.kind)]
      let plain = try text.experiment(data).trial()
      text.localTest = #"{ "mask": true }"#
      let masked = try text.experiment(data).trial(threads: 2)
      #expect(masked.digests == plain.digests, "\(info.kind)")
      #expect(masked.generic == plain.generic, "\(info.kind)")
      let (more, less) = (try #require(masked.personal), try #require(plain.personal))
      #expect(more.accuracy >= less.accuracy - Self.bound, "\(info.kind)")
      #expect(more.fairness.worst >= less.fairness.worst - Self.bound, "\(info.kind)")
    }
  }

  private func expectPersonal(
    _ trial: Trial, _ accuracies: [Double], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let personal = try #require(trial.personal)
    // The client without images is in no number.
    #expect(accuracies.count == 3, sourceLocation: sourceLocation)
    let mean = accuracies.reduce(0, +) / 3
    let squares = accuracies.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
    #expect(abs(personal.accuracy - mean) <= Self.bound, sourceLocation: sourceLocation)
    #expect(
      abs(personal.fairness.worst - (accuracies.min() ?? 0)) <= Self.bound,
      sourceLocation: sourceLocation)
    // A root magnifies the rounding of what it is taken of: √(40 ulp) where the spread is small.
    #expect(
      abs(personal.fairness.std - (squares / 3).squareRoot()) <= Self.bound.squareRoot(),
      sourceLocation: sourceLocation)
    #expect(personal.model == .generic, sourceLocation: sourceLocation)
  }
}
