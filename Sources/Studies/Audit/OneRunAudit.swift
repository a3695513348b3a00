import Accounting
import Aggregation
import Base
import Client
import Data
import Federation
import Records
import Scenario
import Tensor

/// An audit of the claimed ε from one run of the mechanism with many canaries.
///
/// Each canary is in the training data by a fair coin of its own. Under example-level privacy it is
/// a record whose gradient is larger than the clip allows, along a parameter of its own, in all
/// batches that a client plans in the run; under client-level privacy it is a client with such an
/// update. The attacker sees every noisy sum; the score is what was released along the canary.
///
/// - Source: Steinke, Nasr and Jagielski, NeurIPS 2023, arXiv:2305.08846.
struct OneRunAudit {
  let context: RunContext
  let settings: AuditSettings

  /// ‖g‖ of a canary before the clip, in clips: more than it allows, so that what error feedback
  /// keeps is audited, too.
  private static let excess = 4.0

  /// One row for each claim about each client that was asked, or about the sums; empty without
  /// privacy.
  func rows() -> [OneRunRow] {
    guard let privacy = context.privacy else { return [] }
    if let mechanism = privacy.settings.exampleLevel { return exampleRows(privacy, mechanism) }
    if let mechanism = privacy.settings.clientLevel { return clientRows(privacy, mechanism) }
    return []
  }

  private func coins(_ count: Int, client: Int) -> [Bool] {
    var stream = RandomStream(seed: context.seed, .audit, client: client, step: 4)
    return (0..<count).map { _ in stream.uniform() < 0.5 }
  }

  private func seed(client: Int) -> UInt64 {
    RandomStream(seed: context.seed, .audit, client: client, step: 5).key
  }

  // MARK: - Examples

  /// What a client's training released along each canary.
  private struct Outcome: Sendable {
    let client: Int
    let steps: Int
    let scores: [Double]
    let isIn: [Bool]
  }

  private func exampleRows(
    _ privacy: RunPrivacy, _ mechanism: PrivacySettings.ExampleMechanism
  ) -> [OneRunRow] {
    let chosen = privacy.plan.shares.indices.filter {
      (privacy.plan.shares[$0]?.plannedBatches ?? 0) > 0 && !context.split.clients[$0].isEmpty
    }.prefix(settings.clients)
    let outcomes = context.pool.map(chosen.count) { worker, index in
      train(privacy, chosen[chosen.startIndex + index], worker)
    }.compactMap { $0 }
    return outcomes.flatMap { outcome -> [OneRunRow] in
      guard let share = privacy.plan.shares[outcome.client] else { return [] }
      return Self.claims(privacy.settings, mechanism).map { claim in
        let accounting = ExampleAccounting(claim.settings, claim.mechanism)
        let epsilon = accounting.epsilon(share, batches: [outcome.steps], exact: true).pld
        return OneRunRow(
          mechanism: claim.words, client: outcome.client, releases: outcome.steps,
          label: accounting.label, isOwnClaim: claim.isOwn, claimed: epsilon,
          score: score(outcome.scores, outcome.isIn, epsilon, privacy.settings.delta))
      }
    }
  }

  private func score(_ scores: [Double], _ isIn: [Bool], _ claimed: Double, _ delta: Double)
    -> OneRunScore
  {
    OneRunScore(
      scores: scores, isIn: isIn,
      guesses: OneRunScore.plannedGuesses(canaries: scores.count, claimed: claimed, delta: delta),
      delta: delta)
  }

  /// A claim about a mechanism.
  private struct Claim {
    let words: String
    let settings: PrivacySettings
    let mechanism: PrivacySettings.ExampleMechanism
    /// Whether it is the one that the run makes.
    let isOwn: Bool
  }

  /// DiceSGD has two accountings, and both are held against what was found; the strict one needs a
  /// cap.
  private static func claims(
    _ settings: PrivacySettings, _ mechanism: PrivacySettings.ExampleMechanism
  ) -> [Claim] {
    guard let feedback = mechanism.errorFeedback else {
      let words = "dp-sgd, \(mechanism.clipping.rawValue)"
      return [Claim(words: words, settings: settings, mechanism: mechanism, isOwn: true)]
    }
    return PrivacySettings.DiceMode.allCases.compactMap { mode in
      if mode == .strict, feedback.cap == nil { return nil }
      var changed = (settings: settings, mechanism: mechanism)
      changed.mechanism.accounting = mode
      changed.settings.unit = .example(changed.mechanism)
      return Claim(
        words: "dice-sgd, \(mode.rawValue)", settings: changed.settings,
        mechanism: changed.mechanism, isOwn: mode == mechanism.accounting)
    }
  }

