import Codecs

/// Fields of a protocol-buffer message, in the order they are written.
///
/// A tag is (field number << 3) | wire type as a varint; wire types 0 (varint), 1 (eight bytes),
/// 2 (length, then bytes) and 5 (four bytes). Every field is written, zeros too: of a `oneof`, a
/// missing member and a zero are not the same.
/// - Source: Protocol Buffers, "Encoding", https://protobuf.dev/programming-guides/encoding.
package struct ProtobufWriter: Sendable {
  private var writer = ByteWriter()

  /// The message so far.
  package var bytes: [UInt8] { writer.bytes }

  package init() {}

  /// An `int64` ≥ 0.
  package mutating func integer(_ field: Int, _ value: Int) {
    tag(field, 0)
    writer.varint(value)
  }

  package mutating func double(_ field: Int, _ value: Double) {
    tag(field, 1)
    writer.number(value.bitPattern)
  }

  package mutating func float(_ field: Int, _ value: Float) {
    tag(field, 5)
    writer.float(value)
  }

  package mutating func text(_ field: Int, _ value: String) { data(field, Array(value.utf8)) }

  /// A message inside this one.
  package mutating func message(_ field: Int, _ fill: (inout ProtobufWriter) -> Void) {
    var inner = ProtobufWriter()
    fill(&inner)
    data(field, inner.bytes)
  }

  /// A packed `repeated double`.
  package mutating func doubles(_ field: Int, _ values: [Double]) {
    var packed = ByteWriter(capacity: 8 * values.count)
    for value in values { packed.number(value.bitPattern) }
    data(field, packed.bytes)
  }

  private mutating func data(_ field: Int, _ bytes: [UInt8]) {
    tag(field, 2)
    writer.varint(bytes.count)
    bytes.withUnsafeBytes { writer.raw($0) }
  }

  private mutating func tag(_ field: Int, _ wireType: Int) { writer.varint(field << 3 | wireType) }
}
