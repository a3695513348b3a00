import Federation
import Testing

@Suite("Progress") struct ReportProgressTests {
  static let now = 1_748_779_424.0  // 2025-06-01T12:03:44Z

  static func state(_ round: Int, evaluated: Bool = true) -> ProgressState {
    ProgressState(
      run: 1,
      runs: 6,
      strategy: "fedavg",
      seed: 1,
      round: round,
      rounds: 100,
      generic: evaluated ? 0.2112 : nil,
      personal: evaluated ? 0.41 : nil,
      bytesUp: 57_400_000
    )
  }

  @Test("without a terminal: a plain line per evaluation")
  func plain() {
    var progress = Progress(style: .lines)
    #expect(
      progress.roundEnded(Self.state(5), seconds: 6.789, evaluated: true, now: Self.now)
        == "2025-06-01T12:03:44Z run=1/6 strategy=fedavg seed=1 round=5/100 generic=0.2112"
        + " personal=0.4100 up_mb=57.4 eta=0:10:45\n"
    )
  }

  @Test("between evaluations a sign of life, at most one a minute")
  func heartbeat() {
    var progress = Progress(style: .lines)
    let written = (1...130).filter { second in
      !progress.roundEnded(
        Self.state(1, evaluated: false),
        seconds: 1,
        evaluated: false,
        now: Self.now + Double(second)
      ).isEmpty
    }
    #expect(written == [60, 120])
  }

  @Test(
    "on a terminal: one line, redrawn, shorter than the terminal",
    arguments: 40...120
  )
  func redraw(_ width: Int) {
    var progress = Progress(style: .redraw, width: width)
    let text = progress.roundEnded(Self.state(25), seconds: 7.2, evaluated: true, now: Self.now)
    #expect(text.hasPrefix("\r\u{1B}[2K1/6  fedavg seed 1"))
    #expect(!text.contains("\n"))
    #expect(text.dropFirst(5).count < width)
    #expect(progress.leaveLine() == "\n")
    #expect(progress.leaveLine() == "")
  }

  @Test("the whole line")
  func wholeLine() {
    var progress = Progress(style: .redraw, width: 200)
    #expect(
      progress.roundEnded(Self.state(25), seconds: 7.2, evaluated: true, now: Self.now)
        == "\r\u{1B}[2K1/6  fedavg seed 1  [####............]  25/100  eta 0:09:00"
        + "  generic 21.1  personal 41.0  up 57.4 MB  7.2 s/round"
    )
  }

  @Test("at most two redraws a second, but always the last")
  func rate() {
    var progress = Progress(style: .redraw)
    let drawn = (2...100).filter { round in
      !progress.roundEnded(
        Self.state(round),
        seconds: 0.125,
        evaluated: true,
        now: Self.now + 0.125 * Double(round)
      ).isEmpty
    }
    #expect(drawn.prefix(3) == [5, 9, 13])
    #expect(drawn.last == 100)
    #expect(progress.leaveLine() == "")
  }

  @Test("the ETA uses the median of the last ten rounds")
  func median() {
    var progress = Progress(style: .quiet)
    for seconds in [100.0, 100, 1, 2, 1, 2, 1, 2, 1, 90, 1, 2] {
      #expect(
        progress.roundEnded(Self.state(1), seconds: seconds, evaluated: true, now: 0) == ""
      )
    }
    #expect(progress.perRound == 1.5)
    progress.beginRun()
    #expect(progress.perRound == nil)
  }

  @Test(
    "the style of an output",
    arguments: [
      (false, true, ["TERM": "xterm"], Progress.Style.redraw),
      (true, true, ["TERM": "xterm"], .quiet), (false, false, ["TERM": "xterm"], .lines),
      (false, true, ["TERM": "dumb"], .lines), (false, true, [:], .lines),
      (false, true, ["TERM": "xterm", "NO_COLOR": "1"], .lines),
      (false, true, ["TERM": "xterm", "NO_COLOR": ""], .redraw),
    ]
  )
  func style(
    _ quiet: Bool,
    _ terminal: Bool,
    _ environment: [String: String],
    _ expected: Progress.Style
  ) {
    #expect(
      Progress.style(quiet: quiet, isTerminal: terminal, environment: environment) == expected
    )
  }

  @Test("accuracies stay until the next evaluation, bytes add up")
  func adding() {
    var state = Self.state(1, evaluated: false)
    state.add(ReportRecordTests.full)
    var next = ReportRecordTests.full
    next.generic = nil
    next.personal = nil
    state.add(next)
    #expect(state.generic == 0.1)
    #expect(state.tail == 0.058)
    #expect(state.bytesUp == 57_400_000 + 2 * 88_214)
  }

  @Test(
    "times of the calendar",
    arguments: [
      (0.0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"),
      (951_868_799.9, "2000-02-29T23:59:59Z"), (1_735_689_599, "2024-12-31T23:59:59Z"),
      (4_107_542_400, "2100-03-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
      (.nan, "-"),
    ]
  )
  func timestamps(_ seconds: Double, _ expected: String) {
    #expect(NumberText.timestamp(seconds) == expected)
  }

  @Test(
    "numbers with fixed decimals",
    arguments: [
      (0.0, 1, "0.0"), (-0.04, 1, "0.0"), (-0.05, 1, "-0.1"), (12.345, 2, "12.35"),
      (0.007, 3, "0.007"), (99.96, 1, "100.0"), (3, 0, "3"), (.infinity, 1, "-"),
      (1e300, 1, "1e+300"),
    ]
  )
  func fixed(_ value: Double, _ decimals: Int, _ expected: String) {
    #expect(NumberText.fixed(value, decimals) == expected)
  }
}