  /// All batches that a client plans, with the canaries among its records.
  private func train(_ privacy: RunPrivacy, _ client: Int, _ worker: Int) -> Outcome? {
    guard var example = privacy.example(of: client), let share = privacy.plan.shares[client] else {
      return nil
    }
    example.noiseMultiplier /= settings.weaken
    example.drawsBatches = true
    let planned = min(share.plannedBatches, share.limit ?? .max)
    let steps = min(planned, settings.oneRunBatches)
    guard steps > 0 else { return nil }
    let network = context.problem.network(of: client)
    var stream = RandomStream(seed: context.seed, .audit, client: client, step: 6)
    let places = CanaryPlaces.draw(settings.canaries, network, example.clipping, from: &stream)
    let isIn = coins(places.count, client: client)
    var canaries = PlantedCanaries(
      places: places, norm: Self.excess * example.clip, included: isIn)
    var model = context.problem.initial(of: client)
    var errors: [String: [Float]] = [:]
    var local = context.problem.settings
    var (left, round) = (steps, 1)
    while left > 0 {
      let count = min(left, max(1, share.batchesPerRound))
      local.work = .steps(count)
      let training = PrivateTraining(example, memory: privacy.memories[worker], errors: errors)
      training.canaries = canaries
      var device = Device(
        client: client, round: round, rounds: context.scenario.federation.rounds,
        seed: seed(client: client), examples: context.split.clients[client], network: network,
        workspace: context.spaces(of: client)[worker], loader: context.train, settings: local,
        privacy: training)
      device.workspace.load(model)
      var rule = PlainRule(device.loss)
      guard (try? device.train(&rule)) != nil, let after = training.canaries else { return nil }
      (canaries, errors) = (after, training.errors)
      model = Array(device.workspace.parameters)
      left -= count
      round += 1
    }
    let scores = canaries.scores.map { $0 / example.clip }
    return Outcome(client: client, steps: steps, scores: scores, isIn: isIn)
  }

  // MARK: - Clients

  private func clientRows(
    _ privacy: RunPrivacy, _ mechanism: PrivacySettings.ClientMechanism
  ) -> [OneRunRow] {
    let releases = min(
      privacy.plan.releases, privacy.plan.limit ?? .max, settings.oneRunBatches)
    guard releases > 0 else { return [] }
    let count = CanaryFederation.count(wanted: settings.canaries, privacy, releases: releases)
    let isIn = coins(count, client: context.problem.clients)
    guard
      let federation = CanaryFederation(
        privacy, included: isIn, noiseShare: 1 / settings.weaken)
    else { return [] }
    let scores = federation.scores(
      releases: releases, seed: seed(client: context.problem.clients))
    let accounting = ClientAccounting(privacy, mechanism)
    let claimed = accounting.epsilon(privacy.plan.multiplier, releases: releases).pld
    let kind =
      switch mechanism.kind {
      case .plain: mechanism.adaptive == nil ? "clients, flat" : "clients, adaptive"
      case .clientErrorFeedback: "clients, error-feedback"
      case .serverErrorFeedback: "clients, dice-sgd"
      }
    return [
      OneRunRow(
        mechanism: "\(kind), \(mechanism.placement.rawValue) \(mechanism.noise.rawValue)",
        client: nil, releases: releases, label: accounting.label, isOwnClaim: true,
        claimed: claimed, score: score(scores, isIn, claimed, privacy.settings.delta))
    ]
  }
}

/// What one run with canaries says about one claim.
package struct OneRunRow: Sendable {
  /// The mechanism in words: "dp-sgd, flat", "clients, dice-sgd, server gaussian".
  package let mechanism: String
  /// Whose training it was; nil for sums over clients.
  package let client: Int?
  /// Noisy sums, or messages of a client.
  package let releases: Int
  /// What stands beside every ε of this mechanism; nil where nothing has to.
  package let label: String?
  /// Whether the run claims this ε; else it is what the other accounting would claim.
  package let isOwnClaim: Bool
  /// ε by the accountant for these releases; infinite without noise.
  package let claimed: Double
  package let score: OneRunScore

  /// Whether what was found contradicts the ε.
  package var isContradicted: Bool { score.epsilon > claimed }

  /// In words.
  package var verdict: String {
    if isContradicted { return isOwnClaim ? "CONTRADICTED" : "contradicted, not claimed here" }
    if !claimed.isFinite { return score.epsilon > 0 ? "leaks, no claim" : "no claim" }
    return score.most <= claimed ? "consistent, too few canaries to contradict" : "consistent"
  }
}
