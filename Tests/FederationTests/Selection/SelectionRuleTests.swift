import Aggregation
import Base
import Scenario
import Tensor
import Testing

@testable import Federation

/// Choices on numbers that were worked out by hand.
@Suite("Rules of client selection")
struct SelectionRuleTests {
  @Test("the largest values, ties by the smaller number, what is no number first")
  func largest() {
    let clients = [3, 5, 7, 9]
    #expect(ClientDraws.largest(clients, values: [1, 2, 2, 0], count: 1) == [5])
    #expect(ClientDraws.largest(clients, values: [1, 2, 2, 0], count: 3) == [3, 5, 7])
    #expect(ClientDraws.largest(clients, values: [1, 2, 2, .nan], count: 2) == [5, 9])
    #expect(ClientDraws.largest(clients, values: [1, 2, 2, .infinity], count: 9) == clients)
    #expect(ClientDraws.largest([], values: [], count: 2) == [])
  }

  @Test("draws without replacement follow the weights of those that are left")
  func weighted() {
    var single = 0
    var pairs = 0
    let draws = 20_000
    for round in 0..<draws {
      var stream = RandomStream(seed: 5, .test, round: round)
      if ClientDraws.weighted([0, 1], weights: [1, 3], count: 1, &stream) == [1] { single += 1 }
      let pair = ClientDraws.weighted([4, 6, 8], weights: [1, 2, 3], count: 2, &stream)
      if pair == [6, 8] { pairs += 1 }
    }
    // Five deviations, √(p(1 − p)/n) ≤ 0.0035 each. 6 then 8 is 2/6 · 3/4, 8 then 6 is 3/6 · 2/3.
    #expect(abs(Double(single) / Double(draws) - 0.75) < 0.0175)
    #expect(abs(Double(pairs) / Double(draws) - 7.0 / 12) < 0.0175)
    var stream = RandomStream(seed: 5, .test)
    #expect(ClientDraws.weighted([4, 6, 8], weights: [0, 2, 0], count: 2, &stream) == [4, 6])
    #expect(ClientDraws.weighted([4, 6], weights: [1, 2], count: 7, &stream) == [4, 6])
    #expect(ClientDraws.weighted([4, 6], weights: [1, 2], count: 0, &stream) == [])
  }

  private func rule(_ change: (inout FederationSettings.Oort) -> Void = { _ in }) -> OortRule {
    var settings = FederationSettings.Oort()
    change(&settings)
    return OortRule(settings)
  }

  private func known(_ utilities: [Double], rounds: [Int]? = nil, seconds: [Double?]? = nil)
    -> [OortRule.Known]
  {
    utilities.indices.map { client in
      OortRule.Known(
        client: client, utility: utilities[client], round: rounds?[client] ?? 1,
        seconds: seconds?[client] ?? nil)
    }
  }

  @Test("the share of newcomers falls from 0.9 by 0.98 to 0.2")
  func exploration() {
    #expect(rule().exploration(round: 1) == 0.9)
    #expect(abs(rule().exploration(round: 3) - 0.864_36) < 1e-12)
    #expect(rule().exploration(round: 75) > 0.2)
    #expect(rule().exploration(round: 76) == 0.2)
    // A lower start stays.
    #expect(rule { $0.exploration = 0.1 }.exploration(round: 9) == 0.1)
  }

