import Records
import Report
import Testing

/// A terminal as far as the display needs one: lines, and a cursor that goes up and clears.
private struct Screen {
  private(set) var rows = [""]
  private var row = 0

  mutating func write(_ text: String) throws {
    var rest = text[...]
    while let first = rest.first {
      rest.removeFirst()
      switch first {
      case "\n":
        row += 1
        if row == rows.count { rows.append("") }
      case "\r": break  // the display writes it at the start of a line
      case "\u{1B}":
        try #require(rest.removeFirst() == "[")
        let digits = rest.prefix { $0.isNumber }
        rest = rest.dropFirst(digits.count)
        switch rest.removeFirst() {
        case "A": row -= try #require(Int(digits))
        case "K": break  // at the end of a line that was written anew
        case "J": rows = Array(rows[..<row]) + [""]
        default: Issue.record("an unknown code in \(text.debugDescription)")
        }
        try #require(row >= 0, "the cursor leaves the screen")
      default:
        // A line is always written from its start.
        let line = String(first) + rest.prefix { $0 != "\u{1B}" && $0 != "\n" }
        rest = rest.dropFirst(line.count - 1)
        rows[row] = line
      }
    }
  }
}

@Suite("The live display")
struct LiveDisplayTests {
  typealias Base = ReportProgressTests

  private static let order = ["local-only", "fedavg", "scaffold"]

  private static func state(run: Int, round: Int) -> ProgressState {
    let label = order[(run - 1) % 3]
    return ProgressState(
      run: run, runs: 6, strategy: label, seed: UInt64((run - 1) / 3 + 1), round: round,
      rounds: 100, generic: label == "local-only" ? nil : 0.2112, personal: 0.41,
      tail: label == "local-only" ? nil : 0.006, epsilon: label == "fedavg" ? 5.864 : nil,
      bytesUp: label == "local-only" ? 0 : 57_400_000)
  }

  /// Two runs of the first seed, the second one up to its 25th round, a second per round.
  private static func progress(width: Int, _ screen: inout Screen) throws -> Progress {
    var progress = Base.progress(.redraw, width: width)
    try screen.write(progress.begun(now: Base.now))
    for round in 1...125 {
      let text = progress.roundEnded(
        state(run: round > 100 ? 2 : 1, round: round > 100 ? round - 100 : round),
        seconds: round > 100 ? 2 : 1, evaluated: true, now: Base.now + Double(round))
      try screen.write(text)
    }
    return progress
  }

