import Base
import Scenario

/// How results are written to stdout.
package enum OutputFormat: String, CaseIterable { case text, json }

/// A parsed command line.
package struct Invocation: Equatable {
  package var command: CommandName = .help
  /// Words that are no options.
  package var operands: [String] = []
  /// Values of options by name, in the order given; flags have "".
  package var options: [String: [String]] = [:]
  package var format = OutputFormat.text
  package var isQuiet = false
  package var wantsHelp = false

  /// The last value of an option.
  package func last(_ option: String) -> String? { options[option]?.last }
  /// Whether a flag was given.
  package func has(_ option: String) -> Bool { options[option] != nil }
}

/// The commands, in the order of the help.
package enum CommandName: String, CaseIterable {
  case run, plan, resume, verify, compare, report, plot, watch, sweep, tune, audit, validate, list,
    explain, data
  case privacy, doctor, bench, schema, completion, man, version
  case help

  /// The options besides the global ones; true: takes a value.
  package var options: [String: Bool] {
    switch self {
    case .run:
      [
        "out": true, "set": true, "threads": true, "seed": true, "example": false, "preset": true,
        "again": false,
      ]
    case .plan: ["preset": true, "set": true, "threads": true, "seed": true, "probe": true]
    case .resume: ["threads": true, "set": true]
    case .verify: ["threads": true, "rounds": true]
    case .compare:
      [
        "metric": true, "baseline": true, "budget": true, "tie-margin": true, "only-changed": false,
        "allow": true,
        "columns": true, "spread": true, "out": true, "set": true, "seed": true, "threads": true,
      ]
    case .report:
      [
        "html": true, "latex": true, "markdown": true, "csv": true, "figures": true, "metric": true,
        "allow": true,
        "baseline": true, "columns": true, "shots": true, "spread": true, "width": true,
      ]
    case .plot:
      [
        "x": true, "y": true, "by": true, "table": true, "spread": true, "width": true, "out": true,
      ]
    case .watch: ["html": true, "every": true]
    case .sweep:
      [
        "grid": true, "seeds": true, "set": true, "shard": true, "print": false, "out": true,
        "threads": true,
      ]
    case .tune: CommandName.sweep.options.merging(["by": true, "validation": true]) { $1 }
    case .audit:
      [
        "attack": true, "model": true, "clients": true, "images": true, "iterations": true,
        "clip": true, "trials": true, "canaries": true, "weaken": true,
        "shadows": true, "threads": true,
      ]
    case .validate: ["preset": true, "set": true, "threads": true, "no-data": false]
    case .explain: ["markdown": false]
    case .data:
      [
        "kind": true, "out": true, "size": true, "test": true, "domains": false,
        "clients-per-domain": true, "set": true, "seed": true, "html": true,
      ]
    case .privacy:
      [
        "rate": true, "noise": true, "steps": true, "epsilon": true, "delta": true,
        "sampling": true, "unit": true, "examples": true, "batches": true, "mechanism": true,
        "bands": true, "rounds": true, "separation": true, "participations": true,
        "population": true, "cohort": true, "dimension": true,
      ]
    case .bench:
      [
        "rounds": true, "warmup": true, "threads": true, "seed": true, "dropout": true,
        "noise": true, "clients": true, "cohort": true, "samples": true, "parameters": true,
        "data": true, "inputs": true, "labels": true, "weights": true, "cohorts": true,
      ]
    default: [:]
    }
  }
}

