import Base
import Records

/// Who holds what, from `split/summary.csv` of every seed.
struct SplitSummaries {
  struct One {
    /// Training images per client.
    var totals: [Int] = []
    /// Training images per class.
    var classes: [Int] = []
    /// Per client and class; empty for more clients than are drawn.
    var clients: [[Int]] = []
  }

  /// More clients are not drawn one by one.
  private static let mostDrawn = 200

  private(set) var bySeed: [UInt64: One] = [:]
  private(set) var first: One?

  init(_ folders: [RunFolder]) throws(Failure) {
    for folder in folders {
      let facts = try FolderFacts.read(folder.path)
      for (index, seed) in folder.seeds.enumerated() where bySeed[seed] == nil {
        let name = "split/summary\(RunFolder.suffix(index, seed)).csv"
        let file = FilePath.join(folder.path, name)
        let read: [UInt8]?
        if let facts {
          read = try facts.bytes(of: name)
        } else {
          read = try FileReader.optional(file, what: "a split")
        }
        guard let found = read else { continue }
        let one = try Self.read(found, file, clients: folder.clients)
        bySeed[seed] = one
        if first == nil { first = one }
      }
    }
  }

  func images(_ seed: UInt64, _ client: Int) -> Int? {
    guard let totals = bySeed[seed]?.totals, totals.indices.contains(client) else { return nil }
    return totals[client]
  }

  /// Rows whose first field is a number are clients; others are sets besides them.
  ///
  /// Byte by byte: there may be a million clients.
  ///
  /// - Throws: E4124 for a row with other fields than the first, a client out of order, or a count
  ///   that no data set has.
  private static func read(_ bytes: [UInt8], _ path: String, clients: Int) throws(Failure) -> One {
    /// More images than any file holds: sums over all clients stay exact.
    let most = 1 << 40
    var one = One()
    var width: Int?
    for (index, line) in bytes.split(separator: 10).enumerated().dropFirst() {
      var numbers: [Int] = []
      var number: Int? = line.first.map { $0 == 44 } ?? true ? nil : 0
      for byte in line {
        if byte == 44 {
          numbers.append(number ?? -1)
          number = 0
        } else if byte >= 48, byte <= 57 {
          number = number.flatMap { $0 > most ? nil : $0 * 10 + Int(byte - 48) }
        } else {
          number = nil
        }
      }
      numbers.append(number ?? -1)
      // A row of a set, such as that of public images.
      if let first = numbers.first, first < 0, line.first.map({ $0 < 48 || $0 > 57 }) ?? false {
        continue
      }
      guard numbers.count >= 2, numbers.count == width ?? numbers.count,
        numbers[0] == one.totals.count, numbers[0] < clients,
        numbers.dropFirst().allSatisfy({ (0...most).contains($0) })
      else { throw RunTrace.noLine(path, index + 1, "no row of one of \(clients) clients") }
      width = numbers.count
      let counts = Array(numbers.dropFirst(2))
      if one.classes.isEmpty { one.classes = [Int](repeating: 0, count: counts.count) }
      for (label, count) in counts.enumerated() {
        let (sum, overflows) = one.classes[label].addingReportingOverflow(count)
        guard !overflows, sum <= most else {
          throw RunTrace.noLine(path, index + 1, "more images than a data set has")
        }
        one.classes[label] = sum
      }
      one.totals.append(numbers[1])
      if one.clients.count <= mostDrawn { one.clients.append(counts) }
    }
    if one.clients.count > mostDrawn { one.clients = [] }
    return one
  }
}
