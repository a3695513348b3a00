/// Another program, run for what it writes to its standard output.
package enum ChildProcess {
  package enum Outcome: Sendable {
    /// It could not be started, for this reason of the system (`errno`).
    case notStarted(Int32)
    /// It ended by itself, with this code and these bytes.
    case exited(Int32, [UInt8])
    case signalled(Int32)
    /// It wrote more than the limit and was ended.
    case overflowed
  }

  /// Runs `words`, the program and its arguments, with the file `input` as its standard input.
  ///
  /// No shell reads the words. The output is read to its end before the child is waited for:
  /// neither can wait for the other for ever, and no zombie stays.
  package static func run(_ words: [String], input: String, limit: Int) -> Outcome {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return .notStarted(errno) }
    // A child started by another thread must not keep our pipe open.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    let (child, problem) = start(words, input: input, writingTo: ends[1])
    close(ends[1])
    guard problem == 0 else { return .notStarted(problem) }
    let (bytes, isComplete) = readAll(ends[0], limit: limit)
    if !isComplete { kill(child, SIGKILL) }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 {
      // Someone else took the status.
      guard errno == EINTR else {
        status = 0
        break
      }
    }
    guard isComplete else { return .overflowed }
    let signal = status & 0x7F
    return signal == 0 ? .exited((status >> 8) & 0xFF, bytes) : .signalled(signal)
  }

  private static func start(_ words: [String], input: String, writingTo output: Int32) -> (
    child: pid_t, problem: Int32
  ) {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t? = nil
    #else
      var actions = posix_spawn_file_actions_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var child: pid_t = 0
    let problem = posix_spawnp(&child, words.first ?? "", &actions, nil, &arguments, environ)
    return (child, problem)
  }

  private static func readAll(_ descriptor: Int32, limit: Int) -> ([UInt8], isComplete: Bool) {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let got = read(descriptor, &chunk, chunk.count)
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { return (bytes, true) }
      guard bytes.count + got <= limit else { return (bytes, false) }
      bytes.append(contentsOf: chunk[..<got])
    }
  }
}
