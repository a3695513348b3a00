import Aggregation
import Base
import Client
import Data
import Records
import Scenario
import Tensor

/// A scenario with its data read and every check done: nothing is written before this exists.
package struct Experiment: Sendable {
  package let scenario: Scenario
  /// What clients learn from: the data as read, without classes that pre-training takes away.
  package let data: LabelledData
  package let network: Network
  /// The networks of client groups, in the order of `scenario.clientModels`.
  let groupNetworks: [Network]
  /// What the network learns from before the first round; nil for nothing.
  package let pretraining: PretrainingData?
  /// One split per seed, in the order of the seeds.
  package let splits: [Split]
  let initialFile: [Float]?
  /// What was done to its weights to fit the images, in words; nil for nothing.
  let initialNote: String?
  /// What the files of `system` say.
  let systemFiles: SystemFiles
  /// What the user should know before believing a number.
  package private(set) var warnings: [String]
  /// Codecs that encode nothing of a method, in words.
  private var unusedCodecs: [String] = []

  /// Reads the data and makes every split.
  ///
  /// - Throws: exit 3 when the scenario does not fit the data, 4 when data are missing or corrupt.
  package init(_ scenario: Scenario) throws(Failure) {
    guard BLAS.facts.failure == nil else {
      throw Failure(
        .dataMissingOrCorrupt, "E1020", BLAS.facts.failure ?? "",
        hint: "install OpenBLAS (Debian: apt-get install libopenblas-dev)")
    }
    do throws(Failure) {
      try self.init(scenario, data: try DatasetReader.load(scenario.data.dataset))
    } catch { throw scenario.paths.explained(error) }
  }

  /// An experiment on images that are in memory already.
  ///
  /// `isBlank`: whether the images are only as large as those of the scenario.
  package init(_ scenario: Scenario, data read: LabelledData, isBlank: Bool = false)
    throws(Failure)
  {
    self.scenario = scenario
    let images = try read.resized(to: scenario.data.resize)
    let everything: LabelledData
    if let settings = scenario.data.features {
      everything = try FeatureStage.features(of: images, settings)
    } else {
      everything = images
    }
    data = try scenario.pretrain?.clientData(everything) ?? everything
    guard data.train.classes >= 2 else {
      throw Failure(
        .scenarioInvalid, "E3304",
        "$.data.dataset: the data have \(data.train.classes) class; expected 2 or more",
        hint: "labels count from 0 and name the class; check the label files")
    }
    typealias Augmentation = DataSettings.Augmentation
    try Augmentation.requireFit(scenario.data.augment, data.train.shape, at: "data.augment")
    try Augmentation.requireFit(
      scenario.pretrain?.augment ?? [], data.train.shape, at: "model.pretrain.augment")
    network = try Self.network(scenario.model, data, at: "$.model")
    var groups: [Network] = []
    for (index, group) in scenario.clientModels.enumerated() {
      groups.append(try Self.network(group.model, data, at: "$.clientModels[\(index)].model"))
    }
    groupNetworks = groups
    try Self.requireSplitMemory(scenario, data)
    var splits: [Split] = []
    for seed in scenario.seeds {
      splits.append(
        try SplitBuilder.split(
          data, settings: scenario.data, clients: scenario.federation.clients, seed: seed))
    }
    self.splits = splits
    if let settings = scenario.pretrain {
      pretraining = try PretrainingData(settings, data: everything, split: splits[0])
    } else {
      pretraining = nil
    }
    let kept = splits.map(\.trainIndices.count).min() ?? 0
    guard scenario.federation.clients <= kept else {
      throw Failure(
        .scenarioInvalid, "E3303",
        "$.federation.clients: found \(scenario.federation.clients); the data have only \(kept) "
          + "training images, so most clients would hold none",
        hint: kept > 0
          ? "use at most \(kept) clients"
          : "no training image is left: look at data.longTail, data.partition and data.public")
    }
    (initialFile, initialNote) = try Self.initialParameters(scenario.model, network)
    systemFiles =
      try scenario.system.map { settings throws(Failure) in
        try SystemFiles(settings, clients: scenario.federation.clients)
      } ?? SystemFiles()
    warnings = []
    warnings = dataWarnings + methodWarnings + privacyWarnings
    try requireHosts()
    if !isBlank { noteCodecs() }
  }

  /// The conditions in words, by the first seed's split.
  package var conditions: [String] {
    ConditionText(
      scenario: scenario, dataTitle: data.title, split: splits[0],
      parameters: network.layout.trainedCount
    ).lines + [initialNote].compactMap { $0 } + unusedCodecs
  }

  /// What a generic model reaches by chance.
  package var chance: ChanceLevel {
    ChanceLevel(images: data.test.count, classes: data.test.classes)
  }

  /// Notes codecs that reach nothing of a method on these data; those that validation reported are
  /// no new warnings.
  private mutating func noteCodecs() {
    let found = scenario.strategies.map { CodecReach.findings($0, self, sizesCount: true) }
    for (choice, all) in zip(scenario.strategies, found) where !all.isEmpty {
      unusedCodecs += all.filter { $0.code == "W3044" }.map(\.text)
      let known =
        scenario.data.knownImages == nil ? [] : CodecReach.findings(choice, self, sizesCount: false)
      warnings += all.filter { !known.contains($0) }.map(\.text)
    }
  }

  private static func network(_ spec: ModelSpec, _ data: LabelledData, at path: String)
    throws(Failure) -> Network
  {
    do { return try Network(spec, input: data.train.shape, classes: data.train.classes) } catch {
      throw Failure(.scenarioInvalid, "E3301", "\(path).kind: \(error.message)")
    }
  }

  /// Parameters from a file, and what was done to them to fit the images.
  private static func initialParameters(_ model: ModelSpec, _ network: Network) throws(Failure) -> (
    [Float]?, note: String?
  ) {
    guard case .file(let path, let head) = model.initialisation else { return (nil, nil) }
    // Double precision, a classifier of other classes, other positions, counters and the header.
    let most = 16 * network.layout.count + 1 << 30
    let bytes = try FileReader.bytes(of: path, what: "weights", limit: most, growth: 3)
    do {
      var file = try Safetensors(decoding: bytes)
      var note: String?
      let (rows, columns) = (network.input.height / model.patch, network.input.width / model.patch)
      if model.kind == .vit,
        let other = try file.resamplingPositions(
          for: network.layout, rows: rows, columns: columns)
      {
        file = other.file
        note =
          "positions of the weights' file interpolated from \(other.side)×\(other.side) to "
          + "\(rows)×\(columns) patches (bicubic, antialias, as timm)"
      }
      let vector = try network.layout.parameters(
        from: file, leavingOut: head == .fresh ? network.classifier : nil)
      return (vector, note)
    } catch {
      throw Failure(
        .dataMissingOrCorrupt, "E4080", "\(path): \(error.message)",
        hint: "the file needs the tensors of this model with PyTorch's names and shapes")
    }
  }

  private var dataWarnings: [String] {
    var list = data.remarks
    for (seed, split) in zip(scenario.seeds, splits) {
      let empty = split.emptyClients.count
      if empty > 0 {
        list.append("seed \(seed): \(empty) of \(split.clients.count) clients hold no image")
      }
      if let held = split.validation, held.allSatisfy(\.isEmpty) {
        list.append(
          "seed \(seed): no client keeps an image for validation, so no round is the best"
        )
      }
      if let unseen = split.unseen?.clients, case let none = unseen.count(where: \.isEmpty),
        none > 0
      {
        list.append("seed \(seed): \(none) of \(unseen.count) unseen clients hold no image")
      }
      if let names = ImageSet.words(split.classCounts, whose: { $0 == 0 }) {
        list.append("seed \(seed): no client holds an image of \(names)")
      }
      for batch in Set(scenario.strategies.map { scenario.client(of: $0).batch }).sorted() {
        let small = split.clients.count { !$0.isEmpty && $0.count < batch }
        guard small > 0 else { continue }
        list.append("seed \(seed): \(small) clients hold fewer images than a batch (\(batch))")
      }
      let tests = LocalTests(scenario.data.localTest, split: split, test: data.test, seed: seed)
      if tests.sharedImages > 0 {
        list.append(
          "seed \(seed): \(tests.sharedImages) test images serve two or more clients, so that "
            + "their scores depend on each other")
      }
    }
    if scenario.model.norm == .batch {
      list.append("batch norm's running statistics travel and are averaged like weights")
    }
    return list
  }
}

