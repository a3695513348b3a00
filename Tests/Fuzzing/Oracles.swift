import Base
import Foundation

/// The rules that no call may break.
enum Oracles {
  /// Exit codes of the contract; 130 and 143 follow a signal, and nobody sends one.
  static let codes: Set<Int32> = [0, 2, 3, 4, 5, 6, 7, 8, 9]

  /// What a single call broke; nil when nothing.
  static func judge(_ step: Step, at index: Int, _ outcome: Outcome) -> Finding? {
    func finding(_ oracle: String, _ detail: String, cause: String? = nil) -> Finding {
      Finding(
        oracle: oracle, step: index, detail: detail,
        signature: "\(oracle)|\(step.command)|\(cause ?? place(outcome))")
    }
    if outcome.isLate { return finding("late", "it takes too long", cause: "") }
    if outcome.signal != 0 {
      return finding("signal", "signal \(outcome.signal) in \(frames(outcome.stderrText))")
    }
    let exit = outcome.exit ?? -1
    if exit == 1 { return finding("exit-1", "exit 1: \(said(outcome))") }
    if !codes.contains(exit) { return finding("exit-code", "exit \(exit)", cause: "\(exit)") }
    if step.isStdoutFull {
      if exit == 0, isJSON(step) {
        return finding("full", "exit 0, and stdout was full", cause: "")
      }
      return nil
    }
    if isJSON(step) {
      // Each measurement of a benchmark is a line of its own.
      if step.command != "bench", !isOneObject(outcome.stdout) {
        return finding("json", "stdout is not one object: \(lastLine(outcome.stdout))")
      }
    } else if exit != 0, outcome.stderr.isEmpty, outcome.stdout.isEmpty || !isResult(exit, step) {
      return finding("silent", "exit \(exit) without a word on stderr", cause: "\(exit)")
    }
    if outcome.stderr.contains(0x1B) || outcome.stdout.contains(0x1B) {
      return finding("escape", "escape bytes reach the terminal: \(said(outcome))", cause: "")
    }
    return nil
  }

  /// What a call broke in the light of those before it.
  static func judge(_ tried: FuzzCase, at index: Int, _ outcomes: [Outcome]) -> Finding? {
    guard let exit = outcomes[index].exit, index > 0 else { return nil }
    let step = tried.steps[index]
    guard step.command == "run" else { return nil }
    func accepted(by command: String) -> Bool {
      zip(tried.steps, outcomes).prefix(index).contains { $0.command == command && $1.exit == 0 }
    }
    func finding(_ oracle: String) -> Finding {
      Finding(
        oracle: oracle, step: index, detail: "exit \(exit): \(said(outcomes[index]))",
        signature: "\(oracle)|\(place(outcomes[index]))")
    }
    if exit == 3, tried.mustRunWhenValid, accepted(by: "validate") { return finding("validate") }
    if exit == 4, tried.mustReadWhenChecked, accepted(by: "data") { return finding("data-check") }
    return nil
  }

  private static func isJSON(_ step: Step) -> Bool {
    step.words.last == "--format=json" || step.words.suffix(2) == ["--format", "json"]
  }

  /// Whether a code is what a command found out, and no failure.
  private static func isResult(_ exit: Int32, _ step: Step) -> Bool {
    exit == 7 || exit == 6 && step.command == "plan"
  }

  private static func isOneObject(_ bytes: [UInt8]) -> Bool {
    // Reading the whole JSON Schema would take longer than everything else.
    if bytes.count > 1 << 20 { return bytes.first == UInt8(ascii: "{") }
    return (try? JSON(parsing: bytes))?.members != nil
  }

  /// The message's code and its words without names and numbers: what equal causes share.
  private static func place(_ outcome: Outcome) -> String {
    let text = outcome.stderrText + (outcome.exit == 0 ? "" : outcome.stdoutText)
    if outcome.signal != 0 { return "\(outcome.signal)|" + frames(text, 2) }
    return code(in: text) ?? ""
  }

  private static func code(in text: String) -> String? {
    guard let match = text.firstMatch(of: /\b[EW][0-9]{4}\b/) else { return nil }
    return String(match.output)
  }

  /// The innermost functions of a crash.
  private static func frames(_ text: String, _ count: Int = 6) -> String {
    let names = text.matches(of: /(?m)^ *[0-9]+ .*?0x[0-9a-f]+ (.+?)( \+ [0-9]+)? in fedsim/).map {
      String($0.output.1)
    }
    let fatal = text.firstMatch(of: /Fatal error: .*/).map { String($0.output) } ?? ""
    return ([fatal.replacing(/[0-9]+/, with: "#")] + names.prefix(count)).joined(separator: "|")
  }

  private static func said(_ outcome: Outcome) -> String {
    let text = outcome.stderrText.isEmpty ? outcome.stdoutText : outcome.stderrText
    return String(text.prefix(400)).replacing("\n", with: " / ")
  }

  private static func lastLine(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes.suffix(2000), as: UTF8.self)
    if let fatal = text.firstMatch(of: /Fatal error: .*/) {
      return String(fatal.output.prefix(300))
    }
    return String((text.split(separator: "\n").last ?? "").prefix(300))
  }
}
