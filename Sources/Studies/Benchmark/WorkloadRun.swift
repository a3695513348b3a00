import Aggregation
import Base
import Client
import Data
import Federation
import Scenario
import Tensor

package struct BenchmarkSettings: Sendable, Equatable {
  /// Timed rounds, at least 1.
  package var rounds = 5
  /// Rounds before them that are not timed.
  package var warmup = 1
  /// Workers.
  package var threads = 1
  /// The seed of everything that is drawn.
  package var seed: UInt64 = 1
  /// What is given and not drawn.
  package var files = WorkloadFiles()
  /// Whether the first round's update is kept, for tests; it costs a model's memory.
  package var keepsUpdate = false

  /// One warm-up round and five timed ones on one thread.
  package init() {}
}

/// What timing a workload gave.
package struct WorkloadResult: Sendable {
  /// What was run.
  package let workload: Workload
  /// How.
  package let settings: BenchmarkSettings
  /// The timed rounds.
  package let laps: [LoadMeter.Lap]
  /// Seconds of the very first round, timed or not.
  package let firstRound: Double
  /// Seconds from `started` to the end.
  package let sinceStart: Double
  /// See ``LoadMeter/peakMebibytes``.
  package let peakMebibytes: Double?
  /// ‖w₁ − w₀‖₂: how far the first round moved the model.
  package let updateNorm: Double
  /// w₁ − w₀ in our layout; empty unless it was to be kept.
  package let firstUpdate: [Float]
  /// Floating-point operations of a round: those of one sample's step times the samples.
  package let flopsPerRound: Int
}

extension WorkloadResult {
  /// Runs a workload through the engine that `fedsim run` uses: FedAvg, round by round.
  ///
  /// `started`: when the clock of `sinceStart` began; now by default.
  ///
  /// Throws exit 1 without OpenBLAS, exit 2 when memory cannot hold it, exit 4 for wrong files,
  /// exit 5 when a number is no longer finite.
  package init(_ workload: Workload, _ settings: BenchmarkSettings, started: Double? = nil)
    throws(Failure)
  {
    let started = started ?? LoadMeter.now
    LoadMeter.resetPeak()
    let network = try workload.network()
    try workload.requireMemory(network, settings)
    let rounds = settings.warmup + settings.rounds
    let pool = WorkerPool(workers: settings.threads)
    let context = RunContext(
      workload, network,
      inputs: try WorkloadInputs(
        workload, network, files: settings.files, rounds: rounds, seed: settings.seed, pool: pool),
      rounds: rounds, pool: pool, seed: settings.seed)
    let method = FedAvg(context.problem)
    let simulation = Simulation(method, try context.with(workload))
    var laps: [LoadMeter.Lap] = []
    var firstUpdate: [Float] = []
    var updateNorm = 0.0
    var meter = LoadMeter()
    for round in 0..<rounds {
      meter.begin()
      do throws(RoundFailure) { _ = try simulation.runRound() } catch {
        guard case .diverged(let found) = error else { throw error.failure(run: workload.name) }
        throw Failure(
          .diverged, "E5001", "\(workload.name): a number is not finite in round \(found.round)",
          hint: "inputs and weights of ordinary size do not do this; look at the given files")
      }
      laps.append(meter.lap())
      if round == 0 {
        let trained = simulation.server.model
        let update = VectorArithmetic.difference(trained.span, context.problem.initial.span)
        updateNorm = VectorArithmetic.norm(update.span)
        if settings.keepsUpdate { firstUpdate = update }
      }
    }
    self.workload = workload
    self.settings = settings
    self.laps = Array(laps.suffix(settings.rounds))
    self.updateNorm = updateNorm
    self.firstUpdate = firstUpdate
    firstRound = laps.first?.seconds ?? 0
    sinceStart = LoadMeter.now - started
    peakMebibytes = LoadMeter.peakMebibytes
    flopsPerRound = workload.samplesPerRound * network.trainingFLOPs
  }
}

extension Workload {
  /// Examples that a worker's memory holds: what passes through the network together.
  func capacity(_ network: Network) -> Int { network.largestMicroBatch(upTo: min(batch, samples)) }