/// Reads the words of a command line.
package enum Arguments {
  private static let shortForms = ["-h": "--help", "-q": "--quiet", "-o": "--out"]
  private static let global = ["format": true, "quiet": false, "help": false]

  /// The format that was asked for, as far as it is known from a wrong command line.
  package static func format(in words: [String]) -> OutputFormat {
    if words.contains("--format=json") { return .json }
    let pairs = zip(words, words.dropFirst())
    return pairs.contains { $0 == "--format" && $1 == "json" } ? .json : .text
  }

  /// The command and its options; every mistake is a failure with exit code 2.
  package static func parse(_ words: [String]) throws(Failure) -> Invocation {
    var invocation = Invocation()
    var rest = words[...]
    var command: CommandName?
    var onlyOperands = false
    while let word = rest.popFirst() {
      if onlyOperands || !word.hasPrefix("-") || word == "-" {
        if command == nil { command = try name(word) } else { invocation.operands.append(word) }
      } else if word == "--" {
        onlyOperands = true
      } else if word == "--version" || word == "-V", command == nil {
        command = .version
      } else {
        try option(word, &rest, command, into: &invocation)
      }
    }
    guard let command else {
      guard words.isEmpty || invocation.wantsHelp else {
        throw Failure(
          .wrongCommandLine, "E2001", "no command was given", hint: "fedsim help lists them")
      }
      return invocation
    }
    invocation.command = command
    for option in invocation.options.keys.sorted() where command.options[option] == nil {
      throw unknown(option, command)
    }
    return invocation
  }

  private static func name(_ word: String) throws(Failure) -> CommandName {
    if let command = CommandName(rawValue: word) { return command }
    let near = Suggestions.nearest(word, among: CommandName.allCases.map(\.rawValue))
    throw Failure(
      .wrongCommandLine, "E2001", "unknown command \"\(word)\"",
      hint: near.map { "did you mean \($0) ?" } ?? "fedsim help lists the commands")
  }

  private static func option(
    _ word: String, _ rest: inout ArraySlice<String>, _ command: CommandName?,
    into invocation: inout Invocation
  ) throws(Failure) {
    let long = shortForms[word] ?? word
    guard long.hasPrefix("--") else { throw unknown(word, command) }
    let body = long.dropFirst(2)
    let parts = body.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts.first.map(String.init) ?? ""
    // Before the command any command's option may stand; it is checked when the command is known.
    let own =
      command?.options
      ?? CommandName.allCases.reduce(into: [:]) { $0.merge($1.options) { a, _ in a } }
    guard let takesValue = global[name] ?? own[name] else { throw unknown(name, command) }
    var value = parts.count > 1 ? String(parts[1]) : ""
    if takesValue, parts.count == 1 {
      guard let next = rest.popFirst() else {
        throw Failure(
          .wrongCommandLine, "E2003", "--\(name) needs a value", hint: "write --\(name) VALUE")
      }
      value = next
    } else if !takesValue, parts.count > 1 {
      throw Failure(
        .wrongCommandLine, "E2004", "--\(name) takes no value", hint: "write --\(name) alone")
    }
    switch name {
    case "quiet": invocation.isQuiet = true
    case "help": invocation.wantsHelp = true
    case "format":
      guard let format = OutputFormat(rawValue: value) else {
        throw Failure(
          .wrongCommandLine, "E2004", "--format \"\(value)\" is unknown", hint: "text or json")
      }
      invocation.format = format
    default: invocation.options[name, default: []].append(value)
    }
  }

  private static func unknown(_ option: String, _ command: CommandName?) -> Failure {
    let names = Array(global.keys) + Array((command?.options ?? [:]).keys)
    let bare = String(option.drop { $0 == "-" })
    let near = Suggestions.nearest(bare, among: names.sorted())
    let shown = option.hasPrefix("-") ? option : "--\(option)"
    let whose = command.map { "fedsim \($0.rawValue): " } ?? ""
    return Failure(
      .wrongCommandLine, "E2002", "\(whose)unknown option \(shown)",
      hint: near.map { "did you mean --\($0) ?" }
        ?? "fedsim help \(command?.rawValue ?? "") lists the options")
  }
}

extension Invocation {
  /// The single operand, or a failure that names what is expected.
  package func onlyOperand(_ what: String) throws(Failure) -> String {
    guard operands.count == 1, let operand = operands.first else {
      throw Failure(
        .wrongCommandLine, "E2005",
        "fedsim \(command.rawValue): found \(operands.count) arguments; expected one: \(what)",
        hint: "fedsim help \(command.rawValue) shows how it is called")
    }
    return operand
  }

  package func noOperands() throws(Failure) {
    guard let first = operands.first else { return }
    throw Failure(
      .wrongCommandLine, "E2005", "fedsim \(command.rawValue): unexpected argument \"\(first)\"",
      hint: "fedsim help \(command.rawValue) shows how it is called")
  }

  /// Workers that were asked for; nil means one per core.
  package func threads() throws(Failure) -> Int? { try integer("threads", in: 1...4096) }

  /// `path=value` texts of `--set`, and of `--seed`.
  package func overrides() throws(Failure) -> [String] {
    let seed = try integer("seed", in: 0...(1 << 53))
    return (options["set"] ?? []) + (seed.map { ["seeds=[\($0)]"] } ?? [])
  }

  /// The last value of an option that names something; nil when the option is absent.
  ///
  /// - Throws: E2004 for an empty one, `what` being expected.
  package func text(_ option: String, _ what: String = "a name") throws(Failure) -> String? {
    guard let text = last(option) else { return nil }
    guard !text.isEmpty else {
      throw Failure(.wrongCommandLine, "E2004", "--\(option) \"\": expected \(what)")
    }
    return text
  }

  /// Paths of `--allow`: settings in which folders may differ.
  package func granted() throws(Failure) -> [String] {
    try (options["allow"] ?? []).map { text throws(Failure) in
      guard let path = Overrides.plain(text) else {
        throw Failure(
          .wrongCommandLine, "E2004", "--allow \"\(text)\": expected a path of the scenario",
          hint: "for example --allow client.batch")
      }
      return path
    }
  }

  /// A whole number given to an option; nil when the option is absent.
  package func integer(_ option: String, in range: ClosedRange<Int>) throws(Failure) -> Int? {
    guard let text = last(option) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw Failure(
        .wrongCommandLine, "E2004",
        "--\(option) \"\(text)\": expected a whole number from \(range.lowerBound) to "
          + "\(range.upperBound)")
    }
    return number
  }
}
