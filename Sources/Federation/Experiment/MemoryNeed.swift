import Base

/// What a run needs of memory, by what it is for.
///
/// Sizes are products of numbers from the scenario, so they are summed as floating-point numbers:
/// what overflows an integer is merely large.
struct MemoryNeed {
  struct Part {
    /// Such as "images"; after "for" in a message.
    let what: String
    let bytes: Double
  }

  /// All uses so far.
  private(set) var parts: [Part] = []
  /// Bytes among them that the process holds already.
  private(set) var taken = 0.0

  var total: Double { parts.reduce(0) { $0 + $1.bytes } }

  /// Adds the product of some factors, in bytes.
  mutating func add(_ what: String, _ factors: Double..., isTaken: Bool = false) {
    let bytes = factors.reduce(1, *)
    parts.append(Part(what: what, bytes: bytes))
    if isTaken { taken += bytes }
  }

  /// The largest uses, such as "12.0 GiB for images, 3.1 GiB for workers".
  var words: String {
    let largest = parts.sorted { $0.bytes > $1.bytes }.prefix(3)
    return largest.filter { $0.bytes >= total / 20 }.map {
      "\(Self.gibibytes($0.bytes)) for \($0.what)"
    }.joined(separator: ", ")
  }

  /// Bytes as people read them.
  static func gibibytes(_ bytes: Double) -> String {
    MemoryLimit.gibibytes(Int(min(bytes, 0x1p62)))
  }

  /// Whether it does not fit.
  func exceeds(_ limit: MemoryLimit) -> Bool {
    total - (limit.isRest ? taken : 0) > Double(limit.bytes)
  }
}
