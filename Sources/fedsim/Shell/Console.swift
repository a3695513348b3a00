import Base
import Report
import Synchronization

/// The two streams: stdout is data, stderr is for people.
enum Console {
  /// Whether stderr is a terminal that colours and redraws.
  static let isFancy: Bool = {
    if let off = getenv("NO_COLOR"), off.pointee != 0 { return false }
    if let term = getenv("TERM"), String(cString: term) == "dumb" { return false }
    return isatty(2) == 1
  }()

  /// Makes the three standard streams safe to use, whatever the caller did to them.
  ///
  /// A reader that goes away ends the writing and not the program: a night's training outlives
  /// `| head`. A stream that is closed altogether gets `/dev/null`: otherwise the first file that
  /// is opened would take its number, and messages would land in the results.
  static func secureStreams() {
    signal(SIGPIPE, SIG_IGN)
    // A file that may not grow is an error of writing, with a message.
    signal(SIGXFSZ, SIG_IGN)
    for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number is taken: it is this one, for those below are open.
      _ = open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY)
    }
  }

  /// How progress is shown on stderr.
  static func progressStyle(isSilent: Bool) -> Progress.Style {
    let environment = ["NO_COLOR", "TERM"].reduce(into: [String: String]()) { known, name in
      known[name] = Environment.value(name)
    }
    return Progress.style(
      quiet: isSilent, isTerminal: Terminal.isTerminal(2), environment: environment)
  }

  /// Why not all that belongs on stdout arrived there; nil while it did.
  private static let lost = Mutex<Failure?>(nil)

  /// Why the result is not complete on stdout; nil when it is.
  ///
  /// A result that nobody can read is a failure; a reader that went away has seen enough.
  static var outputFailure: Failure? {
    lost.withLock { $0 }.map { failure in
      Failure(
        failure.exit, "E1032",
        "stdout: \(failure.message); what this command had to say is not complete there",
        hint: "send it elsewhere, or make room")
    }
  }

  /// Writes a line of data to stdout.
  static func print(_ text: String) { out(shown(text, isFancy && isatty(1) == 1) + "\n") }

  /// Writes names with what belongs to each to stdout, a line each.
  static func print(_ terms: [(name: String, words: String)]) {
    print(Table.terms(terms).lines(.list).joined(separator: "\n"))
  }

  /// Writes one JSON object to stdout.
  static func print(_ json: JSON) { out(json.pretty) }

  /// Writes the answer of a command to stdout, as one JSON object.
  static func answer(isOK: Bool = true, _ members: [(String, JSON)]) {
    print(JSON.object([("schema", 1), ("status", isOK ? "ok" : "error")] + members))
  }

  private static func out(_ text: String) {
    guard let failure = Terminal.write(text, to: 1) else { return }
    lost.withLock { if $0 == nil { $0 = failure } }
  }

  /// Writes a line for people to stderr.
  static func tell(_ text: String) { Terminal.write(shown(text, isFancy) + "\n", to: 2) }

  /// The text in red where colour is welcome.
  static func red(_ text: String) -> String {
    isFancy ? "\u{1B}[31m\(TerminalText.plain(text))\u{1B}[0m" : text
  }

  /// The text without what steers a terminal, but for the program's own colours where they are
  /// used.
  private static func shown(_ text: String, _ isColoured: Bool) -> String {
    guard isColoured else { return TerminalText.plain(text) }
    var out = ""
    var rest = text[...]
    while let escape = rest.firstIndex(of: "\u{1B}") {
      out += TerminalText.plain(String(rest[..<escape]))
      rest = rest[escape...]
      let colour = ["\u{1B}[31m", "\u{1B}[1m", "\u{1B}[0m"].first { rest.hasPrefix($0) }
      out += colour ?? TerminalText.plain("\u{1B}")
      rest = rest.dropFirst(colour?.count ?? 1)
    }
    return out + TerminalText.plain(String(rest))
  }

  /// Says what failed: on stderr for people, as one object on stdout for programs.
  static func report(_ failure: Failure, format: OutputFormat) {
    if format == .json {
      print(
        JSON.object([
          ("schema", 1), ("status", "error"), ("code", .string(failure.code)),
          ("exit", .int(Int(failure.exit.rawValue))), ("message", .string(failure.message)),
          ("hint", failure.hint.map { .string($0) } ?? .null),
        ]))
      return
    }
    tell(red("fedsim: \(failure.message)"))
    if let hint = failure.hint { tell("  \(hint)") }
    tell("  more: fedsim explain \(failure.code)")
  }
}
