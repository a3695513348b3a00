import Base
import Data
import Federation
import Scenario

/// `fedsim data`: checks a data set, makes one of image files, shows how a scenario spreads it.
enum DataCommand {
  /// Each verb with the options that are its own.
  private static let verbs: [(name: String, operand: String, options: Set<String>)] = [
    ("check", "PATH", ["kind"]),
    ("convert", "TREE", ["out", "size", "test", "domains", "clients-per-domain"]),
    ("split", "SCENARIO.json", ["set", "seed", "html"]),
  ]

  static func run(_ invocation: Invocation) throws -> ExitCode {
    let words = verbs.map(\.name).joined(separator: ", ")
    guard let word = invocation.operands.first else {
      throw Failure(
        .wrongCommandLine, "E2005", "fedsim data: expected one of \(words)",
        hint: "fedsim help data shows how it is called")
    }
    guard let verb = verbs.first(where: { $0.name == word }) else {
      let near = Suggestions.nearest(word, among: verbs.map(\.name))
      throw Failure(
        .wrongCommandLine, "E2005", "unknown data command \"\(word)\"; expected one of \(words)",
        hint: near.map { "did you mean \($0) ?" } ?? "fedsim help data shows how it is called")
    }
    guard invocation.operands.count == 2 else {
      throw Failure(
        .wrongCommandLine, "E2005",
        "fedsim data \(word): found \(invocation.operands.count - 1) arguments; expected one: "
          + verb.operand)
    }
    for option in invocation.options.keys.sorted() where !verb.options.contains(option) {
      let owner = verbs.first { $0.options.contains(option) }?.name ?? ""
      throw Failure(
        .wrongCommandLine, "E2007", "--\(option) belongs to fedsim data \(owner), not to \(word)",
        hint: "fedsim help data lists the options of each")
    }
    let path = invocation.operands[1]
    switch word {
    case "convert": return try convert(path, invocation)
    case "split": return try split(path, invocation)
    default: return try check(path, invocation)
    }
  }

  // MARK: - Checking

  /// The kinds that can be checked.
  private static let kinds = ["cifar10", "cifar100", "mnist", "leaf", "npy"]

  private static func check(_ path: String, _ invocation: Invocation) throws -> ExitCode {
    let facts: DataFacts
    if FileKind(of: path) == .file, path.hasSuffix(".json") {
      guard let scenario = try scenario(path, invocation) else { return .scenarioInvalid }
      do throws(Failure) { facts = try DataFacts(scenario.data.dataset) } catch {
        throw scenario.paths.explained(error)
      }
    } else {
      facts = try DataFacts(dataset(path, kind: invocation.last("kind")))
    }
    switch invocation.format {
    case .json:
      var json = facts.json
      json["status"] = "ok"
      Console.print(json)
    case .text: Console.print(facts.text)
    }
    return .done
  }

  /// A scenario that can be used; nil, with its problems reported, when it cannot.
  static func scenario(_ path: String, _ invocation: Invocation) throws -> Scenario? {
    let reading = ScenarioReader().read(
      bytes: try FileReader.scenario(path), file: path, overrides: try invocation.overrides())
    if reading.errors.isEmpty, let scenario = reading.scenario { return scenario }
    ValidateCommand.refuse(reading, invocation.format, isQuiet: invocation.isQuiet)
    return nil
  }

  private static func dataset(_ path: String, kind: String?) throws -> DataSettings.Dataset {
    let kind = try kind ?? guess(path)
    switch kind {
    case "cifar10": return .cifar10(path: path)
    case "cifar100": return .cifar100(path: path, coarse: false)
    case "mnist": return .mnist(path: path, prefix: "")
    case "leaf": return .leaf(path: path)
    case "npy": return .npy(path: path)
    default:
      throw Failure(
        .wrongCommandLine, "E2004",
        "--kind \(kind): expected one of \(kinds.joined(separator: ", "))")
    }
  }

  /// The kind whose files are in a folder.
  private static func guess(_ folder: String) throws(Failure) -> String {
    guard FileKind(of: folder) == .folder else {
      throw Failure(
        .dataMissingOrCorrupt, FileKind(of: folder) == .missing ? "E4001" : "E4002",
        "\(folder): no such folder; expected a folder of data or a scenario file")
    }
    let names = FilePath.names(in: folder)
    func has(_ test: (String) -> Bool) -> Bool { names.contains(where: test) }
    if has({ $0.hasPrefix("data_batch_") && $0.hasSuffix(".bin") || $0 == "test_batch.bin" }) {
      return "cifar10"
    }
    if has({ $0 == "train.bin" || $0 == "fine_label_names.txt" }) { return "cifar100" }
    if has({ $0.contains("ubyte") }) { return "mnist" }
    if has({ $0.hasSuffix(".npy") }) { return "npy" }
    if names.contains("train"), names.contains("test") { return "leaf" }
    throw Failure(
      .dataMissingOrCorrupt, "E4001", "\(folder): none of the files of a known data set",
      hint: "name the kind: --kind \(kinds.joined(separator: "|")); folders of images become one "
        + "with fedsim data convert")
  }

}
