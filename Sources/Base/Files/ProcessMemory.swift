/// How much memory this process takes.
package enum ProcessMemory {
  /// Bytes in memory at the largest so far; 0 where the system does not tell.
  package static var peakBytes: Int {
    #if canImport(Darwin)
      var usage = rusage()
      return getrusage(RUSAGE_SELF, &usage) == 0 ? Int(usage.ru_maxrss) : 0
    #else
      // Not getrusage: what it says is never less than what the process that started this one had.
      return fields["VmHWM:"] ?? 0
    #endif
  }

  #if !canImport(Darwin)
    /// Bytes by the names of `/proc/self/status`, colon included; empty where it cannot be read.
    package static var fields: [String: Int] {
      guard let bytes = try? FileReader.bytes(of: "/proc/self/status", limit: 1 << 20) else {
        return [:]
      }
      var fields: [String: Int] = [:]
      for line in bytes.split(separator: UInt8(ascii: "\n")) {
        let words = String(decoding: line, as: UTF8.self).split { $0 == " " || $0 == "\t" }
        if words.count == 3, words[2] == "kB", let kibibytes = Int(words[1]) {
          fields[String(words[0])] = kibibytes << 10
        }
      }
      return fields
    }
  #endif
}
