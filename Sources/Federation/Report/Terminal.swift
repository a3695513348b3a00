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

  /// Seconds by a clock that nobody sets, for durations; it counts from no known time.
  public static func steady() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Seconds since 1970, for dates.
  public static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// All of the text, also through slow pipes; a closed stream ends the writing silently.
  ///
  /// - Returns: why not all of it was written; nil also where nobody reads any more.
  @discardableResult
  public static func write(_ text: String, to descriptor: Int32) -> Failure? {
    if text.isEmpty { return nil }
    do throws(Failure) {
      try AtomicFile.writeAll(Array(text.utf8), to: descriptor, path: "a stream")
      return nil
    } catch {
      return error.code == "E1034" ? nil : error
    }
  }

  /// Writes to stderr at once.
  ///
  /// A closed stderr is no reason to stop a night's work.
  public static func note(_ text: String) {
    write(text, to: 2)
  }

  /// The text with control characters written out.
  ///
  /// Names of files and folders, and what is in them, must not steer a terminal. Tabs and ends of
  /// lines stay.
  public static func plain(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: steers) else { return text }
    var out = ""
    for scalar in text.unicodeScalars {
      if steers(scalar) {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        out += "\\x" + String(repeating: "0", count: max(0, 2 - digits.count)) + digits
      } else {
        out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  private static func steers(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 9, 10: false
    case 0..<0x20, 0x7F..<0xA0: true
    // Marks that turn the direction of text.
    case 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}
