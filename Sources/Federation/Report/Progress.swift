/// What is known about a run at the end of a round.
public struct ProgressState: Sendable, Equatable {
  /// Position of the run among all, from 1.
  public var run: Int
  /// Number of runs.
  public var runs: Int
  /// The strategy's label.
  public var strategy: String
  /// The seed.
  public var seed: UInt64
  /// Rounds done.
  public var round: Int
  /// Rounds wanted.
  public var rounds: Int
  /// Accuracy of the generic model as a share; nil when never evaluated or without meaning.
  public var generic: Double?
  /// Mean personal accuracy as a share; nil likewise.
  public var personal: Double?
  /// Accuracy on tail classes as a share; nil likewise.
  public var tail: Double?
  /// Encoded bytes sent by clients so far.
  public var bytesUp: Int

  /// A state with every entry.
  public init(
    run: Int,
    runs: Int,
    strategy: String,
    seed: UInt64,
    round: Int,
    rounds: Int,
    generic: Double? = nil,
    personal: Double? = nil,
    tail: Double? = nil,
    bytesUp: Int = 0
  ) {
    self.run = run
    self.runs = runs
    self.strategy = strategy
    self.seed = seed
    self.round = round
    self.rounds = rounds
    self.generic = generic
    self.personal = personal
    self.tail = tail
    self.bytesUp = bytesUp
  }

  /// Takes over what a record says; accuracies of a round without evaluation stay.
  public mutating func add(_ record: RoundRecord) {
    round = record.round
    bytesUp += record.bytes.up
    if let part = record.generic {
      generic = part.accuracy
      tail = part.shots?.tail
    }
    if let part = record.personal { personal = part.accuracy }
  }
}

/// Turns states into what is written on stderr.
///
/// A value: time comes in, text comes out.
public struct Progress: Sendable {
  /// How progress is shown.
  public enum Style: Sendable, Equatable {
    /// One line per run, redrawn.
    case redraw
    /// One plain line per evaluation.
    case lines
    /// Nothing.
    case quiet
  }

  /// How progress is shown.
  public let style: Style
  /// Columns of the terminal.
  public let width: Int
  private var durations: [Double] = []
  private var lastWritten: Double?
  private var lineIsOpen = false

  /// Nothing shown yet.
  public init(style: Style, width: Int = 80) {
    self.style = style
    self.width = max(width, 40)
  }

  /// The style for an output: redrawing only on a terminal that can.
  ///
  /// `NO_COLOR` and `TERM=dumb` give plain lines.
  public static func style(
    quiet: Bool,
    isTerminal: Bool,
    environment: [String: String]
  ) -> Style {
    if quiet { return .quiet }
    let plain = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
    let dumb = (environment["TERM"] ?? "dumb") == "dumb"
    return isTerminal && !plain && !dumb ? .redraw : .lines
  }

  /// Forgets the speed of the run before; call it when a run starts.
  public mutating func beginRun() {
    durations = []
  }

  /// What to write at the end of a round; may be empty.
  ///
  /// - Parameters:
  ///   - state: after the round.
  ///   - seconds: how long the round took.
  ///   - evaluated: whether the models were measured.
  ///   - now: seconds since 1970.
  /// - Returns: text for stderr.
  public mutating func roundEnded(
    _ state: ProgressState,
    seconds: Double,
    evaluated: Bool,
    now: Double
  ) -> String {
    durations.append(seconds)
    if durations.count > 10 { durations.removeFirst() }
    let since = lastWritten ?? now - seconds
    let pause = now - since
    lastWritten = since
    let finished = state.round >= state.rounds
    switch style {
    case .quiet: return ""
    case .lines:
      // Between evaluations a sign of life, at most one a minute.
      guard evaluated || pause >= 60 else { return "" }
      lastWritten = now
      return Progress.plainLine(state, perRound: perRound, now: now) + "\n"
    case .redraw:
      guard finished || pause >= 0.5 else { return "" }
      lastWritten = now
      lineIsOpen = !finished
      let line = Progress.terminalLine(state, perRound: perRound, width: width)
      return "\r\u{1B}[2K" + line + (finished ? "\n" : "")
    }
  }

  /// What to write before a message or at the end, so that the line being redrawn stays whole.
  public mutating func leaveLine() -> String {
    defer { lineIsOpen = false }
    return lineIsOpen ? "\n" : ""
  }

  /// Median seconds of the last ten rounds: an evaluation round does not make the ETA jump.
  public var perRound: Double? { durations.isEmpty ? nil : Metrics.median(durations) }

  /// Such as `fedavg  seed 1  [####............]   25/100  generic 21.1  …  eta 0:10:45`, cut at
  /// `width` columns; the last entries are dropped first.
  static func terminalLine(_ state: ProgressState, perRound: Double?, width: Int) -> String {
    let cells = 16
    let share = state.rounds > 0 ? Double(state.round) / Double(state.rounds) : 1
    let full = min(cells, max(0, Int(share * Double(cells))))
    let bar = String(repeating: "#", count: full) + String(repeating: ".", count: cells - full)
    let total = "\(state.rounds)"
    let round = "\(state.round)"
    let pad = String(repeating: " ", count: max(0, total.count - round.count))
    var parts = ["\(state.strategy) seed \(state.seed)", "[\(bar)] \(pad)\(round)/\(total)"]
    if state.runs > 1 { parts.insert("\(state.run)/\(state.runs)", at: 0) }
    if let perRound {
      let left = perRound * Double(max(0, state.rounds - state.round))
      parts.append("eta \(NumberText.duration(left))")
    }
    for (name, value) in [
      ("generic", state.generic), ("personal", state.personal), ("tail", state.tail),
    ] {
      if let value { parts.append("\(name) \(NumberText.percent(value))") }
    }
    parts.append("up \(NumberText.megabytes(Double(state.bytesUp))) MB")
    if let perRound {
      parts.append("\(NumberText.fixed(perRound, perRound < 1 ? 2 : 1)) s/round")
    }
    var line = ""
    for part in parts {
      let next = line.isEmpty ? part : line + "  " + part
      // The last column stays empty: some terminals wrap when it is written.
      guard next.count < width else { break }
      line = next
    }
    return line.isEmpty ? String(parts[0].prefix(width - 1)) : line
  }

  /// Such as `2025-06-01T12:03:44Z run=1/6 strategy=fedavg seed=1 round=5/100 generic=0.2112 …`.
  static func plainLine(_ state: ProgressState, perRound: Double?, now: Double) -> String {
    var parts = [
      NumberText.timestamp(now), "run=\(state.run)/\(state.runs)", "strategy=\(state.strategy)",
      "seed=\(state.seed)", "round=\(state.round)/\(state.rounds)",
    ]
    for (name, value) in [
      ("generic", state.generic), ("personal", state.personal), ("tail", state.tail),
    ] {
      if let value { parts.append("\(name)=\(NumberText.fixed(value, 4))") }
    }
    parts.append("up_mb=\(NumberText.fixed(Double(state.bytesUp) / 1e6, 1))")
    if let perRound {
      let left = perRound * Double(max(0, state.rounds - state.round))
      parts.append("eta=\(NumberText.duration(left))")
    }
    return parts.joined(separator: " ")
  }
}
