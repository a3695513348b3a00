import Base
import Records

/// A run's line on the live display.
struct LiveRow: Sendable {
  /// How the run stands.
  var state: ProgressState
  /// The ε that it aims at.
  let target: Double?
  /// Median seconds of its latest rounds.
  var perRound: Double?

  /// Such as `  fedavg  [####............]   25/100  generic 21.1  personal 41.0  up 57.4 MB`.
  ///
  /// Columns that some row needs are there in all of them, one below the other; those that do not
  /// fit into `width` are left out, from the last one.
  static func lines(_ rows: [LiveRow], width: Int) -> [String] {
    let longest = rows.map(\.state.strategy.count).max() ?? 0
    let label = min(longest, max(8, width / 3))
    let cells = width >= 100 ? 16 : width >= 60 ? 8 : 0
    var lines = rows.map { row in
      let name = NumberText.shortened(row.state.strategy, label)
      let start = "  " + name + String(repeating: " ", count: label - name.count)
      return start + (cells > 0 ? "  " + bar(row.state, cells) : "")
    }
    let columns: [[String?]] = [
      rows.map(\.rounds), rows.map { row in row.state.generic.map { NumberText.percent($0) } },
      rows.map { row in row.state.personal.map { NumberText.percent($0) } },
      rows.map { row in row.state.tail.map { NumberText.percent($0) } }, rows.map(\.epsilon),
      rows.map { NumberText.megabytes(Double($0.state.bytesUp)) },
      rows.map { row in row.perRound.map { NumberText.fixed($0, $0 < 1 ? 2 : 1) } },
    ]
    let words = [
      ("", ""), ("generic ", ""), ("personal ", ""), ("tail ", ""), ("eps ", ""), ("up ", " MB"),
      ("", " s/r"),
    ]
    for (column, (before, after)) in zip(columns, words) {
      guard column.contains(where: { $0 != nil }) else { continue }
      let texts = column.map { $0 ?? "-" }
      let widest = texts.map(\.count).max() ?? 0
      let next = zip(lines, texts).map { line, text in
        let pad = String(repeating: " ", count: widest - text.count)
        return line + "  " + before + pad + text + after
      }
      guard next.allSatisfy({ $0.count <= width }) else { break }
      lines = next
    }
    return lines.map { String($0.prefix(width)) }
  }

  private static func bar(_ state: ProgressState, _ cells: Int) -> String {
    let share = state.rounds > 0 ? Double(state.round) / Double(state.rounds) : 1
    let full = min(cells, max(0, Int(clamping: share * Double(cells))))
    return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: cells - full)
      + "]"
  }

  /// As wide in the first round as in the last.
  private var rounds: String {
    let (done, all) = ("\(state.round)", "\(state.rounds)")
    return String(repeating: " ", count: max(0, all.count - done.count)) + done + "/" + all
  }

  /// Such as "5.86/8", "5.86" without a target, "<=5.86" between evaluations, where only an upper
  /// bound is computed, "none" without a guarantee.
  private var epsilon: String? {
    guard let spent = state.epsilon else { return nil }
    guard spent.isFinite else { return "none" }
    let goal = target.map { "/" + ($0 == $0.rounded() ? NumberText.fixed($0, 0) : "\($0)") }
    return (state.epsilonIsBound ? "<=" : "") + NumberText.epsilon(spent) + (goal ?? "")
  }
}
