import Base

/// What a partition rule works on: the training images that the long tail left, and the clients.
///
/// Every rule returns one list of training-set indices per client. Lists are disjoint and, unless a
/// rule says otherwise, complete; they depend on (seed, rule, images, clients) alone.
package struct Pool: Sendable {
  /// Indices into the full training set, ascending.
  package let indices: [Int]
  /// The label of each entry of `indices`.
  package let labels: [Int]
  /// Number of classes C.
  package let classes: Int
  /// Number of clients K.
  package let clients: Int
  /// The seed of all draws.
  package let seed: UInt64

  /// Number of images N.
  package var count: Int { indices.count }

  /// A pool; the order of `kept` does not matter.
  package init(kept: [Int], labelOf: [Int32], classes: Int, clients: Int, seed: UInt64) {
    precondition(clients > 0, "Pool: \(clients) clients")
    indices = kept.sorted()
    labels = indices.map { Int(labelOf[$0]) }
    self.classes = classes
    self.clients = clients
    self.seed = seed
  }

  package func stream(attempt: Int = 0, part: Int = 0) -> RandomStream {
    RandomStream(seed: seed, .partition, round: attempt, step: part)
  }

  /// The indices of every class, ascending.
  package func byClass() -> [[Int]] {
    var members = [[Int]](repeating: [], count: classes)
    for (position, label) in labels.enumerated() { members[label].append(indices[position]) }
    return members
  }

  /// One empty list per client.
  package var emptyLists: [[Int]] { [[Int]](repeating: [], count: clients) }

  /// Consecutive pieces of a list whose sizes are given and sum to its length.
  package static func cut(_ list: [Int], sizes: [Int]) -> [[Int]] {
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return Array(list[start..<start + size])
    }
  }

  /// `total` in `parts` whole pieces that differ by at most 1, the larger ones first.
  package static func evenSizes(_ total: Int, parts: Int) -> [Int] {
    (0..<parts).map { total / parts + ($0 < total % parts ? 1 : 0) }
  }

  /// `total` in whole pieces ∝ shares, each at least `minimum`: every piece gets its minimum and
  /// the floor of its share of the rest; what is left goes to the largest remainders.
  ///
  /// - Precondition: shares are ≥ 0 with sum 1 to rounding; minimum·parts ≤ total.
  package static func apportion(_ total: Int, shares: [Double], minimum: Int) -> [Int] {
    let rest = total - minimum * shares.count
    precondition(rest >= 0, "Pool.apportion: \(total) cannot give \(minimum) to \(shares.count)")
    var pieces = shares.map { Int(clamping: ($0 * Double(rest)).rounded(.down)) }
    var left = rest
    for piece in pieces { left -= piece }
    let remainders = zip(shares, pieces).map { $0 * Double(rest) - Double($1) }
    let order = remainders.indices.sorted { (remainders[$0], $1) > (remainders[$1], $0) }
    // `left` is in 0 ..< parts but for rounding; both corrections end, since pieces sum to ≤ rest.
    for index in order.prefix(max(left, 0)) { pieces[index] += 1 }
    left -= min(max(left, 0), order.count)
    var index = 0
    while left < 0 {
      if pieces[index] > 0 {
        pieces[index] -= 1
        left += 1
      } else {
        index += 1
      }
    }
    return pieces.map { $0 + minimum }
  }

  /// Throws when not every client can have `minimum` images; nothing is drawn before.
  package func requireRoom(for minimum: Int, rule: String) throws(Failure) {
    let (needed, overflow) = minimum.multipliedReportingOverflow(by: clients)
    guard overflow || needed > count else { return }
    throw Failure(
      .scenarioInvalid, "E3411",
      "data.partition \"\(rule)\": \(clients) clients with at least \(minimum) images each "
        + "do not fit into \(count) training images",
      hint: "lower federation.clients or data.partition.minPerClient (0 allows empty clients)")
  }

  /// Redraws until every client has `minimum` images, at most `limit` times.
  package func redraw(
    minimum: Int, rule: String, alpha: Double, limit: Int = 1000,
    _ draw: (_ attempt: Int) -> [[Int]]
  ) throws(Failure) -> [[Int]] {
    try requireRoom(for: minimum, rule: rule)
    var best = -1
    for attempt in 0..<limit {
      let lists = draw(attempt)
      let smallest = lists.lazy.map(\.count).min() ?? 0
      if smallest >= minimum { return lists }
      best = max(best, smallest)
    }
    throw Failure(
      .scenarioInvalid, "E3412",
      "data.partition \"\(rule)\": \(limit) draws with alpha \(alpha) for \(clients) clients never "
        + "gave every client \(minimum) of the \(count) images; the best draw gave the "
        + "poorest client \(best)",
      hint: "raise data.partition.alpha, or lower data.partition.minPerClient or federation.clients"
    )
  }
}