extension Experiment {
  /// How pixels become numbers under one of the seeds: by the statistics of the clients' images as
  /// they see them.
  func pixelTransform(_ index: Int) -> PixelTransform {
    pixelTransform(index, of: images(index).train)
  }

  private func pixelTransform(_ index: Int, of images: ImageSet) -> PixelTransform {
    if let release = scenario.data.features?.standardisation {
      return FeatureStatistics.transform(
        release, images, clients: splits[index].clients, seed: scenario.seeds[index])
    }
    return switch scenario.data.normalize {
    case .dataset: PixelTransform(statisticsOf: images, at: splits[index].trainIndices)
    case .none: PixelTransform(channels: images.shape.channels)
    }
  }

  /// Training and test images as the clients of one of the seeds see them.
  private func images(_ index: Int) -> (train: ImageSet, test: ImageSet) {
    guard let styles = scenario.data.styles else { return (data.train, data.test) }
    let styled = StyledData(
      data, split: splits[index], settings: styles, seed: scenario.seeds[index])
    return (styled.train, styled.test)
  }

  /// Everything that strategies share under one of the seeds.
  ///
  /// `pretrained`: parameters of `network` to start from in place of random ones, but for its
  /// classifier, which is new.
  ///
  /// `looksAtPixels`: false for checks that compute nothing: no image gets its style, and none is
  /// measured for the normalisation.
  package func context(
    _ index: Int, threads: Int, pretrained: PretrainedModel? = nil, looksAtPixels: Bool = true
  ) -> RunContext {
    let seed = scenario.seeds[index]
    let split = splits[index]
    let images = looksAtPixels ? images(index) : (train: data.train, test: data.test)
    let transform =
      looksAtPixels
      ? pixelTransform(index, of: images.train)
      : PixelTransform(channels: data.train.shape.channels)
    var initial = network.initialParameters(
      scenario.model.initialisation, seed: seed, file: initialFile)
    pretrained?.place(into: &initial, of: network)
    let groups = zip(scenario.clientModels, groupNetworks).map { group, network in
      LearningProblem.ClientGroup(
        clients: group.clients, network: network,
        initial: network.initialParameters(group.model.initialisation, seed: seed, file: nil))
    }
    func spaces(_ network: Network) -> WorkerSpaces {
      WorkerSpaces(network, scenario.client, images: data.train.count, workers: threads)
    }
    var context = RunContext(
      scenario: scenario, seed: seed, split: split,
      localTests: LocalTests(scenario.data.localTest, split: split, test: images.test, seed: seed),
      problem: LearningProblem(
        network: network, clients: scenario.federation.clients, settings: scenario.client,
        initial: initial, seed: seed, rounds: scenario.federation.rounds, groups: groups,
        pooledCounts: split.classCounts, publicCount: split.publicIndices.count,
        imageBytes: data.train.shape.count * (data.train.isBytes ? 1 : 4)),
      train: BatchLoader(images.train, transform), test: BatchLoader(images.test, transform),
      sampler: CohortSampler(settings: scenario.federation, seed: seed),
      pool: WorkerPool(workers: threads), spaces: spaces(network),
      groupSpaces: groupNetworks.map(spaces))
    context.unseenTests = LocalTests(
      unseenOf: split, scenario.data.localTest, test: images.test, seed: seed)
    context.clock = scenario.system.map {
      VirtualClock($0, files: systemFiles, seed: seed, clients: scenario.federation.clients)
    }
    return context
  }
}

