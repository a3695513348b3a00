/// How a flat vector of many tensors travels: groups of them, each with its codec, in one frame.
///
/// Frame: magic 0xFC, version 1, varint of tensors, the tensors (one per group), CRC-32 of all
/// before it. Names and shapes are not sent: both sides have the plan. 2 + |varint n| + 4 bytes of
/// its own.
public struct CodecPlan: Sendable, Equatable {
  /// Values that are encoded as one tensor.
  public struct Group: Sendable, Equatable {
    /// Where they lie in the vector, in the order encoded.
    public let ranges: [Range<Int>]
    /// Their shape, for codecs that see matrices.
    public let shape: [Int]
    /// How they travel.
    public let codec: CodecSpec

    /// A group; the plan checks it.
    public init(ranges: [Range<Int>], shape: [Int], codec: CodecSpec) {
      self.ranges = ranges
      self.shape = shape
      self.codec = codec
    }

    /// Number of values.
    public var count: Int { ranges.reduce(0) { $0 + $1.count } }
  }

  /// How a codec is spread over tensors.
  public enum Grouping: Sendable, Equatable {
    /// Each on its own: own scales, own k.
    case eachTensor
    /// All as one: one k for the whole, one head.
    case together
  }

  /// Values of the whole vector.
  public let count: Int
  /// The groups, in the order sent.
  public let groups: [Group]

  package static let magic: UInt8 = 0xFC
  package static let version: UInt8 = 1

  /// A plan of groups that cover 0 ..< count once.
  ///
  /// - Throws: ``CodecError/parameter(_:)`` for a codec that does not fit its group, and for
  ///   groups that leave gaps or overlap; ``CodecError/size(expected:found:)`` for a wrong shape.
  public init(count: Int, groups: [Group]) throws(CodecError) {
    var next = 0
    let ranges = groups.flatMap(\.ranges)
    guard ranges.allSatisfy({ $0.lowerBound >= 0 && $0.upperBound <= count }) else {
      throw .parameter("ranges beyond \(count)")
    }
    let full = ranges.filter { !$0.isEmpty }
    for range in full.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      guard range.lowerBound == next else { throw .parameter("groups at \(next)") }
      next = range.upperBound
    }
    guard next == count else { throw .size(expected: count, found: next) }
    for group in groups {
      try DenseCodec.checkShape(group.shape, count: group.count)
      try group.codec.codec.check(shape: group.shape)
    }
    self.count = count
    self.groups = groups
  }

  /// A plan for tensors one after the other in the vector, each with its own codec.
  public init(shapes: [[Int]], codecs: [CodecSpec]) throws(CodecError) {
    guard shapes.count == codecs.count else {
      throw .size(expected: shapes.count, found: codecs.count)
    }
    let ranges = try Self.ranges(shapes)
    try self.init(
      count: ranges.last?.upperBound ?? 0,
      groups: shapes.indices.map {
        Group(ranges: [ranges[$0]], shape: shapes[$0], codec: codecs[$0])
      })
  }

  /// A plan with one codec, and dense floats for tensors that are not worth it.
  ///
  /// - Parameters:
  ///   - shapes: of tensors one after the other in the vector.
  ///   - codec: for all that do not stay dense.
  ///   - grouping: whether these are one tensor in the frame; those that stay dense are one then.
  ///   - denseBelow: tensors with fewer values stay dense.
  ///   - denseVectors: whether tensors of less than two dimensions (biases, norms) do.
  /// - Throws: as the plan of groups.
  public init(
    shapes: [[Int]], codec: CodecSpec, grouping: Grouping = .eachTensor, denseBelow: Int = 0,
    denseVectors: Bool = false
  ) throws(CodecError) {
    let ranges = try Self.ranges(shapes)
    let isDense = shapes.indices.map { index in
      let shape = shapes[index]
      if ranges[index].count < denseBelow || (denseVectors && shape.count < 2) { return true }
      if case .lowRank(let lowRank) = codec { return !lowRank.pays(shape: shape) }
      return false
    }
    var groups: [Group] = []
    switch grouping {
    case .eachTensor:
      groups = shapes.indices.map {
        let codec = isDense[$0] ? .dense(.float32) : codec
        return Group(ranges: [ranges[$0]], shape: shapes[$0], codec: codec)
      }
    case .together:
      for dense in [false, true] {
        let members = shapes.indices.filter { isDense[$0] == dense }.map { ranges[$0] }
        guard !members.isEmpty else { continue }
        let size = members.reduce(0) { $0 + $1.count }
        groups.append(
          Group(
            ranges: Self.joined(members), shape: [size], codec: dense ? .dense(.float32) : codec))
      }
    }
    try self.init(count: ranges.last?.upperBound ?? 0, groups: groups)
  }

  private static func ranges(_ shapes: [[Int]]) throws(CodecError) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var next = 0
    for shape in shapes {
      var size = 1
      for side in shape {
        let (product, overflow) = size.multipliedReportingOverflow(by: side)
        guard side >= 0, !overflow else { throw .parameter("shape \(shape)") }
        size = product
      }
      let (end, overflow) = next.addingReportingOverflow(size)
      guard !overflow else { throw .parameter("shape \(shape)") }
      ranges.append(next..<end)
      next = end
    }
    return ranges
  }

  /// Neighbours as one range.
  private static func joined(_ ranges: [Range<Int>]) -> [Range<Int>] {
    var joined: [Range<Int>] = []
    for range in ranges {
      if let last = joined.last, last.upperBound == range.lowerBound {
        joined[joined.count - 1] = last.lowerBound..<range.upperBound
      } else {
        joined.append(range)
      }
    }
    return joined
  }

  /// Bytes of a frame.
  public var size: CodecSize {
    var size = CodecSize.exactly(2 + ByteWriter.varintSize(groups.count) + 4)
    for group in groups { size = size + group.codec.codec.size(shape: group.shape) }
    return size
  }

  /// Bytes of the same vector as plain 32-bit floats, what ratios are relative to.
  public var denseByteCount: Int { 4 * count }
}
