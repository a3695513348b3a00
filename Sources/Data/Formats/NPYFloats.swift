import Base
import Tensor

/// Reads a `.npy` file of 32-bit floats straight into the array that keeps them, so that a large
/// file is in memory once.
package enum NPYFloats {
  /// The finite floats of an array whose shape is known.
  ///
  /// `shape`: what the file must hold; nothing larger is ever allocated.
  ///
  /// Throws exit 4: E4001…E4003, E4005 (another shape), E4006, E4008, E4009, E4010.
  package static func values(of path: String, shape: [Int], what: String, hint: String? = nil)
    throws(Failure) -> [Float]
  {
    let descriptor = try FileReader.opened(path, what: what, hint: hint)
    defer { close(descriptor) }
    let header = try self.header(descriptor, path)
    guard header.type == .f4 else {
      throw DataFailure.unsupported(
        path, "values of type \(header.type.rawValue); expected f4",
        hint: "save them with x.astype(numpy.float32)")
    }
    guard header.shape == shape else {
      throw DataFailure.inconsistent(
        path, "shape \(header.shape); expected \(what) of shape \(shape)", hint: hint)
    }
    let count = shape.reduce(1, *)
    var status = stat()
    let size = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    guard size == header.end + 4 * count else {
      throw DataFailure.wrongSize(
        path, "\(size - header.end) bytes of values; shape \(shape) of f4 needs \(4 * count)",
        isTooLong: size > header.end + 4 * count)
    }
    var missing = 0
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      missing = 4 * count - fill(UnsafeMutableRawBufferPointer(buffer), from: descriptor)
      initialized = missing == 0 ? count : 0
    }
    guard missing == 0 else { throw FileReader.unreadable(path, "it ends \(missing) bytes early") }
    if !VectorArithmetic.isFinite(values.span) {
      let index = values.firstIndex { !$0.isFinite } ?? 0
      throw DataFailure.notFinite(
        path, "value \(index) is \(values[index]); expected finite numbers")
    }
    return littleEndian(values)
  }

  /// The header; the descriptor then stands at the first value.
  private static func header(_ descriptor: Int32, _ path: String) throws(Failure) -> NPYHeader {
    // Version 1 has a length of two bytes, the others of four.
    var bytes = take(10, from: descriptor)
    if bytes.count == 10 {
      let isShort = bytes[6] == 1
      if !isShort { bytes += take(2, from: descriptor) }
      let length = bytes[8...].reversed().reduce(0) { $0 << 8 | Int($1) }
      // A dictionary with three entries: a longer one is no header.
      bytes += take(min(length, 1 << 16), from: descriptor)
    }
    return try NPYHeader(bytes, path: path)
  }

  private static func take(_ count: Int, from descriptor: Int32) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      initialized = fill(UnsafeMutableRawBufferPointer(buffer), from: descriptor)
    }
  }

  /// Bytes read until the buffer is full or the file ends.
  private static func fill(_ buffer: UnsafeMutableRawBufferPointer, from descriptor: Int32) -> Int {
    guard let start = buffer.baseAddress else { return 0 }
    var done = 0
    while done < buffer.count {
      // Some systems refuse to read 2 GiB or more at once.
      let got = read(descriptor, start + done, min(buffer.count - done, 1 << 30))
      if got < 0, errno == EINTR { continue }
      if got <= 0 { break }
      done += got
    }
    return done
  }

  private static func littleEndian(_ values: [Float]) -> [Float] {
    #if _endian(little)
      values
    #else
      values.map { Float(bitPattern: $0.bitPattern.byteSwapped) }
    #endif
  }
}
