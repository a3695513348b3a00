import Aggregation
import Base
import Client
import Data
import Federation
import Records
import Scenario
import Tensor

/// What one strategy under one seed will cost: found by running it with everything but arithmetic.
///
/// A dry run is the run itself: the same cohorts, batches, messages, folds, clock and accountant,
/// with networks' passes counted and not computed (`Workspace.isDryRun`). So operations and
/// bytes are those of the run wherever they do not depend on values.
package struct DryRun: Sendable {
  package let label: String
  package let seed: UInt64
  /// The last round that was run dry.
  package var rounds = 0
  /// Rounds that were run dry.
  package private(set) var sampled = 0
  /// Rounds that those stand for.
  package private(set) var covered = 0
  /// Rounds of the run; the totals below are scaled to them.
  package var wanted = 0
  /// Clients' parts in all rounds.
  package var clientRounds = 0.0
  /// Optimizer steps of all clients.
  package var steps = 0.0
  /// Examples in them, counted once per visit.
  package var examples = 0.0
  /// Floating-point operations of clients' training, as rounds.jsonl counts them.
  package var flops = 0.0
  /// Those of the server's training.
  package var serverFLOPs = 0.0
  /// Those of evaluations.
  package var evaluationFLOPs = 0.0
  /// Encoded bytes from clients to the server.
  package var bytesUp = 0.0
  /// Encoded bytes from the server to clients.
  package var bytesDown = 0.0
  /// Bytes before the first round, both directions.
  package var bytesSetup = 0.0
  /// Seconds on the federation's clock; nil without one.
  package var virtualSeconds: Double?
  /// ε of each client that released something at the end, ascending, by privacy loss
  /// distributions; empty without privacy or without a guarantee.
  package var epsilons: [Double] = []
  /// The last record's privacy; nil without.
  package var privacy: RoundRecord.Privacy?
  /// Bytes of the run's files at its end.
  package var diskBytes = 0.0
  /// Seconds of the run on this machine with so many workers; nil when nothing was measured.
  package var seconds: Double?
  /// Bytes of memory that clients will have taken beyond what the dry run saw.
  package var missingMemory = 0.0
  /// Why bytes, operations or times may differ from the run's; empty: they will not.
  package var doubts: [String] = []

  /// Whether bytes and operations will be those of the run.
  package var isExact: Bool { doubts.isEmpty }
}

extension Experiment {
  /// What a probe and a dry run of one strategy under one seed find.
  ///
  /// - Parameters:
  ///   - strategy: its place in the scenario.
  ///   - context: of the seed.
  ///   - probe: seconds of real training to measure speed with; 0 takes none.
  ///   - most: seconds after which a dry run stops and is extrapolated.
  ///   - speed: what an earlier probe of this strategy found; takes what this one finds.
  /// - Returns: the totals of the run.
  /// - Throws: exit 3 when the method cannot have its network or noise.
  func dryRun(
    strategy: Int, _ context: RunContext, probe: Double, most: Double, speed: inout SpeedProbe?
  )
    throws(Failure) -> DryRun
  {
    var choice = scenario.strategies[strategy]
    var client = scenario.client(of: choice)
    guard let lesser = LesserWork(scenario, client, context.split) else {
      return try dryRun(choice, context, probe: probe, most: most, speed: &speed)
    }
    // Two dry runs of a part of the work, the second of twice as much: what differs is work.
    client.work = lesser.work
    choice.client = client
    var plan = try dryRun(
      choice, context, probe: probe, most: most / 3, spread: false, speed: &speed)
    client.work = lesser.twice
    choice.client = client
    let more = try dryRun(
      choice, context, probe: 0, most: .infinity, rounds: plan.rounds, spread: false,
      speed: &speed)
    plan.extrapolate(to: lesser, from: more)
    return plan
  }

