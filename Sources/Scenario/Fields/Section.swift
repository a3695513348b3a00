import Base

/// What a field takes, and the Swift value that is made of it.
///
/// It reads values that the validator has let pass, so it always succeeds: bounds and reading come
/// from one declaration.
package struct Domain<Value: Sendable>: Sendable {
  package let type: FieldType
  package let read: @Sendable (JSON) -> Value

  fileprivate init(_ type: FieldType, _ read: @escaping @Sendable (JSON) -> Value?) {
    self.type = type
    self.read = { json in
      guard let value = read(json) else {
        preconditionFailure("\(json.compact) passed as \(type.allowed)")
      }
      return value
    }
  }

  /// The same field, whose value is turned into something else.
  func map<Other>(_ change: @escaping @Sendable (Value) -> Other) -> Domain<Other> {
    Domain<Other>(type) { [read] in change(read($0)) }
  }

  /// An object with what a part is made of.
  static func object(_ part: Part<Value>) -> Self { Self(.object(part.fields), part.read) }

  /// An object whose members are the properties of a value.
  static func object(_ initial: Value, _ settings: [Setting<Value>]) -> Self {
    object(Part(initial, settings))
  }

  /// An object whose members are the arguments of a function.
  static func object<each Argument>(
    _ parts: repeat Part<each Argument>, make: @escaping @Sendable (repeat each Argument) -> Value
  ) -> Self { object(Part(repeat each parts, make: make)) }

  /// One of several sets of fields.
  static func union(_ cases: Cases<Value>) -> Self { Self(.union(cases.union), cases.read) }

  static func list<Element>(of element: Domain<Element>, counts: ClosedRange<Int>, unique: Bool)
    -> Self where Value == [Element]
  {
    Self(.list(of: element.type, counts: counts, unique: unique)) { $0.elements?.map(element.read) }
  }

  /// One of the cases of an enumeration.
  static func choice(of words: Value.Type = Value.self, synonyms: [String: String] = [:]) -> Self
  where Value: CaseIterable & RawRepresentable<String> {
    Self(.choice(of: words, synonyms: synonyms)) { $0.text.flatMap(Value.init(rawValue:)) }
  }

  /// One of some words, each with what it stands for.
  static func words(_ words: KeyValuePairs<String, Value>) -> Self {
    let values = Array(words)
    return Self(.choice(values.map(\.key))) { json in values.first { $0.key == json.text }?.value }
  }
}

extension Domain<Int> {
  static func integer(_ range: ClosedRange<Int>) -> Self { Self(.integer(range), \.int) }
}

extension Domain<UInt64> {
  static let seed = Self(.integer(0...ScenarioFields.largestSeed)) { $0.int.map { UInt64($0) } }
}

extension Domain<Double> {
  static func number(_ range: NumberRange) -> Self { Self(.number(range), \.double) }
  static func number(from minimum: Double, to maximum: Double) -> Self {
    number(NumberRange(minimum, maximum))
  }
  static func number(above minimum: Double, to maximum: Double) -> Self {
    number(NumberRange(minimum, maximum, exclusiveMinimum: true))
  }
  static func quantity(
    _ kind: Quantity.Kind, _ minimum: Double, _ maximum: Double, exclusiveMinimum: Bool = false
  ) -> Self {
    let range = NumberRange(minimum, maximum, exclusiveMinimum: exclusiveMinimum)
    return Self(.quantity(Quantity(kind: kind, range)), \.double)
  }
  /// FLOP/s of a device: times stay finite whatever the spread.
  static let speed = quantity(.speed, 1, 1e24)
  /// In [0, 1), such as the decay of a moment.
  static let decay = number(NumberRange(0, 1, exclusiveMaximum: true))
  /// In (0, 1).
  static let openShare = number(NumberRange(0, 1, exclusiveMinimum: true, exclusiveMaximum: true))
}

extension Domain<Bool> { static let flag = Self(.flag, \.truth) }

extension Domain<String> {
  static func text(_ rule: TextRule) -> Self { Self(.text(rule), \.text) }
}

/// What is read of an object: a field, several that make one value, or a second tag.
package struct Part<Value: Sendable>: Sendable {
  let fields: [Field]
  let inner: Union?
  /// The value in an object; nil when it was left out.
  fileprivate let find: @Sendable (JSON) -> Value?

  init(_ fields: [Field], inner: Union? = nil, find: @escaping @Sendable (JSON) -> Value?) {
    (self.fields, self.inner, self.find) = (fields, inner, find)
  }

  init(
    _ name: String, _ domain: Domain<Value>, _ presence: Field.Presence, unit: String? = nil,
    _ summary: String, synonyms: [String] = [], excludes: String? = nil
  ) {
    let field = Field(
      name, domain.type, presence, unit: unit, summary, synonyms: synonyms, excludes: excludes)
    self.init([field]) { $0[name].map(domain.read) }
  }

  /// The arguments of a function, such as a case of an enumeration.
  init<each Argument>(
    _ parts: repeat Part<each Argument>, make: @escaping @Sendable (repeat each Argument) -> Value
  ) {
    var fields: [Field] = []
    var inner: Union?
    for part in repeat each parts {
      fields += part.fields
      inner = part.inner ?? inner
    }
    self.init(fields, inner: inner) { json in make(repeat (each parts).read(json)) }
  }

  /// The properties of a value.
  init(_ initial: Value, _ settings: [Setting<Value>]) {
    self.init(settings.flatMap(\.fields)) { json in
      settings.reduce(into: initial) { $1.write(json, &$0) }
    }
  }

  /// A second tag beside the first.
  init(inner cases: Cases<Value>) { self.init([], inner: cases.union, find: cases.read) }

  /// The same where nil stands for a field that was left out.
  var ifGiven: Part<Value?> { Part<Value?>(fields, inner: inner) { [find] in .some(find($0)) } }

  /// The same fields, whose value is turned into something else.
  func map<Other>(_ change: @escaping @Sendable (Value) -> Other) -> Part<Other> {
    Part<Other>(fields, inner: inner) { [find] in find($0).map(change) }
  }

  /// The same value with properties that further fields set.
  func with(_ settings: [Setting<Value>]) -> Part {
    Part(fields + settings.flatMap(\.fields), inner: inner) { [find] json in
      find(json).map { settings.reduce(into: $0) { $1.write(json, &$0) } }
    }
  }

  func read(_ object: JSON) -> Value {
    guard let value = find(object) else {
      preconditionFailure("\(fields.map(\.name)) is missing in \(object.compact)")
    }
    return value
  }
}

