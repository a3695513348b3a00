import Base
import Client
import Tensor

/// One array of a `.npy` file, versions 1 to 3, little-endian, C order.
///
/// - Source: NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays".
package struct NPY {
  package let path: String
  package let type: NPYHeader.Element
  package let shape: [Int]
  private let bytes: [UInt8]
  private let start: Int

  package let count: Int

  /// Reads and checks a file; whatever its header claims, nothing traps.
  package init(path: String, what: String, hint: String? = nil) throws(Failure) {
    bytes = try FileBytes.read(path, what: what, hint: hint)
    let header = try NPYHeader(bytes, path: path)
    self.path = path
    type = header.type
    shape = header.shape
    start = header.end
    var product = 1
    for size in shape {
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      guard !overflow else {
        throw DataFailure.malformed(path, "shape \(shape) has more values than can be counted")
      }
      product = next
    }
    count = product
    let (needed, overflow) = product.multipliedReportingOverflow(by: type.size)
    let found = bytes.count - header.end
    guard !overflow, needed == found else {
      throw DataFailure.wrongSize(
        path,
        "\(found) bytes of values; shape \(shape) of \(type.rawValue) needs "
          + (overflow ? "more than there are" : "\(needed)"), isTooLong: !overflow && found > needed
      )
    }
  }

  /// Bytes as they are for `u1`, else floats; every float is finite.
  package func pixels() throws(Failure) -> ImageSet.Pixels {
    if type == .u1 { return .bytes(Array(bytes[start...])) }
    try FileReader.requireMemory(4 * count, for: path)
    var floats = [Float](repeating: 0, count: count)
    for index in 0..<count {
      let value = number(at: index)
      guard value.isFinite, abs(value) <= Double(Float.greatestFiniteMagnitude) else {
        throw DataFailure.notFinite(path, "value \(index) is \(value); expected finite numbers")
      }
      floats[index] = Float(value)
    }
    return .floats(floats)
  }

  /// Whole numbers from 0 to below `DataFailure.maximumClasses`.
  package func labels() throws(Failure) -> [Int32] {
    try requireIntegers()
    var labels: [Int32] = []
    labels.reserveCapacity(count)
    for index in 0..<count {
      let value = integer(at: index)
      guard value >= 0, value < DataFailure.maximumClasses else {
        throw DataFailure.label(
          path, "label \(index) is \(value); expected 0 to \(DataFailure.maximumClasses - 1)")
      }
      labels.append(Int32(value))
    }
    return labels
  }

  /// Throws for labels of another type, and says whether they could be cast.
  private func requireIntegers() throws(Failure) {
    guard !type.isInteger else { return }
    let wrong = (0..<count).first { index in
      let value = number(at: index)
      return Int(exactly: value) == nil || value < 0 || value >= Double(DataFailure.maximumClasses)
    }
    guard let wrong else {
      throw DataFailure.unsupported(
        path, "labels of type \(type.rawValue); expected whole numbers",
        hint: "all of them are whole: save them with y.astype(numpy.int64)")
    }
    throw DataFailure.unsupported(
      path,
      "labels of type \(type.rawValue), and value \(wrong) is \(number(at: wrong)), which is no "
        + "class; expected whole numbers from 0",
      hint: "these may be scores, targets of a regression, or another file's values")
  }

  /// All values as they are; for integer types only.
  package func integers() -> [Int] {
    precondition(type.isInteger, "NPY.integers: \(type.rawValue)")
    return (0..<count).map { integer(at: $0) }
  }

  private func bits(_ index: Int) -> UInt64 {
    var word: UInt64 = 0
    let first = start + index * type.size
    for byte in 0..<type.size { word |= UInt64(bytes[first + byte]) << UInt64(8 * byte) }
    return word
  }

  private func integer(at index: Int) -> Int {
    let word = bits(index)
    return switch type {
    case .i1: Int(Int8(truncatingIfNeeded: word))
    case .i2: Int(Int16(truncatingIfNeeded: word))
    case .i4: Int(Int32(truncatingIfNeeded: word))
    default: Int(Int64(truncatingIfNeeded: word))
    }
  }

  private func number(at index: Int) -> Double {
    switch type {
    case .f4: Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits(index))))
    case .f8: Double(bitPattern: bits(index))
    default: Double(integer(at: index))
    }
  }
}
