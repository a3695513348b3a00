/// What a strategy says of itself.
///
/// The scenario's validation, its JSON Schema, `list`, `explain` and the documentation's table are
/// all made from this.
public struct StrategyCard: Sendable {
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
  public let fields: [Hyperparameter]
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

  /// A card with every entry.
  public init(
    kind: String, title: String, summary: String, source: String, equations: [String],
    messages: [String], memory: String, notes: [String] = [], deviations: [String] = [],
    composes: Parts = [], defaultLoss: String = "cross-entropy", fields: [Hyperparameter] = []
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

/// One field of a strategy in a scenario.
public struct Hyperparameter: Sendable {
  /// What values are legal.
  public enum Domain: Sendable {
    /// A number in a closed range; `exclusiveMinimum` leaves the lower bound out.
    case number(ClosedRange<Double>, exclusiveMinimum: Bool)
    /// A whole number in a closed range.
    case integer(ClosedRange<Int>)
    /// true or false.
    case flag
    /// One of some words.
    case choice([String])
    /// A list of whole numbers in a closed range, none given twice; empty leaves it to the method.
    case integers(ClosedRange<Int>)
  }

  /// A value of one of the domains.
  public enum Value: Sendable, Equatable {
    case number(Double)
    case integer(Int)
    case flag(Bool)
    case choice(String)
    case integers([Int])
  }

  /// The field's name in a scenario.
  public let name: String
  /// The paper's symbol, such as "μ".
  public let symbol: String
  /// What is legal.
  public let domain: Domain
  /// The value when the scenario is silent: the paper's, never one that switches the method off.
  public let initial: Value
  /// Meaning, unit and usual values.
  public let summary: String
  /// A value at which the method equals another one, and that one's name.
  public let degenerate: (value: Value, equals: String)?
  /// Whether the paper, as far as it could be had, leaves this open: then the default is ours.
  public let isInferred: Bool

  /// A field with every entry.
  public init(
    _ name: String, symbol: String, _ domain: Domain, default initial: Value, _ summary: String,
    degenerate: (value: Value, equals: String)? = nil, inferred isInferred: Bool = false
  ) {
    self.name = name
    self.symbol = symbol
    self.domain = domain
    self.initial = initial
    self.summary = summary
    self.degenerate = degenerate
    self.isInferred = isInferred
  }
}

/// The validated field values of one strategy in a scenario: every field of its card is present.
public struct StrategySettings: Sendable, Equatable {
  private var values: [String: Hyperparameter.Value]

  /// Values by field name; fields left out take the card's defaults.
  public init(_ card: StrategyCard, _ given: [String: Hyperparameter.Value] = [:]) {
    values = given
    for field in card.fields where values[field.name] == nil { values[field.name] = field.initial }
  }

  /// A number field.
  public func number(_ name: String) -> Double {
    switch values[name] {
    case .number(let value): value
    case .integer(let value): Double(value)
    default: preconditionFailure("StrategySettings.number: no number field \(name) on this card")
    }
  }

  /// The number fields with their values, by name.
  public var numbers: [(name: String, value: Double)] {
    values.keys.sorted().compactMap { name in
      if case .number(let value) = values[name] { (name, value) } else { nil }
    }
  }

  /// A whole-number field.
  public func integer(_ name: String) -> Int {
    guard case .integer(let value) = values[name] else {
      preconditionFailure("StrategySettings.integer: no integer field \(name) on this card")
    }
    return value
  }

  /// A true-or-false field.
  public func flag(_ name: String) -> Bool {
    guard case .flag(let value) = values[name] else {
      preconditionFailure("StrategySettings.flag: no flag field \(name) on this card")
    }
    return value
  }

  /// A choice field.
  public func choice(_ name: String) -> String {
    guard case .choice(let value) = values[name] else {
      preconditionFailure("StrategySettings.choice: no choice field \(name) on this card")
    }
    return value
  }

  /// A field with a list of whole numbers.
  public func integers(_ name: String) -> [Int] {
    guard case .integers(let value) = values[name] else {
      preconditionFailure("StrategySettings.integers: no list field \(name) on this card")
    }
    return value
  }

  /// The raw value of a field, or nil.
  public subscript(name: String) -> Hyperparameter.Value? { values[name] }
}
