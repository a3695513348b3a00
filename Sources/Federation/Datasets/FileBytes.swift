#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reading of whole files and folders, with messages that name them.
enum FileBytes {
  /// What lies at a path.
  enum Kind: Equatable {
    case nothing
    case file(size: Int)
    case folder
    case other
  }

  /// What lies at a path, links followed; a path that may not be looked at counts as nothing.
  static func kind(_ path: String) -> Kind {
    var status = stat()
    guard !path.utf8.contains(0), stat(path, &status) == 0 else { return .nothing }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file(size: Int(status.st_size))
    case S_IFDIR: return .folder
    default: return .other
    }
  }

  /// The content of a regular file that is not empty.
  ///
  /// `what` says what it should be, such as "CIFAR-10 images".
  static func read(_ path: String, what: String, hint: String? = nil) throws(Failure) -> [UInt8] {
    switch kind(path) {
    case .nothing:
      throw DataFailure.missing(path, "no such file; expected \(what)", hint: hint)
    case .folder:
      throw DataFailure.wrongKind(path, "a folder; expected a file with \(what)", hint: hint)
    case .other:
      throw DataFailure.wrongKind(path, "not a regular file; expected \(what)", hint: hint)
    case .file(0):
      throw DataFailure.wrongSize(path, "the file is empty; expected \(what)", hint: hint)
    case .file(let size):
      return try read(path, size: size)
    }
  }

  private static func read(_ path: String, size: Int) throws(Failure) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw DataFailure.missing(path, "cannot be read: \(lastError())")
    }
    defer { close(descriptor) }
    var problem: String?
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
      while filled < size {
        let got = Self.transfer(descriptor, buffer.baseAddress, from: filled, to: size)
        if got < 0 { problem = lastError() }
        if got <= 0 { return }
        filled += got
      }
    }
    if let problem { throw DataFailure.missing(path, "cannot be read: \(problem)") }
    guard bytes.count == size else {
      throw DataFailure.wrongSize(path, "ended after \(bytes.count) of \(size) bytes")
    }
    return bytes
  }

  /// One `read` that is repeated when a signal interrupts it.
  static func transfer(
    _ descriptor: Int32,
    _ base: UnsafeMutablePointer<UInt8>?,
    from start: Int,
    to end: Int
  ) -> Int {
    guard let base else { return 0 }
    while true {
      let got = unistdRead(descriptor, base + start, min(end - start, 1 << 30))
      if got < 0, errno == EINTR { continue }
      return got
    }
  }

  private static func unistdRead(
    _ descriptor: Int32,
    _ target: UnsafeMutablePointer<UInt8>,
    _ count: Int
  ) -> Int {
    #if canImport(Glibc)
      Glibc.read(descriptor, target, count)
    #else
      Darwin.read(descriptor, target, count)
    #endif
  }

  /// The names in a folder, sorted by their bytes, without "." and "..".
  static func names(in folder: String) throws(Failure) -> [String] {
    guard let stream = opendir(folder) else {
      throw DataFailure.missing(folder, "the folder cannot be read: \(lastError())")
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
        field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Throws unless a folder is there.
  static func requireFolder(
    _ path: String,
    what: String,
    hint: String? = nil
  ) throws(Failure) {
    switch kind(path) {
    case .folder: return
    case .nothing:
      throw DataFailure.missing(path, "no such folder; expected \(what)", hint: hint)
    case .file, .other:
      throw DataFailure.wrongKind(path, "not a folder; expected \(what)", hint: hint)
    }
  }

  /// A path inside a folder.
  static func join(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  /// The last part of a path, without trailing slashes.
  static func lastPart(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  private static func lastError() -> String { String(cString: strerror(errno)) }
}
