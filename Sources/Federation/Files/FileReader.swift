#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads files that a user has named.
public enum FileReader {
  /// All bytes of a file, or of a pipe until its end.
  ///
  /// `path`: the file.
  ///
  /// `what`: what it should hold, such as "CIFAR-10 records"; for the message.
  ///
  /// `hint`: what to do when it is missing.
  ///
  /// `limit`: more bytes than this are refused.
  ///
  /// Throws E4001 (missing), E4002 (a folder), E4010 (unreadable or too long); exit 4.
  public static func bytes(
    of path: String,
    what: String = "a file",
    hint: String? = nil,
    limit: Int = 1 << 36
  ) throws(Failure) -> [UInt8] {
    let descriptor = try opened(path, what: what, hint: hint)
    defer { close(descriptor) }
    return try drain(descriptor, path: path, limit: limit)
  }

  /// Whether something lies at a path.
  ///
  /// What cannot be looked at is not "missing".
  ///
  /// - Throws: E4010 when the system does not let us look (exit 4).
  static func isThere(_ path: String) throws(Failure) -> Bool {
    var status = stat()
    if stat(path, &status) == 0 { return true }
    let number = errno
    if number == ENOENT || number == ENOTDIR { return false }
    throw unreadable(path, SystemError.text(number))
  }

  /// All bytes of a file, or nil when there is none.
  ///
  /// - Throws: E4002 (a folder) or E4010 (unreadable); exit 4.
  static func optional(
    _ path: String,
    what: String,
    hint: String? = nil
  ) throws(Failure) -> [UInt8]? {
    guard try isThere(path) else { return nil }
    return try bytes(of: path, what: what, hint: hint)
  }

  /// A descriptor of a file opened for reading, which the caller closes.
  ///
  /// Throws E4001, E4002 or E4010, as `bytes(of:)`.
  static func opened(
    _ path: String,
    what: String,
    hint: String? = nil
  ) throws(Failure) -> Int32 {
    if FileKind(of: path) == .folder {
      throw Failure(
        .dataMissingOrCorrupt,
        "E4002",
        "\(path): a folder; expected \(what)",
        hint: hint
      )
    }
    // A path with a NUL would name another file to the system than it does to us.
    let descriptor = path.utf8.contains(0) ? -1 : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let number = errno
      guard number == ENOENT || number == ENOTDIR || path.utf8.contains(0) else {
        throw unreadable(path, SystemError.text(number))
      }
      throw Failure(
        .dataMissingOrCorrupt,
        "E4001",
        "\(path): no such file; expected \(what)",
        hint: hint
          ?? (path.hasPrefix("/") ? nil : "the path is relative to \(workingFolder)")
      )
    }
    return descriptor
  }

  private static func drain(
    _ descriptor: Int32,
    path: String,
    limit: Int
  ) throws(Failure) -> [UInt8] {
    var status = stat()
    let expected = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    guard expected <= limit else { throw unreadable(path, "more than \(limit) bytes") }
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
      guard failed == 0 else { throw unreadable(path, SystemError.text(failed)) }
      if chunk.isEmpty { return bytes }
      if bytes.isEmpty { bytes = chunk } else { bytes.append(contentsOf: chunk) }
      guard bytes.count <= limit else { throw unreadable(path, "more than \(limit) bytes") }
      room = max(expected + 1 - bytes.count, 1 << 16)
    }
  }

  /// E4010.
  static func unreadable(_ path: String, _ why: String) -> Failure {
    Failure(.dataMissingOrCorrupt, "E4010", "\(path): cannot be read: \(why)")
  }

  private static var workingFolder: String {
    guard let path = getcwd(nil, 0) else { return "the working folder" }
    defer { free(path) }
    return String(cString: path)
  }
}
