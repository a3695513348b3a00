/// One field of a strategy in a scenario: its name, what is legal, and what it is when left out.
///
/// A method declares its fields as the properties of one struct, and reads a field by that
/// property:
///
///     package struct Fields: StrategyFields {
///       let weight = Hyperparameter("weight", "μ", in: 0...1e6, default: 1, "weight of the term")
///     }
///     init(_ settings: Settings, _ problem: LearningProblem) { weight = settings.weight }
public struct Hyperparameter<Value: Sendable>: Sendable {
  /// What the scenario's validation, help and schema know of it.
  public let info: AnyHyperparameter
  fileprivate let read: @Sendable (AnyHyperparameter.Value) -> Value?
}

extension Hyperparameter<Double> {
  /// A number in a closed range.
  ///
  /// - Parameters:
  ///   - name: the field's name in a scenario, and the property's.
  ///   - symbol: the paper's, such as "μ"; empty when it has none.
  ///   - range: what is legal.
  ///   - initial: the paper's value, never one that switches the method off.
  ///   - summary: meaning, unit and usual values.
  ///   - degenerate: a value at which the method equals another one, and that one's name.
  ///   - isInferred: the paper leaves the value open, and the default is this program's.
  public init(
    _ name: String, _ symbol: String = "", in range: ClosedRange<Double>, default initial: Double,
    _ summary: String, degenerate: (value: Double, equals: String)? = nil,
    inferred isInferred: Bool = false
  ) {
    self.init(
      name, symbol, .number(range, exclusiveMinimum: false), initial, summary, degenerate,
      isInferred)
  }

  /// A number > `lower` and <= `upper`.
  public init(
    _ name: String, _ symbol: String = "", above lower: Double, to upper: Double,
    default initial: Double, _ summary: String, degenerate: (value: Double, equals: String)? = nil,
    inferred isInferred: Bool = false
  ) {
    self.init(
      name, symbol, .number(lower...upper, exclusiveMinimum: true), initial, summary, degenerate,
      isInferred)
  }

  private init(
    _ name: String, _ symbol: String, _ domain: AnyHyperparameter.Domain, _ initial: Double,
    _ summary: String, _ degenerate: (value: Double, equals: String)?, _ isInferred: Bool
  ) {
    info = AnyHyperparameter(
      name: name, symbol: symbol, domain: domain, initial: .number(initial), summary: summary,
      degenerate: degenerate.map { (.number($0.value), $0.equals) }, isInferred: isInferred)
    read = { if case .number(let number) = $0 { number } else { nil } }
  }
}

extension Hyperparameter<Int> {
  /// A whole number in a closed range.
  public init(
    _ name: String, _ symbol: String = "", in range: ClosedRange<Int>, default initial: Int,
    _ summary: String, degenerate: (value: Int, equals: String)? = nil,
    inferred isInferred: Bool = false
  ) {
    info = AnyHyperparameter(
      name: name, symbol: symbol, domain: .integer(range), initial: .integer(initial),
      summary: summary, degenerate: degenerate.map { (.integer($0.value), $0.equals) },
      isInferred: isInferred)
    read = { if case .integer(let integer) = $0 { integer } else { nil } }
  }
}

extension Hyperparameter<Bool> {
  /// True or false.
  public init(
    _ name: String, _ symbol: String = "", default initial: Bool, _ summary: String,
    inferred isInferred: Bool = false
  ) {
    info = AnyHyperparameter(
      name: name, symbol: symbol, domain: .flag, initial: .flag(initial), summary: summary,
      degenerate: nil, isInferred: isInferred)
    read = { if case .flag(let flag) = $0 { flag } else { nil } }
  }
}

extension Hyperparameter<[Int]> {
  /// Whole numbers in a closed range, none given twice; an empty list leaves them to the method.
  public init(
    _ name: String, _ symbol: String = "", of range: ClosedRange<Int>, _ summary: String,
    inferred isInferred: Bool = false
  ) {
    info = AnyHyperparameter(
      name: name, symbol: symbol, domain: .integers(range), initial: .integers([]),
      summary: summary, degenerate: nil, isInferred: isInferred)
    read = { if case .integers(let list) = $0 { list } else { nil } }
  }
}

extension Hyperparameter where Value: CaseIterable & RawRepresentable<String> {
  /// One of the words of an enumeration.
  public init(
    _ name: String, _ symbol: String = "", default initial: Value, _ summary: String,
    inferred isInferred: Bool = false
  ) {
    info = AnyHyperparameter(
      name: name, symbol: symbol, domain: .choice(Value.allCases.map(\.rawValue)),
      initial: .choice(initial.rawValue), summary: summary, degenerate: nil, isInferred: isInferred)
    read = { if case .choice(let word) = $0 { Value(rawValue: word) } else { nil } }
  }
}

/// A hyperparameter of any type.
public struct AnyHyperparameter: Sendable {
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
}

/// The fields of a method: a struct whose properties are hyperparameters, each of the field's name.
public protocol StrategyFields: Sendable {
  /// All of them, as declared.
  init()
}

/// For a method without fields.
public struct NoFields: StrategyFields {
  /// None.
  public init() {}
}

extension StrategyFields {
  /// The fields, in the order of their declaration.
  public static var all: [AnyHyperparameter] {
    Mirror(reflecting: Self()).children.compactMap { ($0.value as? any TypedField)?.info }
  }
}

private protocol TypedField { var info: AnyHyperparameter { get } }

extension Hyperparameter: TypedField {}

/// The validated field values of one strategy in a scenario, by name.
public struct StrategySettings: Sendable, Equatable {
  private var values: [String: AnyHyperparameter.Value]

  /// Values by field name; fields left out take the method's defaults.
  public init(_ info: MethodInfo, _ given: [String: AnyHyperparameter.Value] = [:]) {
    values = given
    for field in info.fields where values[field.name] == nil { values[field.name] = field.initial }
  }

  /// The value of a field, or nil.
  public subscript(name: String) -> AnyHyperparameter.Value? { values[name] }
}

/// The same values under a method's own fields: `settings.weight` is a Double.
@dynamicMemberLookup public struct TypedSettings<Fields: StrategyFields>: Sendable {
  private let fields = Fields()
  private let values: StrategySettings?

  /// Values that the scenario's validation has let pass.
  public init(_ values: StrategySettings) { self.values = values }

  /// The defaults.
  public init() { values = nil }

  /// The value of a field.
  public subscript<Value>(dynamicMember path: KeyPath<Fields, Hyperparameter<Value>>) -> Value {
    let field = fields[keyPath: path]
    guard let value = field.read(values?[field.info.name] ?? field.info.initial) else {
      preconditionFailure("\(field.info.name) has a value of another type")
    }
    return value
  }
}
