import Accounting
import Base

/// What `fedsim privacy` is asked about correlated noise: the options beside `--mechanism`.
package struct CorrelationOptions: Equatable {
  /// Who takes part when.
  package enum Sampling: String, CaseIterable {
    /// Cohorts are no secret; rounds of one unit keep a distance.
    case none
    /// Groups in turn, Poisson sampling within each.
    case cyclic
  }

  package let kind: ToeplitzStrategy.Kind
  package let sampling: Sampling
  package let rounds: Int
  /// nil: the best.
  package let bands: Int?
  /// b; nil under cyclic sampling takes as many groups as bands.
  package let separation: Int?
  /// k; nil for as many as fit.
  package let participations: Int?
  /// N and m of cyclic sampling; 0 without.
  package let population: Int
  package let cohort: Int

  /// Options that must be given beside the question's own.
  static func required(_ question: PrivacyQuestion, isCyclic: Bool) -> [String] {
    let own = question == .noise ? "epsilon" : "noise"
    // Without an epsilon, numbers of bands under sampling cannot be compared.
    let scheme =
      isCyclic
      ? ["population", "cohort"] + (question == .epsilon ? ["bands"] : [])
      : ["separation"]
    return ["mechanism", "rounds", own, "delta"] + scheme
  }

  /// Options that may be given.
  static func optional(isCyclic: Bool) -> [String] {
    ["bands", "sampling", "unit"] + (isCyclic ? ["separation"] : ["participations"])
  }

  /// Whether the line asks for cyclic sampling.
  static func isCyclic(_ invocation: Invocation) -> Bool {
    invocation.last("sampling") == Sampling.cyclic.rawValue
  }

  init(_ invocation: Invocation) throws(Failure) {
    kind = try PrivacyOptions.word(
      invocation, "mechanism", among: ToeplitzStrategy.Kind.allCases)
    sampling = try PrivacyOptions.word(invocation, "sampling", among: Sampling.allCases)
    let rounds = try invocation.integer("rounds", in: 1...ToeplitzStrategy.mostRounds) ?? 1
    self.rounds = rounds
    bands = try invocation.integer("bands", in: 1...rounds)
    separation = try invocation.integer("separation", in: 1...Self.mostSeparation)
    participations = try invocation.integer("participations", in: 1...Self.mostSeparation)
    let population = try invocation.integer("population", in: 1...PrivacyOptions.mostExamples) ?? 0
    self.population = population
    cohort = try invocation.integer("cohort", in: 1...max(1, population)) ?? 0
  }

  private static let mostSeparation = 1_000_000

  /// m/N.
  var share: Double { Double(cohort) / Double(max(1, population)) }
}
