import Base
import Scenario

/// Values that the program's own tables allow, or nearly.
struct FieldValues {
  /// How far values reach.
  enum Reach {
    /// Legal and cheap to run: whatever costs time is small.
    case small
    /// Legal or just outside, whatever it costs: nothing is run.
    case wide
  }

  var dice: Dice
  let reach: Reach

  /// Whole numbers that may be as large as they like without costing time.
  private static let free: Set<String> = [
    "seed", "seeds", "batch", "every", "checkpointEvery", "keepCheckpoints", "warmup", "chunk",
    "bucket", "block", "denseBelow", "warmupRounds", "warmupStages", "assumedPopulation",
    "pacerWindow", "candidates",
  ]
  /// The largest values of what costs time.
  private static let caps: [String: Int] = [
    "rounds": 2, "clients": 6, "perRound": 6, "trainPerClass": 16, "testPerClass": 6, "classes": 5,
    "width": 8, "hidden": 8, "depth": 2, "heads": 4, "steps": 3, "epochs": 2, "size": 12,
    "images": 12, "perClass": 8, "augmentationMultiplicity": 3, "rank": 5, "groups": 4,
    "perClient": 6, "height": 12,
  ]

  /// A value of a type; `name` is the field's.
  mutating func value(of type: FieldType, name: String, depth: Int = 0) -> JSON {
    if reach == .wide, dice.chance(0.03) { return stray() }
    switch type {
    case .integer(let range): return .int(integer(in: range, name))
    case .number(let range): return .number(number(in: range, name))
    case .quantity(let quantity): return self.quantity(quantity, name)
    case .flag: return .bool(dice.chance(0.5))
    case .choice(let words, _): return .string(dice.pick(words))
    case .text(let rule): return text(rule, name)
    case .list(let element, let counts, let unique):
      return list(of: element, counts, unique, name, depth)
    case .object(let fields): return .object(members(of: fields, depth))
    case .union(let union): return self.union(union, depth)
    case .map: return .object([])
    case .anything: return dice.pick([.null, 1, "a", true, [], 0.5])
    }
  }

  /// Some of the fields of an object, with those that are needed.
  mutating func members(of fields: [Field], _ depth: Int) -> [(String, JSON)] {
    var members: [(String, JSON)] = []
    for field in fields {
      var chance = depth > 1 ? 0.25 : 0.4
      if case .required = field.presence { chance = reach == .wide ? 0.97 : 1 }
      // What costs time by default is written out, small.
      if reach == .small, case .integer = field.type, !Self.free.contains(field.name) {
        chance = max(chance, 0.9)
      }
      guard dice.chance(chance) else { continue }
      let isExcluded = members.contains { $0.0 == field.excludes }
      if isExcluded, reach == .small || dice.chance(0.9) { continue }
      members.append((field.name, value(of: field.type, name: field.name, depth: depth + 1)))
    }
    return members
  }

  private mutating func union(_ union: Union, _ depth: Int) -> JSON {
    let variant = dice.pick(union.variants)
    if union.shorthand, dice.chance(0.2) { return .string(variant.name) }
    var all = [(union.tag, JSON.string(variant.name))]
    all += members(of: variant.fields, depth + 1)
    all += members(of: union.common, depth + 1)
    if let inner = variant.inner { all += self.union(inner, depth).members?.pairs ?? [] }
    return .object(all)
  }

  private mutating func list(
    of element: FieldType, _ counts: ClosedRange<Int>, _ unique: Bool, _ name: String, _ depth: Int
  ) -> JSON {
    let most = min(counts.upperBound, max(counts.lowerBound, reach == .wide ? 5 : 2))
    let count = counts.lowerBound + dice.below(most - counts.lowerBound + 1)
    var items: [JSON] = []
    for _ in 0..<count {
      let item = value(of: element, name: name, depth: depth + 1)
      if !unique || !items.contains(item) || reach == .wide && dice.chance(0.1) {
        items.append(item)
      }
    }
    return .array(items)
  }

  private mutating func text(_ rule: TextRule, _ name: String) -> JSON {
    switch rule {
    case .folderName: return .string(dice.pick(["a", "b1", "x.y", "_", "A"]))
    case .path: return .string(dice.pick(["d", "missing", "d/x", ".", "zero", "w.safetensors"]))
    case .free: return .string(dice.pick(["", "a", "generic.accuracy", "ä\u{1F600}"]))
    }
  }

