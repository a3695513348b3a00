import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What the user or the system asked of a running experiment.
///
/// The first signal lets the round end and a checkpoint be written; the second ends the process at
/// once, with the last checkpoint intact.
public enum Interruption {
  private static let received = Atomic<Int32>(0)

  /// Starts to listen for SIGINT and SIGTERM.
  public static func listen() {
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        // Only what is safe in a signal handler: an atomic, and _exit.
        if Interruption.received.exchange(number, ordering: .relaxed) != 0 {
          _exit(128 + number)
        }
      }
    }
  }

  /// The exit code to end with, or nil while nobody asked.
  public static var requested: ExitCode? {
    switch received.load(ordering: .relaxed) {
    case 0: nil
    case SIGTERM: .terminated
    default: .interrupted
    }
  }
}
