import Base

/// Decompression by the system's `gzip`, which checks length and checksum.
package enum Gzip {
  /// Nothing that fedsim reads is larger; a file that grows beyond it is refused.
  package static let maximumBytes = 4 << 30

  /// Whether bytes start like a gzip file.
  package static func isCompressed(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

  /// The decompressed content of a file: what `gzip -dc < path` writes.
  package static func decompress(_ path: String, tool: String = "gzip", limit: Int = maximumBytes)
    throws(Failure) -> [UInt8]
  {
    switch ChildProcess.run([tool, "-dc"], input: path, limit: limit) {
    // 2 is a warning: trailing garbage was ignored, everything else was read and checked.
    case .exited(0, let bytes), .exited(2, let bytes): return bytes
    case .exited(let code, _):
      throw DataFailure.compressed(
        path, "gzip cannot decompress it (exit \(code)): cut, corrupt or no gzip file",
        hint: "copy or download the file again; gzip -t shows the details")
    case .signalled(let signal):
      throw DataFailure.compressed(path, "gzip was stopped by signal \(signal)")
    case .overflowed:
      throw DataFailure.compressed(path, "decompresses to more than \(limit) bytes")
    case .notStarted(let number):
      throw DataFailure.compressed(
        path, "cannot be decompressed: \(tool): \(SystemError.text(number))",
        hint: "install gzip, or decompress the file and give the plain one")
    }
  }
}
