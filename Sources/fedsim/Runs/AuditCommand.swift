import Base
import Report
import Scenario
import Studies

/// The options of `fedsim audit`.
package struct AuditOptions: Equatable {
  package let folder: String
  package let settings: AuditSettings
  /// Workers; nil means one per core.
  package let threads: Int?
  package let format: OutputFormat
  package let isQuiet: Bool

  package init(_ invocation: Invocation) throws(Failure) {
    folder = try invocation.onlyOperand("the run folder")
    var settings = AuditSettings()
    if let words = invocation.last("attack") { settings.attacks = try Self.attacks(words) }
    if let word = invocation.last("model") {
      guard let model = AuditSettings.Model(rawValue: word) else {
        throw Failure(
          .wrongCommandLine, "E2004", "--model \"\(word)\" is unknown",
          hint: "one of \(AuditSettings.Model.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      settings.model = model
    }
    settings.clients = try invocation.integer("clients", in: 1...10_000) ?? settings.clients
    settings.images = try invocation.integer("images", in: 1...10_000) ?? settings.images
    settings.iterations =
      try invocation.integer("iterations", in: 1...1_000_000) ?? settings.iterations
    settings.trials = try invocation.integer("trials", in: 4...1_000_000) ?? settings.trials
    settings.canaries = try invocation.integer("canaries", in: 10...100_000) ?? settings.canaries
    settings.shadows = try invocation.integer("shadows", in: 0...1000) ?? settings.shadows
    guard settings.shadows % 2 == 0 else {
      throw Failure(
        .wrongCommandLine, "E2004", "--shadows \"\(settings.shadows)\": expected an even number",
        hint: "shadow runs come in pairs, each with the images that the other leaves out")
    }
    if let text = invocation.last("weaken") {
      guard let factor = Double(text), factor >= 1, factor.isFinite else {
        throw Failure(
          .wrongCommandLine, "E2004", "--weaken \"\(text)\": expected a number of at least 1")
      }
      settings.weaken = factor
    }
    if let text = invocation.last("clip") {
      guard let clip = Double(text), clip > 0, clip.isFinite else {
        throw Failure(.wrongCommandLine, "E2004", "--clip \"\(text)\": expected a number above 0")
      }
      settings.clip = clip
    }
    self.settings = settings
    threads = try invocation.threads()
    format = invocation.format
    isQuiet = invocation.isQuiet
  }

  /// Words separated by commas; each counts once, in the order of the program.
  private static func attacks(_ words: String) throws(Failure) -> [AuditSettings.Attack] {
    let names = AuditSettings.Attack.allCases.map(\.rawValue)
    var wanted: Set<AuditSettings.Attack> = []
    for word in words.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
      guard let attack = AuditSettings.Attack(rawValue: word) else {
        let near = Suggestions.nearest(word, among: names)
        throw Failure(
          .wrongCommandLine, "E2004", "--attack \"\(word)\" is unknown",
          hint: near.map { "did you mean \($0) ?" }
            ?? "any of \(names.joined(separator: ",")), separated by commas")
      }
      wanted.insert(attack)
    }
    return AuditSettings.Attack.allCases.filter(wanted.contains)
  }
}

/// `fedsim audit`: what a run's models and gradients reveal about its clients' images.
package enum AuditCommand {
  package static func run(_ options: AuditOptions) throws -> ExitCode {
    let audit = try LeakageAudit(folder: options.folder)
    let isSilent = options.isQuiet || options.format == .json
    let report = try audit.run(options.settings, threads: options.threads ?? Machine.coreCount) {
      line in if !isSilent { Console.tell("audit of \(line)") }
    }
    try audit.write(report)
    let page = FilePath.join(options.folder, "audit/audit.html")
    let failure = report.isFailed ? failure(options.folder, report) : nil
    switch options.format {
    case .json:
      Console.answer(
        isOK: failure == nil,
        [
          ("exit", .int(Int((failure?.exit ?? .done).rawValue))),
          ("code", failure.map { .string($0.code) } ?? .null), ("folder", .string(options.folder)),
          ("report", .string(page)), ("audit", report.json),
        ])
    case .text:
      Console.print(report.text(width: Terminal.width(1)))
      Console.print("report  \(page)")
      if let failure { Console.report(failure, format: .text) }
    }
    return failure?.exit ?? .done
  }

  private static func failure(_ folder: String, _ report: AuditReport) -> Failure {
    Failure(
      .mismatch, "E7014",
      "\(folder): what was found contradicts a claimed epsilon (\(report.contradictions.count))",
      hint: report.contradictions.first)
  }
}
