/// "Did you mean": known synonyms first, then spelling.
package enum Suggestions {
  /// The candidate that `word` probably stands for: a synonym, another spelling of the same
  /// letters, or a name at most two edits away; nil when nothing is near.
  package static func nearest(
    _ word: String, among candidates: [String], synonyms: [String: String] = [:]
  ) -> String? {
    if candidates.contains(word) { return word }
    if let meant = synonyms[word], candidates.contains(meant) { return meant }
    let plainWord = plain(word)
    if let same = candidates.first(where: { plain($0) == plainWord }) { return same }
    for (synonym, meant) in synonyms.sorted(by: { $0.key < $1.key })
    where plain(synonym) == plainWord && candidates.contains(meant) { return meant }
    var best: (distance: Int, name: String)?
    for candidate in candidates {
      let distance = distance(plainWord, plain(candidate), limit: 2)
      guard distance <= 2, distance < min(candidate.count, word.count) else { continue }
      if distance < best?.distance ?? 3 { best = (distance, candidate) }
    }
    return best?.name
  }

  /// Lower case without separators, so that `batch_size`, `batch-size` and `batchSize` are one.
  package static func plain(_ word: String) -> String {
    String(word.lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " })
  }

  /// Edits between two words: insertion, deletion, replacement, swap of neighbours; counting stops
  /// beyond `limit`.
  ///
  /// - Complexity: O(n·m) with both at most 64 letters; longer words are `limit + 1` apart.
  /// - Source: optimal string alignment, Damerau 1964.
  package static func distance(_ first: String, _ second: String, limit: Int) -> Int {
    let a = Array(first.unicodeScalars.prefix(65))
    let b = Array(second.unicodeScalars.prefix(65))
    guard a.count <= 64, b.count <= 64, abs(a.count - b.count) <= limit else { return limit + 1 }
    var older = [Int](repeating: 0, count: b.count + 1)
    var previous = Array(0...b.count)
    for i in 0..<a.count {
      var row = [Int](repeating: i + 1, count: b.count + 1)
      for j in 0..<b.count {
        let replace = previous[j] + (a[i] == b[j] ? 0 : 1)
        row[j + 1] = min(replace, previous[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          row[j + 1] = min(row[j + 1], older[j - 1] + 1)
        }
      }
      older = previous
      previous = row
    }
    return previous[b.count]
  }
}
