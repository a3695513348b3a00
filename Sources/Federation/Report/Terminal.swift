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

  /// Writes to stderr at once.
  ///
  /// A closed stderr is no reason to stop a night's work.
  public static func note(_ text: String) {
    write(text, to: 2)
  }
}
