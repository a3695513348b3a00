import Base
import Client
import Tensor

/// Parameters for canaries, so that no two records have one in common.
enum CanaryPlaces {
  /// The parameters of each of at most `most` records: one for each record, or one in every layer
  /// that has enough of them where layers are clipped one by one, so that a record can be as large
  /// as the mechanism allows.
  ///
  /// - Parameters:
  ///   - most: records wanted, at least 1.
  ///   - network: whose trained parameters they lie in.
  ///   - clipping: how gradients are clipped.
  ///   - stream: what they are drawn from.
  /// - Returns: one entry per record; as many as the network has room for.
  static func draw(
    _ most: Int, _ network: Network, _ clipping: ExamplePrivacy.Clipping,
    from stream: inout RandomStream
  ) -> [[Int]] {
    let whole = [0..<network.layout.trainedCount]
    guard clipping == .perLayer else {
      return sample(most, of: whole, &stream).map { [$0] }
    }
    let layers = ExampleGradients(network, ranges: whole, capacity: 1).layers.map(\.ranges)
    let count = min(most, layers.map(size).max() ?? 0)
    let drawn = layers.filter { size($0) >= count }.map { sample(count, of: $0, &stream) }
    return (0..<count).map { record in drawn.map { $0[record] } }
  }

  private static func size(_ ranges: [Range<Int>]) -> Int { ranges.reduce(0) { $0 + $1.count } }

  /// Different places in some ranges, in random order: the first steps of a shuffle.
  private static func sample(_ most: Int, of ranges: [Range<Int>], _ stream: inout RandomStream)
    -> [Int]
  {
    let total = size(ranges)
    var moved: [Int: Int] = [:]
    return (0..<min(most, total)).map { number in
      let pick = number + stream.below(total - number)
      let place = moved[pick] ?? pick
      moved[pick] = moved[number] ?? number
      return Self.place(place, in: ranges)
    }
  }

  private static func place(_ number: Int, in ranges: [Range<Int>]) -> Int {
    var rest = number
    for range in ranges {
      if rest < range.count { return range.lowerBound + rest }
      rest -= range.count
    }
    preconditionFailure("CanaryPlaces: place \(number) of \(size(ranges))")
  }
}
