/// One key of an object that stands for a `Root`: its meaning, how it is written, and how read.
package struct Key<Root>: Sendable {
  let name: String
  package let fields: [FileField]
  /// The value; nil where the key is left out.
  fileprivate let write: @Sendable (Root) -> JSON?
  /// Sets what it stands for; false when the object is none of this kind.
  fileprivate let read: @Sendable (JSON?, inout Root) -> Bool

  private init<Value>(
    _ name: String, _ form: Form<Value>, unit: String, _ meaning: String, absent: String,
    since: String, write: @escaping @Sendable (Root) -> JSON?,
    read: @escaping @Sendable (JSON?, inout Root) -> Bool
  ) {
    self.name = name
    let own = FileField(name, form.type, unit: unit, meaning, absent: absent, since: since)
    // An object is what its keys say.
    let isSilent = form.type == "object" && meaning.isEmpty
    fields = (isSilent ? [] : [own]) + form.fields.map { $0.below(name) }
    (self.write, self.read) = (write, read)
  }

  /// A property that is always there.
  package init<Value>(
    _ path: any WritableKeyPath<Root, Value> & Sendable, _ name: String, _ form: Form<Value>,
    unit: String = "", _ meaning: String, since: String = "0.1"
  ) {
    self.init(
      name, form, unit: unit, meaning, absent: "", since: since,
      write: { form.write($0[keyPath: path]) },
      read: { json, root in
        guard let value = json.flatMap(form.read) else { return false }
        root[keyPath: path] = value
        return true
      })
  }

  /// A property that may be nil.
  ///
  /// `isEssential`: whether an object with another kind of value is no such object; else the
  /// property is nil then.
  package init<Value>(
    _ path: any WritableKeyPath<Root, Value?> & Sendable, _ name: String, _ form: Form<Value>,
    unit: String = "", _ meaning: String, absent: String, isEssential: Bool = false,
    since: String = "0.1"
  ) {
    self.init(
      name, form, unit: unit, meaning, absent: absent, since: since,
      write: { $0[keyPath: path].map(form.write) },
      read: { json, root in
        root[keyPath: path] = json.flatMap(form.read)
        return json == nil || !isEssential || root[keyPath: path] != nil
      })
  }

  /// A property that is left out where it has a certain value.
  package init<Value: Equatable & Sendable>(
    _ path: any WritableKeyPath<Root, Value> & Sendable, _ name: String, _ form: Form<Value>,
    unit: String = "", _ meaning: String, except value: Value, absent: String,
    since: String = "0.1"
  ) {
    self.init(
      name, form, unit: unit, meaning, absent: absent, since: since,
      write: { $0[keyPath: path] == value ? nil : form.write($0[keyPath: path]) },
      read: { json, root in
        guard let read = json.map({ form.read($0) }) ?? value else { return false }
        root[keyPath: path] = read
        return true
      })
  }

  /// What follows from the others, or is never read.
  package init<Value>(
    _ name: String, _ form: Form<Value>, unit: String = "", _ meaning: String, absent: String = "",
    since: String = "0.1", _ value: @escaping @Sendable (Root) -> Value?
  ) {
    self.init(
      name, form, unit: unit, meaning, absent: absent, since: since,
      write: { value($0).map(form.write) }, read: { _, _ in true })
  }

  fileprivate func within<Whole>(_ part: @escaping @Sendable (Whole) -> Root) -> Key<Whole> {
    Key<Whole>(name: name, fields: fields, write: { [write] in write(part($0)) }) { _, _ in true }
  }

  private init(
    name: String, fields: [FileField], write: @escaping @Sendable (Root) -> JSON?,
    read: @escaping @Sendable (JSON?, inout Root) -> Bool
  ) { (self.name, self.fields, self.write, self.read) = (name, fields, write, read) }

  /// An object that is no value of its own: its keys are those of the root.
  package static func group(_ name: String, _ keys: [Key]) -> Key {
    Key(
      name: name, fields: keys.flatMap(\.fields).map { $0.below(name + ".") },
      write: { root in
        let members = keys.map { ($0.name, $0.write(root)) }
        return members.allSatisfy { $1 == nil } ? nil : .known(members)
      },
      read: { json, root in keys.allSatisfy { $0.read(json?[$0.name], &root) } })
  }
}

/// The keys of an object in the order in which they are written: what it means, how it is made of a
/// `Root`, and how it is read.
package struct Keys<Root>: Sendable {
  private let keys: [Key<Root>]
  /// What is read is put into this; nil for what is never read.
  private let initial: (@Sendable () -> Root)?

  /// Keys of what is written and read.
  package init(_ initial: @escaping @Sendable () -> Root, _ keys: [Key<Root>]) {
    (self.initial, self.keys) = (initial, keys)
  }

  /// Keys of what is never read.
  package init(_ keys: [Key<Root>]) { (initial, self.keys) = (nil, keys) }

  /// The same keys in an object of which this is a part; never read.
  package func within<Whole>(_ part: @escaping @Sendable (Whole) -> Root) -> [Key<Whole>] {
    keys.map { $0.within(part) }
  }

  package var fields: [FileField] { keys.flatMap(\.fields) }

  package func json(_ root: Root) -> JSON { .known(keys.map { ($0.name, $0.write(root)) }) }

  /// What an object stands for; nil when it is none of this kind.
  ///
  /// Keys that are not known are ignored.
  package func read(_ json: JSON) -> Root? {
    guard var root = initial?(), json.members != nil else { return nil }
    for key in keys where !key.read(json[key.name], &root) { return nil }
    return root
  }
}

extension JSON {
  /// A whole number from 0 to 2⁵³, as counts are: sums of such numbers stay far from overflowing.
  package var count: Int? {
    guard let number = int, (0...(1 << 53)).contains(number) else { return nil }
    return number
  }

  /// An object of the members that have a value.
  package static func known(_ members: [(String, JSON?)]) -> JSON {
    .object(members.compactMap { key, value in value.map { (key, $0) } })
  }
}
