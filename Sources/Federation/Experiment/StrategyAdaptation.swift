import Aggregation
import Base
import Client
import Data
import Scenario
import Tensor

extension Experiment {
  /// The method that a strategy of a scenario names.
  package static func type(of choice: Scenario.StrategyChoice) throws(Failure) -> any Strategy.Type
  {
    if let type = StrategyRegistry[choice.kind] { return type }
    throw Failure(.internalError, "E1021", "no strategy \(choice.kind)")
  }

  /// One of the scenario's strategies under the seed of an context, before its first round.
  ///
  /// `context`: as `adapted` made it for the strategy.
  package static func simulation(of choice: Scenario.StrategyChoice, _ context: RunContext)
    throws(Failure)
    -> Simulation
  { Simulation(try type(of: choice).init(choice.settings, context.problem), context) }

  /// The same as a run with a folder.
  ///
  /// - Parameters:
  ///   - choice: the strategy.
  ///   - shared: what all strategies have under the seed.
  ///   - folder: where its files are.
  ///   - scenarioHash: what its files say that they belong to.
  ///   - alone: accuracies of clients that train alone, by round; empty without that reference.
  /// - Returns: the run before its first round.
  /// - Throws: exit 3 when the method cannot have its network or noise.
  package func run(
    of choice: Scenario.StrategyChoice, _ shared: RunContext, folder: String, scenarioHash: String,
    alone: [Int: [Int: Double]] = [:]
  ) throws(Failure) -> Run {
    let context = try adapted(shared, to: choice)
    return Run(
      simulation: try Self.simulation(of: choice, context), context: context, label: choice.label,
      folder: folder, scenarioHash: scenarioHash, alone: alone)
  }

  /// What all strategies share, with what the scenario composes with one of them, and the network
  /// that it trains.
  ///
  /// - Throws: exit 3 when the method cannot have the network that it asks for.
  package func adapted(_ context: RunContext, to choice: Scenario.StrategyChoice) throws(Failure)
    -> RunContext
  {
    let type = try Self.type(of: choice)
    var context = context
    var settings = scenario.client(of: choice)
    context.problem.settings = settings
    context.problem.settings.loss = choice.loss
    context.problem.composition = choice.composition
    context.postHoc = choice.postHoc
    if scenario.pretrain != nil, !scenario.isPretrained(choice) {
      context.problem.initial = network.initialParameters(
        scenario.model.initialisation, seed: context.seed, file: initialFile)
    }
    settings.batch = max(settings.batch, type.largestBatch(choice.settings))
    // Augmented copies of one example pass through together.
    let copies = choice.privacy?.exampleLevel?.copies ?? 1
    settings.batch = max(settings.batch, copies)
    func spaces(_ network: Network) -> WorkerSpaces {
      WorkerSpaces(
        network, settings, images: max(data.train.count, copies), workers: context.pool.workers,
        capacity: max(
          copies, WorkerSpaces.capacity(network, settings, images: max(data.train.count, copies))))
    }
    let adapted = try adaptation(choice, type)
    if let adapted {
      context.problem.initial = adapted.initial(network, context.problem.initial, context.seed)
      context.problem.network = adapted.network
      if adapted.network.asksForFeatures { context.remembersFeatures() }
    }
    // What all strategies share suits steps of the scenario's size and the scenario's optimizer.
    let moments = Optimizer.momentCount
    let suits =
      settings.batch == scenario.client.batch
      && moments(settings.optimizer) == moments(scenario.client.optimizer)
    if adapted != nil || !suits { context.spaces = spaces(context.network) }
    if !suits { context.groupSpaces = groupNetworks.map(spaces) }
    try requireSelection(choice, type, context)
    context.privacy = try privacy(choice, type, context)
    if let settings = choice.compression, !settings.isInert, type.population == .cohort {
      let method = type.init(choice.settings, context.problem)
      context.compression = RunCompression(
        settings, context.problem, shares: shares(context, method.uploadWeighting))
    }
    return context
  }

