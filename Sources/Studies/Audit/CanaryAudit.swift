import Accounting
import Aggregation
import Base
import Client
import Data
import Federation
import Scenario
import Tensor

/// An empirical check of the ε that a run claims: clients train with and without a canary, many
/// times with new batches and noise, and what they release is held against the claim.
///
/// The canary is an example whose gradient is the clip norm on one parameter, or on one of each
/// layer that is clipped by itself. A trial is some private steps of plain SGD on the client's own
/// examples from the audited model; its statistic is what was released along that gradient.
/// `EpsilonLowerBound` makes of both samples an ε that the mechanism exceeds with 95 % confidence:
/// it must stay below the ε that the accountant claims for these steps, and shows a leak where
/// there is no noise.
///
/// - Source: Jagielski, Ullman and Oprea, NeurIPS 2020, arXiv:2006.07709; Nasr et al., S&P 2021,
///   arXiv:2101.04535.
struct CanaryAudit {
  let context: RunContext
  let model: [Float]
  /// Trials with the canary, and as many without.
  let trials: Int
  /// Batches of a trial, at most.
  let batches: Int
  /// What the noise is divided by while the claim stays; 1 in an audit, above in a drill of it.
  var weaken = 1.0

  /// One row per client that was asked; empty without example-level privacy.
  func rows(clients: Int) -> [CanaryRow] {
    guard let privacy = context.privacy, let mechanism = privacy.settings.exampleLevel else {
      return []
    }
    let all = context.split.clients.indices.filter {
      $0 < privacy.plan.shares.count && !context.split.clients[$0].isEmpty
    }
    return all.prefix(clients).compactMap { client in
      guard let share = privacy.plan.shares[client] else { return nil }
      let steps = max(1, min(batches, share.plannedBatches))
      let place = Self.place(context, client, mechanism.clipping)
      let with = sample(client, steps, place, hasCanary: true)
      let without = sample(client, steps, place, hasCanary: false)
      let claimed = ExampleAccounting(privacy.settings, mechanism).epsilon(
        share, batches: [steps], exact: true
      ).pld
      return CanaryRow(
        client: client, batches: steps, trials: trials, claimed: claimed,
        found: EpsilonLowerBound(with: with, without: without, delta: privacy.settings.delta))
    }
  }

  /// Parameters drawn for the client; every one of them gets the same noise.
  private static func place(
    _ context: RunContext, _ client: Int, _ clipping: ExamplePrivacy.Clipping
  ) -> [Int] {
    var stream = RandomStream(seed: context.seed, .audit, client: client, step: 1)
    let network = context.problem.network(of: client)
    return CanaryPlaces.draw(1, network, clipping, from: &stream).first ?? []
  }

  /// The statistic of each trial.
  private func sample(_ client: Int, _ steps: Int, _ place: [Int], hasCanary: Bool) -> [Double] {
    let indices = Array(0..<trials)
    var results = [Double](repeating: .nan, count: trials)
    context.pool.run(indices.count) { worker, index in
      trial(client, steps, place, hasCanary, number: index, worker: worker)
    } foldBatch: { first, values in
      for offset in values.indices { results[first + offset] = values[offset] }
    }
    return results
  }

  /// What was released along the canary's gradient, in clips.
  private func trial(
    _ client: Int, _ steps: Int, _ place: [Int], _ hasCanary: Bool, number: Int, worker: Int
  ) -> Double {
    guard let privacy = context.privacy, var settings = privacy.example(of: client) else {
      return .nan
    }
    settings.drawsBatches = true
    settings.noiseMultiplier /= weaken
    let training = PrivateTraining(settings, memory: privacy.memories[worker])
    training.canaries = PlantedCanaries(
      places: [place], norm: settings.clip, included: [hasCanary])
    var local = context.problem.settings
    local.work = .steps(steps)
    local.optimizer = OptimizerSpec(learningRate: 1e-3)
    let spaces = context.spaces(of: client)
    // Trials with and without differ in all their draws: they are independent samples.
    let seed = RandomStream(
      seed: context.seed, .audit, round: number, client: client, step: hasCanary ? 2 : 3
    ).key
    var device = Device(
      client: client, round: 1, rounds: 1, seed: seed, examples: context.split.clients[client],
      network: context.problem.network(of: client), workspace: spaces[worker],
      loader: context.train,
      settings: local, privacy: training)
    device.workspace.load(model)
    var rule = PlainRule(device.loss)
    guard (try? device.train(&rule)) != nil else { return .nan }
    return (training.canaries?.scores.first ?? .nan) / settings.clip
  }
}

/// What a canary showed of one client's mechanism.
package struct CanaryRow: Sendable {
  package let client: Int
  /// Private batches in a trial.
  package let batches: Int
  /// Trials with the canary, and as many without.
  package let trials: Int
  /// ε that the accountant claims for a trial; infinite without noise.
  package let claimed: Double
  /// What was found.
  package let found: EpsilonLowerBound

  /// Whether what was found contradicts the claim.
  package var isContradicted: Bool { found.epsilon > claimed }

  /// In words.
  package var verdict: String {
    if isContradicted { return "CONTRADICTED" }
    if !claimed.isFinite { return found.epsilon > 0 ? "leaks, no claim" : "no claim" }
    return "consistent"
  }
}
