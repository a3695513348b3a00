import Base
import Federation
import Records
import Report
import Scenario

/// Runs an experiment for a person or a program: progress on stderr, the result on stdout.
struct ExperimentRunner {
  let experiment: Experiment
  let source: ScenarioSource
  var folder: String
  let threads: Int
  let warnings: [String]
  let format: OutputFormat
  let isQuiet: Bool

  /// Runs and shows the result; `continues`: goes on with a folder that an earlier process left.
  func run(continues: Bool) throws -> ExitCode {
    let result = try execute(continues: continues)
    try show(result)
    return result.exit
  }

  /// Runs without showing the result.
  func execute(continues: Bool) throws -> ExperimentResult {
    Interruption.listen()
    let silent = isQuiet || format == .json
    if !silent {
      for warning in experiment.warnings { Console.tell("warning: " + warning) }
      Console.tell("writing to \(folder)")
    }
    var progress = Progress(
      style: Console.progressStyle(isSilent: silent),
      plan: experiment.scenario.progressPlan(threads: threads), started: SystemClock.now())
    /// Asked each time: a window may be made smaller while it is looked at.
    func measure() { (progress.width, progress.height) = (Terminal.width(2), Terminal.height(2)) }
    measure()
    // Also before a failure is reported.
    defer { Terminal.note(progress.leave()) }
    Terminal.note(progress.begun(now: SystemClock.now()))
    return try experiment.run(
      in: folder, source: source, threads: threads, continues: continues, warnings: warnings,
      page: RunReport.writePage
    ) { state, record in
      measure()
      Terminal.note(
        progress.roundEnded(
          state, seconds: record.time.wall,
          evaluated: record.generic != nil || record.personal != nil, now: SystemClock.now()))
    }
  }

  private func show(_ result: ExperimentResult) throws {
    let report = FilePath.join(folder, "report.html")
    let scenario = experiment.scenario
    let (rounds, patience) = (scenario.federation.rounds, scenario.evaluation.patience)
    let summary = Summary(
      result.results.map { $0.counting(rounds, patience: patience) },
      targets: scenario.evaluation.targets)
    switch format {
    case .json:
      Console.print(
        JSON.object([
          ("schema", 1), ("status", .string(result.exit == .done ? "ok" : "error")),
          ("exit", .int(Int(result.exit.rawValue))), ("folder", .string(folder)),
          ("report", .string(report)), ("troubles", .array(result.troubles.map { .string($0) })),
          ("warnings", .array(result.warnings.map { .string($0) })),
          ("notes", .array(result.notes.map { .string($0) })),
          ("summary", summary.json(name: experiment.scenario.name)),
        ]))
    case .text:
      let finished = ComparedStrategy.finished(
        result.results, rounds: rounds, patience: patience)
      let unlearned = experiment.chance.sentences(finished)
      let table = SummaryTable(
        header: (result.remarks + unlearned).map { "WARNING: " + $0 } + [experiment.scenario.name]
          + result.conditions, summary: summary, comparisons: try Comparison.all(finished),
        colour: Console.isFancy && Terminal.isTerminal(1))
      if result.results.contains(where: { $0.runs.contains { !$0.records.isEmpty } }) {
        Console.print(table.text(width: Terminal.width(1)))
      }
      if !isQuiet { for note in result.notes { Console.tell("note: " + note) } }
      for trouble in result.troubles { Console.tell(Console.red(trouble)) }
      if !isQuiet {
        let digests = result.results.flatMap { result in
          result.runs.compactMap { $0.records.last?.digest }
        }
        if let first = digests.first { Console.print("digest  \(first)  (first run's last round)") }
      }
      Console.print("report  \(report)")
    }
  }
}
