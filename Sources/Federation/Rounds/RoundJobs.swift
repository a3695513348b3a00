import Aggregation
import Client
import Data
import Scenario

/// The local training of one round: who, on what, with which share.
struct RoundJobs: Sendable {
  struct Job: Sendable {
    let client: Int
    let examples: [Int]
    let weight: Double
  }

  private(set) var sampled: [Int]
  /// The training to do, in the order of the fold: the largest client first so that no worker idles
  /// at the end; clients without examples are drawn but have nothing to do.
  private(set) var list: [Job]
  /// What each of them does.
  let settings: LocalSettings

  /// Jobs that are known.
  init(sampled: [Int], list: [Job], settings: LocalSettings) {
    self.sampled = sampled
    self.list = list
    self.settings = settings
  }

  /// The jobs of a cohort under a strategy's choices.
  init(_ cohort: [Int], _ context: RunContext, _ population: Population, _ weighting: WeightingRule)
  {
    let settings = context.problem.settings
    let clients = context.split.clients
    sampled = cohort
    let active = cohort.filter { !clients[$0].isEmpty }
    if population == .pooled {
      var steps = 0
      for client in active {
        steps += settings.work.steps(examples: clients[client].count, batch: settings.batch)
      }
      var pooled = settings
      pooled.work = .steps(steps)
      self.settings = pooled
      let union = clients.count == 1 ? clients[0] : clients.flatMap { $0 }
      list = steps == 0 ? [] : [Job(client: 0, examples: union, weight: 1)]
      return
    }
    self.settings = settings
    let bySamples = weighting == .scenario && context.scenario.federation.weighting == .samples
    var total = 0.0
    for client in active { total += bySamples ? Double(clients[client].count) : 1 }
    var jobs: [Job] = []
    jobs.reserveCapacity(active.count)
    for client in active {
      let weight = bySamples ? Double(clients[client].count) : 1
      jobs.append(Job(client: client, examples: clients[client], weight: weight / total))
    }
    jobs.sort { ($1.examples.count, $0.client) < ($0.examples.count, $1.client) }
    list = jobs
  }
}

extension RoundJobs {
  /// Leaves out all but the first; shares stay as they are.
  mutating func cut(to count: Int) { list = Array(list.prefix(count)) }

  /// Leaves out what does not satisfy `isKept`; shares stay as they are.
  mutating func keep(_ isKept: (Job) -> Bool) { list = list.filter(isKept) }

  /// Divides the shares by the sum of those of clients that satisfy `counts`; when all do, shares
  /// keep their bits.
  mutating func share(among counts: (Int) -> Bool, outOf before: Int) {
    let counting = list.filter { counts($0.client) }
    guard counting.count < before else { return }
    let total = counting.reduce(0) { $0 + $1.weight }
    guard total > 0 else { return }
    list = list.map { Job(client: $0.client, examples: $0.examples, weight: $0.weight / total) }
  }
}
