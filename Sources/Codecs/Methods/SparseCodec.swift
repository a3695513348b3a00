/// Positions and values of some; the others are 0 to the receiver.
///
/// Body: varint k, index coding u8, positions (Rice's parameter first), value coding u8, values in
/// the order of their positions. With the flag `blocks`: varint B, varint k, and k positions of
/// blocks of B neighbours, whose values all follow; the last block may be shorter.
///
/// Top-k is contractive, ‖C(x) − x‖² ≤ (1 − k/d)·‖x‖², so it needs error feedback (Stich,
/// Cordonnier and Jaggi, NeurIPS 2018). A threshold bounds the error of each value instead of
/// their number (Strom, Interspeech 2015). Blocks cost fewer positions and keep less of the norm.
public struct SparseCodec: Codec {
  /// Which values are kept.
  public enum Selection: Sendable, Equatable {
    /// The largest magnitudes, ties by the lowest index.
    case top(KeptAmount)
    /// All |x_i| ≥ τ, τ ≥ 0 and finite.
    case threshold(Float)
    /// About the largest ⌈density·d⌉, never more, by a threshold from a sample
    /// (``SampledSelection``).
    case sampled(density: Double)
    /// The blocks of the largest L2 norms; the amount counts blocks, `length` ≥ 1.
    case topBlocks(KeptAmount, length: Int)
  }

  /// Which values are kept.
  public let selection: Selection
  /// How positions are written.
  public let indices: IndexCoding
  /// How values are written.
  public let values: ValueCoding

  /// A codec.
  public init(_ selection: Selection, indices: IndexCoding = .rice, values: ValueCoding = .float32)
  {
    self.selection = selection
    self.indices = indices
    self.values = values
  }

  /// 3.
  public var kind: CodecKind { .sparse }

  /// Refuses amounts, thresholds and block lengths that are none.
  public func check(shape: [Int]) throws(CodecError) {
    switch selection {
    case .top(let amount): try amount.check()
    case .sampled(let density): try KeptAmount.density(density).check()
    case .threshold(let tau):
      guard tau >= 0, tau.isFinite else { throw .parameter("threshold \(tau)") }
    case .topBlocks(let amount, let length):
      try amount.check()
      guard length >= 1, length <= Int(UInt32.max) else { throw .parameter("block of \(length)") }
    }
  }

  /// Exact where k and the coding of positions are fixed, else a bound.
  ///
  /// With a threshold k is unknown: Rice's code with its best parameter never has more than d bits,
  /// and all others are largest at k = d.
  public func bodySize(shape: [Int]) -> CodecSize {
    let d = shape.reduce(1, *)
    switch selection {
    case .top(let amount): return size(amount.of(d), of: d, values: amount.of(d))
    case .threshold: return .atMost(most(of: d, values: d))
    case .sampled(let density):
      return .atMost(most(of: d, values: KeptAmount.density(density).of(d)))
    case .topBlocks(let amount, let length):
      let blocks = Self.blocks(d, length)
      let k = amount.of(blocks)
      let shortfall = blocks * length - d
      let most = min(d, k * length)
      let part = size(k, of: blocks, values: most) + ByteWriter.varintSize(length)
      // Only a last block that is shorter leaves the number of values open.
      return shortfall == 0 || k == blocks ? part : .atMost(part.bytes)
    }
  }

  /// The most bytes of any number of positions with so many values.
  private func most(of d: Int, values count: Int) -> Int {
    let all = size(d, of: d, values: count).bytes
    return indices == .runs ? all + 2 * (d / 65535) : all
  }

  private func size(_ k: Int, of d: Int, values count: Int) -> CodecSize {
    indices.size(count: k, of: d) + (ByteWriter.varintSize(k) + 2 + values.size(count: count))
  }

  /// ⌈d / length⌉; sizes may be asked before a length of 0 is refused.
  package static func blocks(_ d: Int, _ length: Int) -> Int {
    length > 0 ? d / length + (d % length == 0 ? 0 : 1) : 0
  }

