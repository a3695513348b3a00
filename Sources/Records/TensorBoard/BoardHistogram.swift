import Base

/// Shares in [0, 1] counted in twentieths, for TensorBoard's histograms.
package struct BoardHistogram: Sendable, Equatable {
  /// Buckets in [0, 1]; the last one has both its ends.
  private static let buckets = 20

  package let minimum: Double
  package let maximum: Double
  /// How many there are.
  package let count: Int
  package let sum: Double
  /// The sum of their squares.
  package let squares: Double
  /// Right ends of the buckets.
  package let limits: [Double]
  /// Shares in each bucket.
  package let counts: [Int]

  /// The histogram of the finite ones among `shares`; nil without any.
  ///
  /// Empty buckets on both sides are left out: readers take the minimum for the left end of the
  /// first bucket, and the maximum for the right end of the last one.
  package init?(_ shares: [Double]) {
    let known = shares.filter(\.isFinite)
    guard let least = known.min(), let most = known.max() else { return nil }
    func bucket(_ share: Double) -> Int {
      Int(clamping: max(0, min(Double(Self.buckets - 1), share * Double(Self.buckets))))
    }
    let first = bucket(least)
    var counts = [Int](repeating: 0, count: bucket(most) - first + 1)
    for share in known { counts[bucket(share) - first] += 1 }
    minimum = least
    maximum = most
    count = known.count
    sum = known.reduce(0, +)
    squares = known.reduce(0) { $0 + $1 * $1 }
    limits = counts.indices.map { Double(first + $0 + 1) / Double(Self.buckets) }
    self.counts = counts
  }
}
