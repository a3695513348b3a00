import Accounting
import Client
import Data
import Tensor

/// How a run protects examples or clients: the section `privacy` of a scenario.
package struct PrivacySettings: Sendable, Equatable {
  /// What is protected, and how.
  package enum Unit: Sendable, Equatable {
    /// Each training example, by noise in each client's own training steps.
    case example(ExampleMechanism)
    /// Everything that a client has, by noise on what it sends.
    case client(ClientMechanism)
  }

  /// Noise in a client's training steps.
  package struct ExampleMechanism: Sendable, Equatable {
    /// How c_i is chosen.
    package var clipping = ExamplePrivacy.Clipping.flat
    /// Augmented copies of each example, K.
    package var copies = 1
    /// DiceSGD's error feedback; nil is DP-SGD.
    package var errorFeedback: ExamplePrivacy.ErrorFeedback?
    /// How DiceSGD's noise is turned into an ε.
    package var accounting = DiceMode.paper
    /// σ of the sums of features that clients release before the first round; nil where none does.
    ///
    /// In a scenario it stands in `model.features.standardise`.
    package var statisticsNoise: Double?

    package init(errorFeedback: ExamplePrivacy.ErrorFeedback? = nil) {
      self.errorFeedback = errorFeedback
    }
  }

  /// Noise on what clients send.
  package struct ClientMechanism: Sendable, Equatable {
    /// The mechanisms.
    package enum Kind: Sendable, Equatable {
      /// Clipped updates, forgotten clips (McMahan et al. 2018, arXiv:1710.06963).
      case plain
      /// Each client keeps what its own clip took and adds it to its next update.
      case clientErrorFeedback
      /// DiceSGD at the server: the clipped parts of all updates in one hidden vector.
      case serverErrorFeedback(ratio: Double, cap: Double?)
    }
    /// Who adds the noise.
    package enum Placement: String, Sendable, CaseIterable {
      /// The server, which is trusted with clipped updates.
      case server
      /// Each client a share of it, so that only the sum has all of it.
      case distributed
      /// Each client all of it: local differential privacy.
      case local
    }
    /// The noise's distribution.
    package enum Noise: String, Sendable, CaseIterable {
      case gaussian
      /// On whole multiples of a grid, drawn with integers alone.
      case discrete
    }
    /// A clip that follows a quantile of the norms: Andrew and others 2021, arXiv:1905.03871.
    package struct Adaptive: Sendable, Equatable {
      /// γ, the share of updates that shall stay whole.
      package var quantile: Double
      /// η_C, the step of the logarithm of the clip.
      package var rate: Double
    }
    /// What is done with what a clip takes away.
    package var kind = Kind.plain
    package var placement = Placement.server
    package var noise = Noise.gaussian
    /// Whether and how the clip moves; nil leaves it.
    package var adaptive: Adaptive?
    /// How noise is correlated over rounds; nil for independent noise.
    package struct Correlation: Sendable, Equatable {
      package var kind: ToeplitzStrategy.Kind
      /// Bands with the diagonal; nil is the best number for prefix sums.
      package var bands: Int?

      package init(_ kind: ToeplitzStrategy.Kind, bands: Int? = nil) {
        self.kind = kind
        self.bands = bands
      }
    }
    package var correlation: Correlation?
    /// N that the accountant takes in place of the number of clients; the run says so.
    package var assumedPopulation: Int?
  }

  /// How an ε of DiceSGD is found.
  package enum DiceMode: String, Sendable, CaseIterable {
    /// DP-SGD's accountant with the published factor on the noise, not independently verified.
    case paper
    /// One Gaussian mechanism for the whole run, from a bound on its sensitivity.
    case strict
  }

  /// What is wanted of the noise.
  package struct Target: Sendable, Equatable {
    /// ε > 0.
    package var epsilon: Double
    /// Whether every client gets noise for its own ε, or all the same noise, enough for the
    /// largest ε of all.
    package var isPerClient: Bool
  }

  package var unit: Unit
  /// C > 0.
  package var clip: Double
  /// What the clip is multiplied by from round to round, its noise with it; nil for nothing.
  package var clipSchedule: LearningRateSchedule?
  /// σ, the noise's standard deviation on the sum divided by C; nil is found from the target.
  package var noiseMultiplier: Double?
  /// The ε to end with; beside a noise multiplier it is a budget.
  package var target: Target?
  /// δ in (0, 1).
  package var delta: Double

  package init(
    unit: Unit, clip: Double, noiseMultiplier: Double? = nil, target: Target? = nil, delta: Double
  ) {
    self.unit = unit
    self.clip = clip
    self.noiseMultiplier = noiseMultiplier
    self.target = target
    self.delta = delta
  }

  /// C of a round, from 1, of so many.
  ///
  /// The noise is σ·C: how the clip moves changes no ε.
  package func clip(round: Int, of rounds: Int) -> Double {
    clip * (clipSchedule?.factor(round: max(1, round), rounds: rounds) ?? 1)
  }

  /// Clips from here on touch no gradient that is a number.
  static let infiniteClip = 1e30

  /// Whether nothing is clipped and no noise is added: then a run is the one without privacy, with
  /// its batches, weights and bits.
  package var isInert: Bool { noiseMultiplier == 0 && clip >= Self.infiniteClip }

  /// Says what clients release of their features before the first round.
  mutating func setStatisticsNoise(_ noise: Double?) {
    guard case .example(var mechanism) = unit else { return }
    mechanism.statisticsNoise = noise
    unit = .example(mechanism)
  }

  /// The example-level mechanism, if it is one that does something.
  package var exampleLevel: ExampleMechanism? {
    guard case .example(let mechanism) = unit, !isInert else { return nil }
    return mechanism
  }

  /// The client-level mechanism, if it is one that does something.
  package var clientLevel: ClientMechanism? {
    guard case .client(let mechanism) = unit, !isInert else { return nil }
    return mechanism
  }
}
