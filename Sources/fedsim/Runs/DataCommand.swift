import Base
import Data
import Federation
import Scenario

/// The options of `fedsim data check`.
package struct DataCheckOptions: Equatable {
  /// A data folder or a scenario file.
  package let path: String
  /// The data set's kind when `path` is a folder; nil lets the program tell from its files.
  package let kind: String?
  package let format: OutputFormat
  package let isQuiet: Bool

  package init(_ invocation: Invocation) throws(Failure) {
    guard let verb = invocation.operands.first, verb == "check" else {
      let given = invocation.operands.first.map { "unknown data command \"\($0)\"" }
      throw Failure(
        .wrongCommandLine, "E2005", given ?? "fedsim data: expected check PATH",
        hint: "fedsim data check PATH [--kind cifar10]")
    }
    guard invocation.operands.count == 2 else {
      throw Failure(
        .wrongCommandLine, "E2005",
        "fedsim data check: found \(invocation.operands.count - 1) arguments; expected one: PATH")
    }
    path = invocation.operands[1]
    kind = invocation.last("kind")
    format = invocation.format
    isQuiet = invocation.isQuiet
  }
}

/// `fedsim data check`: whether the files of a data set are whole.
package enum DataCommand {
  /// The kinds that can be checked.
  package static let kinds = ["cifar10", "cifar100", "mnist", "leaf", "npy"]

  package static func run(_ options: DataCheckOptions) throws -> ExitCode {
    let dataset = try dataset(options)
    let facts = try DataFacts(dataset)
    switch options.format {
    case .json:
      var json = facts.json
      json["status"] = "ok"
      Console.print(json)
    case .text: Console.print(facts.text)
    }
    return .done
  }

  private static func dataset(_ options: DataCheckOptions) throws -> DataSettings.Dataset {
    if FileKind(of: options.path) == .file, options.path.hasSuffix(".json") {
      let reading = ScenarioReader().read(
        bytes: try FileReader.scenario(options.path), file: options.path)
      guard let scenario = reading.scenario else {
        throw Failure(
          .scenarioInvalid, "E3001", "\(options.path) is not a valid scenario",
          hint: "fedsim validate \(options.path) lists its problems")
      }
      return scenario.data.dataset
    }
    let kind = try options.kind ?? guess(options.path)
    switch kind {
    case "cifar10": return .cifar10(path: options.path)
    case "cifar100": return .cifar100(path: options.path, coarse: false)
    case "mnist": return .mnist(path: options.path, prefix: "")
    case "leaf": return .leaf(path: options.path)
    case "npy": return .npy(path: options.path)
    default:
      throw Failure(
        .wrongCommandLine, "E2004",
        "--kind \(kind): expected one of \(kinds.joined(separator: ", "))")
    }
  }

  /// The kind whose files lie in a folder.
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
      hint: "name the kind: --kind \(kinds.joined(separator: "|"))")
  }
}
