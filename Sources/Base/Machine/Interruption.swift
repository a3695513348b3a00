import Synchronization

/// What the user or the system asked of a running experiment.
///
/// The first signal lets the round end and a checkpoint be written; the second ends the process at
/// once, with the last checkpoint intact.
public enum Interruption {
  private static let received = Atomic<Int32>(0)

  /// Starts to listen for SIGINT, SIGTERM, SIGHUP (the terminal is gone) and SIGXCPU (the limit of
  /// processor time is near).
  ///
  /// Who is made to live on without a terminal, as by nohup, does.
  public static func listen() {
    for number in [SIGINT, SIGTERM, SIGHUP, SIGXCPU] {
      let before = signal(number) { number in
        // Only what is safe in a signal handler: an atomic, and _exit.
        let first = Interruption.received.exchange(number, ordering: .relaxed)
        // The system repeats SIGXCPU every second: nobody has lost patience.
        if first != 0, number != SIGXCPU { _exit(number == SIGINT ? 130 : 143) }
      }
      if number == SIGHUP, isIgnored(before) { signal(number, SIG_IGN) }
    }
  }

  private static func isIgnored(_ handler: (@convention(c) (Int32) -> Void)?) -> Bool {
    unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// The exit code to end with, or nil while nobody asked: 130 for SIGINT, 143 for all others.
  public static var requested: ExitCode? {
    switch received.load(ordering: .relaxed) {
    case 0: nil
    case SIGINT: .interrupted
    default: .terminated
    }
  }
}
