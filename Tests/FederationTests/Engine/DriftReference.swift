import Base
import Client
import Data
import Federation
import Fixtures
import Tensor
import Testing

/// A trial, and a slow federation in double precision on the same clients.
///
/// Clients of unequal sizes, batches of four in order, two epochs.
struct SlowComparison {
  let trial: Trial
  let layout: ParameterLayout
  /// Where everybody starts, in PyTorch's order.
  let initial: [Double]
  var reference: ReferenceFederation

  init(
    _ strategy: String, optimizer: String = ScenarioText.Optimizers.plain,
    sgd: ReferenceSGD = ReferenceSGD(), sizes: [Int] = [13, 7, 22], rounds: Int = 3,
    participation: Double = 0.67
  ) throws {
    let file = try PartitionFile(sizes: sizes)
    let data = SmallImages.floats(train: sizes.reduce(0, +))
    var text = ScenarioText(partition: file.json)
    text.federation = """
      { "clients": \(sizes.count), "rounds": \(rounds), "participation": \(participation) }
      """
    text.optimizer = optimizer
    text.strategies = [strategy]
    let experiment = try text.experiment(data)
    trial = try experiment.trial()
    layout = experiment.network.layout
    initial = layout.torchOrder(trial.initial).map(Double.init)
    let examples = ReferenceExample.all(data.train)
    reference = ReferenceFederation(
      ReferenceModel(inputs: data.train.shape.count, hidden: 6, classes: data.train.classes),
      clients: file.clients.map { $0.map { examples[$0] } }, batch: 4, epochs: 2, sgd: sgd,
      method: .fedAvg, initial: initial)
  }

  /// Expects the engine's model within rounding of the slow one.
  func check(_ what: String, sourceLocation: SourceLocation = #_sourceLocation) {
    bound.check(layout.torchOrder(trial.model), reference.server, what)
    #expect(norm(reference.server, minus: initial) > 0.01, sourceLocation: sourceLocation)
  }

  var bound: ReferenceComparisonTests.Bound {
    ReferenceComparisonTests.Bound(reference, initial: initial, rounds: trial.cohorts.count)
  }
}

extension ReferenceFederation {
  /// Every client of a cohort trained from the server's model: SGD, with a change of each gradient.
  mutating func locals(
    _ cohort: [Int], _ round: Int, correct: (Int, inout [Double], [Double]) -> Void = { _, _, _ in }
  ) -> [[Double]] {
    var models: [[Double]] = []
    for k in cohort {
      models.append(
        train(server, clients[k], steps: stepCount(k), round: round) { correct(k, &$0, $1) })
    }
    return models
  }

  /// Algorithm 2 of arXiv:2003.00295; `u` and `v` are the moments.
  mutating func adaptiveRound(
    _ kind: String, _ round: Int, _ cohort: [Int], rate: Double, tau: Double, _ u: inout [Double],
    _ v: inout [Double]
  ) {
    let models = locals(cohort, round)
    for i in server.indices {
      let delta = models.map { $0[i] - server[i] }.reduce(0, +) / Double(cohort.count)
      let square = delta * delta
      u[i] = kind == "fedadagrad" ? delta : 0.9 * u[i] + 0.1 * delta
      switch kind {
      case "fedadagrad": v[i] += square
      case "fedadam": v[i] = 0.99 * v[i] + 0.01 * square
      default: v[i] -= 0.01 * square * (v[i] > square ? 1 : -1)
      }
      server[i] += rate * u[i] / (v[i].squareRoot() + tau)
    }
  }

  /// FedNova (arXiv:2007.07481): each difference divided by a(τ_k), their mean times Σ p_k·a.
  mutating func normalisedRound(_ round: Int, _ cohort: [Int], mu: Double, a: (Int) -> Double) {
    let start = server
    let models = locals(cohort, round) { _, g, w in
      for i in g.indices { g[i] += mu * (w[i] - start[i]) }
    }
    let total = Double(cohort.map { clients[$0].count }.reduce(0, +))
    let p = cohort.map { Double(clients[$0].count) / total }
    let scales = cohort.map { a(stepCount($0)) }
    let effective = zip(p, scales).map(*).reduce(0, +)
    for i in server.indices {
      var mean = 0.0
      for k in cohort.indices { mean += p[k] * (models[k][i] - start[i]) / scales[k] }
      server[i] += effective * mean
    }
  }

