/// How a value is written as JSON, and read.
package struct Form<Value>: Sendable {
  /// In words, such as "list of integers".
  let type: String
  /// The fields of an object, or of the objects in a list.
  var fields: [FileField] = []
  package let write: @Sendable (Value) -> JSON
  /// nil for what is no such value.
  let read: @Sendable (JSON) -> Value?

  package init(
    _ type: String, write: @escaping @Sendable (Value) -> JSON,
    read: @escaping @Sendable (JSON) -> Value?
  ) { (self.type, self.write, self.read) = (type, write, read) }

  /// The same JSON of something that is made of the value.
  package func map<Other>(
    _ change: @escaping @Sendable (Value) -> Other?, back: @escaping @Sendable (Other) -> Value
  ) -> Form<Other> {
    var form = Form<Other>(
      type, write: { [write] in write(back($0)) }, read: { [read] in read($0).flatMap(change) })
    form.fields = fields
    return form
  }
}

extension Form<Int> {
  /// A whole number from 0 to 2⁵³.
  package static var count: Self { Self("integer", write: JSON.int, read: \.count) }
  package static var integer: Self { Self("integer", write: JSON.int, read: \.int) }
}

extension Form<UInt64> {
  package static var seed: Self {
    Self("integer", write: { JSON(.number("\($0)")) }, read: { $0.int.map(UInt64.init(clamping:)) })
  }
}

extension Form<Double> {
  /// A number; null and no number are one and the same.
  package static var number: Self { Self("number", write: JSON.number, read: \.double) }
  /// A number; what is not finite is null and reads back as NaN.
  package static var measure: Self {
    Self("number", write: JSON.number, read: { $0.isNull ? .nan : $0.double })
  }
  /// A number; what has no limit is null.
  package static var limit: Self {
    Self("number", write: JSON.number, read: { $0.isNull ? .infinity : $0.double })
  }
}

extension Form<String> {
  package static var text: Self { Self("text", write: JSON.string, read: \.text) }
}

extension Form<Bool> {
  package static var flag: Self { Self("true or false", write: JSON.bool, read: \.truth) }
}

extension Form where Value: RawRepresentable<String> & SendableMetatype {
  /// One of the words of an enumeration.
  package static func word(_ words: String...) -> Self {
    Self(
      words.joined(separator: " or "), write: { .string($0.rawValue) },
      read: { $0.text.flatMap(Value.init(rawValue:)) })
  }
}

extension Form {
  /// A value for which there may be null.
  package static func orNull<Some>(_ form: Form<Some>) -> Self where Value == Some? {
    var own = Self(
      form.type, write: { $0.map(form.write) ?? .null },
      read: { $0.isNull ? .some(nil) : form.read($0).map { .some($0) } })
    own.fields = form.fields
    return own
  }

  package static func list<Element>(_ form: Form<Element>) -> Self where Value == [Element] {
    var own = Self(
      form.type.hasPrefix("list") ? "list of lists" : "list of \(form.type)s",
      write: { .array($0.map(form.write)) },
      read: { json in
        guard let elements = json.elements else { return nil }
        let values = elements.compactMap(form.read)
        return values.count == elements.count ? values : nil
      })
    own.fields = form.fields.map { $0.below("[]") }
    return own
  }

  /// An object of names with a value each; never read.
  ///
  /// `name`: what names are, and what they mean with their values.
  package static func named<Element>(_ name: String, _ meaning: String, _ form: Form<Element>)
    -> Self where Value == [(String, Element)]
  {
    var own = Self(
      "object", write: { .object($0.map { ($0, form.write($1)) }) }, read: { _ in nil })
    own.fields = [FileField(".<\(name)>", form.type, meaning)]
    own.fields += form.fields.map { $0.below(".<\(name)>") }
    return own
  }

  /// An object with keys of its own.
  package static func object(_ keys: Keys<Value>) -> Self {
    var form = Self("object", write: keys.json, read: keys.read)
    form.fields = keys.fields.map { $0.below(".") }
    return form
  }
}