  private func dryRun(
    _ choice: Scenario.StrategyChoice, _ shared: RunContext, probe seconds: Double, most: Double,
    rounds enough: Int = .max, spread: Bool = true, speed known: inout SpeedProbe?
  ) throws(Failure) -> DryRun {
    let run = try run(of: choice, shared, folder: "", scenarioHash: "")
    let context = run.context
    context.dryRun(false)
    if seconds > 0 { known = try SpeedProbe.measure(choice, context, seconds: seconds) }
    let speed = known ?? SpeedProbe()
    context.dryRun(true)
    let start = SystemClock.steady()
    var plan = DryRun(label: choice.label, seed: context.seed)
    plan.wanted = scenario.federation.rounds
    let workers = context.pool.workers
    var (critical, lines) = (0.0, 0)
    var evaluations = 0
    var result = RunResult()
    var last: MeasuredRound?
    // A clock's time passes in every round.
    let spreads = spread && !run.simulation.hasClock
    while plan.rounds < plan.wanted || plan.wanted == 0 {
      let stride = spreads ? plan.stride(after: SystemClock.steady() - start, of: most) : 1
      run.simulation.skip(stride - 1)
      let before = context.flops
      let round: MeasuredRound
      do throws(RoundFailure) { round = try run.measuredRound(&result) } catch {
        // A run would end there, too, and not as a divergence.
        if case .frame = error { throw error.failure(run: run.name) }
        plan.doubts.append("its dry run ends in round \(plan.rounds + 1)")
        break
      }
      plan.rounds = round.record.round
      let clients = round.clientFLOPs.reduce(0, +)
      plan.add(round.record, times: stride)
      let times = Double(stride)
      plan.clientRounds += times * Double(round.clientFLOPs.count)
      plan.evaluationFLOPs += Double(round.evaluationFLOPs)
      plan.serverFLOPs += times * Double(context.flops - before - clients - round.evaluationFLOPs)
      critical += times * Self.makespan(round.clientFLOPs, workers: workers)
      lines += stride * round.lines.byteCount
      if round.evaluationFLOPs > 0 { evaluations += 1 }
      last = round
      if plan.wanted == 0 || plan.rounds >= enough || SystemClock.steady() - start > most { break }
    }
    plan.privacy = last?.record.privacy
    plan.epsilons =
      plan.sampled < plan.wanted
      ? run.simulation.plannedEpsilons() : Self.epsilons(last?.privacy, last?.record.privacy)

    // The checkpoint is made as a run makes it, for its time and its memory.
    let encodingStart = SystemClock.steady()
    let saved = run.simulation.checkpoint.file(scenarioHash: "", run: run.label).encoded().count
    let encoding = SystemClock.steady() - encodingStart
    let overhead = (encodingStart - start) * Double(plan.covered) / Double(max(1, plan.sampled))

    let planned = (0...plan.wanted).count { $0 > 0 && scenario.isEvaluated($0) }
    let scale = plan.extrapolate(planned: Double(planned), counted: evaluations)
    plan.addMemory(run.simulation, context)
    plan.diskBytes = Double(lines) * scale + Double(saved) + plan.missingMemory
    plan.diskBytes += modelBytes(run.simulation)
    if let rate = speed.training ?? (plan.flops == 0 ? 1 : nil) {
      let training = (critical * scale + plan.serverFLOPs) / rate
      let evaluation = speed.evaluation.map { plan.evaluationFLOPs / $0 } ?? 0
      let every = scenario.output.checkpointEvery
      let checkpoints = every > 0 ? plan.wanted / every : 1
      plan.seconds = training + evaluation + overhead * scale + encoding * Double(checkpoints)
    }
    plan.doubts += doubts(run.simulation.method, context)
    return plan
  }

  /// What depends on values, which a dry run does not have.
  private func doubts(_ method: any Strategy, _ context: RunContext) -> [String] {
    var doubts: [String] = []
    if scenario.federation.sampling.readsLosses, method.population == .cohort {
      doubts.append("cohorts are chosen by losses")
    }
    if let codec = context.compression?.settings.valueDependent {
      doubts.append("lengths of \(codec) depend on values")
    }
    return doubts
  }

