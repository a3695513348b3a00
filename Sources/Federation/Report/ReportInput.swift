import Tensor

/// Everything that a report shows; plain values, read back from a run folder or kept from a run.
public struct ReportInput: Sendable {
  /// The scenario's name.
  public var title: String
  /// Data, split, clients, rounds, model, local test policy: a line each.
  public var conditions: [String]
  /// What the reader must know before believing a number; may be empty.
  public var warnings: [String]
  /// All runs, in the order of the scenario.
  public var strategies: [StrategyResult]
  /// Names of the classes, [C]; empty when unknown.
  public var classNames: [String]
  /// Training images per class over all clients, [C]; empty when unknown.
  public var classCounts: [Int]
  /// Training images per client and class, [K][C]; empty when not to be shown.
  public var clientClassCounts: [[Int]]
  /// ε of every client that released something, by strategy; empty when not to be shown.
  public var clientEpsilons: [(label: String, epsilons: [Double])] = []
  /// Accuracies whose cost is shown.
  public var targets: [AccuracyTarget] = []
  /// The scenario with every default.
  public var scenario: JSON
  /// The command that repeats the runs.
  public var command: String

  /// A report's content; what is left out is not shown.
  public init(
    title: String,
    conditions: [String] = [],
    warnings: [String] = [],
    strategies: [StrategyResult],
    classNames: [String] = [],
    classCounts: [Int] = [],
    clientClassCounts: [[Int]] = [],
    scenario: JSON = .object([]),
    command: String = ""
  ) {
    self.title = title
    self.conditions = conditions
    self.warnings = warnings
    self.strategies = strategies
    self.classNames = classNames
    self.classCounts = classCounts
    self.clientClassCounts = clientClassCounts
    self.scenario = scenario
    self.command = command
  }
}
