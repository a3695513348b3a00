import Tensor

#if canImport(Darwin)
  import Darwin
#endif

/// How much memory this process takes.
enum ProcessMemory {
  /// Bytes in memory at the largest so far; 0 where the system does not tell.
  static var peakBytes: Int {
    #if canImport(Darwin)
      var usage = rusage()
      return getrusage(RUSAGE_SELF, &usage) == 0 ? Int(usage.ru_maxrss) : 0
    #else
      // Not getrusage: what it says is never less than what the process that started this one had.
      guard let bytes = try? FileReader.bytes(of: "/proc/self/status") else { return 0 }
      for line in bytes.split(separator: UInt8(ascii: "\n")) {
        let words = String(decoding: line, as: UTF8.self).split { $0 == " " || $0 == "\t" }
        if words.count >= 2, words[0] == "VmHWM:", let kibibytes = Int(words[1]) {
          return kibibytes << 10
        }
      }
      return 0
    #endif
  }
}
