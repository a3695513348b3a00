/// What is at a path, after following links.
public enum FileKind: Sendable, Equatable {
  case missing
  case file
  case folder
  /// A device, a pipe or a socket.
  case other

  /// Looks at `path`.
  public init(of path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      self = .missing
      return
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: self = .file
    case S_IFDIR: self = .folder
    default: self = .other
    }
  }
}

/// Paths as text, with `/` between names.
public enum FilePath {
  /// `folder/name`; an absolute `name` stays as it is.
  public static func join(_ folder: String, _ name: String) -> String {
    if folder.isEmpty || name.hasPrefix("/") { return name }
    return folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  /// The path from the root; "" is the working folder.
  package static func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    guard let working = getcwd(nil, 0) else { return path }
    defer { free(working) }
    let folder = String(cString: working)
    return path.isEmpty ? folder : join(folder, path)
  }

  /// The folder of `path` ("." when it names none) and the last name.
  public static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = slash == path.startIndex ? "/" : String(path[..<slash])
    return (folder, String(path[path.index(after: slash)...]))
  }

  /// Makes a folder and those above it; nothing happens when it is there.
  ///
  /// - Throws: E1005 with the path.
  public static func makeFolder(_ path: String) throws(Failure) {
    if path.isEmpty || FileKind(of: path) == .folder { return }
    let parent = split(path).folder
    if parent != path { try makeFolder(parent) }
    if mkdir(path, 0o755) == 0 || (errno == EEXIST && FileKind(of: path) == .folder) { return }
    if path.hasSuffix("/"), FileKind(of: path) == .folder { return }
    throw SystemError.writing("E1005", "make the folder", path, errno)
  }

  /// Removes a file; nothing happens when it is not there.
  ///
  /// - Throws: E1004 with the path.
  public static func remove(_ path: String) throws(Failure) {
    guard unlink(path) != 0, errno != ENOENT else { return }
    throw SystemError.writing("E1004", "remove", path, errno)
  }

  /// Names in a folder, sorted, without "." and ".."; empty when it cannot be read.
  public static func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Names in a folder, as `names(in:)`; none when there is no such folder.
  ///
  /// - Throws: E4010 when it cannot be read: that is not the same as empty (exit 4).
  package static func readableNames(in folder: String) throws(Failure) -> [String] {
    guard try FileReader.isThere(folder), FileKind(of: folder) == .folder else { return [] }
    guard let stream = opendir(folder) else {
      throw FileReader.unreadable(folder, SystemError.text(errno))
    }
    closedir(stream)
    return names(in: folder)
  }

  /// Bytes of all files in a folder and those below it, as their lengths say; links are not
  /// followed.
  package static func byteCount(of folder: String) -> Int {
    var total = 0
    for name in names(in: folder) {
      let path = join(folder, name)
      var status = stat()
      guard lstat(path, &status) == 0 else { continue }
      switch status.st_mode & S_IFMT {
      case S_IFREG: total += Int(status.st_size)
      case S_IFDIR: total += byteCount(of: path)
      default: break
      }
    }
    return total
  }
}