extension Experiment {
  /// Throws whatever a run would throw between reading its data and its first step: a method that
  /// cannot have its network, a target that no noise meets, more memory than there is.
  ///
  /// Nothing is trained and nothing is written.
  package func requireRunnable(threads: Int) throws(Failure) {
    try requireMemory(threads: threads)
    if let pretraining { _ = try pretrainingNetwork(pretraining) }
    for seed in scenario.seeds.indices {
      // Networks are the same under every seed; noise follows from who holds how much.
      let choices = scenario.strategies.filter { seed == 0 || $0.privacy?.isInert == false }
      if choices.isEmpty { break }
      let context = context(seed, threads: 1, looksAtPixels: false)
      for choice in choices { _ = try adapted(context, to: choice) }
    }
  }

  /// The network that pre-training trains.
  func pretrainingNetwork(_ data: PretrainingData) throws(Failure) -> Network {
    do {
      return try Network(scenario.model, input: data.images.shape, classes: data.images.classes)
    } catch { throw Failure(.scenarioInvalid, "E3301", "$.model.kind: \(error.message)") }
  }
}

extension Scenario {
  /// Whether models are measured after a round: every `evaluation.every` rounds, and after the
  /// first and the last.
  package func isEvaluated(_ round: Int) -> Bool {
    round <= 1 || round == federation.rounds || round % evaluation.every == 0
      || federation.extended.contains(round)
  }