  /// Refuses what memory cannot hold, before anything large is allocated: inputs, workspaces, and
  /// copies of the model at the server and on the way.
  func requireMemory(
    _ network: Network, _ settings: BenchmarkSettings, available: Int = LoadMeter.availableBytes
  ) throws(Failure) {
    let workspaces =
      settings.threads * network.workspaceBytes(capacity: capacity(network), moments: 0)
    let models = 4 * network.layout.count * (4 + 4 * settings.threads)
    try Self.require(4 * inputCount + workspaces + models, available: available, for: name)
  }

  /// Throws E2008 unless so many bytes are there.
  static func require(_ bytes: Int, available: Int, for name: String) throws(Failure) {
    guard bytes > available else { return }
    let gibibytes = { (bytes: Int) in NumberText.fixed(Double(bytes) / Double(1 << 30), 1) }
    throw Failure(
      .wrongCommandLine, "E2008",
      "\(name) needs about \(gibibytes(bytes)) GiB of memory; \(gibibytes(available)) are free",
      hint: "lower --clients or --samples, or use fewer --threads")
  }
}

extension RunContext {
  /// The context of a workload: every client's samples in stored order, uniform weights, plain SGD.
  init(
    _ workload: Workload, _ network: Network, inputs: WorkloadInputs, rounds: Int, pool: WorkerPool,
    seed: UInt64
  ) {
    let images = inputs.images
    let clients = (0..<workload.clients).map { client in
      Array(client * workload.samples..<(client + 1) * workload.samples)
    }
    let split = Split(
      trainIndices: Array(0..<images.count), clients: clients, holdout: nil,
      clientClassCounts: ClassCounts(clients, labels: images.labels, classes: images.classes),
      classCounts: images.classCounts())
    let scenario = workload.scenario(rounds: rounds, seed: seed)
    // Nothing is evaluated: the samples stand in for test images, and there is no local test.
    let loader = BatchLoader(images, PixelTransform(channels: workload.input.channels))
    self.init(
      scenario: scenario, seed: seed, split: split,
      localTests: LocalTests(scenario.data.localTest, split: split, test: images, seed: seed),
      problem: LearningProblem(
        network: network, clients: workload.clients, settings: workload.settings,
        initial: inputs.initial, seed: seed), train: loader, test: loader,
      sampler: CohortSampler(settings: scenario.federation, seed: seed, given: inputs.cohorts),
      pool: pool,
      spaces: WorkerSpaces(
        network, workload.settings, images: images.count, workers: pool.workers,
        capacity: workload.capacity(network)))
  }
}

extension RunContext {
  /// With the privacy of a workload: its batches are in stored order, so it has no accountant.
  fileprivate func with(_ workload: Workload) throws(Failure) -> RunContext {
    guard let sigma = workload.noiseMultiplier else { return self }
    let settings = PrivacySettings(
      unit: .example(PrivacySettings.ExampleMechanism()), clip: 1, noiseMultiplier: sigma,
      target: nil, delta: 1e-5)
    let plan = try NoisePlan(
      settings,
      NoisePlan.Facts(
        federation: scenario.federation, sizes: split.clients.map(\.count),
        participations: split.clients.map { _ in scenario.federation.rounds }, exchanges: 1,
        work: { PrivateWork(batches: ($0 + workload.batch - 1) / workload.batch) },
        batch: workload.batch))
    var context = self
    context.privacy = RunPrivacy(
      settings: settings, plan: plan,
      audit: ReleaseAudit(
        FedAvg.self, StrategySettings(FedAvg.info), loss: .crossEntropy, settings: settings,
        normalization: .none), declared: FedAvg.disclosures, batch: workload.batch,
      cohortSize: Double(workload.cohort), memories: WorkerExampleMemories(workers: pool.workers),
      drawsBatches: false)
    return context
  }
}

extension Workload {
  /// The workload as a scenario, for the engine.
  fileprivate func scenario(rounds: Int, seed: UInt64) -> Scenario {
    Scenario(
      name: name, seeds: [seed],
      data: DataSettings(
        dataset: .synthetic(
          classes: Self.classes, trainPerClass: samples, testPerClass: 0, seed: seed),
        longTail: nil, partition: .iid,
        localTest: .init(policy: .priorWeighted, perClass: 0, holdoutShare: 0.5), augment: [],
        normalize: .none),
      federation: FederationSettings(
        clients: clients, rounds: rounds, participation: Double(cohort) / Double(clients),
        sampling: .uniform, weighting: .uniform), model: model, client: settings,
      evaluation: EvaluationSettings(every: rounds + 1), output: OutputSettings())
  }
}
