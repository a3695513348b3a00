import Aggregation
import Client
import Data

/// What leaves clients in a run, held against the mechanism of the scenario: whether an ε means
/// anything.
package struct ReleaseAudit: Sendable {
  /// Something that leaves without protection.
  package struct Leak: Sendable, Equatable {
    /// The block or the step.
    package let name: String
    package let what: String
  }

  /// What no mechanism covers; empty for a formal guarantee.
  package private(set) var leaks: [Leak] = []
  /// What a reader must grant.
  package private(set) var assumptions: [String] = []

  /// The audit of a method with its fields, under a loss and a mechanism.
  package init(
    _ type: any Strategy.Type, _ fields: StrategySettings, loss: LossSpec,
    settings: PrivacySettings, normalization: DataSettings.Normalization
  ) {
    switch settings.unit {
    case .example:
      for release in type.disclosures(fields) {
        if case .examples(let what) = release.origin {
          leaks.append(Leak(name: release.block, what: what))
        }
      }
      if type.population == .pooled {
        // Its own counts are those of all.
        if loss.readsOwnCounts || loss.needsPooledCounts {
          leaks.append(Leak(name: "loss", what: "class counts, in each gradient"))
        }
      } else if loss.readsOwnCounts, type.sendsUploads {
        leaks.append(Leak(name: "loss", what: "class counts of a client, in each of its gradients"))
      }
      assumptions = [
        "the size of each client, its sampling rate and when it takes part are public",
        "examples of different clients are disjoint",
      ]
    case .client(let mechanism):
      for release in type.disclosures(fields) where !release.wholeNumbers.isEmpty {
        leaks.append(
          Leak(
            name: release.block,
            what: "whole numbers, which get no noise: "
              + release.wholeNumbers.joined(separator: ", ")))
      }
      assumptions = [
        type.sendsUploads
          ? "a client's messages in one round are one vector for clipping" : "nothing is sent"
      ]
      if mechanism.placement == .server { assumptions.append("the server is trusted with them") }
      if mechanism.placement == .distributed {
        assumptions.append("nobody sees less than the sum of a cohort (secure aggregation)")
        assumptions.append("shares of the noise that do not arrive are added to that sum")
        if mechanism.noise == .discrete {
          assumptions.append("a sum of discrete Gaussians counts as one of their common variance")
        }
      }
      if mechanism.correlation != nil {
        assumptions.append(
          "noise is correlated over rounds: neighbours differ in all rounds of a client, and when "
            + "it has its turn does not depend on its data")
      }
      if let population = mechanism.assumedPopulation {
        assumptions.append("clients are drawn from an assumed population of \(population)")
      }
    }
    if loss.needsPooledCounts, type.population == .cohort {
      leaks.append(Leak(name: "class-counts", what: "class counts, told once before round 1"))
    }
    if normalization == .dataset { assumptions.append("mean and deviation of pixels are public") }
    assumptions.append("settings were not chosen by looking at these results")
    assumptions.append("noise: simulation-grade, from the run's seed")
  }

  /// The same with blocks that were sent and never declared.
  package mutating func add(undeclared blocks: [String]) {
    for block in blocks where !leaks.contains(where: { $0.name == block }) {
      leaks.append(Leak(name: block, what: "not declared by the method"))
    }
  }

  /// "no formal guarantee: …", or nil.
  package var sentence: String? {
    if leaks.isEmpty { return nil }
    let names = leaks.map { "\($0.name) (\($0.what))" }.joined(separator: "; ")
    return "no formal guarantee: leaves unprotected: \(names)"
  }
}