  // MARK: Numbers

  private mutating func integer(in range: ClosedRange<Int>, _ name: String) -> Int {
    let (low, high) = (range.lowerBound, range.upperBound)
    if reach == .wide {
      // Images are made in this size before anything is found wrong with the rest.
      if name == "height" { return dice.pick([low &- 1, low, 9, 24, high &+ 1]) }
      let outside = dice.chance(0.02)
      return dice.pick([
        outside ? low &- 1 : low, outside ? high &+ 1 : high, min(high, low + 1),
        low + dice.below(min(high - low, 1 << 40) + 1), min(high, low + dice.below(20)),
      ])
    }
    if Self.free.contains(name), dice.chance(0.3) {
      return dice.pick([low, high, min(high, low + 1), low + dice.below(high - low + 1)])
    }
    // Small patches make long sequences.
    if name == "patch" { return dice.pick([4, 8, 14, 16, 32]) }
    let cap = min(high, max(low, Self.caps[name] ?? min(high, low + 8)))
    return dice.chance(0.2) ? dice.pick([low, cap]) : low + dice.below(cap - low + 1)
  }

  private mutating func number(in range: NumberRange, _ name: String) -> Double {
    let (low, high) = (range.minimum, range.maximum)
    var candidates = [
      0.5, 0.5, 0.1, 1, 0.01, low, high, low.nextUp, high.nextDown, .leastNonzeroMagnitude, 1e-300,
    ]
    candidates += [1e-9, 2, 10, 0.9, 0.999, 3, low + (high - low) * dice.share()]
    candidates.append(scale(low, high))
    if reach == .wide, dice.chance(0.05) {
      candidates = [low - 1, high * 2, low.nextDown, high.nextUp, -0.0, -1, 1e308]
    }
    if reach == .small, ["epochs", "mlpRatio", "overSelection"].contains(name) {
      candidates = [0.5, 1, 1.5, 2, 0.01, 1e-9]
    }
    let fitting = candidates.filter { reach == .wide || range.contains($0) }
    return fitting.isEmpty ? low : dice.pick(fitting)
  }

  /// Something between two numbers, by its magnitude.
  private mutating func scale(_ low: Double, _ high: Double) -> Double {
    let exponent = dice.share() * 60 - 30
    var result = 1.0
    for _ in 0..<Int(exponent.magnitude) { result *= exponent < 0 ? 0.1 : 10 }
    return min(high, max(low, result))
  }

  private mutating func quantity(_ quantity: Quantity, _ name: String) -> JSON {
    let plain = number(in: quantity.range, name)
    if reach == .wide, dice.chance(0.2) {
      let unit = dice.pick(quantity.kind.units).name
      return .string("\(dice.pick(Extremes.all))\(dice.pick(["", " ", "  "]))\(unit)")
    }
    if dice.chance(0.4), plain >= 1e-3, plain < 1e15 {
      return .string("\(plain) \(quantity.kind.base)")
    }
    return .number(plain)
  }

  /// A value of any kind, with no regard to the field.
  mutating func stray() -> JSON {
    switch dice.below(8) {
    case 0: return .null
    case 1: return .bool(dice.chance(0.5))
    case 2: return JSON(.number(dice.pick(Extremes.integers)))
    case 3: return JSON(.number(dice.pick(Extremes.numbers.filter { !$0.hasPrefix(".") })))
    case 4: return .string(dice.pick(Extremes.all))
    case 5: return dice.pick([[], [[]], [1, 2, 3], ["a"], [.null]])
    case 6: return dice.pick([[:], ["kind": "sgd"], ["kind": 1], ["": ""]])
    default: return nest(dice.pick([3, 30, 190, 250]))
    }
  }

  private func nest(_ depth: Int) -> JSON {
    (0..<depth).reduce(JSON(integerLiteral: 1)) { inner, _ in .array([inner]) }
  }
}

extension [JSON.Member] {
  /// Keys and values.
  var pairs: [(String, JSON)] { map { ($0.key, $0.value) } }
}
