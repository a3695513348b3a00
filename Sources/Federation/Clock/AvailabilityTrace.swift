import Base

/// When clients can be asked, from a file: half-open windows [from, to) in virtual seconds.
package struct AvailabilityTrace: Sendable, Equatable {
  /// A stretch of time.
  package struct Window: Sendable, Equatable {
    package let from: Double
    package let to: Double
  }

  /// By client, ascending and apart.
  private let windows: [[Window]]
  private let openings: [Double]

  private init(_ windows: [[Window]]) {
    self.windows = windows
    openings = windows.flatMap { $0.map(\.from) }.sorted()
  }

  package static let header = "client,from,to"

  /// Reads a file: the header, then a window per line; empty lines and lines that start with # are
  /// passed over.
  ///
  /// - Throws: E4006 with the line that is not `client,from,to`, E4005 for a client that does not
  ///   exist or windows of one client that overlap; exit 4.
  package init(path: String, clients: Int) throws(Failure) {
    let lines = try TextFile.lines(of: path, what: "windows of availability")
    var found = [[(window: Window, line: Int)]](repeating: [], count: clients)
    var hasHeader = false
    for (number, line) in lines {
      let place = "line \(number)"
      guard hasHeader else {
        guard line == Self.header else {
          throw DataFailure.malformed(
            path, "\(place): found \(line.prefix(40)); expected the header \(Self.header)")
        }
        hasHeader = true
        continue
      }
      let (client, window) = try Self.row(line, path, place)
      guard client < clients else {
        throw DataFailure.inconsistent(
          path, "\(place): client \(client); there are clients 0 to \(clients - 1)")
      }
      found[client].append((window, number))
    }
    guard hasHeader else {
      throw DataFailure.malformed(path, "it is empty; expected the header \(Self.header)")
    }
    for (client, rows) in found.enumerated() {
      found[client] = rows.sorted { ($0.window.from, $0.line) < ($1.window.from, $1.line) }
      for (a, b) in zip(found[client], found[client].dropFirst()) where b.window.from < a.window.to
      {
        throw DataFailure.inconsistent(
          path, "line \(b.line): client \(client)'s window overlaps with that of line \(a.line)")
      }
    }
    self.init(found.map { $0.map(\.window) })
  }

  private static func row(_ line: String, _ path: String, _ place: String) throws(Failure) -> (
    Int, Window
  ) {
    let fields = line.split(separator: ",", omittingEmptySubsequences: false)
    guard fields.count == 3, let client = Int(fields[0]), client >= 0, let from = Double(fields[1]),
      let to = Double(fields[2]), from.isFinite, to.isFinite, from >= 0
    else {
      throw DataFailure.malformed(
        path,
        "\(place): found \(line.prefix(40)); expected \(header): a whole number and two numbers "
          + ">= 0")
    }
    guard from < to else {
      throw DataFailure.malformed(path, "\(place): the window ends before it begins")
    }
    return (client, Window(from: from, to: to))
  }

  /// The end of the window that contains a time; nil when the client is away.
  ///
  /// - Complexity: O(log windows).
  package func departure(of client: Int, after time: Double) -> Double? {
    let list = windows[client]
    var (low, high) = (0, list.count)
    while low < high {
      let middle = (low + high) / 2
      if list[middle].to <= time { low = middle + 1 } else { high = middle }
    }
    return low < list.count && list[low].from <= time ? list[low].to : nil
  }

  /// The first beginning of a window after a time; nil when there is none.
  package func opening(after time: Double) -> Double? {
    var (low, high) = (0, openings.count)
    while low < high {
      let middle = (low + high) / 2
      if openings[middle] <= time { low = middle + 1 } else { high = middle }
    }
    return low < openings.count ? openings[low] : nil
  }
}
