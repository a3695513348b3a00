import Base

/// Places in a JSON value: by the index of the member or element at each level.
package enum JSONTree {
  /// Every place below the top, those nearer to the top first.
  package static func places(in json: JSON) -> [[Int]] {
    var found: [[Int]] = []
    var front: [([Int], JSON)] = [([], json)]
    while !front.isEmpty {
      var next: [([Int], JSON)] = []
      for (place, value) in front {
        for (index, child) in children(of: value).enumerated() {
          found.append(place + [index])
          next.append((place + [index], child))
        }
      }
      front = next
    }
    return found
  }

  private static func children(of json: JSON) -> [JSON] {
    json.members?.map(\.value) ?? json.elements ?? []
  }

  /// The value at a place.
  package static func value(at place: [Int], in json: JSON) -> JSON? {
    var json = json
    for index in place {
      let all = children(of: json)
      guard index < all.count else { return nil }
      json = all[index]
    }
    return json
  }

  /// The value with another one at a place; nil takes the member or element away.
  package static func replacing(_ place: [Int], by value: JSON?, in json: JSON) -> JSON {
    guard let index = place.first else { return value ?? json }
    let rest = Array(place.dropFirst())
    var json = json
    if var members = json.members, index < members.count {
      if rest.isEmpty, value == nil {
        members.remove(at: index)
      } else {
        members[index].value = replacing(rest, by: value, in: members[index].value)
      }
      json.value = .object(members)
    } else if var items = json.elements, index < items.count {
      if rest.isEmpty, value == nil {
        items.remove(at: index)
      } else {
        items[index] = replacing(rest, by: value, in: items[index])
      }
      json.value = .array(items)
    }
    return json
  }

  /// The value with the members of the object at a place changed.
  static func changingMembers(
    at place: [Int], in json: JSON, _ change: (inout [JSON.Member]) -> Void
  ) -> JSON {
    guard let object = value(at: place, in: json), var members = object.members else { return json }
    change(&members)
    return replacing(place, by: JSON(.object(members)), in: json)
  }
}

/// Changes of scenarios and sweep files with no regard to what is legal.
enum JSONMutation {
  /// The value with one place changed.
  static func changed(_ json: JSON, _ dice: inout Dice) -> JSON {
    let places = JSONTree.places(in: json)
    guard !places.isEmpty else { return json }
    let place = dice.pick(places)
    let parent = Array(place.dropLast())
    let index = place.last ?? 0
    switch dice.below(10) {
    case 0...3:
      var values = FieldValues(dice: dice, reach: .wide)
      let stray = values.stray()
      dice = values.dice
      return JSONTree.replacing(place, by: stray, in: json)
    case 4: return JSONTree.replacing(place, by: nil, in: json)
    case 5: return JSONTree.changingMembers(at: parent, in: json) { $0.append($0[index]) }
    case 6:
      let name = dice.pick(["lr", "", "kind", "//", "\u{1B}[31m", "ключ", "a b", "__proto__"])
      return JSONTree.changingMembers(at: parent, in: json) { $0.append(.init(name, 1)) }
    case 7:
      let letter = dice.below(40)
      return JSONTree.changingMembers(at: parent, in: json) { members in
        var key = Array(members[index].key)
        if !key.isEmpty { key.swapAt(letter % key.count, (letter + 1) % key.count) }
        members[index].key = String(key)
      }
    case 8:
      guard let value = JSONTree.value(at: place, in: json) else { return json }
      let wrapped: JSON = dice.chance(0.5) ? .array([value]) : ["kind": value]
      return JSONTree.replacing(place, by: wrapped, in: json)
    default:
      let other = dice.pick(places)
      guard let value = JSONTree.value(at: other, in: json) else { return json }
      return JSONTree.replacing(place, by: value, in: json)
    }
  }

  /// Bytes of a text with one change that may make it no JSON at all.
  static func broken(_ text: [UInt8], _ dice: inout Dice) -> [UInt8] {
    let place = dice.below(text.count + 1)
    func with(_ bytes: [UInt8]) -> [UInt8] { text[..<place] + bytes + text[place...] }
    switch dice.below(9) {
    case 0: return Array(text[..<place])
    case 1: return with([UInt8(dice.below(256))])
    case 2: return with(Array(dice.pick(fragments).utf8))
    case 3: return [0xEF, 0xBB, 0xBF] + text
    case 4: return text + text
    case 5: return with([0xFF, 0xC0, 0x80])
    case 6:
      let places = Damage.numbers(in: text)
      guard !places.isEmpty else { return text }
      let number = dice.pick(places)
      let other = Array(dice.pick(Extremes.all).utf8)
      return text[..<number.lowerBound] + other + text[number.upperBound...]
    case 7:
      let depth = dice.pick([199, 200, 201, 100_000])
      return with(Array(repeating: UInt8(ascii: "["), count: depth))
    default:
      guard !text.isEmpty else { return text }
      var text = text
      text[place % text.count] ^= UInt8(1 << dice.below(8))
      return text
    }
  }

  private static let fragments = [
    "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u0000", "\\ud800", "\\udc00\\ud800", "\u{0}", "//",
    "/*", "NaN", "null", "true", "1e999", "-", "\r", "\u{2028}", "{\"a\":", "\"\":",
  ]
}
