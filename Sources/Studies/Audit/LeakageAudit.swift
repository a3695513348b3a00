import Accounting
import Aggregation
import Base
import Federation
import Records
import Report
import Scenario
import Tensor

/// What the models and gradients of a finished or interrupted run tell about its clients' images.
///
/// The attacks know what a curious server knows: the scenario, the model and a gradient. Clients'
/// images are read to compute the gradients, as the clients would, and to score what was found.
package struct LeakageAudit {
  package let experiment: Experiment
  package let folder: String
  private let hash: String

  /// Reads a run folder, its data and its splits.
  ///
  /// - Throws: exit 4 when it is no run folder or its files are damaged, exit 9 when its scenario
  ///   was changed, and what an experiment throws.
  package init(folder: String) throws(Failure) {
    let (scenario, reading) = try ScenarioReading.ofRunFolder(folder)
    try FolderScenario(folder)?.requireUnchanged()
    self.folder = folder
    hash = reading.hash ?? ""
    experiment = try Experiment(scenario)
  }

  /// An audit of a folder whose experiment is in memory already.
  package init(folder: String, experiment: Experiment, scenarioHash: String) {
    self.folder = folder
    self.experiment = experiment
    hash = scenarioHash
  }

  /// Audits every strategy under every seed.
  ///
  /// - Parameters:
  ///   - settings: what is tried.
  ///   - threads: workers; results do not depend on it.
  ///   - note: called with a line before each model.
  /// - Returns: what was found.
  /// - Throws: exit 4 when no model is there or one does not fit, and what an experiment throws.
  package func run(
    _ settings: AuditSettings = AuditSettings(), threads: Int = 1, note: (String) -> Void = { _ in }
  ) throws(Failure) -> AuditReport {
    try experiment.requireMemory(threads: threads)
    let pretrained = try experiment.pretrained(in: folder)
    var runs: [AuditedRun] = []
    for index in experiment.scenario.seeds.indices {
      let context = experiment.context(index, threads: threads, pretrained: pretrained)
      for choice in experiment.scenario.strategies {
        note("\(choice.label) seed \(context.seed)")
        runs.append(try audit(choice, context, settings, note))
      }
    }
    guard runs.contains(where: { $0.model != nil }) else {
      throw Failure(
        .dataMissingOrCorrupt, "E4097",
        "\(folder): no run has a model for everybody, nor a checkpoint of one",
        hint: "train first: fedsim resume \(folder)")
    }
    return AuditReport(
      name: experiment.scenario.name, scenarioHash: hash, settings: settings, runs: runs)
  }

  /// Opens the strategy's type and attacks its model.
  private func audit(
    _ choice: Scenario.StrategyChoice, _ context: RunContext, _ settings: AuditSettings,
    _ note: (String) -> Void
  )
    throws(Failure) -> AuditedRun
  {
    let context = try experiment.adapted(context, to: choice)
    let found = try model(choice, context, settings.model)
    guard let model = found.model else {
      return AuditedRun(
        strategy: choice.label, seed: context.seed, model: nil, notes: [found.source])
    }
    guard model.count == context.network.layout.count else {
      throw unfit("\(choice.label)-s\(context.seed)", "it has \(model.count) numbers")
    }
    var run = AuditedRun(strategy: choice.label, seed: context.seed, model: found.source)
    if settings.attacks.contains(.membership) {
      try fillMembership(&run, choice, context, model, settings, note)
    }
    if settings.attacks.contains(.labelCounts) {
      run.labels =
        LabelCountAttack(context: context, model: model, clients: settings.clients).rows() ?? []
      if run.labels.isEmpty {
        run.notes.append("label counts not attacked: the classifier has no trained bias")
      }
    }
    if settings.attacks.contains(.canary), context.privacy?.settings.exampleLevel != nil {
      run.canaries = CanaryAudit(
        context: context, model: model, trials: settings.trials, batches: settings.canaryBatches,
        weaken: settings.weaken
      ).rows(clients: settings.clients)
    }
    if settings.attacks.contains(.oneRun) {
      run.oneRun = OneRunAudit(context: context, settings: settings).rows()
    }
    if settings.attacks.contains(where: \.isOnGradients) {
      do throws(GradientAudit.Obstacle) {
        try GradientAudit(experiment.scenario, context, model, settings).fill(&run)
      } catch { run.notes.append(error.reason) }
    }
    context.forgetModels()
    return run
  }

  /// Membership by the loss, and by shadow runs where there shall be some.
  private func fillMembership(
    _ run: inout AuditedRun, _ choice: Scenario.StrategyChoice, _ context: RunContext,
    _ model: [Float], _ settings: AuditSettings, _ note: (String) -> Void
  ) throws(Failure) {
    let sample = MembershipSample(context, perClass: settings.membersPerClass)
    let allowed = context.privacy?.attackPower(falsePositives: AttackPower.usual)
    let bounds = AttackPower.usual.indices.map { allowed?[$0].truePositives }
    run.membership = MembershipAttack(model: model, sample: sample).rows(bounds: bounds)
    guard settings.shadows > 0 else { return }
    let attack = ShadowAttack(
      context: context, choice: choice, model: model, sample: sample, shadows: settings.shadows)
    if let rows = try attack.rows(bounds: bounds, note: note) {
      run.membership += rows
    } else {
      run.notes.append("no shadow attacks: a shadow run diverged or has no model for everybody")
    }
  }

  /// The model for everybody and where it is from; without one, why.
  private func model(
    _ choice: Scenario.StrategyChoice, _ context: RunContext, _ wanted: AuditSettings.Model
  ) throws(Failure) -> (model: [Float]?, source: String) {
    if wanted == .initial { return (context.problem.initial, "initial model") }
    let name = "\(choice.label)-s\(context.seed)"
    let run = FilePath.join(folder, name)
    let file = FilePath.join(run, "final/generic.safetensors")
    if FileKind(of: file) == .file {
      let bytes = try FileReader.bytes(of: file)
      do {
        let tensors = try Safetensors(decoding: bytes)
        if tensors.isIntact ?? true {
          return (try context.network.layout.parameters(from: tensors), "final model")
        }
      } catch { throw unfit(file, error.message) }
      throw unfit(file, "it is not what was written")
    }
    let checkpoint = try Checkpoint.read(
      from: RunFiles.checkpoints(run), scenarioHash: hash, run: name)
    guard let checkpoint else { return (nil, "not trained yet: no checkpoint") }
    let simulation = try Experiment.simulation(of: choice, context)
    simulation.restore(checkpoint)
    guard let model = simulation.genericModel() else {
      return (nil, "the method has no model for everybody")
    }
    return (model, "model after round \(checkpoint.round)")
  }

  private func unfit(_ what: String, _ why: String) -> Failure {
    Failure(
      .dataMissingOrCorrupt, "E4099", "\(what) does not fit the scenario's network: \(why)",
      hint: "delete the file and continue with fedsim resume \(folder)")
  }
}

extension LeakageAudit {
  /// Writes `audit/audit.json` and `audit/audit.html` into the run folder.
  ///
  /// - Throws: exit 4 when a file cannot be written.
  package func write(_ report: AuditReport) throws(Failure) {
    let target = FilePath.join(folder, "audit")
    try FilePath.makeFolder(target)
    try AtomicFile.write(report.json.pretty, to: FilePath.join(target, "audit.json"))
    try AtomicFile.write(report.page.html, to: FilePath.join(target, "audit.html"))
  }
}
