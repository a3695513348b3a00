import Aggregation
import Base
import Tensor
import TestSupport
import Testing

/// Head models at the server, and which cut a round uses.
@Suite("Head models")
struct HeadTrainingTests {
  private func head() throws -> Network {
    let spec = ModelSpec(kind: .mlp, width: 1, hidden: [5, 6, 4])
    let network = try Network(spec, input: FeatureShape(features: 3), classes: 3)
    return network.head(from: network.cuts[0])
  }

  /// Rows of three clients whose label shows in their representation.
  private func rows(weights: Bool = false) -> HeadRows {
    var stream = RandomStream(seed: 4, .test)
    return HeadRows(
      [20, 0, 33].map { count in
        var part = HeadRows.Part(width: 5)
        for _ in 0..<count {
          let label = stream.below(3)
          part.labels.append(Int32(label))
          part.representations += (0..<5).map { Float(stream.gaussian() + ($0 == label ? 2 : 0)) }
          part.softLabels += (0..<3).map { $0 == label ? 0.6 : 0.2 }
          if weights { part.weights.append(Float(1 + stream.below(9))) }
        }
        return part
      })
  }

  private func training(
    _ head: Network, _ parameters: [Float], weight: Float = 1, temperature: Float = 3
  ) -> HeadTraining {
    HeadTraining(
      head, parameters: parameters, optimizer: OptimizerSpec(kind: .adam, learningRate: 0.01),
      batch: 16, distillationWeight: weight, temperature: temperature)
  }

  @Test("a round's epochs lower the loss, and a new head starts higher than a trained one")
  func learns() throws {
    let head = try head()
    let initial = head.layout.initialParameters(.pytorch, seed: 1)
    var first = training(head, initial)
    let losses = try first.train(rows(), epochs: 5, seed: 1, round: 1, client: 9)
    #expect(losses.count == 5)
    #expect(losses == losses.sorted(by: >))
    var again = training(head, first.parameters)
    let later = try again.train(rows(), epochs: 1, seed: 1, round: 2, client: 9)
    #expect(later[0] < losses[0])
    var fresh = training(head, head.layout.initialParameters(.pytorch, seed: 2))
    let jump = try fresh.train(rows(), epochs: 1, seed: 1, round: 2, client: 9)
    #expect(jump[0] > later[0])
  }

  @Test("the same rows and address give the same bits; another round another order")
  func deterministic() throws {
    let head = try head()
    let initial = head.layout.initialParameters(.pytorch, seed: 1)
    let models = try [1, 1, 2].map { round in
      var one = training(head, initial)
      _ = try one.train(rows(), epochs: 2, seed: 1, round: round, client: 9)
      return one.parameters
    }
    #expect(models[0] == models[1])
    #expect(models[0] != models[2])
  }

  @Test("no rows leave the head as it is")
  func nothing() throws {
    let head = try head()
    let initial = head.layout.initialParameters(.pytorch, seed: 1)
    var one = training(head, initial)
    let empty = HeadRows([HeadRows.Part(width: 5)])
    #expect(try one.train(empty, epochs: 3, seed: 1, round: 1, client: 9).isEmpty)
    #expect(one.parameters == initial)
    #expect(one.softLabels(empty) == [[]])
  }

