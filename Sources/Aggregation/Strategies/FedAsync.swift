import Client
import Tensor

/// FedAsync: each client's model is mixed into the server's when it arrives.
///
/// Xie, Koyejo and Gupta 2019, arXiv:1903.03934, algorithm 1.
///
/// | paper | here |
/// |---|---|
/// | x_t | `server.model` |
/// | x_new | the upload's block "model" |
/// | α, s(t − τ) | `mixing`, `arrivalWeight` |
/// | ρ | `proximalWeight` |
package struct FedAsync: BasedStrategy {
  package enum StalenessRule: String, CaseIterable, Sendable { case polynomial, hinge, constant }

  package struct Fields: StrategyFields {
    let mixing = Hyperparameter(
      "mixing", "α", above: 0, to: 1, default: 0.6, "weight of a fresh model")
    let staleness = Hyperparameter(
      "staleness", "s(t − τ)", default: StalenessRule.polynomial,
      "how α falls with the age of the model that a client started from")
    let stalenessExponent = Hyperparameter(
      "stalenessExponent", "a", in: 0...100, default: 0.5, "of polynomial staleness")
    let hingeSlope = Hyperparameter(
      "hingeSlope", "a", above: 0, to: 1e6, default: 10, "of hinge staleness")
    let hingeDelay = Hyperparameter(
      "hingeDelay", "b", in: 0...1e6, default: 4,
      "of hinge staleness: up to here nothing is taken off")
    let proximalWeight = Hyperparameter(
      "proximalWeight", "ρ", in: 0...1e6, default: 0.005,
      "weight of the proximal term in the local objective; 0 for none", inferred: true)
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fedasync", title: "FedAsync",
    summary: "Clients work at their own pace; each model is mixed in when it arrives.",
    source: "Xie, Koyejo and Gupta 2019, arXiv:1903.03934, algorithm 1",
    equations: [
      "client, at any time: w_k ← w;  w_k ← w_k − η·(∇F_k(w_k; batch) + ρ·(w_k − w))",
      "on arrival: w ← (1 − α_s)·w + α_s·w_k,   α_s = α·(1 + s)^(−a)",
      "s: steps of the server since it sent w;  hinge: α_s = α/(a·(s − b) + 1) where s > b, else α",
    ], messages: ["down: model (all tensors)", "up: model (all tensors)"], memory: "none",
    notes: [
      "As many clients are at work at a time as a cohort has; a round is as many arrivals.",
      "All clients count alike: a client that is twice as fast counts twice.",
      "The paper starts a client after a random delay; here delays come from the virtual clock.",
    ], composes: [.loss, .groups, .postHoc], fields: Fields.all)
  package static let weighting = WeightingRule.uniform
  package static let needs: MethodNeeds = [.clock, .wholeUploads]
  package static let disclosures: [Disclosure] = [.training(ModelExchange.block)]

  package let base: FedProx
  let mixing: Double
  let staleness: StalenessRule
  package let exponent: Double
  let slope: Double
  let delay: Double

  package init(_ settings: Settings, _ problem: LearningProblem) {
    base = FedProx(settings.proximalWeight, problem)
    mixing = settings.mixing
    staleness = settings.staleness
    exponent = settings.stalenessExponent
    slope = settings.hingeSlope
    delay = settings.hingeDelay
  }

  package var schedule: Schedule { .buffered(1) }

  /// α_s.
  package func arrivalWeight(staleness s: Int) -> Double {
    switch staleness {
    case .polynomial: mixing * Staleness.polynomial(s, exponent: exponent)
    case .hinge: mixing * Staleness.hinge(s, slope: slope, delay: delay)
    case .constant: mixing
    }
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    let update = try base.train(&device, received: received, memory: &memory)
    let shared = base.base.exchange.shared
    var upload = Payload.empty
    upload.append(
      ModelExchange.block, shared, gathered: shared.gather(device.workspace.currentParameters))
    return ClientUpdate(upload, update.report)
  }

  /// w ← (1 − α_s)·w + (α_s·w_k), the second term as it comes out of the fold.
  package func step(_ server: inout ServerState, _ uploads: WeightedMean, _ round: RoundFacts) {
    guard let mixed = uploads[ModelExchange.block] else { return }
    let kept = Float(1 - round.weight)
    var place = 0
    for range in base.base.exchange.shared.ranges {
      for i in range {
        server.model[i] = kept * server.model[i] + mixed[place]
        place += 1
      }
    }
  }
}
