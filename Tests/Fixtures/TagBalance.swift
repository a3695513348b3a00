/// Checks that elements nest; a slow reader that knows only what our writer writes.
package enum TagBalance {
  package static func problem(_ html: String) -> String? {
    var open: [Substring] = []
    for piece in html.split(separator: "<", omittingEmptySubsequences: false).dropFirst() {
      guard let end = piece.firstIndex(of: ">") else { return "no '>' after <\(piece.prefix(30))" }
      let tag = piece[..<end]
      if tag.hasPrefix("!") || tag.hasSuffix("/") || tag.hasPrefix("meta") { continue }
      if tag.hasPrefix("/") {
        guard let last = open.popLast(), last == tag.dropFirst() else { return "stray <\(tag)>" }
      } else {
        open.append(tag.prefix { $0 != " " })
      }
    }
    return open.isEmpty ? nil : "never closed: \(open)"
  }
}