  /// Refuses to rank rounds by a model that the method does not have.
  private func requireSelection(
    _ choice: Scenario.StrategyChoice, _ type: any Strategy.Type, _ context: RunContext
  ) throws(Failure) {
    guard let metric = scenario.evaluation.selectBy else { return }
    let needed: ModelKinds = metric == .personalAccuracy ? .personal : .generic
    guard !type.init(choice.settings, context.problem).models.contains(needed) else { return }
    let kind = needed == .generic ? "generic" : "personal"
    throw Failure(
      .scenarioInvalid, "E3222",
      "$.evaluation.selectBy: \(choice.label) has no \(kind) model to rank rounds by "
        + "\"\(metric.rawValue)\"",
      hint: "leave selectBy out: each method then takes what it has")
  }

  /// π_k of each client among all that hold examples.
  private func shares(_ context: RunContext, _ weighting: WeightingRule) -> [Double] {
    let bySamples = weighting == .scenario && scenario.federation.weighting == .samples
    let counts = context.split.clients.map { client in
      bySamples ? Double(client.count) : client.isEmpty ? 0 : 1
    }
    let total = counts.reduce(0, +)
    return counts.map { $0 / max(total, 1) }
  }

  /// How a strategy's clients or their examples are protected, with its noise.
  private func privacy(
    _ choice: Scenario.StrategyChoice, _ type: any Strategy.Type, _ context: RunContext
  )
    throws(Failure) -> RunPrivacy?
  {
    guard let settings = choice.privacy, !settings.isInert else { return nil }
    let networks = [context.problem.network] + context.problem.groups.map(\.network)
    if settings.exampleLevel != nil, networks.contains(where: { !$0.examplesAreIndependent }) {
      throw Failure(
        .scenarioInvalid, "E3333",
        "$.strategies \"\(choice.label)\": its network mixes the examples of a batch, so no "
          + "gradient is one example's",
        hint: "take group norm and choices per image, or protect clients instead of examples")
    }
    let method = type.init(choice.settings, context.problem)
    let local = context.problem.settings
    var participations = participations(settings, context.sampler)
    var sizes = context.split.clients.map(\.count)
    var most = 0
    if type.population == .pooled {
      // One site that draws from everybody's examples, and takes as many steps as its cohort's
      // clients, which are not those of their union.
      let steps = sizes.map { $0 > 0 ? method.privateWork(examples: $0, local).batches : 0 }
      most = mostSteps(steps, context.sampler)
      sizes = [sizes.reduce(0, +)]
      participations = [scenario.federation.rounds]
    }
    let plan = try NoisePlan(
      settings,
      NoisePlan.Facts(
        federation: scenario.federation, sizes: sizes, participations: participations,
        exchanges: type.sendsUploads ? method.exchanges : 0,
        work: { examples in
          var work = method.privateWork(examples: examples, local)
          work.batches = max(work.batches, most)
          return work
        }, batch: local.batch,
        cohortsMayDiffer: context.clock != nil || method.schedule != .synchronous))
    return RunPrivacy(
      settings: settings, plan: plan,
      audit: ReleaseAudit(
        type, choice.settings, loss: choice.loss, settings: settings,
        normalization: scenario.data.normalize), declared: type.disclosures(choice.settings),
      batch: local.batch, cohortSize: scenario.federation.expectedCohort,
      memories: WorkerExampleMemories(workers: context.pool.workers))
  }

  /// In how many rounds each client is drawn, where the noise depends on it.
  private func participations(_ settings: PrivacySettings, _ sampler: CohortSampler) -> [Int] {
    let federation = scenario.federation
    // Who always comes need not be drawn; noise at the server or in sums counts rounds alone.
    let all = sampler.isEverybody
    let counts = settings.exampleLevel != nil || settings.clientLevel?.placement == .local
    guard counts, !all else {
      return [Int](repeating: federation.rounds, count: federation.clients)
    }
    var drawn = [Int](repeating: 0, count: federation.clients)
    for round in stride(from: 1, through: federation.rounds, by: 1) {
      for client in sampler.cohort(round: round) { drawn[client] += 1 }
    }
    return drawn
  }

