import Base
import Records
import Report

/// Run folders that can be compared; what cannot is refused in one way by all commands.
enum LikeRuns {
  /// Reads folders; nil when they hold unlike runs, which has then been said: exit 7.
  ///
  /// - Parameters:
  ///   - paths: run folders.
  ///   - format: how a refusal is said.
  ///   - granted: paths of settings that may differ, too, because somebody asked for it.
  ///   - section: a section of the scenario in which they may differ besides.
  /// - Returns: the folders; nil when they are refused.
  /// - Throws: what a folder throws that cannot be read.
  static func read(
    _ paths: [String], _ format: OutputFormat, granting granted: [String] = [],
    allowing section: String? = nil
  ) throws -> [RunFolder]? {
    let folders = try self.folders(paths)
    if format == .text {
      for warning in folders.flatMap(\.unprotected) { Console.tell("warning: " + warning) }
    }
    let differences = SettingDifference.all(
      folders, granting: granted + (section.map { [$0] } ?? []))
    let unlike = differences.filter { !$0.isAllowed }
    if unlike.isEmpty {
      for path in granted where format == .text {
        guard !differences.contains(where: { $0.isBelow(path) }) else { continue }
        Console.tell("warning: --allow \(path): nothing differs there")
      }
      return folders
    }
    refuse(unlike, paths, format)
    return nil
  }

  private static let sweepFile = "sweep.resolved.json"

  /// The folders with those of sweeps in place of the sweeps.
  static func expanded(_ paths: [String]) throws(Failure) -> [String] {
    var expanded: [String] = []
    for path in paths {
      let runs = FilePath.join(path, "runs")
      guard FileKind(of: FilePath.join(path, sweepFile)) == .file else {
        expanded.append(path)
        continue
      }
      // In the order of the trials; folders of an earlier sweep file come last.
      let file = FilePath.join(path, sweepFile)
      guard let resolved = try? JSON(parsing: FileReader.bytes(of: file)) else {
        throw Failure(
          .dataMissingOrCorrupt, "E4128", "\(file) is damaged",
          hint: "fedsim sweep SWEEP.json --out \(path) writes it again")
      }
      let order = (resolved["trials"]?.elements ?? []).flatMap { $0["runs"]?.elements ?? [] }
        .compactMap { $0["folder"]?.text?.split(separator: "/").last.map(String.init) }
      let names = try FilePath.readableNames(in: runs).sorted()
      let folders = (order.filter(names.contains) + names.filter { !order.contains($0) }).map {
        FilePath.join(runs, $0)
      }
      expanded += folders.filter {
        FileKind(of: FilePath.join($0, FolderFacts.fileName)) == .file
      }
    }
    return expanded
  }

  /// Reads folders, whatever they hold.
  static func folders(_ paths: [String]) throws -> [RunFolder] {
    var folders: [RunFolder] = []
    for path in paths { folders.append(try RunFolder(path)) }
    return folders
  }

  /// Says why runs cannot be compared: E7001, with every setting that differs.
  private static func refuse(
    _ differences: [SettingDifference], _ paths: [String], _ format: OutputFormat
  ) {
    let count = differences.count
    let failure = Failure(
      .mismatch, "E7001",
      "the folders hold unlike runs: \(count) setting\(count == 1 ? "" : "s") differ"
        + "\(count == 1 ? "s" : "") that must be the same",
      hint: "run them under the same conditions; only strategies, name, seeds, output, "
        + "evaluation.targets and evaluation.diagnostics may differ, and what --allow PATH names")
    switch format {
    case .json:
      Console.print(
        JSON.object([
          ("schema", 1), ("status", "error"), ("code", .string(failure.code)),
          ("exit", .int(Int(failure.exit.rawValue))), ("message", .string(failure.message)),
          ("hint", failure.hint.map(JSON.string) ?? .null),
          ("folders", .array(paths.map(JSON.string))),
          ("differences", .array(differences.map(\.json))),
        ]))
    case .text:
      Console.report(failure, format: .text)
      let lines = SettingDifference.lines(differences, folders: paths, width: Terminal.width(2))
      Console.tell("\n" + lines.joined(separator: "\n"))
    }
  }
}
