import Base

/// The safetensors format: eight bytes of header length, a JSON header, raw little-endian data.
///
/// Only bytes here; whoever owns the folder reads and writes files.
public struct Safetensors: Sendable, Equatable {
  /// One tensor of 32-bit floats, in row-major order.
  public struct Item: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// Its shape; empty for a scalar.
    public var shape: [Int]
    /// shape.reduce(1, *) values.
    public var values: [Float]

    /// A tensor.
    public init(name: String, shape: [Int], values: [Float]) {
      self.name = name
      self.shape = shape
      self.values = values
    }
  }

  /// The tensors, in the order written.
  public var items: [Item]
  /// Free text by key, the format's `__metadata__`.
  public var metadata: [String: String]

  /// Why bytes are not a usable safetensors file.
  public struct FormatError: Error, Sendable, Equatable {
    /// What is wrong.
    public let message: String
  }

  /// A file in memory.
  public init(items: [Item], metadata: [String: String] = [:]) {
    self.items = items
    self.metadata = metadata
  }

  /// The tensor of a name, or nil.
  public subscript(name: String) -> Item? { items.first { $0.name == name } }

  /// The file's bytes: the same items always give the same bytes.
  public func encoded() -> [UInt8] {
    var header: [(String, JSON)] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }
      header.append(("__metadata__", .object(pairs.map { ($0.key, .string($0.value)) })))
    }
    var offset = 0
    for item in items {
      precondition(
        item.shape.reduce(1, *) == item.values.count,
        "Safetensors: \(item.name) is \(item.shape) with \(item.values.count) values")
      let end = offset + 4 * item.values.count
      header.append(
        (
          item.name,
          .object([
            ("dtype", "F32"), ("shape", .array(item.shape.map { .int($0) })),
            ("data_offsets", .array([.int(offset), .int(end)])),
          ])
        ))
      offset = end
    }
    var text = Array(JSON.object(header).compact.utf8)
    // Data starts at a multiple of eight bytes; the format pads with spaces.
    text += [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(8 + text.count + offset)
    withUnsafeBytes(of: UInt64(text.count).littleEndian) { bytes += $0 }
    bytes += text
    for item in items { item.values.withUnsafeBytes { bytes += $0 } }
    return bytes
  }

  /// Reads a file's bytes.
  ///
  /// F32 is read as it is; F64, F16, BF16 and I64 (the step counters of PyTorch's batch norm) are
  /// converted; others are refused.
  ///
  /// - Throws: ``FormatError`` for anything that is not exactly such a file.
  public init(decoding bytes: [UInt8]) throws(FormatError) {
    guard bytes.count >= 8 else {
      throw FormatError(message: "\(bytes.count) bytes are too few for a header length")
    }
    let length = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[$1]) << (8 * UInt64($1)) }
    guard length <= 100_000_000, Int(length) <= bytes.count - 8 else {
      throw FormatError(message: "the header is said to be \(length) bytes long; the file is not")
    }
    let dataStart = 8 + Int(length)
    let header: JSON
    do { header = try JSON(parsing: Array(bytes[8..<dataStart])) } catch {
      throw FormatError(message: "the header is not JSON: \(error.message)")
    }
    guard let members = header.members else {
      throw FormatError(message: "the header is \(header.kindName) instead of an object")
    }
    items = []
    metadata = [:]
    var spans: [Range<Int>] = []
    for member in members {
      if member.key == "__metadata__" {
        for pair in member.value.members ?? [] { metadata[pair.key] = pair.value.text }
      } else {
        let (item, span) = try Self.item(member, bytes: bytes, dataStart: dataStart)
        items.append(item)
        spans.append(span)
      }
    }
    try Self.check(spans, fill: bytes.count - dataStart)
  }

  /// The format allows no holes, no overlaps and nothing after the last tensor.
  private static func check(_ spans: [Range<Int>], fill size: Int) throws(FormatError) {
    var next = 0
    let ordered = spans.sorted { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
    for span in ordered {
      guard span.lowerBound == next else {
        throw FormatError(message: "a tensor starts at byte \(span.lowerBound) instead of \(next)")
      }
      next = span.upperBound
    }
    guard next == size else {
      throw FormatError(message: "the tensors need \(next) bytes of data; the file has \(size)")
    }
  }

  private static func item(_ member: JSON.Member, bytes: [UInt8], dataStart: Int)
    throws(FormatError) -> (Item, Range<Int>)
  {
    let name = member.key
    guard let dtype = member.value["dtype"]?.text, let sizes = member.value["shape"]?.elements,
      let offsets = member.value["data_offsets"]?.elements, offsets.count == 2,
      let begin = offsets[0].int, let end = offsets[1].int
    else { throw FormatError(message: "\(name) lacks dtype, shape or data_offsets") }
    var shape: [Int] = []
    var count = 1
    for size in sizes {
      guard let side = size.int, side >= 0 else {
        throw FormatError(message: "\(name) has a shape that is not a list of sizes")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: side)
      guard !overflow, product <= bytes.count else {
        throw FormatError(message: "\(name) is larger than the file")
      }
      count = product
      shape.append(side)
    }
    guard let width = ["F32": 4, "F64": 8, "F16": 2, "BF16": 2, "I64": 8][dtype] else {
      throw FormatError(message: "\(name) is \(dtype); only F32, F64, F16, BF16 and I64 are read")
    }
    guard begin >= 0, end >= begin, end <= bytes.count - dataStart, end - begin == count * width
    else {
      throw FormatError(message: "\(name) spans bytes \(begin)..<\(end) for \(count) \(dtype)")
    }
    let values = bytes.withUnsafeBytes { raw in
      (0..<count).map { index in
        let at = dataStart + begin + index * width
        return switch dtype {
        case "F32":
          Float(
            bitPattern: .init(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
        case "F64":
          Float(
            Double(
              bitPattern: .init(
                littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self))))
        case "I64":
          Float(Int64(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: Int64.self)))
        case "F16":
          halfToFloat(.init(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt16.self)))
        default:
          Float(
            bitPattern: UInt32(
              UInt16(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt16.self))) << 16)
        }
      }
    }
    return (Item(name: name, shape: shape, values: values), begin..<end)
  }

  /// IEEE binary16 to binary32; written out because Float16 does not exist on every platform.
  private static func halfToFloat(_ half: UInt16) -> Float {
    let sign: Float = half >> 15 == 0 ? 1 : -1
    let exponent = Int(half >> 10 & 0x1F)
    let fraction = Float(half & 0x3FF) / 1024
    switch exponent {
    case 0: return sign * fraction * 0x1p-14
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction)
    }
  }
}

