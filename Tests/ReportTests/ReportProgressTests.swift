import Base
import Fixtures
import Records
import Report
import Testing

@Suite("Progress")
struct ReportProgressTests {
  static let now = 1_748_779_424.0  // 2025-06-01T12:03:44Z

  static let plan = ProgressPlan(
    name: "first-light", strategies: ["local-only", "fedavg", "scaffold"], seeds: [1, 2],
    rounds: 100, threads: 2, checkpointEvery: 10, epsilons: ["fedavg": 8])

  static func progress(_ style: Progress.Style, width: Int = 80) -> Progress {
    var progress = Progress(style: style, plan: plan, started: now - 60)
    progress.width = width
    return progress
  }

  static func state(_ round: Int, evaluated: Bool = true, run: Int = 1) -> ProgressState {
    ProgressState(
      run: run, runs: 6, strategy: "fedavg", seed: 1, round: round, rounds: 100,
      generic: evaluated ? 0.2112 : nil, personal: evaluated ? 0.41 : nil, bytesUp: 57_400_000)
  }

  @Test("without a terminal: a plain line per evaluation")
  func plain() {
    var progress = Self.progress(.lines)
    #expect(progress.begun(now: Self.now) == "")
    #expect(
      progress.roundEnded(Self.state(5), seconds: 6.789, evaluated: true, now: Self.now)
        == "2025-06-01T12:03:44Z run=1/6 strategy=fedavg seed=1 round=5/100 generic=0.2112"
        + " personal=0.4100 up_mb=57.4 eta=0:10:45\n")
    var state = Self.state(10)
    state.epsilon = 5.864
    #expect(
      progress.roundEnded(state, seconds: 6.789, evaluated: true, now: Self.now).contains(
        " eps=5.86 up_mb"))
    #expect(progress.leave() == "")
  }

  @Test("between evaluations a sign of life, at most one a minute")
  func heartbeat() {
    var progress = Self.progress(.lines)
    let written = (1...130).filter { second in
      !progress.roundEnded(
        Self.state(1, evaluated: false), seconds: 1, evaluated: false,
        now: Self.now + Double(second)
      ).isEmpty
    }
    #expect(written == [60, 120])
  }

  @Test("the ETA of a line uses the median of the last ten rounds")
  func median() {
    var progress = Self.progress(.quiet)
    for seconds in [100.0, 100, 1, 2, 1, 2, 1, 2, 1, 90, 1, 2] {
      #expect(progress.roundEnded(Self.state(1), seconds: seconds, evaluated: true, now: 0) == "")
    }
    #expect(progress.perRound == 1.5)
    _ = progress.roundEnded(Self.state(1, run: 2), seconds: 7, evaluated: true, now: 0)
    #expect(progress.perRound == 7)
  }

  @Test(
    "the style of an output",
    arguments: [
      (false, true, ["TERM": "xterm"], Progress.Style.redraw),
      (true, true, ["TERM": "xterm"], .quiet), (false, false, ["TERM": "xterm"], .lines),
      (false, true, ["TERM": "dumb"], .lines), (false, true, [:], .lines),
      (false, true, ["TERM": "xterm", "NO_COLOR": "1"], .lines),
      (false, true, ["TERM": "xterm", "NO_COLOR": ""], .redraw),
    ])
  func style(
    _ quiet: Bool, _ terminal: Bool, _ environment: [String: String], _ expected: Progress.Style
  ) {
    #expect(
      Progress.style(quiet: quiet, isTerminal: terminal, environment: environment) == expected)
  }

  @Test("accuracies stay until the next evaluation, bytes add up")
  func adding() {
    var state = Self.state(1, evaluated: false)
    state.add(SampleRecord.full)
    var next = SampleRecord.full
    next.generic = nil
    next.personal = nil
    next.privacy = nil
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
      (4_107_542_400, "2100-03-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (.nan, "-"),
    ])
  func timestamps(_ seconds: Double, _ expected: String) {
    #expect(NumberText.timestamp(seconds) == expected)
  }

  @Test(
    "names that are too long keep both ends",
    arguments: [
      ("abcdef", 6, "abcdef"), ("abcdefg", 6, "abc…fg"), ("abcdefg", 5, "ab…fg"),
      ("abcdefg", 2, "a…"), ("abcdefg", 1, "…"), ("", 1, ""),
    ])
  func shortened(_ text: String, _ width: Int, _ expected: String) {
    #expect(NumberText.shortened(text, width) == expected)
  }

  @Test(
    "numbers with fixed decimals",
    arguments: [
      (0.0, 1, "0.0"), (-0.04, 1, "0.0"), (-0.05, 1, "-0.1"), (12.345, 2, "12.35"),
      (0.007, 3, "0.007"), (99.96, 1, "100.0"), (3, 0, "3"), (.infinity, 1, "-"),
      (1e300, 1, "1e+300"),
    ])
  func fixed(_ value: Double, _ decimals: Int, _ expected: String) {
    #expect(NumberText.fixed(value, decimals) == expected)
  }
}