/// Fields and the property of `Root` that they set.
package struct Setting<Root>: Sendable {
  let fields: [Field]
  fileprivate let write: @Sendable (JSON, inout Root) -> Void

  /// A part with a setter; a field that was left out sets nothing.
  init<Value>(_ part: Part<Value>, set: @escaping @Sendable (inout Root, Value) -> Void) {
    fields = part.fields
    write = { object, root in if let value = part.find(object) { set(&root, value) } }
  }

  /// A part and its property.
  init<Value>(_ path: any WritableKeyPath<Root, Value> & Sendable, _ part: Part<Value>) {
    self.init(part) { $0[keyPath: path] = $1 }
  }

  /// A field and its property.
  init<Value>(
    _ path: any WritableKeyPath<Root, Value> & Sendable, _ name: String, _ domain: Domain<Value>,
    _ presence: Field.Presence, unit: String? = nil, _ summary: String, synonyms: [String] = [],
    excludes: String? = nil
  ) {
    self.init(
      path,
      Part(name, domain, presence, unit: unit, summary, synonyms: synonyms, excludes: excludes))
  }

  /// A field and a property that is nil when it is left out.
  init<Value>(
    _ path: any WritableKeyPath<Root, Value?> & Sendable, _ name: String, _ domain: Domain<Value>,
    _ presence: Field.Presence, unit: String? = nil, _ summary: String, synonyms: [String] = [],
    excludes: String? = nil
  ) {
    self.init(
      Part(name, domain, presence, unit: unit, summary, synonyms: synonyms, excludes: excludes)
    ) { $0[keyPath: path] = $1 }
  }
}

/// One word of a tag, and what is made of its fields.
package struct Case<Value: Sendable>: Sendable {
  let name: String
  let summary: String
  let part: Part<Value>

  init(_ name: String, _ summary: String, _ part: Part<Value>) {
    (self.name, self.summary, self.part) = (name, summary, part)
  }

  /// A word whose fields are the arguments of a function, such as a case of an enumeration.
  init<each Argument>(
    _ name: String, _ summary: String, _ parts: repeat Part<each Argument>,
    make: @escaping @Sendable (repeat each Argument) -> Value
  ) { self.init(name, summary, Part(repeat each parts, make: make)) }

  /// A word whose fields are properties; without any it stands for the value.
  init(_ name: String, _ summary: String, _ initial: Value, _ settings: [Setting<Value>] = []) {
    self.init(name, summary, Part(initial, settings))
  }
}

/// The words of a tag.
package struct Cases<Value: Sendable>: Sendable {
  package let union: Union
  let read: @Sendable (JSON) -> Value

  init(
    _ tag: String, default initial: String? = nil, shorthand: Bool = false,
    synonyms: [String: String] = [:], _ cases: [Case<Value>]
  ) {
    union = Union(
      tag, default: initial, shorthand: shorthand, synonyms: synonyms,
      cases.map { Variant($0.name, $0.summary, $0.part.fields, inner: $0.part.inner) })
    let readers = Dictionary(uniqueKeysWithValues: cases.map { ($0.name, $0.part.read) })
    read = { json in
      guard let reader = readers[json[tag]?.text ?? ""] else {
        preconditionFailure("\(tag) is none of its words in \(json.compact)")
      }
      return reader(json)
    }
  }

  private init(_ union: Union, _ read: @escaping @Sendable (JSON) -> Value) {
    (self.union, self.read) = (union, read)
  }

  /// The same choice with one more field, whatever is chosen.
  func with<Other>(_ part: Part<Other>) -> Cases<(Value, Other)> {
    let union = Union(
      union.tag, default: union.initial, shorthand: union.shorthand, synonyms: union.synonyms,
      common: union.common + part.fields, union.variants)
    return Cases<(Value, Other)>(union) { [read] in (read($0), part.read($0)) }
  }

  /// The same choice of something that is made of the value.
  func map<Other>(_ change: @escaping @Sendable (Value) -> Other) -> Cases<Other> {
    Cases<Other>(union) { [read] in change(read($0)) }
  }
}
