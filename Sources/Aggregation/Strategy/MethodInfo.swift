/// What a strategy says of itself.
///
/// The scenario's validation, its JSON Schema, `list`, `explain` and the documentation's table are
/// all made from this.
public struct MethodInfo: Sendable {
  /// The name in a scenario, such as "fedprox".
  public let kind: String
  /// The method's name as its authors write it.
  public let title: String
  /// One sentence: what it does differently.
  public let summary: String
  /// Authors, venue, year and arXiv number.
  public let source: String
  /// The update equations, one per line, in the paper's symbols.
  public let equations: [String]
  /// What travels: one line per message.
  public let messages: [String]
  /// What each client and the server keep between rounds.
  public let memory: String
  /// Choices where papers or public code disagree, and which one is taken here.
  public let notes: [String]
  /// The fields of this kind in a scenario.
  public let fields: [AnyHyperparameter]
  /// What the scenario may compose with the method.
  public let composes: Parts
  /// Where this differs from the paper, or may.
  public let deviations: [String]

  /// What a scenario can compose with a method.
  public struct Parts: OptionSet, Sendable {
    /// The bits.
    public let rawValue: Int
    /// A set from its bits.
    public init(rawValue: Int) { self.rawValue = rawValue }
    /// The loss on the logits (`loss`).
    public static let loss = Parts(rawValue: 1)
    /// How the server applies the mean update (`serverOptimizer`).
    public static let serverOptimizer = Parts(rawValue: 2)
    /// Tensors that stay at the clients (`private`).
    public static let groups = Parts(rawValue: 4)
    /// A change of the generic model's classifier before it is measured (`postHoc`).
    public static let postHoc = Parts(rawValue: 8)
    /// What suits every method that trains and averages one model.
    public static let all: Parts = [.loss, .serverOptimizer, .groups, .postHoc]
  }

  /// The kind of `loss` when the scenario is silent: the paper's.
  public let defaultLoss: String

  /// Every entry.
  public init(
    kind: String, title: String, summary: String, source: String, equations: [String],
    messages: [String], memory: String, notes: [String] = [], deviations: [String] = [],
    composes: Parts = [], defaultLoss: String = "cross-entropy", fields: [AnyHyperparameter] = []
  ) {
    self.kind = kind
    self.title = title
    self.summary = summary
    self.source = source
    self.equations = equations
    self.messages = messages
    self.memory = memory
    self.notes = notes
    self.fields = fields
    self.composes = composes
    self.deviations = deviations
    self.defaultLoss = defaultLoss
  }
}
