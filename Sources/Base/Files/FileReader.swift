/// Reads files that a user has named.
public enum FileReader {
  /// All bytes of a regular file.
  ///
  /// `path`: the file.
  ///
  /// `what`: what it should hold, such as "CIFAR-10 records"; for the message.
  ///
  /// `hint`: what to do when it is missing.
  ///
  /// `limit`: more bytes than this are refused.
  ///
  /// `growth`: bytes of memory that a byte of the file takes once it has been understood.
  ///
  /// Throws E4001 (missing), E4002 (a folder, a device, a pipe or a socket), E4010 (unreadable),
  /// E4011 (more bytes than `limit` or than this process may take); exit 4.
  public static func bytes(
    of path: String, what: String = "a file", hint: String? = nil, limit: Int = 1 << 36,
    growth: Int = 1
  ) throws(Failure) -> [UInt8] {
    let descriptor = try opened(path, what: what, hint: hint)
    defer { close(descriptor) }
    return try drain(descriptor, path: path, limit: limit, growth: growth)
  }

  /// The bytes of a scenario or a sweep, which are written by hand.
  ///
  /// Throws as `bytes(of:)`.
  public static func scenario(_ path: String, what: String = "a file") throws(Failure) -> [UInt8] {
    try bytes(of: path, what: what, limit: 1 << 26, growth: JSON.bytesPerByte)
  }

  /// Whether something is at a path.
  ///
  /// What cannot be looked at is not "missing".
  ///
  /// - Throws: E4010 when the system does not let us look (exit 4).
  package static func isThere(_ path: String) throws(Failure) -> Bool {
    var status = stat()
    if stat(path, &status) == 0 { return true }
    let number = errno
    if number == ENOENT || number == ENOTDIR { return false }
    throw unreadable(path, SystemError.text(number))
  }

  /// All bytes of a file, or nil when there is none.
  ///
  /// - Throws: E4002 (a folder) or E4010 (unreadable); exit 4.
  package static func optional(_ path: String, what: String, hint: String? = nil) throws(Failure)
    -> [UInt8]?
  {
    guard try isThere(path) else { return nil }
    return try bytes(of: path, what: what, hint: hint)
  }

  /// A descriptor of a file opened for reading, which the caller closes.
  ///
  /// Throws E4001, E4002 or E4010, as `bytes(of:)`.
  package static func opened(_ path: String, what: String, hint: String? = nil) throws(Failure)
    -> Int32
  {
    switch FileKind(of: path) {
    case .folder:
      throw Failure(
        .dataMissingOrCorrupt, "E4002", "\(path): a folder; expected \(what)", hint: hint)
    case .other: throw notRegular(path, what)
    case .missing, .file: break
    }
    // A path with a NUL would name another file to the system than it does to us. What was put in
    // the file's place in between must not make us wait.
    let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK
    let descriptor = path.utf8.contains(0) ? -1 : open(path, flags)
    guard descriptor >= 0 else {
      let number = errno
      guard number == ENOENT || number == ENOTDIR || path.utf8.contains(0) else {
        throw unreadable(path, SystemError.text(number))
      }
      throw Failure(
        .dataMissingOrCorrupt, "E4001", "\(path): no such file; expected \(what)",
        hint: hint ?? (path.hasPrefix("/") ? nil : relativeHint + FilePath.absolute("")))
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw notRegular(path, what)
    }
    return descriptor
  }

  /// What has no end, or none yet, cannot be read into memory.
  private static func notRegular(_ path: String, _ what: String) -> Failure {
    Failure(
      .dataMissingOrCorrupt, "E4002", "\(path): not a regular file; expected \(what)",
      hint: "devices, pipes and sockets are not read; save their content to a file")
  }

  private static func drain(_ descriptor: Int32, path: String, limit: Int, growth: Int)
    throws(Failure) -> [UInt8]
  {
    var status = stat()
    let expected = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    guard expected <= limit else { throw tooLarge(path, limit) }
    // Small files need no look at the machine's limits.
    if expected > (1 << 26) / growth { try requireMemory(growth * expected, for: path) }
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
      guard bytes.count <= limit else { throw tooLarge(path, limit) }
      room = max(expected + 1 - bytes.count, 1 << 16)
    }
  }

  /// Throws E4011 where this process may not take so many bytes for what is at a path.
  package static func requireMemory(_ needed: Int, for path: String) throws(Failure) {
    let limit = MemoryLimit.current
    guard limit.isBelow(needed) else { return }
    throw Failure(
      .dataMissingOrCorrupt, "E4011",
      "\(path): reading it needs about \(MemoryLimit.gibibytes(needed)); \(limit.words)",
      hint: "give a smaller file, or raise the limit")
  }

  private static func tooLarge(_ path: String, _ limit: Int) -> Failure {
    Failure(
      .dataMissingOrCorrupt, "E4011",
      "\(path): more than \(limit) bytes, which is more than such a file can need",
      hint: "is it the file that you meant?")
  }

  /// E4010.
  package static func unreadable(_ path: String, _ why: String) -> Failure {
    Failure(.dataMissingOrCorrupt, "E4010", "\(path): cannot be read: \(why)")
  }

  /// How the hint begins where nothing is at a relative path.
  package static let relativeHint = "the path is relative to "
}
