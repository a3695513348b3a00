import Base

/// Values at k places that both sides draw from a seed: no positions travel.
///
/// Body: seed u64, varint k, k values of 32 bits in the order of their places. The places are a
/// uniform subset of k of d (Floyd; Bentley and Floyd, Communications of the ACM 30(9), 1987)
/// from the stream `RandomStream(seed, .compression)`, ascending; for 2k > d those left out are
/// drawn instead. Clients that share a seed share their places, so that their sum is sparse too.
///
/// Scaled by d/k the estimate is unbiased with variance ω = d/k − 1; unscaled it is contractive
/// with α = k/d in expectation (Stich, Cordonnier and Jaggi, NeurIPS 2018).
public struct RandomKCodec: Codec {
  /// k.
  public let amount: KeptAmount
  /// Whether values are multiplied by d/k before they are sent.
  public let isScaled: Bool
  /// The seed that all share; nil takes one from the stream for every encoding.
  public let seed: UInt64?

  /// A codec.
  public init(_ amount: KeptAmount, isScaled: Bool = true, seed: UInt64? = nil) {
    self.amount = amount
    self.isScaled = isScaled
    self.seed = seed
  }

  /// 4.
  public var kind: CodecKind { .randomK }

  /// Refuses amounts that are none.
  public func check(shape: [Int]) throws(CodecError) { try amount.check() }

  /// Exactly 8 + |varint k| + 4k.
  public func bodySize(shape: [Int]) -> CodecSize {
    let k = amount.of(shape.reduce(1, *))
    return .exactly(8 + ByteWriter.varintSize(k) + 4 * k)
  }

  /// Appends seed and values; a value that scaling takes beyond the range of floats saturates.
  ///
  /// - Complexity: O(d), O(min(k, d − k)) draws.
  public func encodeBody(
    of x: UnsafeBufferPointer<Float>, shape: [Int], to writer: inout ByteWriter,
    context: inout CodecContext
  ) throws(CodecError) -> CodecFlags {
    _ = try Magnitude.largest(x)
    let seed = seed ?? context.stream.next()
    let k = amount.of(x.count)
    writer.number(seed)
    writer.varint(k)
    let factor = isScaled && k > 0 ? Double(x.count) / Double(k) : 1
    let most = Double(Float.greatestFiniteMagnitude)
    Self.forEachPlace(seed: seed, count: k, of: x.count) { place in
      writer.float(Float(min(max(Double(x[place]) * factor, -most), most)))
    }
    return []
  }

  /// Reads a body into x; what is not kept becomes 0.
  package static func read(from reader: inout ByteReader, into x: UnsafeMutableBufferPointer<Float>)
    throws(CodecError)
  {
    let seed = try reader.number(UInt64.self)
    let k = try reader.varint(in: 0...x.count, "k")
    let values = try ValueCoding.float32.read(count: k, from: &reader)
    x.update(repeating: 0)
    var next = 0
    forEachPlace(seed: seed, count: k, of: x.count) { place in
      x[place] = values[next]
      next &+= 1
    }
  }

  /// Calls `body` with the k places of a seed, ascending.
  static func forEachPlace(seed: UInt64, count k: Int, of d: Int, _ body: (Int) -> Void) {
    var stream = RandomStream(seed: seed, .compression)
    let drawsKept = 2 * k <= d
    let draws = drawsKept ? k : d - k
    var drawn = [UInt64](repeating: 0, count: (d + 63) / 64)
    for last in (d - draws)..<d {
      let draw = stream.below(last + 1)
      let place = drawn[draw >> 6] >> UInt64(draw & 63) & 1 == 1 ? last : draw
      drawn[place >> 6] |= 1 << UInt64(place & 63)
    }
    for word in drawn.indices {
      var bits = drawsKept ? drawn[word] : ~drawn[word]
      while bits != 0 {
        let place = 64 * word + bits.trailingZeroBitCount
        guard place < d else { return }
        body(place)
        bits &= bits &- 1
      }
    }
  }
}
