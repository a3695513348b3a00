#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The few facts and calls of a terminal that progress and tables need.
public enum Terminal {
  /// Whether a stream is a terminal: 1 for stdout, 2 for stderr.
  public static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  /// Columns of the terminal behind a stream; `otherwise` when it is none or does not tell.
  public static func width(_ descriptor: Int32, otherwise: Int = 120) -> Int {
    size(descriptor).flatMap { $0.ws_col > 0 ? Int($0.ws_col) : nil } ?? otherwise
  }

  /// Rows of the terminal behind a stream; `otherwise` when it is none or does not tell.
  public static func height(_ descriptor: Int32, otherwise: Int = 24) -> Int {
    size(descriptor).flatMap { $0.ws_row > 0 ? Int($0.ws_row) : nil } ?? otherwise
  }

  private static func size(_ descriptor: Int32) -> winsize? {
    var size = winsize()
    guard isTerminal(descriptor), ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 else {
      return nil
    }
    return size
  }

  /// Seconds since 1970.
  public static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// All of the text, also through slow pipes; a closed stream ends the writing silently.
  public static func write(_ text: String, to descriptor: Int32) {
    if text.isEmpty { return }
    try? AtomicFile.writeAll(Array(text.utf8), to: descriptor, path: "a stream")
  }

  /// The text with control characters written out, as `\\x1b`: names of files and keys of scenarios
  /// must not move the cursor, colour what follows or retitle the window.
  ///
  /// Ends of lines and tabs stay. With `marks`, so do the three ways in which the program itself
  /// marks words on a terminal.
  public static func visible(_ text: String, marks: Bool) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    let own = marks ? ["[0m", "[1m", "[31m"] : []
    let scalars = Array(text.unicodeScalars)
    var result = String.UnicodeScalarView()
    for (index, scalar) in scalars.enumerated() {
      let next = String(String.UnicodeScalarView(scalars[(index + 1)...].prefix(4)))
      let isOwn = scalar == "\u{1B}" && own.contains { next.hasPrefix($0) }
      if isControl(scalar), !isOwn {
        let digits = String(scalar.value, radix: 16)
        result.append(contentsOf: "\\x\(digits.count < 2 ? "0" : "")\(digits)".unicodeScalars)
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }

  /// C0 but for ends of lines and tabs, delete, C1.
  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar != "\n" && scalar != "\t"
      && (scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value))
  }

  /// Writes to stderr at once.
  ///
  /// A closed stderr is no reason to stop a night's work.
  public static func note(_ text: String) {
    write(text, to: 2)
  }
}
