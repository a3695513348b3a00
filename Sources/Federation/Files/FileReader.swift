#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads files that a user has named.
public enum FileReader {
  /// All bytes of the file at `path`.
  ///
  /// - Parameters:
  ///   - path: a file, a link to one, or a pipe.
  ///   - exit: what a failure means to the caller; for a data file 4.
  ///   - limit: the largest number of bytes accepted.
  /// - Returns: the bytes.
  /// - Throws: E1011 missing, E1012 a folder, E1013 unreadable or too long.
  public static func bytes(
    of path: String,
    exit: ExitCode = .dataMissingOrCorrupt,
    limit: Int = 1 << 36
  ) throws(Failure) -> [UInt8] {
    if FileKind(of: path) == .folder {
      throw Failure(exit, "E1012", "\(path) is a folder; expected a file")
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let number = errno
      guard number == ENOENT || number == ENOTDIR else {
        throw unreadable(path, exit, SystemError.text(number))
      }
      throw Failure(
        exit,
        "E1011",
        "\(path) does not exist",
        hint: path.hasPrefix("/") ? nil : "the path is relative to \(workingFolder)"
      )
    }
    defer { close(descriptor) }
    return try drain(descriptor, path: path, exit: exit, limit: limit)
  }

  private static func drain(
    _ descriptor: Int32,
    path: String,
    exit: ExitCode,
    limit: Int
  ) throws(Failure) -> [UInt8] {
    var status = stat()
    let expected = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    guard expected <= limit else { throw unreadable(path, exit, "more than \(limit) bytes") }
    var bytes: [UInt8] = []
    // One byte more than the size, so that the end of the file is seen without growing.
    var room = max(expected + 1, 1 << 16)
    while true {
      var failed: Int32 = 0
      let chunk = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
        repeat {
          let got = read(descriptor, buffer.baseAddress, buffer.count)
          failed = got < 0 ? errno : 0
          count = max(got, 0)
        } while failed == EINTR
      }
      guard failed == 0 else { throw unreadable(path, exit, SystemError.text(failed)) }
      if chunk.isEmpty { return bytes }
      if bytes.isEmpty { bytes = chunk } else { bytes.append(contentsOf: chunk) }
      guard bytes.count <= limit else { throw unreadable(path, exit, "more than \(limit) bytes") }
      room = max(expected + 1 - bytes.count, 1 << 16)
    }
  }

  private static func unreadable(_ path: String, _ exit: ExitCode, _ why: String) -> Failure {
    Failure(exit, "E1013", "cannot read \(path): \(why)")
  }

  private static var workingFolder: String {
    guard let path = getcwd(nil, 0) else { return "the working folder" }
    defer { free(path) }
    return String(cString: path)
  }
}
