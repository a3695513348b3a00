import Base

/// The audit as tables for a terminal.
package struct AuditTable: Sendable {
  private let report: AuditReport

  /// The tables of a report.
  package init(_ report: AuditReport) { self.report = report }

  /// The lines.
  package var text: String {
    var blocks: [String] = ["leakage audit of \(report.name)"]
    let membership = report.runs.flatMap { run in
      run.membership.map { row in
        [
          run.strategy, "\(run.seed)", row.group, "\(row.score.members)",
          NumberText.fixed(row.score.auc, 3), NumberText.fixed(row.score.advantage, 3),
          NumberText.percent(row.score.recall) + " %",
          NumberText.percent(row.score.recallInterval.lowerBound) + ".."
            + NumberText.percent(row.score.recallInterval.upperBound) + " %",
        ]
      }
    }
    if !membership.isEmpty {
      let titles = [
        "membership", "seed", "classes", "members", "AUC", "advantage", "found at 1 % FPR", "95 %",
      ]
      blocks.append(Self.table([titles] + membership))
    }
    let inversion = report.runs.flatMap { run in
      run.inversion.map { row in
        [
          run.strategy, "\(run.seed)", row.attack.rawValue, "\(row.batch)",
          row.defence.map { JSON.number($0.noise).compact } ?? "-",
          NumberText.percent(row.labels, 0) + " %", NumberText.fixed(row.psnr, 1),
          NumberText.fixed(row.ssim, 3), row.featureError.map { AuditWords.short($0) } ?? "-",
        ]
      }
    }
    if !inversion.isEmpty {
      let titles = [
        "gradients", "seed", "attack", "batch", "noise", "labels", "PSNR dB", "SSIM",
        "feature error",
      ]
      blocks.append(Self.table([titles] + inversion))
    }
    let canaries = report.runs.flatMap { run in
      run.canaries.map { row in
        [
          run.strategy, "\(run.seed)", "client \(row.client)", "\(row.batches)", "\(row.trials)",
          row.claimed.isFinite ? NumberText.epsilon(row.claimed, 3) : "none",
          NumberText.epsilon(row.found.epsilon, 3), row.verdict,
        ]
      }
    }
    if !canaries.isEmpty {
      let titles = [
        "canary", "seed", "whose", "batches", "trials", "claimed epsilon", "at least", "verdict",
      ]
      blocks.append(Self.table([titles] + canaries))
    }
    let notes = report.runs.flatMap { run in
      run.notes.map { "\(run.strategy) seed \(run.seed): \($0)" }
    }
    if !notes.isEmpty { blocks.append(notes.joined(separator: "\n") + "\n") }
    return blocks.joined(separator: "\n\n")
  }

  /// Words to the left, numbers to the right.
  private static func table(_ rows: [[String]]) -> String {
    let count = rows.first?.count ?? 0
    let widths = (0..<count).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      var line = ""
      for (column, text) in row.enumerated() {
        let gap = String(repeating: " ", count: widths[column] - text.count)
        line += column == 0 || column == 2 ? text + gap : gap + text
        if column + 1 < row.count { line += "  " }
      }
      return line
    }.joined(separator: "\n")
  }
}
