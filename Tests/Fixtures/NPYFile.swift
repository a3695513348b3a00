/// Files as numpy writes them.
package enum NPYFile {
  /// A file as numpy.save writes it, or with a header of one's own.
  package static func npy(
    _ descriptor: String = "|u1", _ shape: String = "(2, 2)", _ values: [UInt8],
    order: String = "False", version: UInt8 = 1
  ) -> [UInt8] {
    file(
      "{'descr': '\(descriptor)', 'fortran_order': \(order), 'shape': \(shape), }\n", values,
      version: version)
  }

  package static func file(_ header: String, _ values: [UInt8], version: UInt8 = 1) -> [UInt8] {
    let length = header.utf8.count
    let size = (0..<(version == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + size + Array(header.utf8) + values
  }
}
