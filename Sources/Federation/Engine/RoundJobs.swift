import Aggregation
import Client

/// The local training of one round: who, on what, with which share.
struct RoundJobs {
  /// One client's training.
  struct Job {
    let client: Int
    let examples: [Int]
    let weight: Double
  }

  /// Clients drawn, ascending.
  let sampled: [Int]
  /// The training to do, in the order of the fold: the largest client first so that no worker idles
  /// at the end; clients without examples are drawn but have nothing to do.
  let list: [Job]
  /// What each of them does.
  let settings: LocalSettings

  /// Jobs that are known.
  init(sampled: [Int], list: [Job], settings: LocalSettings) {
    self.sampled = sampled
    self.list = list
    self.settings = settings
  }

  /// The jobs of a cohort under a strategy's choices.
  init(_ cohort: [Int], _ arena: Arena, _ population: Population, _ weighting: WeightingRule) {
    let settings = arena.problem.settings
    let clients = arena.split.clients
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
    let bySamples = weighting == .scenario && arena.scenario.federation.weighting == .samples
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

/// What a worker hands over: both messages of a client, and what it remembers.
struct TrainedClient: Sendable {
  // Not nested in the generic simulation: code that moves these values is compiled once, for them.
  let received: Payload
  let update: ClientUpdate
  let memory: ClientMemory
  /// Under client-level privacy, what left.
  var sent: ClientRelease.Sent?
  /// Under example-level privacy, what training did.
  var statistics: PrivateTraining.Statistics?
  /// Where messages are encoded, what was sent.
  var coded: Coded?
  /// What the update looks like, where its upload is something else.
  var template: Payload?

  /// Both messages of a client as bytes.
  struct Coded: Sendable {
    /// To the client.
    var down: CodedMessage?
    /// To the server.
    var up: CodedMessage?
    /// How near the upload is to what was meant.
    var quality = CompressionQuality()
    /// What the client remembers in place if its upload does not arrive.
    var unheard: [String: [Float]] = [:]
    /// Time of encoding and decoding.
    var seconds = 0.0
  }
}