  /// Bytes of the files below final/.
  private func modelBytes(_ simulation: Simulation) -> Double {
    let context = simulation.context
    var bytes = simulation.method.models.contains(.generic) ? context.problem.layout.count * 4 : 0
    if simulation.method.models.contains(.personal), scenario.output.personalModels {
      for (client, examples) in context.split.clients.enumerated() where !examples.isEmpty {
        bytes += context.problem.network(of: client).layout.count * 4
      }
    }
    return Double(bytes)
  }

  /// Operations of the busiest of `workers` that take parts from one queue, the next part whenever
  /// one is done.
  package static func makespan(_ parts: [Int], workers: Int) -> Double {
    var busy = [Double](repeating: 0, count: max(1, workers))
    for part in parts {
      guard let next = busy.indices.min(by: { busy[$0] < busy[$1] }) else { continue }
      busy[next] += Double(part)
    }
    return busy.max() ?? 0
  }

  /// Those of single clients, or the one that all have.
  private static func epsilons(_ line: JSON?, _ record: RoundRecord.Privacy?) -> [Double] {
    guard let line, let record, record.hasGuarantee else { return [] }
    let all = RunTrace.epsilons(of: line)
    return all.isEmpty ? [record.epsilonMax] : all.sorted()
  }
}

extension DryRun {
  /// Rounds to go on by, so that what is left of the time reaches the end.
  ///
  /// Rounds are not alike: a method may send other layers later, or train longer. So where not all
  /// can be run dry, they are taken at even distances, each for those that it passes over.
  fileprivate func stride(after seconds: Double, of most: Double) -> Int {
    Self.stride(sampled: sampled, left: wanted - rounds, seconds: seconds, most: most)
  }

  /// The same from how many rounds were run dry in so many seconds, and how many are left.
  package static func stride(sampled: Int, left: Int, seconds: Double, most: Double) -> Int {
    guard sampled > 1, seconds > most / 4, left > 0 else { return 1 }
    let each = seconds / Double(sampled)
    let affordable = max(1, Int(clamping: max(0, most - seconds) / each))
    return min(left, (left + affordable - 1) / affordable)
  }

  /// `count`: rounds that this one stands for.
  fileprivate mutating func add(_ record: RoundRecord, times count: Int) {
    sampled += 1
    covered += count
    let times = Double(count)
    steps += times * Double(record.train?.steps ?? 0)
    examples += times * Double(record.train?.examples ?? 0)
    flops += times * (record.train?.flops ?? 0)
    bytesUp += times * Double(record.bytes.up)
    bytesDown += times * Double(record.bytes.down)
    bytesSetup += Double(record.bytes.setup)
    virtualSeconds = record.time.virtual ?? virtualSeconds
  }

  /// Takes the totals to the run's length; returns the factor.
  fileprivate mutating func extrapolate(planned: Double, counted: Int) -> Double {
    guard sampled < wanted, sampled > 0 else { return 1 }
    doubts.append(
      sampled == rounds
        ? "from its first \(rounds) of \(wanted) rounds"
        : "from \(sampled) of \(wanted) rounds at even distances")
    let scale = Double(wanted) / Double(covered)
    clientRounds *= scale
    steps *= scale
    examples *= scale
    flops *= scale
    serverFLOPs *= scale
    bytesUp *= scale
    bytesDown *= scale
    virtualSeconds = virtualSeconds.map { $0 * scale }
    if counted > 0 { evaluationFLOPs *= planned / Double(counted) }
    return scale
  }

  /// What clients that the dry run did not reach will remember, like those that it did.
  fileprivate mutating func addMemory(_ simulation: Simulation, _ context: RunContext) {
    let (reachedBefore, numbers) = simulation.remembered
    let known = 4 * numbers
    guard sampled < wanted, known > 0 else { return }
    var reached = Set<Int>()
    for round in 1...max(1, wanted) where reached.count < context.problem.clients {
      reached.formUnion(context.sampler.cohort(round: round))
    }
    let clients = reached.count { !context.split.clients[$0].isEmpty }
    let new = max(0, clients - reachedBefore)
    missingMemory = Double(known) / Double(reachedBefore) * Double(new)
  }
}
