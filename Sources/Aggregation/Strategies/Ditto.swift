import Base
import Client
import Tensor

/// Ditto: besides FedAvg's model, each client trains one of its own that is pulled towards it.
///
/// Li et al., ICML 2021, arXiv:2012.04221, algorithm 1.
///
/// | paper | here |
/// |---|---|
/// | w^t, as received at the start of the round | `received`, completed: `anchor` |
/// | v_k | `memory["personal"]` |
/// | λ | `proximalWeight` |
/// | η of v_k | η · `personalRateFactor` |
/// | s local iterations on v_k | `personalEpochs` |
package struct Ditto: BasedStrategy {
  package struct Fields: StrategyFields {
    let proximalWeight = Hyperparameter(
      "proximalWeight", "λ", in: 0...1e6, default: 0.1, "pull towards the global model",
      degenerate: (0, "local-only"))
    let personalEpochs = Hyperparameter(
      "personalEpochs", "s", above: 0, to: 1000, default: 1,
      "local epochs on the personal model in each round", inferred: true)
    let personalRateFactor = Hyperparameter(
      "personalRateFactor", "η_v/η", above: 0, to: 1e6, default: 1,
      "learning rate of the personal model in units of the client's", inferred: true)
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "ditto", title: "Ditto",
    summary: "FedAvg, and beside it a personal model per client with a proximal pull to the "
      + "global one.", source: "Li et al., ICML 2021, arXiv:2012.04221, algorithm 1",
    equations: [
      "w as FedAvg", "s epochs of v_k ← v_k − η_v·(∇F_k(v_k; batch) + λ·(v_k − w)),  w as received",
    ], messages: ["down: model (all tensors)", "up: model difference (all tensors)"],
    memory: "client: v_k; all start from the initial model",
    notes: [
      "The personal model trains on the batches of the global one, from the first on, with an "
        + "optimizer of its own.", "λ: the paper chooses among 0.05 … 2; much public code takes 1.",
      "The reported training loss is that of the global model.",
      "A client that never took part is measured with the initial model, its v_k.",
    ], composes: .all, fields: Fields.all)

  private static let own = "personal"

  package let base: FedAvg
  let proximalWeight: Float
  let personalRateFactor: Double
  let phase: LocalPhase
  package let initial: [Float]

  package init(_ settings: Settings, _ problem: LearningProblem) {
    base = FedAvg(problem)
    proximalWeight = Float(settings.proximalWeight)
    personalRateFactor = settings.personalRateFactor
    phase = LocalPhase(.epochs(settings.personalEpochs), ranges: [0..<problem.layout.trainedCount])
    initial = problem.initial
  }

  package var models: ModelKinds { base.models.union(.personal) }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    let anchor = base.exchange.model(received, memory)
    var settings = device.settings
    settings.optimizer.learningRate *= personalRateFactor
    // The same counters, and so the same batches: λ = 0 is training alone. Nothing that leaves the
    // client depends on this model, so it needs no noise.
    var twin = device.visiting(device.examples, settings: settings, phase: .training).unprotected

    var update = try base.train(&device, received: received, memory: &memory)

    twin.workspace.load(memory[Self.own, default: initial])
    var rule = FedProx.Rule(loss: twin.loss, proximalWeight: proximalWeight, received: anchor)
    let personal = try twin.train(phase, &rule)
    memory[Self.own] = twin.workspace.currentParameters
    update.report.examples += personal.examples
    update.report.steps += personal.steps
    return update
  }

  package func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  { memory[Self.own, default: initial] }
}
