import Base
import Records

/// Turns states into what is written on stderr.
///
/// A value: time comes in, text comes out.
package struct Progress: Sendable {
  /// How progress is shown.
  package enum Style: Sendable, Equatable {
    /// A few lines, redrawn in place.
    case redraw
    /// One plain line per evaluation.
    case lines
    /// Nothing.
    case quiet
  }

  /// How progress is shown.
  package let style: Style
  /// Columns of the terminal.
  package var width = 80
  /// Rows of the terminal.
  package var height = 24

  private let plan: ProgressPlan
  private let started: Double
  /// The runs of the current seed, each as it stands.
  private var rows: [LiveRow] = []
  /// Seconds of the last ten rounds of the current run.
  private var durations: [Double] = []
  /// Median seconds per round, by strategy, of its latest run.
  private var speeds: [String: Double] = [:]
  private var checkpoint: (round: Int, time: Double)?
  private var lastWritten: Double?
  /// Lines on the screen that the next drawing replaces.
  private var drawn = 0

  /// Nothing shown yet.
  ///
  /// `started`: seconds since 1970 when the command began.
  package init(style: Style, plan: ProgressPlan, started: Double) {
    self.style = style
    self.plan = plan
    self.started = started
  }

  /// The style for an output: redrawing only on a terminal that can.
  ///
  /// `NO_COLOR` and `TERM=dumb` give plain lines.
  package static func style(quiet: Bool, isTerminal: Bool, environment: [String: String]) -> Style {
    if quiet { return .quiet }
    let plain = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
    let dumb = (environment["TERM"] ?? "dumb") == "dumb"
    return isTerminal && !plain && !dumb ? .redraw : .lines
  }

  /// What to write before the first round.
  package mutating func begun(now: Double) -> String { style == .redraw ? redrawn(now) : "" }

  /// What to write at the end of a round; may be empty.
  ///
  /// - Parameters:
  ///   - state: after the round.
  ///   - seconds: how long the round took.
  ///   - evaluated: whether the models were measured.
  ///   - now: seconds since 1970.
  /// - Returns: text for stderr.
  package mutating func roundEnded(
    _ state: ProgressState, seconds: Double, evaluated: Bool, now: Double
  ) -> String {
    note(state, seconds: seconds, now: now)
    let since = lastWritten ?? now - seconds
    let pause = now - since
    lastWritten = since
    switch style {
    case .quiet: return ""
    case .lines:
      // Between evaluations a sign of life, at most one a minute.
      guard evaluated || pause >= 60 else { return "" }
      lastWritten = now
      return Progress.plainLine(state, perRound: perRound, now: now) + "\n"
    case .redraw: return pause >= 0.5 || drawn == 0 ? redrawn(now) : ""
    }
  }

  /// What to write before a message or at the end: takes the display away.
  package mutating func leave() -> String {
    defer { drawn = 0 }
    return drawn > 0 ? "\u{1B}[\(drawn)A\r\u{1B}[J" : ""
  }

  /// Median seconds of the last ten rounds: an evaluation round does not make the ETA jump.
  package var perRound: Double? { durations.isEmpty ? nil : Metrics.median(durations) }

  /// Seconds that all runs together still take; nil before the first round.
  ///
  /// A run's rounds take the median of its strategy's latest rounds; a strategy that has not run
  /// yet is taken for the mean of those that have.
  package var left: Double? {
    guard let row = rows.last, let perRound, !speeds.isEmpty else { return nil }
    let typical = Metrics.mean(plan.strategies.compactMap { speeds[$0] })
    let count = max(1, plan.strategies.count)
    let (seed, place) = (row.state.run - 1).quotientAndRemainder(dividingBy: count)
    var sum = perRound * Double(max(0, row.state.rounds - row.state.round))
    for (index, label) in plan.strategies.enumerated() {
      let runs = row.state.runs / count - 1 - seed + (index > place ? 1 : 0)
      sum += Double(max(0, runs) * plan.rounds) * (speeds[label] ?? typical)
    }
    return sum
  }

  // MARK: - What is known

  private mutating func note(_ state: ProgressState, seconds: Double, now: Double) {
    if rows.last?.state.run != state.run {
      durations = []
      if rows.last?.state.seed != state.seed { rows = [] }
      rows.append(LiveRow(state: state, target: plan.epsilons[state.strategy]))
      checkpoint = nil
    }
    durations.append(seconds)
    if durations.count > 10 { durations.removeFirst() }
    speeds[state.strategy] = perRound
    rows[rows.count - 1].state = state
    rows[rows.count - 1].perRound = perRound
    // The checkpoint of a round is written right after its report.
    if plan.checkpointEvery > 0, state.round % plan.checkpointEvery == 0 {
      checkpoint = (state.round, now)
    }
  }

  // MARK: - Drawing

  /// Replaces the lines on the screen; the cursor stays below them, at the start of a line, where a
  /// shell's prompt finds it if the process ends here.
  private mutating func redrawn(_ now: Double) -> String {
    lastWritten = now
    let lines = screen(now)
    let up = drawn > 0 ? "\u{1B}[\(drawn)A\r" : "\r"
    drawn = lines.count
    return up + lines.map { $0 + "\u{1B}[K\n" }.joined() + "\u{1B}[J"
  }

  /// The lines of the display, each shorter than the terminal.
  func screen(_ now: Double) -> [String] {
    // The last column stays empty: some terminals wrap when it is written.
    let room = min(max(width, 40), 200) - 1
    let shown = Array(rows.suffix(max(1, height - 4)))
    return [header(now, room)] + LiveRow.lines(shown, width: room) + [footer(now, room)]
  }

  private func header(_ now: Double, _ room: Int) -> String {
    let finished = rows.last.map { row in
      row.state.run - (row.state.round >= row.state.rounds ? 0 : 1)
    }
    // Those of a sweep are more than the plan of one trial has.
    let all = rows.last?.state.runs ?? plan.runs
    var parts = [plan.name, "\(finished ?? 0)/\(all) runs done"]
    if let row = rows.last { parts.append("seed \(row.state.seed)") }
    parts.append("elapsed \(NumberText.duration(now - started))")
    if let left { parts.append("left ~\(NumberText.duration(left))") }
    parts.append("\(plan.threads) thread\(plan.threads == 1 ? "" : "s")")
    // A long name gives way to the times, but not all of it.
    let others = parts.dropFirst().reduce(0) { $0 + $1.count + 2 }
    parts[0] = NumberText.shortened(plan.name, max(room / 3, room - others))
    return Progress.joined(parts, room)
  }

  private func footer(_ now: Double, _ room: Int) -> String {
    let stop = "Ctrl-C once to stop after this round"
    guard let checkpoint else { return Progress.joined(["  " + stop], room) }
    let age = NumberText.duration(max(0, now - checkpoint.time))
    return Progress.joined(
      ["  last checkpoint round \(checkpoint.round) (\(age) ago)", stop], room)
  }

  /// As many parts as fit, at least a piece of the first.
  package static func joined(_ parts: [String], _ room: Int) -> String {
    var line = ""
    for part in parts {
      let next = line.isEmpty ? part : line + "  " + part
      guard next.count <= room else { break }
      line = next
    }
    return line.isEmpty ? String((parts.first ?? "").prefix(room)) : line
  }

  /// Such as `2025-06-01T12:03:44Z run=1/6 strategy=fedavg seed=1 round=5/100 generic=0.2112 …`.
  static func plainLine(_ state: ProgressState, perRound: Double?, now: Double) -> String {
    var parts = [
      NumberText.timestamp(now), "run=\(state.run)/\(state.runs)", "strategy=\(state.strategy)",
      "seed=\(state.seed)", "round=\(state.round)/\(state.rounds)",
    ]
    for (name, value) in [
      ("generic", state.generic), ("personal", state.personal), ("tail", state.tail),
    ] { if let value { parts.append("\(name)=\(NumberText.fixed(value, 4))") } }
    if let epsilon = state.epsilon {
      let sign = state.epsilonIsBound && epsilon.isFinite ? "<=" : "="
      parts.append("eps" + sign + (epsilon.isFinite ? NumberText.epsilon(epsilon) : "none"))
    }
    parts.append("up_mb=\(NumberText.fixed(Double(state.bytesUp) / 1e6, 1))")
    if let perRound {
      let left = perRound * Double(max(0, state.rounds - state.round))
      parts.append("eta=\(NumberText.duration(left))")
    }
    return parts.joined(separator: " ")
  }
}
