import Base
import Federation
import Records
import Report

/// A plan for a terminal, and as JSON.
package struct PlanTable: Sendable {
  /// What is shown.
  package let plan: Plan

  package init(_ plan: Plan) { self.plan = plan }

  /// The lines, each at most `width` columns (at least 60, at most 120).
  package func text(width: Int) -> String {
    let width = TerminalLayout.readable(width)
    var lines = [plan.name] + plan.conditions + plan.warnings.map { "warning: " + $0 }
    lines += ["", "per run, mean over \(plan.seeds) seed\(plan.seeds == 1 ? "" : "s"):"]
    lines = TextLines.wrapped(lines, width) + table.lines(TerminalLayout(width: width)) + [""]
    lines += TextLines.wrapped(sentences, width)
    return lines.joined(separator: "\n")
  }

  private var table: Table {
    func mean(
      _ title: String, unit: String = "", isOptional: Bool = false,
      _ display: @escaping (Double) -> String, _ value: @escaping (DryRun) -> Double?
    ) -> Column<[DryRun]> {
      Column(title, unit: unit, isOptional: isOptional) {
        .number(Self.mean($0.map(value)), display)
      }
    }
    func count(_ value: Double) -> String { NumberText.fixed(value, 0) }
    var columns: [Column<[DryRun]>] = [
      .words("strategy") { $0.first?.label ?? "" }, mean("parts", count) { $0.clientRounds },
      mean("steps", count) { $0.steps },
      mean("training", { NumberText.operations($0) }) { $0.flops },
      mean("evaluation", { NumberText.operations($0) }) { $0.evaluationFLOPs },
      mean("up", unit: "MB", NumberText.megabytes) { $0.bytesUp },
      mean("down", unit: "MB", NumberText.megabytes) { $0.bytesDown },
    ]
    if plan.runs.contains(where: { $0.bytesSetup > 0 }) {
      columns.append(mean("setup", unit: "MB", NumberText.megabytes) { $0.bytesSetup })
    }
    columns += [
      mean("virtual", isOptional: true, NumberText.duration) { $0.virtualSeconds },
      Column("epsilon min/med/max", isOptional: true) { runs in
        let all = runs.flatMap(\.epsilons).sorted()
        guard let least = all.first, let most = all.last else {
          return runs.contains { $0.privacy != nil } ? .text("no guarantee") : .missing
        }
        let values = [least, Metrics.median(ofSorted: all) ?? most, most]
        return .text(values.map { NumberText.epsilon($0) }.joined(separator: "/"))
      }, mean("disk", NumberText.storage) { $0.diskBytes },
      mean("time", NumberText.duration) { $0.seconds },
      Column("bytes, FLOP") { .text($0.allSatisfy(\.isExact) ? "exact" : "about") },
    ]
    return Table(of: plan.labels.map { plan.runs(of: $0) }, columns: columns)
  }

  /// Totals, what is not exact, seeds and limits.
  private var sentences: [String] {
    let runs = plan.runs
    let parts = runs.reduce(0) { $0 + $1.clientRounds }
    var lines = [
      "all \(runs.count) runs: \(NumberText.fixed(parts, 0)) client-rounds, "
        + "\(NumberText.operations(runs.reduce(0) { $0 + $1.flops })) of training, "
        + "\(NumberText.megabytes(runs.reduce(0) { $0 + $1.bytesUp })) MB up, "
        + "\(NumberText.megabytes(runs.reduce(0) { $0 + $1.bytesDown })) MB down",
      "time about \(NumberText.duration(plan.seconds)) on \(plan.threads) thread"
        + "\(plan.threads == 1 ? "" : "s")"
        + (plan.pretrainSeconds.map {
          $0 > 0 ? ", \(NumberText.duration($0)) of it pre-training" : ""
        } ?? ""),
      "memory about \(NumberText.storage(plan.memory)), disk about "
        + "\(NumberText.storage(plan.diskBytes))",
    ]
    for label in plan.labels {
      let doubts = Set(plan.runs(of: label).flatMap(\.doubts)).sorted()
      if !doubts.isEmpty { lines.append("\(label): about, \(doubts.joined(separator: "; "))") }
    }
    lines.append(plan.seedSentence)
    for check in plan.limits {
      let text = check.name == "wallTime" ? NumberText.duration : NumberText.storage
      lines.append(
        "limits.\(check.name) \(text(check.limit)): "
          + (check.isExceeded
            ? "too low, about \(text(check.predicted)) is needed"
            : check.predicted == nil ? "not known" : "enough for about \(text(check.predicted))"))
    }
    return lines
  }

  private static func mean(_ values: [Double?]) -> Double? {
    let known = values.compactMap { $0 }
    return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
  }

  /// The plan as an object.
  package var json: JSON {
    func number(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }
    let runs = plan.runs.map { run -> JSON in
      .object([
        ("strategy", .string(run.label)), ("seed", .int(Int(run.seed))),
        ("rounds", .int(run.wanted)), ("exact", .bool(run.isExact)),
        ("doubts", .array(run.doubts.map(JSON.string))),
        ("clientRounds", .number(run.clientRounds)), ("steps", .number(run.steps)),
        ("examples", .number(run.examples)),
        (
          "flops",
          [
            "training": .number(run.flops), "server": .number(run.serverFLOPs),
            "evaluation": .number(run.evaluationFLOPs),
          ]
        ),
        (
          "bytes",
          [
            "up": .number(run.bytesUp), "down": .number(run.bytesDown),
            "setup": .number(run.bytesSetup),
          ]
        ), ("virtualSeconds", number(run.virtualSeconds)), ("epsilon", epsilon(run)),
        ("disk", .number(run.diskBytes)), ("seconds", number(run.seconds)),
      ])
    }
    return .object([
      ("name", .string(plan.name)), ("threads", .int(plan.threads)),
      ("conditions", .array(plan.conditions.map(JSON.string))),
      ("warnings", .array(plan.warnings.map(JSON.string))), ("runs", .array(runs)),
      (
        "total",
        [
          "seconds": number(plan.seconds), "pretrainSeconds": number(plan.pretrainSeconds),
          "memory": number(plan.memory), "disk": .number(plan.diskBytes),
        ]
      ), ("seeds", .string(plan.seedSentence)),
      (
        "limits",
        .array(
          plan.limits.map { check in
            .object([
              ("name", .string(check.name)), ("limit", .number(check.limit)),
              ("predicted", number(check.predicted)), ("exceeded", .bool(check.isExceeded)),
            ])
          })
      ),
    ])
  }

  private func epsilon(_ run: DryRun) -> JSON {
    guard let least = run.epsilons.first, let most = run.epsilons.last else { return .null }
    return [
      "min": .number(least), "median": .number(Metrics.median(ofSorted: run.epsilons) ?? most),
      "max": .number(most), "clients": .int(run.epsilons.count),
    ]
  }
}