extension ParameterLayout {
  /// The tensors of a parameter vector with PyTorch's names, shapes and element order.
  public func safetensors(_ vector: [Float], metadata: [String: String] = [:]) -> Safetensors {
    Safetensors(
      items: entries.map {
        .init(name: $0.name, shape: $0.shape, values: exported($0, from: vector))
      }, metadata: metadata)
  }

  /// A parameter vector from a file that has exactly these tensors; `num_batches_tracked` is
  /// ignored.
  ///
  /// `layer`: a layer whose tensors stay 0, whether the file has them in any shape or not; nil for
  /// none.
  ///
  /// - Throws: a format error that names missing, unknown and misshapen tensors, and those with a
  ///   value that is not finite in 32 bits.
  public func parameters(from file: Safetensors, leavingOut layer: String? = nil) throws(Safetensors
    .FormatError) -> [Float]
  {
    var vector = [Float](repeating: 0, count: count)
    var missing: [String] = []
    for entry in entries where entry.layer != layer {
      guard let item = file[entry.name] else {
        missing.append(entry.name)
        continue
      }
      guard item.shape == entry.shape else {
        throw .init(
          message: "\(entry.name) is \(item.shape) in the file; this model needs \(entry.shape)"
            + entry.hint(item.shape))
      }
      try entry.requireUsable(item.values)
      place(item.values, entry, into: &vector)
    }
    let unknown = file.items.map(\.name).filter {
      self[$0] == nil && !$0.hasSuffix("num_batches_tracked")
    }
    guard missing.isEmpty, unknown.isEmpty else {
      let parts =
        (missing.isEmpty ? [] : ["lacks " + missing.prefix(5).joined(separator: ", ")])
        + (unknown.isEmpty ? [] : ["has the unknown " + unknown.prefix(5).joined(separator: ", ")])
      throw .init(message: "the file " + parts.joined(separator: " and "))
    }
    return vector
  }
}

extension ParameterLayout.Entry {
  /// Throws for a value that no network can have; places count in PyTorch's order.
  public func requireUsable(_ values: [Float]) throws(Safetensors.FormatError) {
    if let place = values.firstIndex(where: { !$0.isFinite }) {
      throw .init(
        message: "\(name) has the value \(values[place]) at place \(place); weights are finite "
          + "32-bit numbers")
    }
    guard role == .runningVariance, let place = values.firstIndex(where: { $0 < 0 }) else { return }
    throw .init(
      message: "\(name) has the value \(values[place]) at place \(place); a variance is not "
        + "negative")
  }

  /// What a wrong shape in a file tells of positions, whose number is that of the patches.
  fileprivate func hint(_ found: [Int]) -> String {
    guard role == .positions, found.count == 3, found[2] == shape[2] else { return "" }
    return ": the file was made for \(found[1] - 1) patches, these images have \(shape[1] - 1); "
      + "only model.init interpolates positions, so here image size and patch must be the file's"
  }
}
