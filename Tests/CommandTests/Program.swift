import Base
import Foundation
import Testing

/// The built `fedsim`, run as a user runs it: words in, two streams and an exit code out.
enum Program {
  /// What one call left after.
  struct Outcome: Sendable {
    /// The exit code; nil when a signal ended the program.
    let exit: Int32?
    /// The signal that ended the program, or 0.
    let signal: Int32
    let stdout: String
    let stderr: String

    /// Everything said, for messages of failed tests.
    var text: String { "exit \(exit ?? -signal)\n\(stdout)\n\(stderr)" }
  }

  /// Signals to send as soon as a file has some lines.
  struct Interrupt: Sendable {
    let signals: [Int32]
    let file: String
    let lines: Int

    var isDue: Bool {
      guard let data = FileManager.default.contents(atPath: file) else { return false }
      return data.count { $0 == 10 } >= lines
    }
  }

  /// Where stdout and stderr go.
  enum Stream: Sendable { case file, brokenPipe, closed, full }

  /// The program beside the test bundle.
  static let path: String? = {
    let starts = [Bundle.main.executablePath] + Bundle.allBundles.map(\.bundlePath)
    for start in starts.compactMap({ $0 }) {
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
  }()

  /// Runs the program and waits for its end; after `limit` seconds it is killed.
  ///
  /// `setup`: what the shell does first, such as setting a limit.
  static func run(
    _ arguments: [String], in folder: String, environment: [String: String] = [:],
    shell setup: String = "true", interrupt: Interrupt? = nil, stdout: Stream = .file,
    stderr: Stream = .file, limit: Double = 600
  ) throws -> Outcome {
    let program = try #require(path, "no fedsim beside the test bundle")
    let spool = TemporaryFolder()
    let child = try Child(
      program, arguments, in: folder, environment: environment, setup: setup,
      stdout: (stdout, spool.at("stdout")), stderr: (stderr, spool.at("stderr")))
    var pending = interrupt?.signals ?? []
    let start = Date()
    var status: Int32 = 0
    while true {
      let ended = waitpid(child.process, &status, WNOHANG)
      if ended == child.process { break }
      if -start.timeIntervalSinceNow > limit {
        kill(child.process, SIGKILL)
        waitpid(child.process, &status, 0)
        Issue.record("fedsim \(arguments.joined(separator: " ")) took more than \(limit) s")
        break
      }
      if let interrupt, !pending.isEmpty, interrupt.isDue {
        // Equal signals that wait together are one: the last of several is sent until it is heard.
        let isLast = pending.count == 1 && interrupt.signals.count > 1
        kill(child.process, isLast ? pending[0] : pending.removeFirst())
        usleep(50_000)
      }
      usleep(2000)
    }
    let signal = status & 0x7F
    return Outcome(
      exit: signal == 0 ? (status >> 8) & 0xFF : nil, signal: signal, stdout: spool.text("stdout"),
      stderr: spool.text("stderr"))
  }
}

/// A started process.
private struct Child {
  let process: pid_t

  init(
    _ program: String, _ arguments: [String], in folder: String, environment: [String: String],
    setup: String, stdout: (Program.Stream, String), stderr: (Program.Stream, String)
  ) throws {
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
    // The program shall meet signals as under a shell, whatever the test runner ignores or blocks.
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGXCPU, SIGXFSZ] {
      sigaddset(&signals, number)
    }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    var blocked = sigset_t()
    sigemptyset(&blocked)
    posix_spawnattr_setsigmask(&attributes, &blocked)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    var unread: [Int32] = []
    defer { for end in unread { close(end) } }
    for (number, (stream, file)) in [(Int32(1), stdout), (2, stderr)] {
      switch stream {
      case .file:
        posix_spawn_file_actions_addopen(
          &actions, number, file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
      case .full: posix_spawn_file_actions_addopen(&actions, number, "/dev/full", O_WRONLY, 0)
      case .closed: posix_spawn_file_actions_addclose(&actions, number)
      case .brokenPipe:
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        close(ends[0])
        unread.append(ends[1])
        posix_spawn_file_actions_adddup2(&actions, ends[1], number)
      }
    }
    var variables = ProcessInfo.processInfo.environment
    for name in ["NO_COLOR", "TERM"] { variables[name] = nil }
    variables.merge(environment) { $1 }
    // The shell only changes the folder, which not every system's spawn can; its process becomes
    // the program's.
    let shell = "/bin/sh"
    let words =
      ([shell, "-c", "cd \"$0\" && \(setup) && exec \"$@\"", folder, program] + arguments).map {
        strdup($0)
      } + [nil]
    let settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in words + settings { free(text) } }
    var process: pid_t = 0
    let problem = posix_spawn(&process, shell, &actions, &attributes, words, settings)
    try #require(problem == 0, "\(program): \(String(cString: strerror(problem)))")
    self.process = process
  }
}

/// A folder of one test, removed with the last reference to it.
final class TemporaryFolder: Sendable {
  let path: String

  init() {
    path = FileManager.default.temporaryDirectory.appending(path: "fedsim-\(UUID().uuidString)")
      .path(percentEncoded: false)
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a name in this folder.
  func at(_ name: String) -> String { path + "/" + name }

  /// Writes a file, with the folders above it.
  func write(_ name: String, _ bytes: [UInt8]) throws {
    let url = URL(filePath: at(name))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  /// Writes a text.
  func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

  /// Removes a file.
  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: at(name)) }

  /// The bytes of a file; nil when there is none.
  func bytes(_ name: String) -> [UInt8]? {
    FileManager.default.contents(atPath: at(name)).map { [UInt8]($0) }
  }

  /// The text of a file; "" when there is none.
  func text(_ name: String) -> String { String(decoding: bytes(name) ?? [], as: UTF8.self) }

  /// All files below a folder with their bytes.
  func tree(_ name: String) -> [String: [UInt8]] {
    let names = FileManager.default.enumerator(atPath: at(name))?.compactMap { $0 as? String } ?? []
    return names.reduce(into: [:]) { files, file in
      var isFolder: ObjCBool = false
      let path = at(name + "/" + file)
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
        !isFolder.boolValue
      else { return }
      files[file] = bytes(name + "/" + file)
    }
  }

  /// Makes a run folder one of an earlier version, which promised nothing of its files: what is
  /// changed in it is read then.
  func forgetPromises(_ name: String) throws {
    for (file, keys) in [
      ("environment.json", ["files", "checksum", "scenarioHash"]), ("summary.json", ["checksum"]),
    ] {
      var json = try JSON(parsing: text("\(name)/\(file)"))
      for key in keys { json[key] = nil }
      try write("\(name)/\(file)", json.pretty)
    }
    for file in tree(name).keys where file.hasSuffix("tables.json") {
      try remove("\(name)/\(file)")
    }
  }

  /// Whether something has this name.
  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: at(name)) }
}
