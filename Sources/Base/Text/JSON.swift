/// A JSON value that remembers where it stood in its text.
public struct JSON: Sendable, Equatable {
  /// The value itself.
  ///
  /// Objects keep the order of their keys.
  public indirect enum Content: Sendable, Equatable {
    case null
    case bool(Bool)
    /// The literal is kept, so that integers beyond 2⁵³ lose nothing.
    case number(String)
    case string(String)
    case array([JSON])
    case object([Member])
  }

  /// One key of an object.
  public struct Member: Sendable, Equatable {
    /// The key, unescaped.
    public var key: String
    /// Line of the key, from 1; 0 when made by a program.
    public var line: Int
    /// The value.
    public var value: JSON

    /// A member made by a program or a parser.
    public init(_ key: String, _ value: JSON, line: Int = 0) {
      self.key = key
      self.value = value
      self.line = line
    }
  }

  /// The value itself.
  public var value: Content
  /// Line where the value starts, from 1; 0 when made by a program.
  public var line: Int

  /// A value at a line.
  public init(_ value: Content, line: Int = 0) {
    self.value = value
    self.line = line
  }

  /// Equality of values; lines do not count.
  public static func == (a: JSON, b: JSON) -> Bool { a.value == b.value }
}

extension JSON.Member {
  /// Equality of key and value; lines do not count.
  public static func == (a: JSON.Member, b: JSON.Member) -> Bool {
    a.key == b.key && a.value == b.value
  }
}

// MARK: - Making values

extension JSON: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  /// A string.
  public init(stringLiteral value: String) { self.init(.string(value)) }
  /// A truth value.
  public init(booleanLiteral value: Bool) { self.init(.bool(value)) }
  /// An integer.
  public init(integerLiteral value: Int) { self.init(.number(String(value))) }
  /// A number.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// An array.
  public init(arrayLiteral elements: JSON...) { self.init(.array(elements)) }
  /// The keys of a literal are strings.
  public typealias Key = String
  /// An object, in the order written.
  public init(dictionaryLiteral elements: (String, JSON)...) {
    self.init(.object(elements.map { Member($0.0, $0.1) }))
  }

  /// Null.
  public static let null = JSON(.null)
  /// A truth value.
  public static func bool(_ value: Bool) -> JSON { JSON(.bool(value)) }
  /// A string.
  public static func string(_ value: String) -> JSON { JSON(.string(value)) }
  /// An integer.
  public static func int(_ value: Int) -> JSON { JSON(.number(String(value))) }
  /// A number in its shortest form that reads back to the same bits; null when not finite.
  public static func number(_ value: Double) -> JSON {
    guard value.isFinite else { return .null }
    let whole = value.rounded(.towardZero)
    if whole == value, abs(value) < 1e15 { return JSON(.number(String(Int(clamping: value)))) }
    return JSON(.number(value.description))
  }
  /// An array.
  public static func array(_ items: [JSON]) -> JSON { JSON(.array(items)) }
  /// An object, keys in the order given.
  public static func object(_ members: [(String, JSON)]) -> JSON {
    JSON(.object(members.map { Member($0.0, $0.1) }))
  }
}

// MARK: - Reading values

extension JSON {
  /// The members, or nil when this is no object.
  public var members: [Member]? {
    if case .object(let members) = value { return members }
    return nil
  }
  /// The elements, or nil when this is no array.
  public var elements: [JSON]? {
    if case .array(let items) = value { return items }
    return nil
  }
  /// The text, or nil when this is no string.
  public var text: String? {
    if case .string(let text) = value { return text }
    return nil
  }
  /// The truth value, or nil.
  public var truth: Bool? {
    if case .bool(let truth) = value { return truth }
    return nil
  }
  /// The number, or nil when this is no number or its magnitude exceeds a Double.
  public var double: Double? {
    guard case .number(let literal) = value, let number = Double(literal), number.isFinite else {
      return nil
    }
    return number
  }
  /// The number when it is whole and fits, such as 12 or 1e3 but not 1.5; else nil.
  public var int: Int? {
    guard case .number(let literal) = value else { return nil }
    if let exact = Int(literal) { return exact }
    guard let number = Double(literal) else { return nil }
    return Int(exactly: number)
  }
  /// True for null.
  public var isNull: Bool { value == .null }

  /// The value of a key of an object; nil when absent or no object.
  ///
  /// Setting nil removes the key.
  public subscript(key: String) -> JSON? {
    get { members?.first { $0.key == key }?.value }
    set {
      var all = members ?? []
      if let index = all.firstIndex(where: { $0.key == key }) {
        if let newValue { all[index].value = newValue } else { all.remove(at: index) }
      } else if let newValue {
        all.append(Member(key, newValue))
      }
      value = .object(all)
    }
  }

  /// What kind of value this is, for messages: "a number", "an object".
  public var kindName: String {
    switch value {
    case .null: "null"
    case .bool: "true or false"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}
