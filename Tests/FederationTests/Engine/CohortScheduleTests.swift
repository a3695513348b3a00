import Base
import Scenario
import Testing

@testable import Federation

@Suite("Cohorts by a schedule")
struct CohortScheduleTests {
  private func sampler(
    _ clients: Int, _ cohort: Int, _ sampling: FederationSettings.Sampling, seed: UInt64 = 1
  ) -> CohortSampler {
    CohortSampler(
      settings: FederationSettings(
        clients: clients, rounds: 1000, participation: Double(cohort) / Double(clients),
        sampling: sampling, weighting: .samples), seed: seed)
  }

  private func separated(_ separation: Int, _ most: Int? = nil) -> FederationSettings.Sampling {
    .separated(FederationSettings.Separated(separation: separation, participations: most))
  }

  @Test("nobody comes twice within the separation, or more often than allowed")
  func separation() {
    var stream = RandomStream(seed: 5, .test)
    for number in 0..<150 {
      let cohort = 1 + stream.below(5)
      let separation = 1 + stream.below(8)
      let clients = cohort * separation + stream.below(6)
      let most = number % 2 == 0 ? nil : 1 + stream.below(4)
      let sampler = sampler(clients, cohort, separated(separation, most), seed: UInt64(number))
      var last: [Int: Int] = [:]
      var count: [Int: Int] = [:]
      for round in 1...40 {
        let drawn = sampler.cohort(round: round)
        #expect(zip(drawn, drawn.dropFirst()).allSatisfy { $0 < $1 })
        // As long as nobody is used up, there are always enough who have rested.
        #expect(most == nil ? drawn.count == cohort : drawn.count <= cohort)
        for client in drawn {
          #expect((0..<clients).contains(client))
          if let before = last[client] { #expect(round - before >= separation) }
          last[client] = round
          count[client, default: 0] += 1
        }
      }
      if let most { #expect(count.values.allSatisfy { $0 <= most }) }
    }
  }

  @Test("a cohort depends on seed and round, not on what was asked before or how often")
  func pure() {
    let one = sampler(40, 4, separated(6, 3))
    let later = one.cohort(round: 17)
    let inOrder = sampler(40, 4, separated(6, 3))
    let all = (1...17).map { inOrder.cohort(round: $0) }
    #expect(all[16] == later)
    #expect(one.cohort(round: 3) == all[2] && inOrder.cohort(round: 3) == all[2])
    let other = sampler(40, 4, separated(6, 3), seed: 2)
    #expect((1...17).map { other.cohort(round: $0) } != all)
  }

  @Test("a separation of 1, and one group, are the cohorts without a schedule")
  func plain() {
    for round in 1...30 {
      #expect(
        sampler(30, 7, separated(1)).cohort(round: round)
          == sampler(30, 7, .uniform).cohort(round: round))
      #expect(
        sampler(30, 7, .cyclicPoisson(groups: 1)).cohort(round: round)
          == sampler(30, 7, .poisson).cohort(round: round))
    }
  }

  @Test("all rest as long as there are: the order repeats")
  func tight() {
    let sampler = sampler(20, 4, separated(5))
    for round in 1...20 {
      #expect(sampler.cohort(round: round) == sampler.cohort(round: round + 5))
    }
  }

  @Test("groups are disjoint, as large as each other, and take turns")
  func groups() {
    for (clients, groups) in [(20, 4), (23, 4), (7, 7), (9, 2)] {
      // With probability 1 a cohort is its group.
      let sampler = CohortSampler(
        settings: FederationSettings(
          clients: clients, rounds: 100, participation: 1 / Double(groups),
          sampling: .cyclicPoisson(groups: groups), weighting: .samples), seed: 3)
      let members = (1...groups).map { sampler.cohort(round: $0) }
      #expect(members.flatMap { $0 }.sorted() == Array(0..<clients))
      #expect(members.allSatisfy { $0.count >= clients / groups })
      for round in 1...3 * groups {
        #expect(sampler.cohort(round: round) == members[(round - 1) % groups])
      }
      if clients > 9 { #expect(members[0] != Array(stride(from: 0, to: clients, by: groups))) }
    }
  }

  @Test("in its group's turn each client comes with the probability b·m/N, independently")
  func rates() {
    let (clients, cohort, groups, rounds) = (30, 3, 5, 6000)
    let sampler = sampler(clients, cohort, .cyclicPoisson(groups: groups))
    var count = [Int](repeating: 0, count: clients)
    var sizes = 0.0
    for round in 1...rounds {
      let drawn = sampler.cohort(round: round)
      for client in drawn { count[client] += 1 }
      sizes += Double(drawn.count * drawn.count)
    }
    let turns = Double(rounds / groups)
    let rate = Double(groups * cohort) / Double(clients)
    let error = (turns * rate * (1 - rate)).squareRoot()
    #expect(count.allSatisfy { abs(Double($0) - turns * rate) < 5 * error })
    // Binomial(6, ½): the mean square of the size is 1.5 + 9.
    #expect(abs(sizes / Double(rounds) - 10.5) < 0.6)
  }
}
