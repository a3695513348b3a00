import Base
import Synchronization

/// Rows of levels that cover all pairs of levels of any two factors.
///
/// A row is made greedily around a pair that no row has yet. Where the scenario would be refused,
/// factors go back to their plain level until it is valid; a pair that is refused even alone is
/// tried once as it is, and must be refused in words.
final class PairCover {
  private let factors = Pairing.factors
  /// What no row has: by two factors and their levels.
  private var missing: Set<[Int]> = []
  private var order: [[Int]] = []
  private var dice: Dice

  init(seed: UInt64) {
    dice = Dice(seed: seed, kind: "cover", number: 0)
    for a in factors.indices {
      for b in factors.indices where b > a {
        for x in factors[a].levels.indices {
          for y in factors[b].levels.indices { order.append([a, x, b, y]) }
        }
      }
    }
    missing = Set(order)
    order = dice.shuffled(order)
  }

  /// The next row; nil when all pairs are covered.
  func next() -> JSON? {
    while let pair = order.popLast() {
      guard missing.contains(pair) else { continue }
      let row = repaired(grown(pair), keeping: pair)
      for covered in pairs(of: row) { missing.remove(covered) }
      missing.remove(pair)
      return scenario(row)
    }
    return nil
  }

  /// The pair with levels of other factors that cover much.
  private func grown(_ pair: [Int]) -> [Int] {
    var row = [Int?](repeating: nil, count: factors.count)
    row[pair[0]] = pair[1]
    row[pair[2]] = pair[3]
    for factor in dice.shuffled(Array(factors.indices)) where row[factor] == nil {
      let gains = factors[factor].levels.indices.map { level in
        row.indices.count { other in
          row[other].map { missing.contains(key(factor, level, other, $0)) } ?? false
        }
      }
      let best = gains.max() ?? 0
      row[factor] = dice.pick(gains.indices.filter { gains[$0] == best })
    }
    return row.map { $0 ?? 0 }
  }

  private func repaired(_ row: [Int], keeping pair: [Int]) -> [Int] {
    var row = row
    for factor in dice.shuffled(Array(factors.indices)) {
      if RunKind.isValid(scenario(row)) { return row }
      if factor != pair[0], factor != pair[2] { row[factor] = 0 }
    }
    return row
  }

  private func key(_ a: Int, _ x: Int, _ b: Int, _ y: Int) -> [Int] {
    a < b ? [a, x, b, y] : [b, y, a, x]
  }

  private func pairs(of row: [Int]) -> [[Int]] {
    row.indices.flatMap { a in row.indices.filter { $0 > a }.map { [a, row[a], $0, row[$0]] } }
  }

  /// The scenario of a row.
  private func scenario(_ row: [Int]) -> JSON {
    var json = RunKind.plain(RunKind.synthetic)
    for (factor, level) in zip(factors, row) {
      for patch in factor.levels[level].patch {
        json = put(patch.value, at: patch.path[...], in: json)
      }
    }
    // A memory needs a codec that loses something.
    for link in ["uplink", "downlink"] {
      guard let codec = json["compression"]?[link], codec.members != nil, codec["kind"] == nil
      else { continue }
      json = put("topk", at: ["compression", link, "kind"], in: json)
    }
    return json
  }

  private func put(_ value: JSON, at path: ArraySlice<String>, in json: JSON) -> JSON {
    guard let name = path.first else { return value }
    let rest = path.dropFirst()
    if let items = json.elements, let index = Int(name), index < items.count {
      return JSONTree.replacing([index], by: put(value, at: rest, in: items[index]), in: json)
    }
    var json = json.members == nil ? word(json) : json
    json[name] = put(value, at: rest, in: json[name] ?? [:])
    return json
  }

  /// A bare word as the object that it stands for.
  private func word(_ json: JSON) -> JSON { json.text == nil ? [:] : ["kind": json] }
}

/// Small runs that together have every pair of settings.
enum PairKind {
  private static let covers = Mutex<[UInt64: (cover: [JSON], source: PairSource)]>([:])

  /// The next rows of a seed; only touched under the lock.
  private final class PairSource: @unchecked Sendable {
    let cover: PairCover
    init(seed: UInt64) { cover = PairCover(seed: seed) }
  }

  /// The try of a row; nil after the last.
  static func make(seed: UInt64, number: Int) -> FuzzCase? {
    guard let json = row(seed, number) else { return nil }
    var tried = FuzzCase(.pairs, seed: seed, number: number)
    var dice = tried.dice
    tried.files = [InputFile("s.json", json.pretty)]
    tried.steps = RunKind.steps(&dice)
    RunKind.equip(&tried, json)
    return tried
  }

  private static func row(_ seed: UInt64, _ number: Int) -> JSON? {
    covers.withLock { covers in
      var entry = covers[seed] ?? ([], PairSource(seed: seed))
      while entry.cover.count <= number, let next = entry.source.cover.next() {
        entry.cover.append(next)
      }
      covers[seed] = entry
      return number < entry.cover.count ? entry.cover[number] : nil
    }
  }
}