  /// The places of the strategies in the order in which they run: `local-only` goes first, because
  /// others are measured against it.
  package var runPlaces: [Int] {
    let isLocal = strategies.map { $0.kind == LocalOnly.info.kind }
    return isLocal.indices.sorted { (isLocal[$0] ? 0 : 1, $0) < (isLocal[$1] ? 0 : 1, $1) }
  }

  /// What a display of progress must know before the first round.
  package func progressPlan(threads: Int) -> ProgressPlan {
    ProgressPlan(
      name: TerminalText.plain(name), strategies: runPlaces.map { strategies[$0].label },
      seeds: seeds, rounds: federation.rounds, threads: threads,
      checkpointEvery: output.checkpointEvery,
      epsilons: strategies.reduce(into: [:]) { known, choice in
        known[choice.label] = choice.privacy?.target?.epsilon
      })
  }
}

extension Experiment {
  /// The strategies in the order in which they run.
  package var runOrder: [Scenario.StrategyChoice] {
    scenario.runPlaces.map { scenario.strategies[$0] }
  }
}

/// How an experiment ended.
package struct ExperimentResult: Sendable {
  /// All runs so far, in the order of the scenario.
  package let results: [StrategyResult]
  /// What the process should exit with.
  package let exit: ExitCode
  /// One sentence per run that did not finish, with its likely causes.
  package let troubles: [String]
  package let conditions: [String]
  /// What the user should know before believing a number.
  package let warnings: [String]
  /// Those of them that only the runs could tell: what stands above the table.
  package let remarks: [String]
  /// What was found lost and was made anew.
  package var notes: [String] = []
}

extension Experiment {
  /// Runs every strategy under every seed and writes the folder.
  ///
  /// Seeds are the outer loop, so that an interrupted experiment has compared all strategies
  /// under some seeds. `local-only` goes first: others are measured against it.
  ///
  /// `continues`: goes on with a folder that an earlier process left.
  ///
  /// `page`: writes the folder's page, last.
  ///
  /// `report`: called after every round.
  ///
  /// Returns what was measured, also when interrupted.
  package func run(
    in path: String, source: ScenarioSource, threads: Int, continues: Bool = false,
    warnings given: [String] = [], page: PageWriter, report: (ProgressState, RoundRecord) -> Void
  ) throws(Failure) -> ExperimentResult {
    try run(
      in: path, source: source, threads: threads, continues: continues, warnings: given,
      interruption: { Interruption.requested }, leaves: { Interruption.requested != nil },
      page: page, report: report)
  }

  /// As above; `interruption` is asked after every round whether to stop, and with which code.
  ///
  /// `leaves`: asked before every batch, by any thread, whether a round that is under way should be
  /// left because somebody asked to stop; the run then stands at the end of the round before.
  ///
  /// `patience`: seconds from which on a round is too long to be waited for.
  ///
  /// `until`: a round after which every run stops with a checkpoint, to go on another time as if
  /// it had not stopped; nil for the last one.
  package func run(
    in path: String, source: ScenarioSource, threads: Int, continues: Bool = false,
    warnings given: [String] = [], until last: Int? = nil, interruption: () -> ExitCode?,
    leaves: @escaping @Sendable () -> Bool = { false }, patience: Double = 1, page: PageWriter,
    report: (ProgressState, RoundRecord) -> Void
  ) throws(Failure) -> ExperimentResult {
    try requireMemory(threads: threads)
    let limits = LimitWatch(scenario.limits, folder: path, pending: largestEnd)
    let stops = { () -> ExitCode? in interruption() ?? (limits.isReached() ? .limitReached : nil) }
    let folder = try ExperimentFolder(path, scenarioHash: source.hash, continues: continues)
    let held = try folder.begin(self, source: source, threads: threads, warnings: given + warnings)
    var hasRun = false
    var ends = RunEnds(folder: path, rounds: scenario.federation.rounds)
    var number = 0
    let pretrained = try pretrained(in: path) { leaves() ? interruption() ?? .interrupted : nil }

    seeds: for (index, seed) in scenario.seeds.enumerated() {
      var context = context(index, threads: threads, pretrained: pretrained)
      context.stop = StopSign(leaves)
      var alone: [Int: [Int: Double]] = [:]
      for choice in runOrder {
        number += 1
        var progress = ProgressState(
          run: number, runs: scenario.seeds.count * scenario.strategies.count,
          strategy: choice.label, seed: seed, round: 0, rounds: scenario.federation.rounds)
        var run = try run(
          of: choice, context, folder: FilePath.join(path, "\(choice.label)-s\(seed)"),
          scenarioHash: source.hash, alone: choice.kind == LocalOnly.info.kind ? [:] : alone)
        run.patience = patience
        let result = try run.complete(until: last, stops) { earlier in
          // What an earlier process did counts as well.
          for record in earlier { progress.add(record) }
        } report: { record in
          hasRun = true
          progress.add(record)
          report(progress, record)
        }
        if choice.kind == LocalOnly.info.kind { alone = result.scores }
        ends.add(result, of: choice.label, seed: seed, limit: limits.reason)
        if ends.isStopped { break seeds }
      }
    }
    let result = ends.result(of: self, warnings: given + warnings)
    try folder.finish(
      self, result.results, source: source, warnings: result.warnings + result.troubles, page: page,
      held: held, hasRun: hasRun)
    return result
  }

