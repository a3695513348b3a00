import Aggregation
import Base
import Client
import Tensor
import TestSupport
import Testing

/// The server's rule of KnFu, from its definition.
@Suite("Knowledge fusion")
struct KnowledgeFusionTests {
  /// Four class distributions, all different.
  private let distributions = [
    [0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8], [0.3, 0.4, 0.3],
  ]
  private let shares = [0.1, 0.2, 0.3, 0.4]

  private func fusion(_ change: (inout KnowledgeFusion) -> Void = { _ in }) -> KnowledgeFusion {
    var fusion = KnowledgeFusion()
    change(&fusion)
    return fusion
  }

  private func weights(_ change: (inout KnowledgeFusion) -> Void = { _ in }) -> [[Double]] {
    fusion(change).weights(distributions, shares: shares)
  }

  /// As a row's sum of four terms rounds.
  private let rounding = 8 * Double.ulpOfOne

  @Test("weights are exp(−β·KL) of smoothed distributions, normalised")
  func definition() {
    let (beta, epsilon) = (10.0, 1e-3)
    let smooth = distributions.map { row in row.map { ($0 + epsilon) / (1 + 3 * epsilon) } }
    let found = weights()
    for n in 0..<4 {
      let terms = (0..<4).map { m in
        exp(-beta * (0..<3).reduce(0) { $0 + smooth[n][$1] * log(smooth[n][$1] / smooth[m][$1]) })
      }
      for m in 0..<4 { #expect(abs(found[n][m] - terms[m] / terms.reduce(0, +)) < 1e-14) }
    }
  }

  @Test("rows are shares whose largest is the client's own", arguments: [0, 0.3, 10, 1e4, 1e9])
  func simplex(beta: Double) {
    for (n, row) in weights({ $0.beta = beta }).enumerated() {
      #expect(row.allSatisfy { $0 >= 0 })
      #expect(abs(row.reduce(0, +) - 1) <= rounding)
      #expect(row[n] == row.max())
    }
  }

  @Test(
    "relabelling the clients relabels rows and columns", arguments: KnowledgeFusion.Measure.allCases
  )
  func permutation(measure: KnowledgeFusion.Measure) {
    let order = [2, 0, 3, 1]
    let rule = fusion {
      $0.measure = measure
      ($0.topK, $0.usesShares) = (3, true)
    }
    let plain = rule.weights(distributions, shares: shares)
    let moved = rule.weights(order.map { distributions[$0] }, shares: order.map { shares[$0] })
    for n in 0..<4 {
      for m in 0..<4 { #expect(abs(moved[n][m] - plain[order[n]][order[m]]) <= rounding) }
    }
  }

  @Test("β = 0 mixes all alike, and so do clients that are alike under any β")
  func uniform() {
    for row in weights({ $0.beta = 0 }) { #expect(row == [0.25, 0.25, 0.25, 0.25]) }
    let alike = [[Double]](repeating: distributions[0], count: 4)
    for beta in [1, 10, 1e9] {
      let rows = fusion { $0.beta = beta }.weights(alike, shares: shares)
      for row in rows { #expect(row == [0.25, 0.25, 0.25, 0.25]) }
    }
  }

  @Test("a large β leaves each client exactly its own knowledge")
  func large() {
    let knowledge: [[Float]] = [[0.1, 0.9], [0.7, 0.3], [1 / 3, 2 / 3], [0.5, 0.5]]
    for (n, row) in weights({ $0.beta = 1e9 }).enumerated() {
      #expect(row[n] == 1)
      #expect(KnowledgeFusion.fuse(knowledge, row) == knowledge[n])
    }
  }

  @Test("with β the effective number of neighbours falls from N to 1 and never rises")
  func monotone() {
    var last = [4.0, 4, 4, 4]
    for beta in [0, 0.1, 0.5, 1, 2, 5, 10, 30, 100, 1e3, 1e6] {
      let counts = weights { $0.beta = beta }.map(KnowledgeFusion.effectiveCount)
      for n in 0..<4 { #expect(counts[n] <= last[n] + rounding && counts[n] >= 1 - rounding) }
      last = counts
    }
    for count in last { #expect(abs(count - 1) <= rounding) }
  }

  @Test("groups of clients with disjoint classes ignore each other and mix within")
  func groups() {
    let rows = [[0.52, 0.48, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 0.49, 0.51], [0, 0, 0.5, 0.5]]
    let found = fusion().weights(rows, shares: shares)
    for n in 0..<4 {
      for m in 0..<4 {
        if n / 2 == m / 2 {
          #expect(abs(found[n][m] - 0.5) < 0.01)
        } else {
          #expect(found[n][m] < 1e-3)
        }
      }
    }
  }

  @Test("symmetric measures are symmetric, and all are 0 for equal distributions only")
  func measures() {
    for measure in KnowledgeFusion.Measure.allCases {
      let rule = fusion { $0.measure = measure }
      for p in distributions {
        for q in distributions {
          let distance = rule.distance(rule.smoothed(p), rule.smoothed(q))
          #expect((distance == 0) == (p == q))
          let back = rule.distance(rule.smoothed(q), rule.smoothed(p))
          if measure != .kl { #expect(abs(distance - back) < 1e-15) }
          if measure == .jensenShannon { #expect(distance <= log(2)) }
        }
      }
    }
    let rule = fusion { $0.measure = .jeffreys }
    #expect(abs(rule.distance([0.5, 0.5], [0.25, 0.75]) - 0.25 * log(3)) < 1e-15)
  }

  @Test("options zero what they say and keep rows at sum 1")
  func options() {
    let plain = weights { $0.beta = 1 }
    for k in 1...4 {
      let rows = weights {
        $0.beta = 1
        $0.topK = k
      }
      for n in 0..<4 {
        let kept = plain[n].sorted(by: >).prefix(k)
        #expect(rows[n].count { $0 > 0 } == k)
        for m in 0..<4 where rows[n][m] > 0 {
          #expect(abs(rows[n][m] - plain[n][m] / kept.reduce(0, +)) <= rounding)
        }
      }
    }
    for (n, row) in weights({ $0.minWeight = 1 }).enumerated() { #expect(row[n] == 1) }
    for row in weights({ ($0.beta, $0.minWeight) = (1, 0.2) }) {
      #expect(abs(row.reduce(0, +) - 1) <= rounding && row.contains(0))
    }
    for (n, row) in weights({ $0.includesSelf = false }).enumerated() {
      #expect(row[n] == 0 && abs(row.reduce(0, +) - 1) <= rounding)
    }
    for row in weights({ ($0.beta, $0.usesShares) = (0, true) }) {
      for m in 0..<4 { #expect(abs(row[m] - shares[m]) <= rounding) }
    }
    let alone = fusion { $0.includesSelf = false }.weights([[0.5, 0.5]], shares: [1])
    #expect(alone == [[1]])
  }

  @Test("distributions are the mean prediction, or the share of images put into a class")
  func estimates() {
    let predictions: [Float] = [0.5, 0.25, 0.25, 0.125, 0.75, 0.125, 0.5, 0.5, 0]
    let mean = KnowledgeFusion.distribution(predictions, classes: 3)
    #expect(mean == [0.375, 0.5, 0.125])
    let shares = KnowledgeFusion.distribution(predictions, classes: 3, histogram: true)
    #expect(shares == [2.0 / 3, 1.0 / 3, 0])
  }

  @Test("the server's step with β = 0 is FedMD's on probabilities, bit for bit")
  func isFedMD()
    throws
  {
    let network = try NetworkRecipe.build(
      "dense a 3 1", input: FeatureShape(height: 1, width: 2, channels: 1))
    let problem = LearningProblem(
      network: network, clients: 5,
      settings: LocalSettings(
        work: .epochs(1), batch: 1, optimizer: OptimizerSpec(learningRate: 1)),
      initial: [Float](repeating: 0, count: network.layout.count), seed: 1, publicCount: 2,
      imageBytes: 2)
    let knfu = KnFu(StrategySettings(KnFu.info, ["beta": .number(0)]), problem)
    let fedmd = FedMD(
      StrategySettings(FedMD.info, ["digest": .choice("kl-probabilities")]), problem)
    let rows: [[Float]] = [
      [0.1, 0.2, 0.7, 0.3, 0.3, 0.4], [0.9, 0.05, 0.05, 0.2, 0.5, 0.3],
      [0.3, 0.3, 0.4, 0.15, 0.15, 0.7],
    ]
    var (first, second) = (AllUploads(), AllUploads())
    for (client, row) in zip([4, 0, 2], rows) {
      for (block, isFirst) in [("knowledge", true), ("scores", false)] {
        var payload = Payload.empty
        payload.append(block, [NamedShape(block, [2, 3])], values: row)
        let upload = WeightedUpload(payload, weight: 1 / 3, client: client)
        if isFirst { first.add(upload) } else { second.add(upload) }
      }
    }
    var (a, b) = (knfu.start(problem), fedmd.start(problem))
    let facts = RoundFacts(round: 1, exchange: 0, uploads: 3, clients: 5)
    knfu.step(&a, first, facts)
    fedmd.step(&b, second, facts)
    let consensus = try #require(b.memory["consensus"])
    for client in [0, 2, 4] {
      let mixture = try #require(a.memory["knowledge.\(client)"])
      #expect(mixture.map(\.bitPattern) == consensus.map(\.bitPattern))
    }
    #expect(a.memory["effective-neighbours"]?.map { $0.rounded() } == [3, 0, 3, 0, 3])
    #expect(a.memory["knowledge.1"] == nil)
    for i in 0..<6 {
      let mean = rows.reduce(0.0) { $0 + Double($1[i]) } / 3
      #expect(abs(Double(consensus[i]) - mean) < 1e-7)
    }
  }
}

/// Targets of the fine-tuning step.
@Suite("Soft targets of examples")
struct SoftTargetTests {
  private let probabilities: [Float] = [0.2, 0.5, 0.3, 0.05, 0.05, 0.9]

  private func targets(_ temperature: Float) -> [Float] {
    DistillationRule(probabilities: probabilities, classes: 3, temperature: temperature).targets
  }

  @Test("at temperature 1 the targets are the probabilities themselves, bit for bit")
  func one() {
    #expect(targets(1).map(\.bitPattern) == probabilities.map(\.bitPattern))
    // Not even raised to the least probability that tempering knows.
    let tiny: [Float] = [1e-12, 0.4, 0.6]
    #expect(DistillationRule(probabilities: tiny, classes: 3, temperature: 1).targets == tiny)
  }

  @Test("a high temperature makes them uniform, a low one 0 or 1")
  func limits() {
    for q in targets(1e6) { #expect(abs(q - 1 / 3) < 1e-5) }
    let cold = targets(0.01)
    for (q, expected) in zip(cold, [0, 1, 0, 0, 0, 1] as [Float]) {
      #expect(abs(q - expected) < 1e-6)
    }
  }

  @Test("logits at a temperature are tempered probabilities of the logits")
  func logits() {
    let logits = probabilities.map { logf($0) }
    let direct = DistillationRule(logits: logits, classes: 3, temperature: 3).targets
    for (a, b) in zip(direct, targets(3)) { #expect(abs(a - b) < 1e-6) }
  }
}
