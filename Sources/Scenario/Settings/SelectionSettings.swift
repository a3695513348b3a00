extension FederationSettings {
  /// How a cohort is drawn.
  package enum Sampling: Sendable, Equatable {
    /// max(1, round(participation·K)) clients without replacement.
    case uniform
    /// Each client independently with probability `participation`.
    case poisson
    /// As many as `uniform`, those with the largest losses of a few candidates.
    case powerOfChoice(PowerOfChoice)
    /// As many as `uniform`, by utility.
    case oort(Oort)
    /// As many as `uniform`, none of whom took part shortly before.
    case separated(Separated)
    /// The clients are split once into groups, which take turns; of a group each client
    /// independently with probability groups · `participation`.
    case cyclicPoisson(groups: Int)

    package var word: String {
      switch self {
      case .uniform: "uniform"
      case .poisson: "poisson"
      case .powerOfChoice: "power-of-choice"
      case .oort: "oort"
      case .separated: "separated"
      case .cyclicPoisson: "cyclic-poisson"
      }
    }

    /// Whether cohorts depend on what clients tell of their losses, and so on the method.
    package var readsLosses: Bool {
      switch self {
      case .uniform, .poisson, .separated, .cyclicPoisson: false
      case .powerOfChoice, .oort: true
      }
    }

    /// Whether a client's turn depends on when it had the one before, so that nobody else may
    /// decide who is asked.
    package var isScheduled: Bool {
      switch self {
      case .separated, .cyclicPoisson: true
      case .uniform, .poisson, .powerOfChoice, .oort: false
      }
    }

    /// The word with its numbers.
    package var words: String {
      switch self {
      case .separated(let scheme):
        "separated by \(scheme.separation) rounds"
          + (scheme.participations.map { ", at most \($0) each" } ?? "")
      case .cyclicPoisson(let groups): "cyclic-poisson, \(groups) groups"
      case .uniform, .poisson, .powerOfChoice, .oort: word
      }
    }
  }

  /// Cohorts whose clients rest.
  ///
  /// - Source: participation with a minimal separation, Choquette-Choo et al. 2023,
  ///   arXiv:2306.08153.
  package struct Separated: Sendable, Equatable {
    /// b ≥ 1: two rounds of one client differ by at least so many; 1 asks for nothing.
    package var separation: Int
    /// k: rounds in which one client takes part at most; nil for as many as there are.
    package var participations: Int?

    package init(separation: Int, participations: Int? = nil) {
      self.separation = separation
      self.participations = participations
    }
  }

  /// Power-of-choice: of d candidates the m with the largest local loss.
  ///
  /// - Source: Cho, Wang and Joshi, "Client Selection in Federated Learning: Convergence Analysis
  ///   and Power-of-Choice Selection Strategies", 2020, arXiv:2010.01243, section 4.
  package struct PowerOfChoice: Sendable, Equatable {
    /// Which loss decides.
    package enum Loss: String, Sendable, CaseIterable {
      /// Of the current model on all of a candidate's examples (π_pow-d): every candidate gets the
      /// model and reports.
      case exact
      /// What the client reported when it last took part, infinite before (π_rpow-d).
      case last
    }

    /// d, m ≤ d ≤ K.
    package var candidates: Int
    package var loss: Loss

    package init(candidates: Int, loss: Loss) {
      self.candidates = candidates
      self.loss = loss
    }
  }

  /// Oort: large losses, fast clients, and some that nobody knows yet.
  ///
  /// - Source: Lai, Zhu, Madhyastha and Chowdhury, "Oort: Efficient Federated Learning via Guided
  ///   Participant Selection", OSDI 2021, algorithm 1.
  package struct Oort: Sendable, Equatable {
    /// ε of the first round: the share of a cohort that has never taken part.
    package var exploration = 0.9
    /// What ε is multiplied by after each round.
    package var explorationDecay = 0.98
    /// ε never falls below this.
    package var explorationMinimum = 0.2
    /// c: clients above this share of the cut-off utility are admitted.
    package var cutOff = 0.95
    /// Utilities above this quantile count as the quantile.
    package var clip = 0.95
    /// α: how much a client slower than T loses.
    package var penalty = 2.0
    /// Δ: what T starts from and grows by, in seconds.
    package var pacerStep = 10.0
    /// W: rounds over which the pacer adds utilities up.
    package var pacerWindow = 20

    package init() {}
  }
}
