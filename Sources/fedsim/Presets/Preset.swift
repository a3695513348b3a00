import Base
import Scenario

/// A scenario of a paper that is part of the program, by the name of its file in
/// `scenarios/papers`.
package struct Preset: Equatable, Sendable {
  package let name: String
  /// The file's text.
  package let text: String

  /// What its header says, in order: "" is what it is about, "papers", "deviations" and others.
  package var remarks: [(head: String, words: String)] {
    (try? JSON(parsing: Array(text.utf8)))?.members?.compactMap { member in
      guard member.key.hasPrefix("//"), let words = member.value.text else { return nil }
      return (String(member.key.dropFirst(2).drop { $0 == " " }), words)
    } ?? []
  }

  /// One sentence on what it is.
  package var title: String { remark("") }
  /// What differs from the paper.
  package var deviations: String { remark("deviations") }

  private func remark(_ head: String) -> String { remarks.first { $0.head == head }?.words ?? "" }

  /// All of them, by name.
  package static let all = PresetTexts.all.map { Preset(name: $0.0, text: $0.1) }

  /// The one of that name.
  ///
  /// - Throws: E2006 with the nearest name.
  package static func named(_ name: String) throws(Failure) -> Preset {
    if let preset = all.first(where: { $0.name == name }) { return preset }
    let near = Suggestions.nearest(name, among: all.map(\.name))
    throw Failure(
      .wrongCommandLine, "E2006", "no preset is called \"\(name)\"",
      hint: near.map { "did you mean \($0) ?" } ?? "fedsim list presets names them")
  }
}

/// Where the text of a scenario comes from.
package enum ScenarioOrigin: Equatable {
  case file(String)
  case preset(Preset)
  /// The built-in example.
  case example

  /// What messages call it; relative paths in it start at this file's folder.
  var file: String {
    switch self {
    case .file(let path): path
    case .preset(let preset): "\(preset.name).json"
    case .example: "example.json"
    }
  }

  /// How a command line names it.
  var words: String {
    switch self {
    case .file(let path): Shell.quoted(path)
    case .preset(let preset): "--preset \(preset.name)"
    case .example: "--example"
    }
  }

  func bytes() throws -> [UInt8] {
    switch self {
    case .file(let path): try FileReader.scenario(path)
    case .preset(let preset): Array(preset.text.utf8)
    case .example: Array(ExampleScenario.text.utf8)
    }
  }

  /// Says in what a preset differs from its paper; nothing of other scenarios.
  func tellDeviations(_ format: OutputFormat, isQuiet: Bool) {
    guard case .preset(let preset) = self, format == .text, !isQuiet else { return }
    for (head, words) in preset.remarks where ["", "papers", "deviations"].contains(head) {
      Console.tell((head.isEmpty ? preset.name : head) + ": " + words)
    }
  }
}

extension Invocation {
  /// The scenario that a command is given: a file or a preset, or the example where that is meant.
  func scenarioOrigin() throws(Failure) -> ScenarioOrigin {
    if let name = try text("preset") {
      guard !has("example") else {
        throw Failure(
          .wrongCommandLine, "E2004", "--preset and --example are two scenarios",
          hint: "leave one of them out")
      }
      try noOperands()
      return .preset(try Preset.named(name))
    }
    if has("example") {
      try noOperands()
      return .example
    }
    let example = command.options["example"] == nil ? "" : ", or --example"
    return .file(try onlyOperand("SCENARIO.json, --preset NAME\(example)"))
  }
}
