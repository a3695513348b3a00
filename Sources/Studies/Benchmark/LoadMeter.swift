import Base

/// Times pieces of work, and notes what else the machine did meanwhile.
package struct LoadMeter: Sendable {
  /// One piece of work.
  package struct Lap: Sendable, Equatable {
    /// Wall time.
    package var seconds: Double
    /// CPU seconds of this process per second.
    package var own: Double
    /// CPUs that everything else on the machine kept busy; 0 where the system does not tell.
    package var noise: Double
  }

  private var busy = 0.0
  private var own = 0.0
  private var start = 0.0

  /// A meter that starts now.
  package init() { begin() }

  /// Starts anew.
  package mutating func begin() {
    busy = Self.busySeconds
    own = Self.ownSeconds
    start = Self.now
  }

  /// What happened since the start; the next lap begins.
  package mutating func lap() -> Lap {
    let seconds = max(Self.now - start, 1e-9)
    let ownCPU = Self.ownSeconds - own
    let allCPU = Self.busySeconds - busy
    begin()
    return Lap(seconds: seconds, own: ownCPU / seconds, noise: max(0, allCPU - ownCPU) / seconds)
  }

  /// Seconds of a clock that never jumps.
  package static var now: Double { seconds(CLOCK_MONOTONIC) }

  /// CPU seconds of this process, all threads.
  private static var ownSeconds: Double { seconds(CLOCK_PROCESS_CPUTIME_ID) }

  private static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// CPU seconds that the whole machine has used, idle and waiting left out: user, nice, system,
  /// irq and softirq of the first line of /proc/stat.
  private static var busySeconds: Double {
    guard let bytes = try? FileReader.bytes(of: "/proc/stat") else { return 0 }
    let line = String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)
    let ticks = line.split(separator: " ").dropFirst().compactMap { Double($0) }
    guard ticks.count > 6 else { return 0 }
    let used = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]
    return used / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  // MARK: - Memory

  /// Peak resident memory since the last reset, in units of 2^20 bytes; nil where the system does
  /// not tell.
  package static var peakMebibytes: Double? { field("VmHWM:", of: "/proc/self/status") }

  /// Memory that can be had without swapping, in bytes, and that this process may take; all of it
  /// where the system does not tell.
  package static var availableBytes: Int {
    let free = field("MemAvailable:", of: "/proc/meminfo").map { Int(clamping: $0 * 1_048_576) }
    return min(free ?? Machine.memoryBytes, MemoryLimit.current.bytes)
  }

  /// Forgets the peak so far: it counts again from what is resident now.
  ///
  /// Where the system cannot do so, the peak is that of the whole process.
  package static func resetPeak() {
    let descriptor = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    try? AtomicFile.writeAll(Array("5".utf8), to: descriptor, path: "/proc/self/clear_refs")
  }

  /// A line such as "VmHWM:  1234 kB", in units of 2^20 bytes.
  private static func field(_ name: String, of path: String) -> Double? {
    guard let bytes = try? FileReader.bytes(of: path) else { return nil }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    where line.hasPrefix(name) {
      return line.split(separator: " ").dropFirst().first.flatMap { Double($0) }.map { $0 / 1024 }
    }
    return nil
  }
}
