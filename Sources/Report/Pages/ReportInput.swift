import Base
import Records
import Scenario

/// Everything that a report shows; what is left out is not shown.
package struct ReportInput: Sendable {
  /// The scenario's name.
  package var title: String
  /// Data, split, clients, rounds, model, local test policy: a line each.
  package var conditions: [String] = []
  /// What the reader must know before believing a number; may be empty.
  package var warnings: [String] = []
  /// All runs, in the order of the scenario.
  package var strategies: [StrategyResult]
  /// How numbers are shown.
  package var style = ReportStyle()
  /// Names under which papers know the strategies, by label; a label of one's own stays.
  package var names: [String: String] = [:]
  /// Names of the classes, [C]; empty when unknown.
  package var classNames: [String] = []
  /// Training images per class over all clients, [C]; empty when unknown.
  package var classCounts: [Int] = []
  /// Training images per client and class, [K][C]; empty when not to be shown.
  package var clientClassCounts: [[Int]] = []
  /// ε of every client that released something, by strategy; empty when not to be shown.
  package var clientEpsilons: [(label: String, epsilons: [Double])] = []
  /// The methods with the ε of each; nil where there are not two.
  package var privacyUtility: PrivacyUtility?
  /// What protects, in words.
  package var protection = ""
  /// Accuracies whose cost is shown.
  package var targets: [AccuracyTarget] = []
  /// The strategies against one of them, by one metric each; empty where nothing can be compared.
  package var comparisons: [Comparison] = []
  /// What each client has, by strategy; empty when not to be shown.
  package var clients: [ClientScores] = []
  /// What was measured of finished models, by strategy; empty when not to be shown.
  package var diagnostics: [StrategyDiagnostics] = []
  /// What differs between the folders; empty for one.
  package var differences: [SettingDifference] = []
  /// The folders, when there are several.
  package var folders: [String] = []
  /// Where methods and measures come from.
  package var references: [Reference] = []
  /// The scenario with every default.
  package var scenario: JSON = .object([])
  /// The commands that repeat the runs, one a line.
  package var command = ""

  /// The clients of one strategy's runs, each on its local test at the last evaluation.
  package struct ClientScores: Sendable, Equatable {
    package var label: String
    /// By seed and client, ascending.
    package var scores: [Score]

    /// One client under one seed.
    package struct Score: Sendable, Equatable {
      package var seed: UInt64
      package var client: Int
      /// In [0, 1].
      package var accuracy: Double
      /// The same client's when it trains alone; nil without that reference.
      package var alone: Double?
      /// The client's training images; nil when not known.
      package var images: Int?
    }
  }

  /// One strategy's models, one per seed.
  package struct StrategyDiagnostics: Sendable, Equatable {
    package var label: String
    /// By seed, ascending.
    package var models: [ModelDiagnostics]
  }

  /// A method or measure and where it comes from.
  package struct Reference: Sendable, Equatable {
    /// What is used.
    package var title: String
    /// Authors, venue and year.
    package var source: String
  }

  /// The name of a strategy in what is made for papers.
  package func name(_ label: String) -> String { Self.name(label, names) }

  /// The same where a label may go on after the method's, as in "fedavg epsilon 2".
  package static func name(_ label: String, _ names: [String: String]) -> String {
    if let name = names[label] { return name }
    let head = label.prefix { $0 != " " && $0 != "@" }
    return names[String(head)].map { $0 + label.dropFirst(head.count) } ?? label
  }

  /// The place of a strategy among all, which chooses its colour.
  package func index(_ label: String) -> Int { strategies.firstIndex { $0.label == label } ?? 0 }

  /// What the words for frequent and rare classes mean; empty where nothing was measured of them.
  var shotNote: String {
    let rule = strategies.lazy.flatMap(\.runs).compactMap {
      style.shots.shots($0.lastGeneric)?.rule
    }
    .first
    return rule.map(style.shots.note) ?? ""
  }

  /// What is shaded around curves.
  var bandNote: String {
    if strategies.count > Plot.mostBands {
      return
        "Not shaded: bands of more than \(Plot.mostBands) strategies would hide each other; the "
        + "tables have the intervals."
    }
    let most = strategies.map(\.runs.count).max() ?? 0
    switch style.spread ?? .usual(most) {
    case .ci95:
      return "Shaded: the mean's 95 % interval by Student's t at that evaluation, not adjusted for "
        + "being many; wide with few seeds, and cut where it leaves the figure."
    case .std: return "Shaded: the mean and one standard deviation over seeds."
    case .range: return "Shaded: from the least to the largest seed."
    }
  }
}
