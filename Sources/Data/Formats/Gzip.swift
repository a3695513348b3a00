import Base

/// Decompression by the system's `gzip`, which checks length and checksum.
package enum Gzip {
  /// Nothing that fedsim reads is larger; a file that grows beyond it is refused.
  package static let maximumBytes = 4 << 30

  /// Whether bytes start like a gzip file.
  package static func isCompressed(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

  /// The decompressed content of a file.
  ///
  /// One child, `gzip -dc < path`, writes into a pipe that is read to its end before the child is
  /// waited for: neither can wait for the other for ever, and no zombie stays.
  package static func decompress(_ path: String, tool: String = "gzip", limit: Int = maximumBytes)
    throws(Failure) -> [UInt8]
  {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw DataFailure.compressed(path, "no pipe to gzip: \(String(cString: strerror(errno)))")
    }
    // A child started by another thread must not keep our pipe open.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    let child: pid_t
    do {
      defer { close(ends[1]) }
      child = try start(tool, on: path, writingTo: ends[1])
    }
    let (bytes, isComplete) = readAll(ends[0], limit: limit)
    if !isComplete { kill(child, SIGKILL) }
    let status = wait(for: child)
    guard isComplete else {
      throw DataFailure.compressed(path, "decompresses to more than \(limit) bytes")
    }
    try check(status, path)
    return bytes
  }

  private static func start(_ tool: String, on path: String, writingTo output: Int32)
    throws(Failure) -> pid_t
  {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t? = nil
    #else
      var actions = posix_spawn_file_actions_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, path, O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(tool), strdup("-dc"), nil]
    defer { for argument in arguments { free(argument) } }
    var child: pid_t = 0
    let problem = posix_spawnp(&child, tool, &actions, nil, &arguments, environ)
    guard problem == 0 else {
      throw DataFailure.compressed(
        path, "cannot be decompressed: \(tool): \(String(cString: strerror(problem)))",
        hint: "install gzip, or decompress the file and give the plain one")
    }
    return child
  }

  private static func readAll(_ descriptor: Int32, limit: Int) -> ([UInt8], isComplete: Bool) {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let got = chunk.withUnsafeMutableBufferPointer { transfer(descriptor, $0) }
      guard got > 0 else { return (bytes, true) }
      guard bytes.count + got <= limit else { return (bytes, false) }
      bytes.append(contentsOf: chunk[..<got])
    }
  }

  /// One `read` that is repeated when a signal interrupts it.
  private static func transfer(_ descriptor: Int32, _ buffer: UnsafeMutableBufferPointer<UInt8>)
    -> Int
  {
    while true {
      let got = systemRead(descriptor, buffer.baseAddress, buffer.count)
      if got < 0, errno == EINTR { continue }
      return got
    }
  }

  /// The wait status, or nil when someone else took it.
  private static func wait(for child: pid_t) -> Int32? {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 { guard errno == EINTR else { return nil } }
    return status
  }

  private static func check(_ status: Int32?, _ path: String) throws(Failure) {
    guard let status, status != 0 else { return }
    let signal = status & 0x7F
    let code = (status >> 8) & 0xFF
    // 2 is a warning: trailing garbage was ignored, everything else was read and checked.
    if signal == 0, code == 2 { return }
    throw DataFailure.compressed(
      path,
      signal == 0
        ? "gzip cannot decompress it (exit \(code)): cut, corrupt or no gzip file"
        : "gzip was stopped by signal \(signal)",
      hint: signal == 0 ? "copy or download the file again; gzip -t shows the details" : nil)
  }
}

private func systemRead(_ file: Int32, _ target: UnsafeMutablePointer<UInt8>?, _ count: Int) -> Int
{ read(file, target, count) }