  @Test("utility, its clip, its uncertainty, and the system term where a duration is known")
  func scores() {
    // √(0.1·ln 10 / L) for L = 1, 10, 5.
    let uncertainty = [0.479_852_591, 0.151_742_713, 0.214_596_602]
    func expect(_ found: [Double], _ expected: [Double]) {
      for (one, other) in zip(found, expected) { #expect(abs(one - other) < 1e-8) }
    }
    let rounds = [1, 10, 5]
    let plain = known([10, 20, 40], rounds: rounds)
    expect(
      rule().scores(plain, round: 10, preferred: 10),
      [10 + uncertainty[0], 20 + uncertainty[1], 40 + uncertainty[2]])
    // The quantile 0.5 of three is the second.
    expect(
      rule { $0.clip = 0.5 }.scores(plain, round: 10, preferred: 10),
      [10 + uncertainty[0], 20 + uncertainty[1], 20 + uncertainty[2]])
    // 20 s where 10 s are preferred: (1/2)²; faster ones gain nothing.
    let timed = known([10, 20, 40], rounds: rounds, seconds: [5, nil, 20])
    expect(
      rule().scores(timed, round: 10, preferred: 10),
      [10 + uncertainty[0], 20 + uncertainty[1], (40 + uncertainty[2]) / 4])
    #expect(rule().scores([], round: 1, preferred: 10) == [])
  }

  @Test("a cohort: the best known, newcomers, and whoever fills up")
  func cohort() {
    let best = rule {
      $0.exploration = 0
      $0.cutOff = 1
      $0.clip = 1
    }
    let sixOf = known([5, 1, 4, 2, 3, 0])
    func cohort(
      _ rule: OortRule, _ size: Int, of clients: [Int], _ known: [OortRule.Known], round: Int = 1,
      seed: UInt64 = 1
    ) -> [Int] {
      rule.cohort(size: size, of: clients, known: known, round: round, preferred: 10, seed: seed)
    }
    // ε = 0 and c = 1 leave no choice.
    #expect(cohort(best, 2, of: Array(0..<6), sixOf) == [0, 2])
    #expect(cohort(best, 3, of: Array(0..<9), sixOf) == [0, 2, 4])
    // Half of four are newcomers.
    let half = rule {
      $0.exploration = 0.5
      $0.cutOff = 1
      $0.clip = 1
    }
    let mixed = cohort(half, 4, of: Array(0..<9), sixOf)
    #expect(mixed.count == 4)
    #expect(mixed.prefix(2) == [0, 2])
    #expect(mixed.suffix(2).allSatisfy { $0 >= 6 })
    // One newcomer is not two: a third known one fills up; and the other way round.
    #expect(cohort(half, 4, of: Array(0..<7), sixOf) == [0, 2, 4, 6])
    #expect(cohort(best, 4, of: [0, 1, 2, 3], known([7])).count == 4)
    #expect(cohort(best, 4, of: [0, 1], []) == [0, 1])
    // c admits everyone within 95 % of the last by rank: 3.8 is, 3.7 is not.
    let close = known([4, 3.8, 3.7])
    let wide = rule {
      $0.exploration = 0
      $0.clip = 1
    }
    let seen = Set((1...200).map { cohort(wide, 1, of: [0, 1, 2], close, seed: $0) })
    #expect(seen == [[0], [1]])
    // Everybody is new in the first round, and each is as likely.
    var counts = [Int](repeating: 0, count: 5)
    for seed in 1...5000 {
      for client in cohort(rule(), 2, of: Array(0..<5), [], seed: UInt64(seed)) {
        counts[client] += 1
      }
    }
    // 2000 each, deviation 35.
    #expect(counts.allSatisfy { abs($0 - 2000) < 175 })
  }

  @Test("the pacer waits for two windows, and prefers slower rounds when utility falls")
  func pacer() {
    let short = rule {
      $0.pacerWindow = 2
      $0.pacerStep = 5
    }
    #expect(short.paced(7, [4, 3, 2]) == 7)
    #expect(short.paced(7, [4, 3, 2, 1]) == 12)
    #expect(short.paced(7, [1, 2, 3, 4]) == 7)
    #expect(short.paced(7, [9, 9, 1, 2, 3, 4]) == 7)
  }

  @Test("the server remembers reports, rounds, durations and the pacer's history")
  func memory() {
    let selection = SelectionMemory(clients: 3)
    var state = StateTensors()
    #expect(selection.lastLosses(state) == [.infinity, .infinity, .infinity])
    #expect(selection.known(state) == [])
    selection.keep([.init(client: 2, loss: 0.5, seconds: nil)], round: 4, in: &state)
    #expect(selection.lastLosses(state) == [.infinity, .infinity, 0.5])
    #expect(state.names == ["selection.loss", "selection.round"])
    selection.keep(
      [.init(client: 0, loss: 2, seconds: 8), .init(client: 2, loss: 0.25, seconds: nil)], round: 6,
      in: &state)
    #expect(
      selection.known(state) == [
        OortRule.Known(client: 0, utility: 2, round: 6, seconds: 8),
        OortRule.Known(client: 2, utility: 0.25, round: 6, seconds: nil),
      ])
    let short = rule {
      $0.pacerWindow = 1
      $0.pacerStep = 5
    }
    #expect(selection.preferred(state, short) == 5)
    selection.pace(3, short, in: &state)
    #expect(selection.preferred(state, short) == 5)
    selection.pace(2, short, in: &state)
    #expect(selection.preferred(state, short) == 10)
    #expect(state["selection.pacer"] == [10, 3, 2])
    selection.pace(9, short, in: &state)
    #expect(state["selection.pacer"] == [10, 2, 9])
  }

  @Test("squared losses of single examples are added up beside the losses")
  func squares() {
    var stream = RandomStream(seed: 3, .test)
    let logits = (0..<15).map { _ in Float(stream.normal()) }
    let labels: [Int32] = [0, 2, 1, 1, 0]
    let loss = SoftmaxCrossEntropy(weights: [1, 2, 0.5], focus: 1)
    var expected = 0.0
    logits.withUnsafeBufferPointer { logits in
      labels.withUnsafeBufferPointer { labels in
        guard let z = logits.baseAddress, let y = labels.baseAddress else { return }
        for i in 0..<5 {
          let one = loss.evaluate(logits: z + 3 * i, labels: y + i, batch: 1, classes: 3).lossSum
          expected += one * one
        }
        let all = loss.evaluate(logits: z, labels: y, batch: 5, classes: 3)
        #expect(abs(all.squareSum - expected) < 1e-12 * expected)
        #expect(abs(all.squareSum - all.lossSum * all.lossSum / 5) > 0.01)
      }
    }
  }
}