  /// Bytes that a run's last checkpoint and its models take at most, beside what methods remember.
  private var largestEnd: Int {
    let models = scenario.output.personalModels ? scenario.federation.clients : 0
    return 4 * network.layout.count * (2 + models)
  }
}

/// How the runs of an experiment ended so far.
private struct RunEnds {
  let folder: String
  /// Rounds that a run has unless it ends early.
  let rounds: Int
  private var runs: [String: [StrategyRun]] = [:]
  private var troubles: [String] = []
  private var still: [Stillness] = []
  private var notes: [String] = []
  /// Last rounds of runs that ended before all rounds were done, by strategy.
  private var endings: [String: [Int]] = [:]
  private var exit = ExitCode.done
  /// Whether a run was interrupted, and with it all that would follow.
  private(set) var isStopped = false

  init(folder: String, rounds: Int) { (self.folder, self.rounds) = (folder, rounds) }

  /// Takes in one run.
  ///
  /// `limit`: which limit of the scenario is reached, if one is.
  mutating func add(_ result: RunResult, of label: String, seed: UInt64, limit: String?) {
    runs[label, default: []].append(StrategyRun(seed: seed, records: result.records))
    notes += result.notes
    if let found = result.stillness { still.append(found) }
    if result.end == .finished, let last = result.records.last?.round, last < rounds {
      endings[label, default: []].append(last)
    }
    switch result.end {
    case .finished, .paused: break
    case .diverged(let divergence):
      exit = .diverged
      troubles.append(divergence.sentence)
    case .interrupted(let code):
      exit = code
      isStopped = true
      let reason = limit.map { " at " + $0 } ?? ""
      let place =
        result.records.last.map { "after round \($0.round)\(reason), checkpoint written" }
        ?? "in its first round, of which nothing is kept"
      troubles.append(
        "\(label) seed \(seed): stopped \(place); continue with: fedsim resume \(folder)")
    }
  }

  /// Which runs ended before their last round, in a sentence; none where all are complete.
  private func early(_ experiment: Experiment) -> [String] {
    let words = experiment.scenario.strategies.compactMap { choice in
      endings[choice.label].map { rounds in
        "\(choice.label) after \(rounds.map(String.init).joined(separator: ", "))"
      }
    }
    guard !words.isEmpty else { return [] }
    return [
      "runs that ended early because validation no longer improved (evaluation.patience): "
        + words.joined(separator: "; ") + " of \(rounds) rounds"
    ]
  }

  /// All of them, in the order of the scenario's strategies.
  func result(of experiment: Experiment, warnings: [String]) -> ExperimentResult {
    let remarks = Stillness.sentences(still) + early(experiment)
    return ExperimentResult(
      results: experiment.scenario.strategies.compactMap { choice in
        runs[choice.label].map { StrategyResult(label: choice.label, runs: $0) }
      }, exit: exit, troubles: troubles, conditions: experiment.conditions,
      warnings: remarks + warnings, remarks: remarks, notes: notes)
  }
}

extension Experiment {
  /// Copies of the model that wait for a later time: uploads of a cohort on the clock, or what
  /// asynchronous clients were sent and made of it, with the server's buffer.
  var waitingVectors: Int {
    let cohort = scenario.federation.uniformCohort
    var most = 0
    for choice in scenario.strategies {
      guard let type = StrategyRegistry[choice.kind] else { continue }
      if type.needs.contains(.clock) {
        var buffer = 0
        if case .integer(let size) = choice.settings["buffer"] { buffer = size }
        most = max(most, 2 * cohort + buffer)
      } else if let system = scenario.system, system.holdsResults {
        let drawn = Int(clamping: system.overSelection * Double(cohort))
        most = max(most, min(drawn, scenario.federation.clients))
      }
    }
    return most
  }
}
