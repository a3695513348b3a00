import Aggregation
import Base
import Client
import Data
import Federation
import Fixtures
import Tensor
import TestSupport
import Testing

/// FedGen: its generator's gradient, a slow reference of its clients, identities and bytes.
@Suite("FedGen")
struct FedGenTests {
  static let sizes = [13, 7, 22]

  private func generator(_ optimizer: OptimizerSpec? = OptimizerSpec(learningRate: 1)) -> Generator
  {
    let network = Generator.network(classes: 3, noise: 4, hidden: 7, features: 5)
    return Generator(
      network, classes: 3, parameters: network.layout.initialParameters(.pytorch, seed: 11),
      capacity: 32, optimizer: optimizer)
  }

  private func teacher() -> PlainClassifier {
    var stream = RandomStream(seed: 5, .test)
    return PlainClassifier(
      weight: (0..<15).map { _ in Float(stream.gaussian()) },
      bias: (0..<3).map { _ in Float(stream.gaussian()) })
  }

  // MARK: - The generator

  @Test(
    "the generator's gradient is that of cross-entropy and diversity, by differences",
    arguments: [0.0, 1, 5])
  func gradient(_ diversity: Double) {
    let (one, teacher) = (generator(), teacher())
    let labels = (0..<10).map { $0 % 3 }
    var stream = RandomStream(seed: 1, .test)
    var same = stream
    let value = one.gradient(teacher, labels, diversityWeight: diversity, &stream)
    let observed = one.lastGradient
    let noise = labels.map { _ in (0..<4).map { _ in Double(Float(same.normal())) } }
    let input = zip(labels, noise).flatMap { label, noise in
      (0..<3).map { $0 == label ? 1.0 : 0 } + noise
    }
    var reference = ReferenceNetwork(one.network, one.parameters)
    func loss() -> (Double, [Int32]) {
      let outcome = reference.forward(input, batch: 10)
      let h = outcome.slots[one.network.logitsSlot]
      return (objective(h, teacher, labels, noise, diversity), outcome.pattern)
    }
    #expect(abs(value - loss().0) < 1e-5)
    let bound = Rounding.backward(one.network, batch: 10) * 8
    let scale = Double(observed.map { abs($0) }.max() ?? 0)
    var kinks = 0
    for i in observed.indices {
      let kept = reference.parameters[i]
      reference.parameters[i] = kept + 1e-6
      let above = loss()
      reference.parameters[i] = kept - 1e-6
      let below = loss()
      reference.parameters[i] = kept
      guard above.1 == below.1 else {
        kinks += 1
        continue
      }
      let slope = (above.0 - below.0) / 2e-6
      let error = abs(Double(observed[i]) - slope)
      #expect(error <= bound * scale + 1e-7, "\(i)")
    }
    #expect(kinks < 5)
  }

  /// mean CE + η·exp(−mean over pairs of mean(ε_i − ε_j)²·mean|h_i − h_j|).
  private func objective(
    _ h: [Double], _ teacher: PlainClassifier, _ labels: [Int], _ noise: [[Double]],
    _ diversity: Double
  ) -> Double {
    let n = labels.count
    let rows = (0..<n).map { Array(h[$0 * 5..<$0 * 5 + 5]) }
    var loss = 0.0
    for (row, label) in zip(rows, labels) {
      let z = (0..<3).map { c in
        (0..<5).reduce(Double(teacher.bias[c])) {
          $0 + Double(teacher.weight[c * 5 + $1]) * row[$1]
        }
      }
      loss -= log(ReferenceMLP.softmax(z)[label]) / Double(n)
    }
    var sum = 0.0
    for i in 0..<n {
      for j in 0..<n {
        let far = zip(noise[i], noise[j]).map { ($0 - $1) * ($0 - $1) }.reduce(0, +) / 4
        let apart = zip(rows[i], rows[j]).map { abs($0 - $1) }.reduce(0, +) / 5
        sum += far * apart
      }
    }
    return loss + diversity * exp(-sum / Double(n * n))
  }

  @Test("the plain classifier's gradient is cross-entropy's, by differences")
  func classifier() {
    let head = teacher()
    var stream = RandomStream(seed: 6, .test)
    let h = (0..<40).map { _ in Float(stream.gaussian()) }
    let labels = (0..<8).map { $0 % 3 }
    let (value, observed) = head.crossEntropy(h, labels)
    var w = (head.weight + head.bias).map(Double.init)
    func loss() -> Double {
      var sum = 0.0
      for (r, label) in labels.enumerated() {
        let z = (0..<3).map { c in
          (0..<5).reduce(w[15 + c]) { $0 + w[c * 5 + $1] * Double(h[r * 5 + $1]) }
        }
        sum -= log(ReferenceMLP.softmax(z)[label])
      }
      return sum / 8
    }
    #expect(abs(value - loss()) < 1e-6)
    for i in w.indices {
      let kept = w[i]
      w[i] = kept + 1e-6
      let above = loss()
      w[i] = kept - 1e-6
      let slope = (above - loss()) / 2e-6
      w[i] = kept
      #expect(abs(Double(observed[i]) - slope) < 2e-6)
    }
  }

