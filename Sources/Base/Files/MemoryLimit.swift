/// The least that this process may take of memory, and who says so.
///
/// Beside the machine's memory three things may stop a process earlier: limits of its address
/// space (`ulimit -v`), of its data (`ulimit -d`), and of its control group, which is how
/// containers and batch systems limit their jobs. What is not seen here ends a run by a kill or an
/// abort.
package struct MemoryLimit: Sendable, Equatable {
  /// Bytes that may still be taken.
  package let bytes: Int
  /// Such as "this machine has 15.6 GiB"; for messages.
  package let words: String
  /// Whether what the process holds already is taken off.
  package let isRest: Bool

  /// A limit of so many bytes.
  package init(bytes: Int, words: String, isRest: Bool = false) {
    self.bytes = bytes
    self.words = words
    self.isRest = isRest
  }

  /// What this process may take now.
  package static var current: MemoryLimit { least(of: sources()) }

  /// The smallest; the first of equals.
  package static func least(of limits: [MemoryLimit]) -> MemoryLimit {
    limits.min { $0.bytes < $1.bytes } ?? MemoryLimit(bytes: .max, words: "no limit is known")
  }

  /// Whether something of so many bytes does not fit.
  package func isBelow(_ needed: Int) -> Bool { needed > bytes }

  private static func sources() -> [MemoryLimit] {
    let physical = Machine.memoryBytes
    let machine = "this machine has \(gibibytes(physical))"
    #if canImport(Darwin)
      return [MemoryLimit(bytes: physical, words: machine)]
    #else
      let status = ProcessMemory.fields
      let held = status["VmRSS:"] ?? 0
      var limits = [MemoryLimit(bytes: max(0, physical - held), words: machine, isRest: true)]
      for (bytes, name, taken) in [
        (softLimit(addressSpace: true), "the address space of this process (ulimit -v)", "VmSize:"),
        (softLimit(addressSpace: false), "the data of this process (ulimit -d)", "VmData:"),
      ] {
        guard let bytes else { continue }
        let left = max(0, bytes - (status[taken] ?? 0))
        let words = "\(name) is limited to \(gibibytes(bytes))"
        limits.append(
          MemoryLimit(
            bytes: left, words: "\(words), of which \(gibibytes(left)) are left", isRest: true))
      }
      if let bytes = controlGroupBytes(root: "/sys/fs/cgroup", groups: groupsText) {
        limits.append(
          MemoryLimit(
            bytes: max(0, bytes - held),
            words: "this control group is limited to \(gibibytes(bytes))", isRest: true))
      }
      return limits
    #endif
  }

  /// Bytes for people, in GiB with one digit, or in MiB when they are few.
  package static func gibibytes(_ bytes: Int) -> String {
    bytes < 1 << 30
      ? "\(NumberText.fixed(Double(bytes) / Double(1 << 20), 1)) MiB"
      : "\(NumberText.fixed(Double(bytes) / Double(1 << 30), 1)) GiB"
  }

  #if !canImport(Darwin)
    /// The limit of the address space or of the data; nil for none.
    private static func softLimit(addressSpace: Bool) -> Int? {
      var limit = rlimit()
      let kind = __rlimit_resource_t((addressSpace ? RLIMIT_AS : RLIMIT_DATA).rawValue)
      guard getrlimit(kind, &limit) == 0, limit.rlim_cur < UInt64(Int.max) else { return nil }
      return Int(limit.rlim_cur)
    }

    private static var groupsText: String {
      let bytes = (try? FileReader.bytes(of: "/proc/self/cgroup", limit: 1 << 20)) ?? []
      return String(decoding: bytes, as: UTF8.self)
    }
  #endif

  /// The least limit of memory of a process's control groups and of those above them; nil for none.
  ///
  /// - Parameters:
  ///   - root: where control groups are mounted.
  ///   - groups: the text of `/proc/self/cgroup`: lines `number:controllers:path`, where version 2
  ///     has no controllers.
  /// - Returns: bytes.
  package static func controlGroupBytes(root: String, groups: String) -> Int? {
    var least: Int?
    for line in groups.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let isSecond = parts[1].isEmpty
      guard isSecond || parts[1].split(separator: ",").contains("memory") else { continue }
      let base = isSecond ? root : FilePath.join(root, "memory")
      let file = isSecond ? "memory.max" : "memory.limit_in_bytes"
      // In a container the path may be that of the host, which is not mounted there; the root is.
      var folder = String(parts[2])
      while true {
        let path = base + (folder == "/" ? "" : folder) + "/" + file
        if let bytes = number(in: path) { least = min(least ?? bytes, bytes) }
        if folder.isEmpty || folder == "/" { break }
        folder = FilePath.split(folder).folder
        if folder == "." { break }
      }
    }
    return least
  }

  /// A limit of a file; nil for "max", for the huge number that means none, and for no file.
  private static func number(in path: String) -> Int? {
    guard FileKind(of: path) == .file, let bytes = try? FileReader.bytes(of: path, limit: 1 << 12)
    else { return nil }
    let digits = String(decoding: bytes.prefix { (0x30...0x39).contains($0) }, as: UTF8.self)
    guard let value = Int(digits), value < 1 << 60 else { return nil }
    return value
  }
}
