import Base

/// Choices among clients, with ties by their number.
package enum ClientDraws {
  /// Some of the clients without replacement: each next one with a probability proportional to its
  /// weight among those that are left.
  ///
  /// Client i gets the key −log(u_i)/w_i, exponentially distributed with the rate w_i; the smallest
  /// keys are that draw. Clients without weight come last, in the order given.
  ///
  /// - Source: Efraimidis and Spirakis, "Weighted random sampling with a reservoir", Information
  ///   Processing Letters 97, 2006.
  /// - Complexity: one number of the stream per client, O(n·log n).
  /// - Returns: min(count, n) of them, ascending.
  package static func weighted(
    _ clients: [Int], weights: [Double], count: Int, _ stream: inout RandomStream
  ) -> [Int] {
    precondition(clients.count == weights.count, "ClientDraws.weighted: weights")
    var keys: [(key: Double, place: Int)] = []
    keys.reserveCapacity(clients.count)
    for place in clients.indices {
      let wait = -log(1 - stream.uniform())  // u in (0, 1]
      keys.append((weights[place] > 0 ? wait / weights[place] : .infinity, place))
    }
    keys.sort { ($0.key, $0.place) < ($1.key, $1.place) }
    return keys.prefix(max(0, count)).map { clients[$0.place] }.sorted()
  }

  /// The clients with the largest values, ties by the smaller number; a value that is not a number
  /// counts as infinite.
  ///
  /// - Returns: min(count, n) of them, ascending.
  package static func largest(_ clients: [Int], values: [Double], count: Int) -> [Int] {
    precondition(clients.count == values.count, "ClientDraws.largest: values")
    let ranked = zip(clients, values).map { (client: $0, value: $1.isNaN ? .infinity : $1) }.sorted
    { ($1.value, $0.client) < ($0.value, $1.client) }
    return ranked.prefix(max(0, count)).map(\.client).sorted()
  }
}