  @Test("a header, a line per strategy of the seed, and what Ctrl-C does")
  func whole() throws {
    var screen = Screen()
    _ = try Self.progress(width: 120, &screen)
    // Left: 75 rounds of fedavg at 2 s, then scaffold at the mean 1.5 s, then all under seed 2.
    #expect(
      screen.rows == [
        "first-light  1/6 runs done  seed 1  elapsed 0:03:05  left ~0:12:30  2 threads",
        "  local-only  [################]  100/100  generic    -  personal 41.0  tail   -"
          + "  eps      -  up    0 MB  1.0 s/r",
        "  fedavg      [####............]   25/100  generic 21.1  personal 41.0  tail 0.6"
          + "  eps 5.86/8  up 57.4 MB  2.0 s/r",
        "  last checkpoint round 20 (0:00:05 ago)  Ctrl-C once to stop after this round", "",
      ])
  }

  @Test("a narrow terminal leaves out the last columns in all lines")
  func narrow() throws {
    var screen = Screen()
    _ = try Self.progress(width: 60, &screen)
    #expect(
      screen.rows == [
        "first-light  1/6 runs done  seed 1  elapsed 0:03:05",
        "  local-only  100/100  generic    -  personal 41.0",
        "  fedavg       25/100  generic 21.1  personal 41.0",
        "  last checkpoint round 20 (0:00:05 ago)", "",
      ])
  }

  @Test("no line reaches the last column", arguments: [1, 40, 41, 55, 60, 79, 80, 100, 200, 999])
  func widths(_ width: Int) throws {
    var screen = Screen()
    _ = try Self.progress(width: width, &screen)
    #expect(screen.rows.count == 5)
    for line in screen.rows { #expect(line.count < min(200, max(40, width)), "\(line)") }
    #expect(screen.rows[0].hasPrefix("first-light  1/6 runs done"))
  }

  @Test("a new seed begins with its own lines; ETA counts all runs that are left")
  func seeds()
    throws
  {
    var screen = Screen()
    var progress = try Self.progress(width: 120, &screen)
    for run in [2, 3, 4] {
      _ = progress.roundEnded(
        Self.state(run: run, round: run == 4 ? 50 : 100), seconds: 4, evaluated: false,
        now: Base.now + 200 + Double(run))
    }
    // local-only at 4 s for 50 rounds, fedavg (median 2), scaffold (median 4).
    let expected: Double = 200 + 200 + 400
    #expect(progress.left == expected)
    var again = Screen()
    _ = progress.leave()
    try again.write(progress.begun(now: Base.now + 300))
    #expect(again.rows.count == 4)
    #expect(again.rows[0].hasPrefix("first-light  3/6 runs done  seed 2  elapsed 0:06:00"))
    #expect(again.rows[1].hasPrefix("  local-only  [########........]   50/100"))
  }

  @Test("a sweep's runs are counted over all trials, beyond the plan of one")
  func sweep() throws {
    var progress = Base.progress(.redraw, width: 120)
    var state = Self.state(run: 7, round: 100)
    state.runs = 9
    let text = progress.roundEnded(state, seconds: 2, evaluated: false, now: Base.now + 60)
    #expect(text.contains("7/9 runs done"))
    // Two more strategies of this trial, none after it.
    let expected: Double = 2 * 100 * 2
    #expect(progress.left == expected)
  }

  @Test("at most two drawings a second, and none that leaves a trace")
  func rate() throws {
    var progress = Base.progress(.redraw)
    var screen = Screen()
    try screen.write("writing to runs/x\n")
    try screen.write(progress.begun(now: Base.now))
    #expect(screen.rows.count == 4)
    let drawn = try (1...40).filter { round in
      let text = progress.roundEnded(
        Self.state(run: 1, round: round), seconds: 0.125, evaluated: true,
        now: Base.now + 0.125 * Double(round))
      try screen.write(text)
      return !text.isEmpty
    }
    #expect(drawn == Array(stride(from: 4, through: 40, by: 4)))
    #expect(screen.rows.count == 5)
    try screen.write(progress.leave())
    #expect(screen.rows == ["writing to runs/x", ""])
    #expect(progress.leave() == "")
    try screen.write("warning: something\n")
    try screen.write(progress.begun(now: Base.now + 9))
    #expect(screen.rows.prefix(2) == ["writing to runs/x", "warning: something"])
  }

  @Test("many strategies: the latest ones that the terminal has rows for")
  func height() throws {
    var progress = Progress(
      style: .redraw,
      plan: ProgressPlan(
        name: "many", strategies: (0..<40).map { "s\($0)" }, seeds: [7], rounds: 1, threads: 1),
      started: Base.now)
    progress.height = 10
    var screen = Screen()
    for run in 1...40 {
      let state = ProgressState(
        run: run, runs: 40, strategy: "s\(run - 1)", seed: 7, round: 1, rounds: 1)
      try screen.write(
        progress.roundEnded(state, seconds: 1, evaluated: true, now: Base.now + Double(run)))
    }
    #expect(screen.rows.count == 1 + 6 + 1 + 1)
    #expect(screen.rows[1].hasPrefix("  s34  [########]  1/1"))
    #expect(screen.rows[6].hasPrefix("  s39 "))
    #expect(screen.rows[0].contains("40/40 runs done"))
    #expect(screen.rows[0].contains("left ~0:00:00  1 thread"))
  }

  @Test("a run without rounds or a long name has a display, too")
  func odd() {
    var progress = Progress(
      style: .redraw,
      plan: ProgressPlan(
        name: String(repeating: "x", count: 100),
        strategies: [String(repeating: "y", count: 99) + "z"], seeds: [1], rounds: 0, threads: 1),
      started: Base.now)
    progress.width = 40
    let state = ProgressState(
      run: 1, runs: 1, strategy: String(repeating: "y", count: 99) + "z", seed: 1, round: 0,
      rounds: 0, epsilon: .infinity)
    let text = progress.roundEnded(state, seconds: 1, evaluated: true, now: Base.now)
    let lines = text.split(separator: "\n").map { $0.drop { $0 == "\r" } }
    #expect(lines[0].hasPrefix("xxx"))
    #expect(lines[1].contains("yz  "))
    #expect(lines[1].contains("0/0"))
  }
}