  /// Algorithm 1 of arXiv:2111.04263; `clipped` counts gradients that were too long.
  mutating func dynamicRound(
    _ round: Int, _ cohort: [Int], alpha: Double, clip: Double, lambdas: inout [Int: [Double]],
    h: inout [Double], clipped: inout Int
  ) {
    let start = server
    let zeros = start.map { _ in 0.0 }
    let before = lambdas
    var count = 0
    let models = locals(cohort, round) { k, g, w in
      let lambda = before[k] ?? zeros
      for i in g.indices { g[i] += alpha * (w[i] - start[i]) - lambda[i] }
      let length = norm(g, minus: nil)
      guard clip > 0, length > clip else { return }
      for i in g.indices { g[i] *= clip / length }
      count += 1
    }
    clipped += count
    for (k, w) in zip(cohort, models) {
      lambdas[k] = zeros.indices.map { (before[k] ?? zeros)[$0] - alpha * (w[$0] - start[$0]) }
    }
    for i in server.indices {
      let sum = models.map { $0[i] }.reduce(0, +)
      h[i] -= alpha / Double(clients.count) * (sum - Double(cohort.count) * start[i])
      server[i] = sum / Double(cohort.count) - h[i] / alpha
    }
  }

  /// Li, He and Song 2021, algorithm 1, with plain SGD on gradients by central differences.
  mutating func contrastiveRound(
    _ round: Int, _ cohort: [Int], mu: Double, temperature: Double, previous: inout [Int: [Double]]
  ) {
    let total = Double(cohort.map { clients[$0].count }.reduce(0, +))
    var next = server.map { _ in 0.0 }
    for k in cohort {
      var w = server
      var position = 0
      for _ in 0..<stepCount(k) {
        if position >= clients[k].count { position = 0 }
        let batch = Array(clients[k][position..<min(position + self.batch, clients[k].count)])
        position += batch.count
        var g = model.gradient(w, batch)
        if let last = previous[k] {
          let loss = ContrastReference(
            model: model, batch: batch, global: server, previous: last, temperature: temperature)
          let body = model.count - model.headCount
          for i in 0..<body {
            var (up, down) = (w, w)
            up[i] += 1e-5
            down[i] -= 1e-5
            g[i] += mu * (loss.value(up) - loss.value(down)) / 2e-5
          }
        }
        for i in w.indices { w[i] -= rate(round) * g[i] }
        steps += 1
      }
      previous[k] = w
      for i in w.indices { next[i] += Double(clients[k].count) / total * w[i] }
    }
    server = next
  }
}

/// The mean contrastive loss of a batch by plain loops.
struct ContrastReference {
  let model: ReferenceModel
  let batch: [ReferenceExample]
  let global: [Double]
  let previous: [Double]
  let temperature: Double

  func value(_ w: [Double]) -> Double {
    var total = 0.0
    for example in batch {
      let z = model.features(w, example.values)
      let positive = exp(cosine(z, model.features(global, example.values)) / temperature)
      let negative = exp(cosine(z, model.features(previous, example.values)) / temperature)
      total -= log(positive / (positive + negative))
    }
    return total / Double(batch.count)
  }

  private func cosine(_ a: [Double], _ b: [Double]) -> Double {
    let lengths = norm(a, minus: nil) * norm(b, minus: nil)
    return lengths > 0 ? zip(a, b).map(*).reduce(0, +) / lengths : 0
  }
}

extension ReferenceModel {
  /// What the last layer reads.
  func features(_ w: [Double], _ x: [Double]) -> [Double] {
    (0..<hidden).map { h in
      var sum = w[hidden * x.count + h]
      for i in x.indices { sum += w[h * x.count + i] * x[i] }
      return max(sum, 0)
    }
  }
}
