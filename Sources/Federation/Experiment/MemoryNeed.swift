import Aggregation
import Base
import Client
import Data
import Scenario
import Tensor

/// What a run needs of memory, by what it is for.
///
/// Sizes are products of numbers from the scenario, so they are summed as floating-point numbers:
/// what overflows an integer is merely large.
struct MemoryNeed {
  struct Part {
    /// Such as "images"; after "for" in a message.
    let what: String
    let bytes: Double
  }

  /// All uses so far.
  private(set) var parts: [Part] = []
  /// Bytes among them that the process holds already.
  private(set) var taken = 0.0

  var total: Double { parts.reduce(0) { $0 + $1.bytes } }

  /// Adds the product of some factors, in bytes.
  mutating func add(_ what: String, _ factors: Double..., isTaken: Bool = false) {
    let bytes = factors.reduce(1, *)
    parts.append(Part(what: what, bytes: bytes))
    if isTaken { taken += bytes }
  }

  /// The largest uses, such as "12.0 GiB for images, 3.1 GiB for workers".
  var words: String {
    let largest = parts.sorted { $0.bytes > $1.bytes }.prefix(3)
    return largest.filter { $0.bytes >= total / 20 }.map {
      "\(Self.gibibytes($0.bytes)) for \($0.what)"
    }.joined(separator: ", ")
  }

  /// Bytes as people read them.
  static func gibibytes(_ bytes: Double) -> String {
    MemoryLimit.gibibytes(Int(min(bytes, 0x1p62)))
  }

  /// Whether it does not fit.
  func exceeds(_ limit: MemoryLimit) -> Bool {
    total - (limit.isRest ? taken : 0) > Double(limit.bytes)
  }
}

/// Memory is checked before it is taken: a machine that runs out kills processes without a word.
extension Experiment {
  /// Refuses what this process may not take, before anything is written.
  ///
  /// Counted: images, workspaces, copies of the model at the server and on the way, counts of
  /// predictions, the split, and the largest state that a strategy's clients and server keep.
  package func requireMemory(threads: Int, limit: MemoryLimit = .current) throws(Failure) {
    var need = baseNeed(threads: threads)
    try require(need, threads: threads, limit)
    guard let state = try largestState(beside: need, limit) else { return }
    need.add("what \(state.clients) clients of \(state.label) remember", state.bytes)
    try require(need, threads: threads, limit)
  }

  private func require(_ need: MemoryNeed, threads: Int, _ limit: MemoryLimit) throws(Failure) {
    let workers = "\(threads) thread\(threads == 1 ? "" : "s")"
    if let most = scenario.limits.memory, need.total > most {
      throw Failure(
        .limitReached, "E6001",
        "limits.memory \(NumberText.storage(most)): this takes about "
          + "\(NumberText.storage(need.total)) on \(workers) (\(need.words)); nothing was written",
        hint: "raise the limit, or use a smaller model, smaller batches or fewer --threads")
    }
    guard need.exceeds(limit) else { return }
    throw Failure(
      .scenarioInvalid, "E3305",
      "$.model: \(scenario.model.kind.rawValue) with \(network.layout.trainedCount) parameters and "
        + "batches of \(largestBatch) needs about \(MemoryNeed.gibibytes(need.total)) on "
        + "\(workers) (\(need.words)); \(limit.words)",
      hint: "lower what is largest: model.width or model.hidden, client.batch, federation.clients, "
        + "the images, or --threads")
  }

  /// Everything that does not depend on the strategies' states.
  func baseNeed(threads: Int) -> MemoryNeed {
    var need = MemoryNeed()
    var settings = scenario.client
    settings.batch = largestBatch
    let moments =
      scenario.strategies.map { Optimizer.momentCount(scenario.client(of: $0).optimizer) }.max()
      ?? 0
    let networks = [network] + adaptedNetworks
    let workspace =
      networks.map { network in
        network.workspaceBytes(
          capacity: WorkerSpaces.capacity(network, settings, images: data.train.count),
          moments: moments)
      }.max() ?? 0
    let workers = Double(threads)
    need.add("workers", workers, Double(workspace))
    let vectors = 4 + 4 * threads + waitingVectors
    let longest = networks.map(\.layout.count).max() ?? 0
    need.add("copies of the model", 4, Double(longest), Double(vectors))
    if let width = networks.first(where: \.asksForFeatures)?.featureWidth {
      let bytes = [data.train.count, data.test.count].reduce(0) {
        $0 + FeatureMemory.bytes(images: $1, width: width)
      }
      need.add("features of the frozen network", Double(bytes))
    }
    let images = Double(data.train.byteCount) + Double(data.test.byteCount)
    need.add("images", images, isTaken: true)
    if scenario.data.styles != nil { need.add("images in their styles", images) }
    // As many pieces of an evaluation wait at once as uploads.
    let classes = Double(network.classes)
    need.add("counts of predictions", 8, classes, classes, Double(4 * threads + 4))
    let clients = Double(scenario.federation.clients)
    need.add("splits", Self.splitBytes(scenario, data), isTaken: true)
    need.add("measures of clients", clients, 8 * classes + 128)
    if scenario.strategies.contains(where: { $0.kind == CCVR.info.kind }),
      let width = ClassifierPlace(network)?.width
    {
      // Sums at the server, and one upload with what it was made from.
      need.add("covariances of features", 8, 2 * classes + 2, Double(width), Double(width + 1) / 2)
    }
    return need
  }