  /// The most steps that the clients of any round's cohort have together.
  private func mostSteps(_ steps: [Int], _ sampler: CohortSampler) -> Int {
    func sum(_ cohort: some Sequence<Int>) -> Int {
      cohort.reduce(0) { $0.addingClamped(steps[$1]) }
    }
    if sampler.isEverybody { return sum(steps.indices) }
    return stride(from: 1, through: scenario.federation.rounds, by: 1).reduce(0) {
      max($0, sum(sampler.cohort(round: $1)))
    }
  }

  /// The largest batch that any of the scenario's strategies asks for.
  var largestBatch: Int {
    var largest = scenario.client.batch
    for choice in scenario.strategies {
      guard let type = StrategyRegistry[choice.kind] else { continue }
      largest = max(
        largest, scenario.client(of: choice).batch, type.largestBatch(choice.settings))
    }
    return largest
  }

  /// The network that a strategy makes of the scenario's, if it does.
  func adaptation(_ choice: Scenario.StrategyChoice, _ type: any Strategy.Type) throws(Failure)
    -> AdaptedNetwork?
  {
    let base = BaseModel(spec: scenario.model, input: network.input, classes: network.classes)
    do { return try type.adapt(choice.settings, base) } catch {
      throw Failure(.scenarioInvalid, "E3301", "$.strategies \"\(choice.label)\": \(error.message)")
    }
  }

  /// Refuses strategies that the network cannot host, before anything is written.
  package func requireHosts() throws(Failure) {
    for (choice, fit) in fits {
      // Groups of clients have networks of their own; a method that makes its own has no groups.
      let hosts =
        [(scenario.model, network)] + zip(scenario.clientModels.map(\.model), groupNetworks)
      guard let misfit = hosts.compactMap({ fit.misfit($0, $1) }).first else { continue }
      throw Failure(
        .scenarioInvalid, misfit.code, "$.strategies \"\(choice.label)\": \(misfit.problem)",
        hint: misfit.hint)
    }
  }

  /// What to know of the methods, where the scenario alone did not tell.
  var methodWarnings: [String] {
    guard scenario.data.knownImages == nil else { return [] }
    return fits.flatMap { choice, fit in
      fit.cautions(scenario.model, network).map { "\(choice.label): \($0.warning)" }
    }
  }

  /// What to know of privacy and clients' own sizes, once for strategies alike.
  var privacyWarnings: [String] {
    var list: [String] = []
    func add(_ text: String) { if !list.contains(text) { list.append(text) } }
    for choice in scenario.strategies {
      guard let settings = choice.privacy, settings.exampleLevel != nil,
        let type = StrategyRegistry[choice.kind]
      else { continue }
      let batch = scenario.client(of: choice).batch
      for (seed, split) in zip(scenario.seeds, splits) {
        let sizes = split.clients.map(\.count).filter { $0 > 0 }
        let units = type.population == .pooled ? [sizes.reduce(0, +)] : sizes
        let large = units.count { settings.delta * Double($0) >= 1 }
        if large > 0 {
          add(
            "seed \(seed): delta \(NumberText.plain(settings.delta)) is not below 1 / n for "
              + "\(large) of \(units.count) clients; the largest has n = \(units.max() ?? 0) images"
          )
        }
        let small = units.count { $0 < batch }
        if small > 0 {
          add(
            "seed \(seed): example-level privacy divides sums by the batch of \(batch), so "
              + "\(small) of \(units.count) clients take smaller steps than without, the "
              + "smallest at most \(units.min() ?? 0)/\(batch) as long")
        }
      }
    }
    return list
  }

  private var fits: [(Scenario.StrategyChoice, MethodFit)] {
    scenario.strategies.compactMap { choice in MethodFit(choice).map { (choice, $0) } }
  }
}
