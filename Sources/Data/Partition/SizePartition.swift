import Base

/// Rules that look at sizes, not at Dirichlet shares of labels.
extension Pool {
  /// All images shuffled and cut into K parts whose sizes differ by at most 1.
  package func iid() -> [[Int]] {
    var order = indices
    var stream = stream()
    stream.shuffle(&order)
    return Self.cut(order, sizes: Self.evenSizes(count, parts: clients)).map { $0.sorted() }
  }

  /// Images sorted by label, cut into K·s shards whose sizes differ by at most 1, s shards per
  /// client at random.
  ///
  /// Within a label images are in order of their index.
  ///
  /// - Source: McMahan et al., AISTATS 2017, arXiv:1602.05629, §3.
  package func shards(perClient: Int) throws(Failure) -> [[Int]] {
    let (shardCount, overflow) = clients.multipliedReportingOverflow(by: perClient)
    guard !overflow, shardCount <= Self.shardLimit else {
      throw Failure(
        .scenarioInvalid, "E3413",
        "data.partition \"shards\": \(clients) clients with \(perClient) shards each is more than "
          + "\(Self.shardLimit) shards",
        hint: "lower data.partition.perClient or federation.clients")
    }
    let sorted = byClass().flatMap { $0 }
    let sizes = Self.evenSizes(count, parts: shardCount)
    var starts: [Int] = []
    starts.reserveCapacity(shardCount)
    var start = 0
    for size in sizes {
      starts.append(start)
      start += size
    }
    var stream = stream()
    let deal = stream.permutation(shardCount)
    return (0..<clients).map { client in
      let mine = deal[client * perClient..<(client + 1) * perClient]
      return mine.flatMap { sorted[starts[$0]..<starts[$0] + sizes[$0]] }.sorted()
    }
  }

  private static let shardLimit = 50_000_000

  /// Quantity skew only: sizes by a law, images at random.
  ///
  /// Every client gets `minimum`; the other N − K·minimum images are apportioned by the law, so
  /// the rule holds by construction and nothing is redrawn. Under the power law client 0 is
  /// largest.
  package func quantity(_ law: DataSettings.QuantityLaw, minimum: Int) throws(Failure) -> [[Int]] {
    try requireRoom(for: minimum, rule: "quantity")
    var sizing = stream(part: 1)
    let logarithms: [Double] =
      switch law {
      case .logNormal(let sigma): (0..<clients).map { _ in sigma * sizing.normal() }
      case .powerLaw(let exponent): (0..<clients).map { -exponent * log(Double($0 + 1)) }
      }
    let shares = normalizedShares(ofLogarithms: logarithms)
    let sizes = Self.apportion(count, shares: shares, minimum: minimum)
    var order = indices
    var shuffling = stream()
    shuffling.shuffle(&order)
    return Self.cut(order, sizes: sizes).map { $0.sorted() }
  }
}