  /// The networks that strategies make of the scenario's; one that cannot be made is refused later.
  private var adaptedNetworks: [Network] {
    scenario.strategies.compactMap { choice in
      StrategyRegistry[choice.kind].flatMap { try? adaptation(choice, $0)?.network }
    }
  }

  /// Bytes of the splits of all seeds: who holds what, and images per client and class.
  private static func splitBytes(_ scenario: Scenario, _ data: LabelledData) -> Double {
    let clients = Double(scenario.federation.clients)
    let one = clients * (8 * Double(data.train.classes) + 64) + 32 * Double(data.train.count)
    return Double(scenario.seeds.count) * one
  }

  /// Refuses splits that cannot be held, before the first is made.
  static func requireSplitMemory(
    _ scenario: Scenario, _ data: LabelledData, limit: MemoryLimit = .current
  ) throws(Failure) {
    let bytes = splitBytes(scenario, data)
    guard bytes > Double(limit.bytes) else { return }
    throw Failure(
      .scenarioInvalid, "E3305",
      "$.federation.clients: the splits of \(scenario.federation.clients) clients, "
        + "\(data.train.classes) classes and \(scenario.seeds.count) seeds need about "
        + "\(MemoryNeed.gibibytes(bytes)); \(limit.words)",
      hint: "lower federation.clients or the number of seeds")
  }

  // MARK: - What is remembered

  /// What one strategy's clients and server remember at the end of a run.
  private struct State {
    let label: String
    let clients: Int
    let bytes: Double
  }

  /// The largest state of all strategies, which run one after the other; nil where none can matter
  /// beside everything else.
  ///
  /// One client of each strategy is run dry for one round: what it and the server remember then
  /// is what each of them will remember, whatever the method, its codec and its privacy.
  private func largestState(beside need: MemoryNeed, _ limit: MemoryLimit) throws(Failure) -> State?
  {
    let clients = min(
      Double(scenario.federation.clients),
      Double(scenario.federation.rounds) * Double(max(1, scenario.federation.uniformCohort)))
    let bound = min(Double(limit.bytes), scenario.limits.memory ?? .infinity)
    // No method keeps more than a few vectors of the model's size, or answers on public images.
    let perClient =
      64 * Double(network.layout.count) + 8 * Double(splits[0].publicIndices.count)
      * Double(network.classes)
    guard need.total + 2 * clients * perClient > bound / 2 else { return nil }
    let context = context(0, threads: 1, looksAtPixels: false)
    var largest: State?
    for choice in scenario.strategies {
      guard let state = try state(choice, context, clients: clients) else { continue }
      if state.bytes > largest?.bytes ?? 0 { largest = state }
    }
    return largest
  }

  private func state(_ choice: Scenario.StrategyChoice, _ shared: RunContext, clients: Double)
    throws(Failure) -> State?
  {
    var context = try adapted(shared, to: choice)
    guard let client = context.split.clients.firstIndex(where: { !$0.isEmpty }) else { return nil }
    context.dryRun(true)
    context.mostJobs = 1
    context.problem.settings.work = .steps(1)
    context.sampler = CohortSampler(
      settings: scenario.federation, seed: context.seed, given: [[client]])
    let simulation = try Self.simulation(of: choice, context)
    guard simulation.method.schedule == .synchronous else {
      // Whoever waits for nobody remembers what messages lost, and nothing else.
      let vectors = Double(choice.compression?.uplink?.vectorsPerClient ?? 0)
      let bytes = 2 * clients * 4 * Double(network.layout.count) * vectors
      return State(label: choice.label, clients: Int(clients), bytes: bytes)
    }
    // A dry run computes nothing, so a method that needs results may end it: then what the server
    // holds at the start is all that is known.
    _ = try? simulation.runRound()
    context.dryRun(false)
    let state = simulation.state
    let held = state.clients.values.reduce(0.0) { $0 + 4 * Double($1.merged.count) }
    let known = max(1, state.clients.count)
    // A checkpoint takes as much again while it is written.
    let everyone = 2 * held / Double(known) * clients
    return State(
      label: choice.label, clients: Int(clients),
      bytes: everyone + 2 * 4 * Double(state.memory(simulation.stages).count))
  }
}
