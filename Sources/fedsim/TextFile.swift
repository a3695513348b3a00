import Federation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Reads small files without Foundation, which would double the start-up time.
enum TextFile {
  /// Larger files are no scenarios.
  private static let limit = 64 << 20

  /// All bytes of a file; failures have exit code 4.
  static func read(_ path: String) throws(Failure) -> [UInt8] {
    guard !path.utf8.contains(0) else {
      throw Failure(.dataMissingOrCorrupt, "E4001", "the path contains a NUL character")
    }
    // Non-blocking, so that a pipe without a writer is no trap.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw failure(path, errno) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure(path, errno) }
    guard status.st_mode & S_IFMT != S_IFDIR else { throw failure(path, EISDIR) }
    _ = fcntl(file, F_SETFL, O_RDONLY)  // reading waits for a writer that is there
    var all: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = block.withUnsafeMutableBytes { readBlock(file, $0) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure(path, errno) }
      guard count > 0 else { return all }
      all += block[..<count]
      guard all.count <= limit else {
        throw Failure(
          .dataMissingOrCorrupt,
          "E4003",
          "\(path): larger than 64 MiB; this is no scenario"
        )
      }
    }
  }

  private static func failure(_ path: String, _ number: Int32) -> Failure {
    switch number {
    case ENOENT, ENOTDIR:
      Failure(
        .dataMissingOrCorrupt,
        "E4001",
        "\(path): no such file",
        hint: "check the path"
      )
    case EISDIR:
      Failure(
        .dataMissingOrCorrupt,
        "E4002",
        "\(path): a directory; expected a scenario file",
        hint: "name the .json file inside it"
      )
    default:
      Failure(
        .dataMissingOrCorrupt,
        "E4003",
        "\(path): cannot be read: \(String(cString: strerror(number)))"
      )
    }
  }
}

private func readBlock(_ file: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
  read(file, buffer.baseAddress, buffer.count)
}
