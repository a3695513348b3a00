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

@Suite("Asynchronous methods")
struct AsynchronousTests {
  private static let equal = [Int](repeating: 8, count: 5)

  @Test("FedBuff with equal devices and a buffer of everybody is FedAvg with uniform weights")
  func bufferOfEverybody() throws {
    let fixture = try ClockFixture(
      sizes: Self.equal,
      strategies: [
        ScenarioText.strategy("fedavg"), ScenarioText.strategy("fedbuff", #""buffer": 5"#),
      ], system: "{}"
    ) {
      $0.federation = #"{ "clients": 5, "rounds": 4, "weighting": "uniform" }"#
      $0.order = "shuffled"
      $0.optimizer = ScenarioText.Optimizers.momentum
    }
    let (average, buffered) = (try fixture.trial(0), try fixture.trial(1))
    #expect(bits(average.model) == bits(buffered.model))
    #expect(average.digests == buffered.digests)
    #expect(average.bytesUp == buffered.bytesUp)
    #expect(average.bytesDown == buffered.bytesDown)
    for (a, b) in zip(average.clock, buffered.clock) {
      expectClose(try #require(a).end, try #require(b).end)
    }
    let stale = buffered.clock.flatMap { $0?.events.compactMap(\.staleness) ?? [] }
    #expect(stale == [Int](repeating: 0, count: 20))
  }

  @Test("without a clock in the scenario the default one runs")
  func defaultClock() throws {
    let strategies = [ScenarioText.strategy("fedbuff"), ScenarioText.strategy("fedasync")]
    for index in 0..<2 {
      let silent = try ClockFixture(strategies: strategies, system: nil).trial(index)
      let empty = try ClockFixture(strategies: strategies, system: "{}").trial(index)
      #expect(silent.digests == empty.digests)
      #expect(silent.clock.map { $0?.end } == empty.clock.map { $0?.end })
      #expect(silent.clock.allSatisfy { $0 != nil })
    }
  }

  @Test("FedAsync with α = 1 and one client at a time is training at one client after the other")
  func sequential() throws {
    let sizes = [8, 5, 13]
    let fixture = try ClockFixture(
      sizes: sizes,
      strategies: [ScenarioText.strategy("fedasync", #""mixing": 1, "proximalWeight": 0"#)],
      system: "{}"
    ) { $0.federation = #"{ "clients": 3, "rounds": 7, "perRound": 1 }"# }
    let trial = try fixture.trial()
    let order = trial.clock.flatMap { $0?.completed ?? [] }
    #expect(order.count == 7)
    #expect(Set(order).count > 1)
    // By hand: plain SGD over each client's images in their order, one epoch each.
    let examples = ReferenceExample.all(fixture.data.train)
    let model = ReferenceModel(inputs: fixture.data.train.shape.count, hidden: 6, classes: 3)
    let layout = try fixture.experiment().network.layout
    var w = layout.torchOrder(trial.initial).map(Double.init)
    let start = w
    var steps = 0
    for client in order {
      let images = fixture.partition.clients[client]
      for first in stride(from: 0, to: images.count, by: 4) {
        let batch = images[first..<min(first + 4, images.count)].map { examples[$0] }
        let gradient = model.gradient(w, batch)
        for i in w.indices { w[i] -= 0.1 * gradient[i] }
        steps += 1
      }
    }
    let observed = layout.torchOrder(trial.model).map(Double.init)
    // One rounding of w per step, and gradients of √24 roundings (inputs), each carried on.
    let allowed =
      8 * Rounding.unit
      * (Double(steps).squareRoot() * norm(w, minus: nil) + 24.0.squareRoot()
        * norm(w, minus: start))
    #expect(norm(observed, minus: w) <= allowed)
    #expect(norm(w, minus: start) > 1000 * allowed)
  }

  @Test("FedAsync mixes by α and staleness, and steps at every arrival")
  func mixing() throws {
    let fixture = try ClockFixture(
      sizes: [8, 8],
      strategies: [
        ScenarioText.strategy("fedasync", #""proximalWeight": 0"#),
        ScenarioText.strategy("fedbuff", #""buffer": 1, "stalenessExponent": 0"#),
      ], system: #"{ "compute": { "kind": "table", "values": [1000, 310] } }"#
    ) { $0.federation = #"{ "clients": 2, "rounds": 2 }"# }
    let trial = try fixture.trial()
    // The fast one comes at 1, 2 and 3 units, the slow one at 3.2, after three steps.
    let events = trial.clock.flatMap { $0?.timeline ?? [] }
    let arrivals = events.filter { $0.kind == .arrive }
    #expect(arrivals.map(\.client) == [0, 0, 0, 1])
    #expect(arrivals.map(\.staleness) == [0, 0, 0, 3])
    #expect(events.count { $0.kind == .step } == 4)
    #expect(trial.cohorts == [[0], [0, 1]])
    let problem = try fixture.experiment()
    let method = FedAsync(
      StrategySettings(FedAsync.info),
      LearningProblem(
        network: problem.network, clients: 2, settings: problem.scenario.client,
        initial: trial.initial, seed: 1))
    #expect(method.arrivalWeight(staleness: 0) == 0.6)
    #expect(method.arrivalWeight(staleness: 3) == 0.3)
    // w ← w + 1·Δ with nothing taken off is another method's step.
    #expect(try fixture.trial(1).model != trial.model)
  }

  @Test("staleness functions are the papers'")
  func staleness() {
    #expect(Staleness.polynomial(0, exponent: 0.5) == 1)
    #expect(Staleness.polynomial(3, exponent: 0.5) == 0.5)
    #expect(abs(Staleness.polynomial(7, exponent: 1) - 0.125) < 1e-16)
    #expect(Staleness.polynomial(7, exponent: 0) == 1)
    #expect(Staleness.hinge(4, slope: 10, delay: 4) == 1)
    #expect(Staleness.hinge(5, slope: 10, delay: 4) == 1.0 / 11)
    #expect(Staleness.hinge(8, slope: 0.5, delay: 4) == 1.0 / 3)
  }

  @Test("FedBuff sums what arrives by staleness until its buffer is full, by hand")
  func buffer()
    throws
  {
    // One client at work: no staleness in the first step, and the buffer spans two rounds.
    let fixture = try ClockFixture(
      sizes: [8, 8, 8],
      strategies: [
        ScenarioText.strategy(
          "fedbuff", #""buffer": 2, "serverOptimizer": { "kind": "sgd", "learningRate": 0.5 }"#),
        ScenarioText.strategy("fedavg"),
      ], system: "{}"
    ) { $0.federation = #"{ "clients": 3, "rounds": 3, "perRound": 1 }"# }
    let trial = try fixture.trial()
    let kinds = trial.clock.map { $0?.timeline.map(\.kind) ?? [] }
    #expect(kinds == [[.start, .arrive], [.start, .arrive, .step], [.start, .arrive]])
    let order = trial.clock.flatMap { $0?.completed ?? [] }
    // Local training from the initial model, by FedAvg of that client alone.
    var mean = [Float](repeating: 0, count: trial.model.count)
    for client in order.prefix(2) {
      let images = fixture.partition.clients.enumerated().map { $0 == client ? $1 : [] }
      let alone = try PartitionFile(clients: images)
      var text = fixture.text
      (text.partition, text.system) = (alone.json, nil)
      text.federation = #"{ "clients": 3, "rounds": 1 }"#
      text.strategies = [ScenarioText.strategy("fedavg")]
      let result = try text.experiment(fixture.data).trial()
      for i in mean.indices { mean[i] += (result.model[i] - trial.initial[i]) / 2 }
    }
    for i in mean.indices {
      let expected = trial.initial[i] + 0.5 * mean[i]
      #expect(abs(trial.model[i] - expected) <= 4 * Float.ulpOfOne * max(1, abs(expected)))
    }
  }

  /// Seven unequal clients, devices of all speeds, coins, a trace or none.
  private func random(_ kind: String, _ more: String = "") throws -> Experiment {
    let sizes = [9, 3, 0, 14, 6, 5, 11]
    let partition = try PartitionFile(sizes: sizes)
    var text = ScenarioText(partition: partition.json)
    text.federation = #"{ "clients": 7, "rounds": 6, "perRound": 3 }"#
    text.order = "shuffled"
    text.optimizer = ScenarioText.Optimizers.momentum
    text.strategies = [kind]
    text.system = """
      { "compute": { "kind": "lognormal", "speed": 20000, "sigma": 1 },
        "network": { "latency": "1 ms", "sigma": 0.5 }, "dropout": 0.15, "loss": 0.15 \(more) }
      """
    return try text.experiment(SmallImages.floats(train: sizes.reduce(0, +)))
  }

  private static let kinds = [
    ScenarioText.strategy("fedasync"), ScenarioText.strategy("fedbuff", #""buffer": 4"#),
    ScenarioText.strategy("fedbuff", #""buffer": 2, "private": ["head"]"#),
  ]

  @Test(
    "digests, times and events do not depend on threads, nor on going through a checkpoint",
    arguments: kinds, ["", #", "availability": { "kind": "rate", "rate": 0.5 }"#])
  func threads(
    _ kind: String, _ more: String
  ) throws {
    let experiment = try random(kind, more)
    let one = try experiment.trial()
    #expect(Set(one.digests).count == 7)
    let events = one.clock.map { $0?.events ?? [] }
    let kinds = Set(events.joined().map(\.kind))
    #expect(kinds.isSuperset(of: [.start, .arrive, .step]))
    #expect(!kinds.isDisjoint(with: [.drop, .lost]))
    #expect(events.joined().contains { ($0.staleness ?? 0) > 0 })
    let folder = try ScratchFolder()
    var others = [try experiment.trial(threads: 2), try experiment.trial(threads: 4)]
    for round in [1, 3, 5] {
      others.append(try experiment.trial(threads: 2, interruptedAfter: round, folder: folder.path))
    }
    for trial in others {
      #expect(trial.digests == one.digests)
      #expect(bits(trial.model) == bits(one.model))
      #expect(trial.flops == one.flops)
      #expect(trial.bytesUp == one.bytesUp)
      #expect(trial.bytesDown == one.bytesDown)
      #expect(trial.clientMemories == one.clientMemories)
      #expect(trial.clock.map { $0?.events ?? [] } == events)
      #expect(trial.clock.map { $0?.end } == one.clock.map { $0?.end })
      #expect(trial.clock.map { $0?.working } == one.clock.map { $0?.working })
    }
  }

  @Test("events of a round are in order, and nobody is at work twice at a time")
  func timeline()
    throws
  {
    let experiment = try random(Self.kinds[1])
    let trial = try experiment.trial()
    let bytes = 4 * experiment.network.layout.count
    var busy: Set<Int> = []
    var last = 0.0
    for (round, clock) in trial.clock.enumerated() {
      let clock = try #require(clock)
      let starts = clock.events.count { $0.kind == .start }
      #expect(trial.bytesDown[round] == starts * bytes)
      #expect(trial.bytesUp[round] == (3 + clock.lost.count) * bytes)
      #expect(clock.timeline == clock.events)
      #expect(clock.completed.count == 3)
      for event in clock.events {
        #expect(event.time >= last)
        last = event.time
        guard let client = event.client else { continue }
        #expect(client != 2, "it has no images")
        if event.kind == .start {
          #expect(busy.insert(client).inserted)
          #expect(busy.count <= 3)
        } else {
          #expect(busy.remove(client) != nil)
        }
      }
      #expect(clock.end == last)
    }
  }

  @Test("a client that trains twice in a round does not draw the same batches")
  func repetitions()
    throws
  {
    let fixture = try ClockFixture(
      sizes: [12], strategies: [ScenarioText.strategy("fedbuff", #""buffer": 1"#)], system: "{}"
    ) {
      $0.federation = #"{ "clients": 1, "rounds": 2 }"#
      $0.order = "shuffled"
    }
    // Two rounds of one arrival, against one round with two: only the addresses differ.
    let two = try fixture.trial()
    #expect(two.clock.map { $0?.completed } == [[0], [0]])
    let speeds = #"{ "compute": { "kind": "table", "values": [1e9, 1] } }"#
    let once = try ClockFixture(
      sizes: [12, 12], strategies: [ScenarioText.strategy("fedbuff", #""buffer": 1"#)],
      system: speeds
    ) {
      $0.federation = #"{ "clients": 2, "rounds": 1 }"#
      $0.order = "shuffled"
    }
    let trial = try once.trial()
    #expect(trial.clock.map { $0?.completed } == [[0, 0]])
    #expect(trial.cohorts == [[0]])
    // The same first step; a second one on other batches than a repeated round would draw.
    #expect(trial.model != two.model)
  }

  @Test("a trace's clients work while they are there; when nobody is left rounds end empty")
  func trace() throws {
    let folder = try ScratchFolder()
    try folder.write("trace.csv", text: "client,from,to\n0,5,6\n1,7,7.0001\n")
    let system = """
      { "compute": { "speed": 1e5 }, "network": { "latency": "10 ms" },
        "availability": { "kind": "trace", "path": "\(folder.at("trace.csv"))" } }
      """
    let fixture = try ClockFixture(strategies: [ScenarioText.strategy("fedasync")], system: system)
    { $0.federation = #"{ "clients": 3, "rounds": 40, "perRound": 2 }"# }
    let trial = try fixture.trial()
    let events = trial.clock.flatMap { $0?.events ?? [] }
    let first = try #require(events.first)
    #expect(first.time == 5)
    #expect(first.client == 0)
    #expect(events.contains { $0.kind == .drop && $0.client == 1 && $0.time == 7.0001 })
    #expect(events.filter { $0.kind == .arrive }.allSatisfy { $0.client == 0 && $0.time <= 6 })
    #expect(!events.contains { $0.client == 2 })
    #expect(trial.clock.last.flatMap { $0?.completed } == [])
  }

  @Test("clients stop when their budget is used up, and so does the run")
  func privacy() throws {
    let fixture = try ClockFixture(
      sizes: Self.equal,
      strategies: [
        ScenarioText.strategy(
          "fedbuff",
          #""buffer": 2, "privacy": { "unit": "example", "noiseMultiplier": 1, "target": "#
            + #"{ "epsilon": 20, "delta": 0.001 } }"#)
      ], system: #"{ "compute": { "kind": "lognormal", "speed": 1e5, "sigma": 1 } }"#
    ) { $0.federation = #"{ "clients": 5, "rounds": 60, "perRound": 3 }"# }
    let trial = try fixture.trial()
    #expect(trial.stopped.last?.count == 5)
    #expect(trial.clock.last.flatMap { $0?.completed } == [])
    #expect(trial.clock[0]?.completed.count == 3)
    let spent = try #require(trial.privacy)
    #expect(spent.hasGuarantee)
    #expect(spent.epsilonMax <= 20)
    let threads = try fixture.trial(threads: 3)
    #expect(threads.digests == trial.digests)
  }

  @Test("client-level privacy of an asynchronous method is refused, a deadline pointed out")
  func refused() throws {
    var text = ScenarioText()
    text.strategies = [
      ScenarioText.strategy("fedasync", #""privacy": { "unit": "client", "noiseMultiplier": 1 }"#)
    ]
    #expect(text.problems.contains { $0.code == "E3363" })
    text.strategies = [ScenarioText.strategy("fedbuff"), ScenarioText.strategy("fedavg")]
    text.system = #"{ "deadline": 1 }"#
    #expect(text.problems.filter { $0.code == "W3060" }.map(\.path) == ["$.strategies[0]"])
    #expect(text.problems.allSatisfy { $0.severity == .warning })
  }

  @Test("sums over a cohort need everybody in time, and selection by losses everybody there")
  func combinations() throws {
    let sums = #""compression": { "uplink": { "kind": "topk", "feedback": "ef21" } }"#
    var text = ScenarioText()
    func codes(_ kind: String, _ fields: String, _ system: String?) -> [String] {
      text.strategies = [ScenarioText.strategy(kind, fields)]
      text.system = system
      return text.problems.map(\.code).filter { $0.hasPrefix("E") || $0 == "W3063" }
    }
    #expect(codes("fedavg", sums, "{}") == [])
    #expect(codes("fedavg", sums, #"{ "deadline": "1 s" }"#) == ["E3364"])
    #expect(codes("fedavg", sums, #"{ "overSelection": 1.5 }"#) == ["E3364"])
    #expect(codes("fedbuff", sums, nil) == ["E3364"])
    text.federation = #"{ "clients": 3, "rounds": 2, "perRound": 2, "sampling": "oort" }"#
    #expect(codes("fedavg", "", "{}") == [])
    #expect(codes("fedavg", "", #"{ "overSelection": 1.5 }"#) == ["E3365"])
    let rate = #"{ "availability": { "kind": "rate", "rate": 0.5 } }"#
    #expect(codes("fedavg", "", rate) == ["E3365"])
    #expect(codes("fedbuff", "", nil) == ["W3063"])
  }

  @Test("a method that says it needs a clock is buffered, and no other")
  func needs() throws {
    let problem = try ClockFixture(system: nil).experiment()
    for type in StrategyRegistry.all
    where ["fedbuff", "fedasync", "fedavg"].contains(type.info.kind) {
      let method = type.init(
        StrategySettings(type.info),
        LearningProblem(
          network: problem.network, clients: 3, settings: problem.scenario.client,
          initial: [Float](repeating: 0, count: problem.network.layout.count), seed: 1))
      #expect(type.needs.contains(.clock) == (method.schedule != .synchronous))
      #expect(method.exchanges == 1)
    }
  }
}
