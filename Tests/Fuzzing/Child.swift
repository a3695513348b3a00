import Foundation

/// What one call of the program left after.
package struct Outcome: Sendable {
  /// The exit code; nil when a signal ended the program.
  package let exit: Int32?
  /// The signal that ended it, or 0.
  package let signal: Int32
  /// Whether it was ended for taking too long.
  package let isLate: Bool
  package let stdout: [UInt8]
  package let stderr: [UInt8]

  package var stderrText: String { String(decoding: stderr, as: UTF8.self) }
  package var stdoutText: String { String(decoding: stdout, as: UTF8.self) }
}

/// The program that is tried, with what a call may take.
package struct Target: Sendable {
  /// The path of `fedsim`.
  package var program: String
  /// Words before those of a call: the script, when the program is a shell.
  package var leading: [String] = []
  /// Seconds of processor time after which a call is ended; on the clock, six times as many,
  /// because machines do other things, too.
  package var seconds: Int
  /// Address space, in KiB.
  package var kibibytes: Int

  package init(program: String, seconds: Int = 20, kibibytes: Int = 4 << 20) {
    self.program = program
    self.seconds = seconds
    self.kibibytes = kibibytes
  }

  /// The program beside an executable or a test bundle.
  package static func path(beside starts: [String]) -> String? {
    for start in starts {
      var folder = URL(filePath: start).resolvingSymlinksInPath().deletingLastPathComponent()
      while folder.pathComponents.count > 1 {
        let file = folder.appending(path: "fedsim").path(percentEncoded: false)
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: file, isDirectory: &isFolder),
          !isFolder.boolValue, FileManager.default.isExecutableFile(atPath: file)
        {
          return file
        }
        folder = folder.deletingLastPathComponent()
      }
    }
    return nil
  }

  /// Bytes of a word; some private scalars stand for bytes that are no UTF-8.
  private static func bytes(of word: String) -> [CChar] {
    var bytes: [UInt8] = []
    for scalar in word.unicodeScalars {
      if (0xE080...0xE0FF).contains(scalar.value) {
        bytes.append(UInt8(scalar.value - 0xE000))
      } else {
        bytes += Array(String(scalar).utf8)
      }
    }
    // A word cannot hold a zero byte.
    return bytes.filter { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
  }

  /// Calls the program in a folder and waits for its end; its streams go to files in `spool`.
  package func call(
    _ step: Step, in folder: String, spool: String, environment extra: [String: String] = [:]
  ) -> Outcome? {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t? = nil
      var attributes: posix_spawnattr_t? = nil
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    Self.plainSignals(&attributes)
    let (out, err) = (spool + "/stdout", spool + "/stderr")
    let create = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(
      &actions, 1, step.isStdoutFull ? "/dev/full" : out, create, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, err, create, 0o600)
    var variables = ProcessInfo.processInfo.environment
    for name in ["NO_COLOR", "TERM"] { variables[name] = nil }
    variables.merge(extra) { $1 }
    // The shell sets limits and the folder; its process becomes the program's.
    let limits = "ulimit -c 0; ulimit -t \(seconds); ulimit -v \(kibibytes) 2>/dev/null"
    let script = "\(limits); cd \"$0\" && exec \"$@\""
    let fixed = (["/bin/sh", "-c", script, folder, program] + leading).map { Self.bytes(of: $0) }
    let words: [UnsafeMutablePointer<CChar>?] =
      (fixed + step.words.map { Self.bytes(of: $0) }).map { $0.withUnsafeBufferPointer(copy) } + [
        nil
      ]
    let settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in words + settings { free(text) } }
    var process: pid_t = 0
    guard posix_spawn(&process, "/bin/sh", &actions, &attributes, words, settings) == 0 else {
      return nil
    }
    let (status, isLate) = wait(for: process)
    let signal = status & 0x7F
    return Outcome(
      exit: signal == 0 ? (status >> 8) & 0xFF : nil, signal: signal,
      // The system ends what has used up its processor time in the same way as we do.
      isLate: isLate || signal == SIGKILL, stdout: step.isStdoutFull ? [] : Self.read(out),
      stderr: Self.read(err))
  }

  private func copy(_ text: UnsafeBufferPointer<CChar>) -> UnsafeMutablePointer<CChar>? {
    text.baseAddress.flatMap { strdup($0) }
  }

  /// The status of an ended process, and whether it had to be ended.
  private func wait(for process: pid_t) -> (status: Int32, isLate: Bool) {
    let clock = ContinuousClock()
    let start = clock.now
    var status: Int32 = 0
    var pause: UInt32 = 500
    while true {
      if waitpid(process, &status, WNOHANG) == process { return (status, false) }
      if clock.now - start > .seconds(6 * seconds) {
        kill(process, SIGKILL)
        waitpid(process, &status, 0)
        return (status, true)
      }
      usleep(pause)
      pause = min(pause * 5 / 4, 10_000)
    }
  }

  #if canImport(Darwin)
    private typealias Attributes = posix_spawnattr_t?
  #else
    private typealias Attributes = posix_spawnattr_t
  #endif

  /// The program shall meet signals as under a shell, whatever the caller ignores or blocks.
  private static func plainSignals(_ attributes: inout Attributes) {
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGPIPE, SIGINT, SIGTERM] { sigaddset(&signals, number) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    var blocked = sigset_t()
    sigemptyset(&blocked)
    posix_spawnattr_setsigmask(&attributes, &blocked)
    let flags = Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK)
    posix_spawnattr_setflags(&attributes, flags)
  }

  private static func read(_ path: String) -> [UInt8] {
    FileManager.default.contents(atPath: path).map { [UInt8]($0) } ?? []
  }
}

/// A folder of one try, removed with the last reference to it.
///
/// It lies in a folder of its own: what a wrong path writes above it is removed, too.
package final class TryFolder: Sendable {
  /// What holds the folder.
  private let outer: String
  package var path: String { outer + "/here" }

  package init() {
    outer = FileManager.default.temporaryDirectory.appending(
      path: "fedsim-fuzz-\(UUID().uuidString)"
    ).path(percentEncoded: false)
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: outer) }

  /// Writes a file, with the folders above it.
  package func write(_ file: InputFile) {
    let url = URL(filePath: path + "/" + file.path)
    try? FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try? Data(file.bytes).write(to: url)
  }

  /// The bytes of a file; nil when there is none.
  package func bytes(_ name: String) -> [UInt8]? {
    FileManager.default.contents(atPath: path + "/" + name).map { [UInt8]($0) }
  }

  package func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: path + "/" + name)
  }
}
