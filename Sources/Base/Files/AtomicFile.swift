/// Files that are either there completely or not at all.
///
/// A file is written to a temporary name in the same folder, synced and renamed over the old one,
/// and the folder is synced: a reader, a crash or a full disk never sees half of it.
public enum AtomicFile {
  /// Replaces the file at `path` by `bytes`; devices and pipes are written directly.
  ///
  /// - Throws: E1001…E1004 with the path; the old file is then unchanged.
  public static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
    try replace(path) { descriptor throws(Failure) in
      try writeAll(bytes, to: descriptor, path: path)
    }
  }

  /// Replaces the file at `path` by the UTF-8 bytes of `text`.
  ///
  /// - Throws: E1001…E1004 with the path; the old file is then unchanged.
  public static func write(_ text: String, to path: String) throws(Failure) {
    try write(Array(text.utf8), to: path)
  }

  /// Runs `body` on a descriptor of a new file, which then takes the place of `path`.
  ///
  /// - Throws: what `body` throws, or E1001…E1004; the old file is then unchanged and the
  ///   temporary one removed.
  package static func replace(_ path: String, body: (Int32) throws(Failure) -> Void) throws(Failure)
  {
    switch FileKind(of: path) {
    case .folder:
      throw Failure(.dataMissingOrCorrupt, "E1006", "cannot write \(path): a folder has this name")
    case .other: return try direct(path, body: body)
    case .missing, .file: break
    }
    let (folder, name) = FilePath.split(path)
    let temporary = FilePath.join(folder, ".\(name).\(getpid()).tmp")
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw SystemError.writing("E1001", "create", path, errno) }
    do throws(Failure) {
      do throws(Failure) {
        try body(descriptor)
        guard fsync(descriptor) == 0 else {
          throw SystemError.writing("E1004", "sync", path, errno)
        }
      } catch {
        close(descriptor)
        throw error
      }
      // Network file systems report a full disk only here.
      guard close(descriptor) == 0 else { throw SystemError.writing("E1002", "write", path, errno) }
      guard rename(temporary, path) == 0 else {
        throw SystemError.writing("E1004", "rename a temporary file to", path, errno)
      }
    } catch {
      unlink(temporary)
      throw error
    }
    syncFolder(folder)
  }

  /// Makes `name` another name of the file at `path`; a copy where the file system has no such
  /// names.
  package static func alias(_ path: String, as name: String) throws(Failure) {
    unlink(name)
    if link(path, name) == 0 { return }
    try write(try FileReader.bytes(of: path), to: name)
  }

  /// Removes a file; nothing happens when it is not there.
  package static func remove(_ path: String) { unlink(path) }

  /// Removes what killed processes left of files that they never finished, in a folder and those
  /// below it; only while nobody else writes there.
  package static func removeLeftovers(in folder: String) {
    for name in FilePath.names(in: folder) {
      let path = FilePath.join(folder, name)
      if FileKind(of: path) == .folder {
        removeLeftovers(in: path)
      } else if name.hasPrefix("."), name.hasSuffix(".tmp") {
        unlink(path)
      }
    }
  }

  /// Writes every byte, however often the system takes only a part.
  package static func writeAll(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(Failure)
  {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer -> Int in
        let rest = UnsafeRawBufferPointer(rebasing: buffer[written...])
        return rest.baseAddress.map { platformWrite(descriptor, $0, rest.count) } ?? 0
      }
      if count < 0 {
        if errno == EINTR { continue }
        if errno == EAGAIN || errno == EWOULDBLOCK {
          // A pipe that was opened not to wait, and is full.
          var reader = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          if poll(&reader, 1, -1) >= 0 || errno == EINTR { continue }
        }
        throw SystemError.writing("E1002", "write", path, errno)
      }
      written += count
    }
  }

  private static func direct(_ path: String, body: (Int32) throws(Failure) -> Void) throws(Failure)
  {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError.writing("E1001", "open", path, errno) }
    defer { close(descriptor) }
    try body(descriptor)
  }

  /// Makes a rename durable.
  ///
  /// Some file systems refuse to sync a folder; the file itself is safe.
  private static func syncFolder(_ folder: String) {
    let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}

/// `write(2)`, named so that it cannot be mistaken for a method of the caller.
private func platformWrite(_ descriptor: Int32, _ start: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, start, count)
}
