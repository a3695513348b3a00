/// Appends lines to a file; each call is handed to the system before it returns.
///
/// A line that cannot be written completely is taken back, so that the file always ends with a
/// whole line.
public final class LineWriter {
  /// Where the lines go.
  public let path: String
  /// Length and hash of the file, where it was opened after a known beginning.
  package private(set) var written = RunningSum()
  private let descriptor: Int32

  /// Opens `path` for appending and makes it when it is missing.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - header: written first when the file is empty.
  /// - Throws: E1001…E1003 with the path.
  public init(_ path: String, header: String? = nil) throws(Failure) {
    let opened = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard opened >= 0 else { throw SystemError.writing("E1001", "open", path, errno) }
    self.path = path
    descriptor = opened
    if let header, lseek(descriptor, 0, SEEK_END) <= 0 { try append(header) }
  }

  /// Opens `path` for appending after a beginning that is known, and drops what comes after that.
  ///
  /// - Throws: E1001…E1003 with the path.
  package init(_ path: String, header: String?, after beginning: RunningSum) throws(Failure) {
    let opened = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard opened >= 0 else { throw SystemError.writing("E1001", "open", path, errno) }
    self.path = path
    descriptor = opened
    written = beginning
    if lseek(descriptor, 0, SEEK_END) != beginning.bytes { try cut(to: beginning.bytes) }
    if let header, beginning.bytes == 0 { try append(header) }
  }

  deinit { close(descriptor) }

  /// Appends one line; `line` comes without its newline.
  ///
  /// - Throws: E1002 or E1003 with the path.
  public func append(_ line: String) throws(Failure) { try append([line]) }

  /// Appends several lines with one call of the system.
  ///
  /// - Throws: E1002 or E1003 with the path.
  public func append(_ lines: [String]) throws(Failure) {
    if lines.isEmpty { return }
    var bytes: [UInt8] = []
    for line in lines {
      bytes.append(contentsOf: line.utf8)
      bytes.append(UInt8(ascii: "\n"))
    }
    try append(wholeLines: bytes)
  }

  /// Appends lines that come as bytes, each with its newline, with one call of the system.
  ///
  /// - Throws: E1002 or E1003 with the path.
  package func append(wholeLines bytes: [UInt8]) throws(Failure) {
    if bytes.isEmpty { return }
    let end = lseek(descriptor, 0, SEEK_END)
    do throws(Failure) { try AtomicFile.writeAll(bytes, to: descriptor, path: path) } catch {
      if end >= 0 { _ = ftruncate(descriptor, end) }
      throw error
    }
    written.add(bytes)
  }

  /// Shortens the file; what is appended next comes after its first `length` bytes.
  ///
  /// - Throws: E1002 with the path.
  package func cut(to length: Int) throws(Failure) {
    guard ftruncate(descriptor, off_t(length)) == 0 else {
      throw SystemError.writing("E1002", "shorten", path, errno)
    }
  }

  /// Waits until all lines are on the disk.
  ///
  /// - Throws: E1004 with the path.
  public func sync() throws(Failure) {
    // A pipe or a terminal cannot be synced, and need not be.
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
      throw SystemError.writing("E1004", "sync", path, errno)
    }
  }

  /// Shortens a file to its leading whole lines that satisfy `keep`, for going on after a stop:
  /// a torn last line and everything after the first rejected line are dropped.
  ///
  /// - Parameters:
  ///   - path: the file; a missing one counts as empty.
  ///   - keep: whether a line, without its newline, stays.
  /// - Returns: the lines kept.
  /// - Throws: E1001…E1004 or E4010 with the path.
  @discardableResult public static func cut(_ path: String, keep: (String) -> Bool) throws(Failure)
    -> [String]
  {
    guard FileKind(of: path) != .missing else { return [] }
    let bytes = try FileReader.bytes(of: path)
    var kept: [String] = []
    var length = 0
    for line in bytes[..<(bytes.lastIndex(of: 10) ?? 0)].split(
      separator: 10, omittingEmptySubsequences: false)
    {
      let text = String(decoding: line, as: UTF8.self)
      guard keep(text) else { break }
      kept.append(text)
      length += line.count + 1
    }
    if bytes.lastIndex(of: 10) == nil { (kept, length) = ([], 0) }
    if length < bytes.count { try AtomicFile.write(Array(bytes[..<length]), to: path) }
    return kept
  }
}