  @Test("a generator learns to please the teacher")
  func learns() throws {
    let spec = OptimizerSpec(kind: .adam, learningRate: 0.01)
    let one = generator(spec)
    let losses = try one.train(
      teacher(), labels: [0.5, 0, 0.5], steps: 60, batch: 32, diversityWeight: 0.1, spec, seed: 1,
      round: 1, client: 3)
    let (first, last) = (losses.prefix(10).reduce(0, +), losses.suffix(10).reduce(0, +))
    #expect(last < 0.5 * first)
  }

  @Test("labels follow their distribution; a class of share 0 is never drawn")
  func labels() {
    var stream = RandomStream(seed: 1, .test)
    let drawn = Generator.labels(4000, from: [0.1, 0, 0.6, 0.3], &stream)
    let counts = (0..<4).map { c in drawn.count { $0 == c } }
    #expect(counts[1] == 0)
    // Five standard deviations of a binomial count.
    for (count, share) in zip(counts, [0.1, 0, 0.6, 0.3]) {
      let deviation = (4000 * share * (1 - share)).squareRoot()
      #expect(abs(Double(count) - 4000 * share) <= 5 * deviation)
    }
  }

  // MARK: - The federation

  private func text(_ fields: String, rounds: Int = 2) throws -> (ScenarioText, PartitionFile) {
    let file = try PartitionFile(sizes: Self.sizes)
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 3, "rounds": \#(rounds), "participation": 0.67 }"#
    text.strategies = [
      ScenarioText.strategy("fedgen", #""noise": 4, "hidden": 7, "generatorBatch": 16, "# + fields),
      ScenarioText.strategy("fedavg"),
    ]
    return (text, file)
  }

  @Test("α = β = 0 has FedAvg's model, bit for bit, whatever the generator does")
  func switchedOff()
    throws
  {
    var (text, file) = try text(#""alpha": 0, "beta": 0"#, rounds: 3)
    text.order = "shuffled"
    text.optimizer = ScenarioText.Optimizers.momentum
    let experiment = try text.experiment(SmallImages.floats(train: 42))
    let pair = try (0..<2).map { try experiment.trial(strategy: $0) }
    #expect(bits(pair[0].model) == bits(pair[1].model))
    #expect(pair[0].model != pair[0].initial)
    let features = 6
    let generator = 4 * ((3 + 4 + 1) * 7 + 4 * 7 + (7 + 1) * features)
    for (round, cohort) in pair[0].cohorts.enumerated() {
      let down = generator + 4 * 3
      #expect(pair[0].bytesDown[round] - pair[1].bytesDown[round] == cohort.count * down)
      #expect(pair[0].bytesUp[round] - pair[1].bytesUp[round] == cohort.count * 4 * 3)
    }
    #expect(file.clients.count == 3)
  }

  @Test("before fromRound the generator is not used")
  func fromRound() throws {
    let (text, file) = try text(#""fromRound": 3"#)
    let experiment = try text.experiment(SmallImages.floats(train: 42))
    let pair = try (0..<2).map { try experiment.trial(strategy: $0) }
    #expect(bits(pair[0].model) == bits(pair[1].model))
    let (used, other) = try self.text(#""fromRound": 2"#)
    let trial = try used.experiment(SmallImages.floats(train: 42)).trial()
    #expect(trial.model != pair[0].model)
    #expect(file.clients == other.clients)
  }

  @Test("p̂ is the mix of labels that the round's clients saw")
  func labelDistribution() throws {
    let (text, file) = try text(#""generatorSteps": 0"#, rounds: 1)
    let data = SmallImages.floats(train: 42)
    let trial = try text.experiment(data).trial()
    let seen = trial.cohorts[0].flatMap { file.clients[$0] }.map { Int(data.train.labels[$0]) }
    let expected = (0..<3).map { c in Float(Double(seen.count { $0 == c }) / Double(seen.count)) }
    #expect(trial.serverMemory["labels"] == expected)
  }

  @Test(
    "the model agrees with algorithm 1 in double precision", arguments: [(1.5, 0.0), (0.7, 0.9)])
  func reference(_ alpha: Double, _ beta: Double) throws {
    let rounds = 2
    let (text, file) = try text(
      #""alpha": \#(alpha), "beta": \#(beta), "decay": 0.5, "generatorSteps": 0"#, rounds: rounds)
    let data = SmallImages.floats(train: 42)
    let experiment = try text.experiment(data)
    let trial = try experiment.trial()
    let layout = experiment.network.layout
    let examples = ReferenceExample.all(data.train)
    let initial = layout.torchOrder(trial.initial).map(Double.init)
    let maker = ReferenceGenerator(
      parameters: try #require(trial.serverMemory["generator"]).map(Double.init))
    var server = initial
    var distribution: [Float] = [1, 1, 1].map { $0 / 3 }
    for (index, cohort) in trial.cohorts.enumerated() {
      let factor = index == 0 ? 1 : 0.5
      let images = cohort.map { Double(file.clients[$0].count) }.reduce(0, +)
      var next = server.map { _ in 0.0 }
      for k in cohort {
        let w = maker.train(
          server, file.clients[k].map { examples[$0] }, distribution: distribution,
          alpha: alpha * factor, beta: beta * factor
        ) { RandomStream(seed: 1, .strategy, round: index + 1, client: k, step: $0) }
        let share = Double(file.clients[k].count) / images
        for i in w.indices { next[i] += share * w[i] }
      }
      server = next
      let seen = cohort.flatMap { file.clients[$0] }.map { Int(data.train.labels[$0]) }
      distribution = (0..<3).map { c in Float(Double(seen.count { $0 == c }) / Double(seen.count)) }
    }
    ReferenceBound(steps: 12 * rounds, longestSum: 24, depth: 4).check(
      layout.torchOrder(trial.model), server, from: initial, "model")
  }
}

/// The clients of FedGen in double precision, on 24 inputs, 6 hidden neurons and 3 classes, with a
/// generator of 3 + 4 inputs and 7 hidden neurons in evaluation mode.
struct ReferenceGenerator {
  let parameters: [Double]
  let net = ReferenceMLP(sizes: [24, 6, 3])

  /// G(y, ε); parameters: fc1, bn1's scale and shift, fc2, then running mean and variance.
  func features(_ label: Int, _ noise: [Double]) -> [Double] {
    let x = (0..<3).map { $0 == label ? 1.0 : 0 } + noise
    func dense(_ start: Int, _ x: [Double], _ outputs: Int) -> [Double] {
      (0..<outputs).map { o in
        x.indices.reduce(parameters[start + outputs * x.count + o]) {
          $0 + parameters[start + o * x.count + $1] * x[$1]
        }
      }
    }
    let (scale, shift, second) = (56, 63, 70)
    let (mean, variance) = (second + 48, second + 55)
    let hidden = dense(0, x, 7).enumerated().map { i, value in
      let normal = (value - parameters[mean + i]) / (parameters[variance + i] + 1e-5).squareRoot()
      return max(0, parameters[scale + i] * normal + parameters[shift + i])
    }
    return dense(second, hidden, 6)
  }

  /// Equation 5 with the KL term; draws as the engine does, from the same streams.
  func train(
    _ start: [Double], _ examples: [ReferenceExample], distribution: [Float], alpha: Double,
    beta: Double, stream: (Int) -> RandomStream
  ) -> [Double] {
    var step = 0
    let head = net.start(1)
    return net.train(start, examples: examples.count, batch: 4, epochs: 2, rate: 0.1, momentum: 0) {
      g, w, places in
      var draws = stream(step)
      step += 1
      let size = Double(places.count)
      let tail = net.tail(from: 1)
      let classifier = Array(w[head...])
      func make(_ labels: [Int]) -> [[Double]] {
        labels.map { label in features(label, (0..<4).map { _ in Double(Float(draws.normal())) }) }
      }
      let made = Generator.labels(4, from: distribution, &draws)
      for (label, h) in zip(made, make(made)) {
        let slope = ReferenceMLP.crossEntropySlope(tail.logits(classifier, h), label)
        var own = classifier.map { _ in 0.0 }
        tail.addGradient(&own, classifier, h, logits: slope.map { alpha * $0 / 4 })
        for i in own.indices { g[head + i] += own[i] }
      }
      let own = places.map { examples[$0] }
      let guides = beta > 0 ? make(own.map(\.label)) : []
      for (i, example) in own.enumerated() {
        let z = net.logits(w, example.values)
        var slope = ReferenceMLP.crossEntropySlope(z, example.label)
        if beta > 0 {
          let q = ReferenceMLP.softmax(tail.logits(classifier, guides[i]))
          let p = ReferenceMLP.softmax(z)
          for c in slope.indices { slope[c] += beta * (p[c] - q[c]) }
        }
        net.addGradient(&g, w, example.values, logits: slope.map { $0 / size })
      }
    }
  }
}
