/// The clocks of this machine.
public enum SystemClock {
  /// Seconds by a clock that nobody sets, for durations; it counts from no known time.
  public static func steady() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Waits, less where a signal comes.
  public static func sleep(_ seconds: Double) { usleep(UInt32(clamping: Int(seconds * 1e6))) }

  /// Seconds since 1970, for dates.
  public static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
