import Base

/// The few facts and calls of a terminal that progress and tables need.
package enum Terminal {
  /// Whether a stream is a terminal: 1 for stdout, 2 for stderr.
  package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  /// Columns of the terminal of a stream; `otherwise` when it is none or gives no size.
  package static func width(_ descriptor: Int32, otherwise: Int = 120) -> Int {
    size(descriptor).flatMap { $0.ws_col > 0 ? Int($0.ws_col) : nil } ?? otherwise
  }

  /// Rows of the terminal of a stream; `otherwise` when it is none or gives no size.
  package static func height(_ descriptor: Int32, otherwise: Int = 24) -> Int {
    size(descriptor).flatMap { $0.ws_row > 0 ? Int($0.ws_row) : nil } ?? otherwise
  }

  private static func size(_ descriptor: Int32) -> winsize? {
    var size = winsize()
    guard isTerminal(descriptor), ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 else {
      return nil
    }
    return size
  }

  /// All of the text, also through slow pipes; a closed stream ends the writing silently.
  ///
  /// - Returns: why not all of it was written; nil also where nobody reads any more.
  @discardableResult package static func write(_ text: String, to descriptor: Int32) -> Failure? {
    if text.isEmpty { return nil }
    do throws(Failure) {
      try AtomicFile.writeAll(Array(text.utf8), to: descriptor, path: "a stream")
      return nil
    } catch { return error.code == "E1034" ? nil : error }
  }

  /// Writes to stderr at once.
  ///
  /// A closed stderr is no reason to stop a night's work.
  package static func note(_ text: String) { write(text, to: 2) }
}