  @Test(
    "the gradient is that of CE + λ·τ²·KL, by differences in double precision",
    arguments: [(false, 0.0, 1.0), (false, 1, 3), (true, 0.7, 2)])
  func gradient(
    _ weights: Bool, _ lambda: Double, _ tau: Double
  ) throws {
    let head = try head()
    let rows = rows(weights: weights)
    let parameters = head.layout.initialParameters(.pytorch, seed: 3)
    let one = training(head, parameters, weight: Float(lambda), temperature: Float(tau))
    let chosen = Array(0..<rows.count)
    let (sum, total) = one.gradient(rows, chosen[...])
    let observed = one.lastGradient

    var reference = ReferenceNetwork(head, parameters)
    func loss() -> Double {
      var value = 0.0
      for part in rows.parts where !part.labels.isEmpty {
        let z = reference.logits(part.representations.map(Double.init), batch: part.labels.count)
        for (row, label) in part.labels.enumerated() {
          let own = Array(z[row * 3..<row * 3 + 3])
          let p = part.softLabels[row * 3..<row * 3 + 3].map(Double.init)
          let log1 = logSoftmax(own, 1)
          let logTau = logSoftmax(own, tau)
          var kl = 0.0
          for c in 0..<3 { kl += p[c] * (log(p[c]) - logTau[c]) }
          let weight = part.weights.isEmpty ? 1 : Double(part.weights[row])
          value += weight * (-log1[Int(label)] + lambda * tau * tau * kl)
        }
      }
      return value / total
    }
    #expect(abs(sum / total - loss()) < 1e-5)
    let bound = Rounding.backward(head, batch: rows.count)
    let scale = Double(observed.map { abs($0) }.max() ?? 0) * (1 + lambda * tau)
    for i in observed.indices {
      let kept = reference.parameters[i]
      reference.parameters[i] = kept + 1e-6
      let above = loss()
      reference.parameters[i] = kept - 1e-6
      let below = loss()
      reference.parameters[i] = kept
      let error = abs(Double(observed[i]) - (above - below) / 2e-6)
      #expect(error <= bound * scale + 1e-8)
    }
  }

  private func logSoftmax(_ z: [Double], _ tau: Double) -> [Double] {
    let sum = z.map { exp($0 / tau) }.reduce(0, +)
    return z.map { $0 / tau - log(sum) }
  }

  @Test("a hot temperature matches centred logits, a cold one hard labels")
  func temperatures() {
    let z: [Float] = [1.5, -0.5, 0.25]
    let other: [Float] = [0.5, 1, -2]
    func slope(_ tau: Float) -> (gradient: [Double], target: [Float]) {
      var q = [Float](repeating: 0, count: 3)
      var g = q
      Distillation.softmax(other, rows: 1, classes: 3, temperature: tau, into: &q)
      _ = Distillation(temperature: tau).evaluate(
        logits: z, targets: q, rows: 1, classes: 3, addingTo: &g)
      return (g.map(Double.init), q)
    }
    let hot = slope(1000).gradient
    let centred = { (x: [Float]) in x.map { Double($0) - Double(x.reduce(0, +)) / 3 } }
    for c in 0..<3 {
      // The next order is 1/τ, rounding is τ·u.
      let matching = (centred(z)[c] - centred(other)[c]) / 3
      #expect(abs(hot[c] - matching) < 4e-3)
    }
    #expect(slope(0.002).target == [0, 1, 0])
  }

  // MARK: - Schedule

  @Test(
    "each cut serves its rounds, in order, and the last one stays",
    arguments: [
      ([], "d2s", 0, 9, [3, 3, 3, 2, 2, 2, 1, 1, 1]),
      ([], "d2s", 2, 9, [3, 3, 2, 2, 1, 1, 1, 1, 1]),
      ([], "s2d", 0, 10, [1, 1, 1, 2, 2, 2, 3, 3, 3, 3]), ([], "never", 0, 4, [3, 3, 3, 3]),
      ([1, 3], "d2s", 0, 4, [3, 3, 1, 1]), ([0, 2], "s2d", 1, 4, [0, 2, 2, 2]),
      ([], "d2s", 100, 5, [3, 3, 3, 3, 3]), ([], "d2s", 0, 2, [3, 2]),
    ] as [([Int], String, Int, Int, [Int])])
  func schedule(
    _ set: [Int], _ order: String, _ every: Int, _ rounds: Int, _ expected: [Int]
  ) throws {
    let schedule = CutSchedule(
      set, available: 3, order: try #require(CutSchedule.Order(rawValue: order)), every: every,
      rounds: rounds)
    #expect((1...rounds).map { schedule.cut(round: $0) } == expected)
    #expect(schedule.cut(round: 0) == expected[0])
  }
}