  /// Appends positions and values.
  ///
  /// - Complexity: O(d).
  public func encodeBody(
    of x: UnsafeBufferPointer<Float>, shape: [Int], to writer: inout ByteWriter,
    context: inout CodecContext
  ) throws(CodecError) -> CodecFlags {
    switch selection {
    case .top(let amount):
      let kept = try TopKSelection.positions(x, count: amount.of(x.count))
      try write(kept, of: x.count, kept.map { x[Int($0)] }, to: &writer, context: &context)
      return []
    case .sampled(let density):
      _ = try Magnitude.largest(x)
      let kept = try SampledSelection.positions(Array(x), density: density, stream: &context.stream)
      try write(kept, of: x.count, kept.map { x[Int($0)] }, to: &writer, context: &context)
      return []
    case .threshold(let tau):
      let kept = try TopKSelection.positions(x, threshold: tau)
      try write(kept, of: x.count, kept.map { x[Int($0)] }, to: &writer, context: &context)
      return []
    case .topBlocks(let amount, let length):
      let kept = try Self.largestBlocks(x, length, amount)
      var values: [Float] = []
      for block in kept {
        values += x[Int(block) * length..<min(x.count, (Int(block) + 1) * length)]
      }
      writer.varint(length)
      let blocks = Self.blocks(x.count, length)
      try write(kept, of: blocks, values, to: &writer, context: &context)
      return .blocks
    }
  }

  /// Blocks of the largest norms; norms are compared as floats, ties by the lowest index.
  private static func largestBlocks(
    _ x: UnsafeBufferPointer<Float>, _ length: Int, _ amount: KeptAmount
  ) throws(CodecError) -> [UInt32] {
    _ = try Magnitude.largest(x)
    let norms = stride(from: 0, to: x.count, by: length).map { start in
      let block = x[start..<min(x.count, start + length)]
      let norm = Magnitude.sums(UnsafeBufferPointer(rebasing: block)).squares.squareRoot()
      return min(Float(norm), .greatestFiniteMagnitude)
    }
    return try TopKSelection.positions(norms, count: amount.of(norms.count))
  }

  private func write(
    _ kept: [UInt32], of d: Int, _ values: [Float], to writer: inout ByteWriter,
    context: inout CodecContext
  ) throws(CodecError) {
    writer.varint(kept.count)
    writer.byte(indices.rawValue)
    indices.write(kept, of: d, to: &writer)
    writer.byte(self.values.rawValue)
    try self.values.write(values, to: &writer, context: &context)
  }

  /// Positions, or blocks of a length, and values; as sent.
  package struct Content {
    /// Neighbours per position, 1 without blocks.
    package let length: Int
    package let positions: [UInt32]
    package let values: [Float]
    let valueCoding: ValueCoding
  }

  /// Reads a body for d values.
  package static func content(_ flags: CodecFlags, of d: Int, from reader: inout ByteReader)
    throws(CodecError) -> Content
  {
    let isBlocks = flags.contains(.blocks)
    let length = isBlocks ? try reader.varint(in: 1...Int(UInt32.max), "block length") : 1
    let places = blocks(d, length)
    let k = try reader.varint(in: 0...places, "k")
    guard let indices = IndexCoding(rawValue: try reader.byte()) else {
      throw .malformed("index coding")
    }
    let positions = try indices.read(count: k, of: places, from: &reader)
    var count = k * length
    if let last = positions.last { count -= max(0, (Int(last) + 1) * length - d) }
    guard let coding = ValueCoding(rawValue: try reader.byte()) else {
      throw .malformed("value coding")
    }
    let values = try coding.read(count: count, from: &reader)
    return Content(length: length, positions: positions, values: values, valueCoding: coding)
  }

  /// Reads a body into x; what is not kept becomes 0.
  package static func read(
    _ flags: CodecFlags, from reader: inout ByteReader, into x: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    let content = try content(flags, of: x.count, from: &reader)
    x.update(repeating: 0)
    var next = 0
    for position in content.positions {
      let start = Int(position) * content.length
      for place in start..<min(x.count, start + content.length) {
        x[place] = content.values[next]
        next &+= 1
      }
    }
  }
}
