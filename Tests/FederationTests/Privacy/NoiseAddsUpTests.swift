import Aggregation
import Base
import Fixtures
import Foundation
import Records
import Tensor
import Testing

@testable import Federation
@testable import Scenario

/// The noise of a release has the deviation that is accounted for, whoever takes part.
@Suite("Noise adds up")
struct NoiseAddsUpTests {
  /// Who is drawn in the first round: seeds that give it, among five clients of which number 3 has
  /// no images.
  enum Cohort: String, CaseIterable {
    case nobody, emptyClient, one, all

    var participation: Double { self == .all ? 1 : self == .nobody ? 1e-9 : 0.2 }

    func seed() throws -> Int {
      let settings = FederationSettings(
        clients: 5, rounds: 1, participation: participation, sampling: .poisson, weighting: .uniform
      )
      return try #require(
        (1...2000).first { seed in
          let cohort = CohortSampler(settings: settings, seed: UInt64(seed)).cohort(round: 1)
          switch self {
          case .nobody: return cohort.isEmpty
          case .emptyClient: return cohort == [3]
          case .one: return cohort == [2]
          case .all: return cohort.count == 5
          }
        })
    }

    /// Clients that send something.
    var senders: Int { self == .all ? 4 : self == .one ? 1 : 0 }
  }

  private static func trial(_ section: String, _ cohort: Cohort) throws -> Trial {
    let seed = try cohort.seed()
    return try PrivateFederation.experiment(
      [section], sampling: "poisson", participation: cohort.participation, rounds: 1
    ) { $0.seeds = "[\(seed)]" }.trial()
  }

  /// Standard deviation of what noise adds to the model in the first round.
  private static func deviation(_ section: (Double) -> String, _ cohort: Cohort) throws -> Double {
    let (quiet, loud) = (try trial(section(0), cohort), try trial(section(2), cohort))
    #expect(loud.cohorts == quiet.cohorts)
    let difference = VectorArithmetic.difference(loud.model.span, quiet.model.span)
    #expect(difference.count > 100)
    return VectorArithmetic.norm(difference.span) / Double(difference.count).squareRoot()
  }

  /// Five standard errors of a deviation measured on the model's 171 numbers.
  private static let tolerance = 5 / (2.0 * 171).squareRoot()

  @Test(
    "noise on a sum is whole for nobody, for a client without images, for one and for all",
    arguments: Cohort.allCases,
    [
      #""placement": "server""#, #""placement": "distributed""#,
      #""placement": "server", "noise": "discrete""#,
      #""placement": "distributed", "noise": "discrete""#,
      #""placement": "distributed", "mechanism": "error-feedback""#,
      #""placement": "server", "mechanism": "error-feedback""#,
      #""placement": "server", "mechanism": "dice-sgd""#,
    ])
  func sums(cohort: Cohort, fields: String) throws {
    let found = try Self.deviation(
      { #"{ "unit": "client", "noiseMultiplier": \#($0), "clip": 0.5, \#(fields) }"# }, cohort)
    let expected = 2 * 0.5 / (5 * cohort.participation)
    #expect(abs(found / expected - 1) < Self.tolerance, "\(found) instead of \(expected)")
  }

  @Test("local noise is in each message, and nobody's message costs nothing")
  func local() throws {
    func section(_ sigma: Double) -> String {
      #"{ "unit": "client", "noiseMultiplier": \#(sigma), "clip": 0.5, "placement": "local" }"#
    }
    for cohort in Cohort.allCases {
      let found = try Self.deviation(section, cohort)
      let trial = try Self.trial(section(2), cohort)
      guard cohort.senders > 0 else {
        #expect(found == 0)
        #expect(trial.privacy?.epsilonMax == 0)
        continue
      }
      // The mean of so many messages with independent noise.
      let expected = 2 * 0.5 / Double(cohort.senders).squareRoot()
      #expect(abs(found / expected - 1) < Self.tolerance)
      #expect(trial.privacy?.epsilonMax ?? 0 > 0)
      #expect(trial.privacyLine?["clients"]?.elements?.count == cohort.senders)
    }
  }

  @Test("an adaptive clip counts with the noise that its multiplier pays for")
  func adaptiveCount()
    throws
  {
    let seeds = 60
    let rate = 0.7
    let experiment = try PrivateFederation.experiment(
      [
        """
        { "unit": "client", "noiseMultiplier": 1e-9, "clip": 1, "clipping": "adaptive",
          "clipRate": \(rate), "quantile": 0.25 }
        """
      ], sampling: "poisson", participation: 1e-6, rounds: 1
    ) { $0.seeds = "\(Array(1...seeds))" }
    // Nobody is there: ln S' = −η·(½ + σ_b·z/m − γ), and σ_b = m/20.
    var square = 0.0
    for seed in 0..<seeds {
      let clip = try #require(try experiment.trial(seed: seed).serverMemory[RunPrivacy.clipName])
      let z = (0.5 - 0.25 + log(Double(clip[0])) / rate) * 20
      square += z * z
    }
    let deviation = (square / Double(seeds)).squareRoot()
    #expect(abs(deviation - 1) < 5 / (2 * Double(seeds)).squareRoot())
  }

  @Test("noise to signal of distributed noise: the signal is without noise, as at the server")
  func signal() throws {
    let ratios = try ["server", "distributed"].map { placement in
      let trial = try Self.trial(
        """
        { "unit": "client", "noiseMultiplier": 50, "clip": 0.1, "placement": "\(placement)" }
        """, .all)
      return try #require(trial.privacy?.noiseToSignal)
    }
    // σ·S·√d over at most 4·S.
    #expect(ratios[0] >= 50 * 171.0.squareRoot() / 4)
    #expect(abs(ratios[1] / ratios[0] - 1) < 1e-6)
  }
}
