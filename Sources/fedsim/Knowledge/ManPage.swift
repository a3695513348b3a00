import Base

/// `fedsim man`: the manual page in roff, made from the tables of the help.
enum ManPage {
  static func run(_ invocation: Invocation) throws -> ExitCode {
    try invocation.noOperands()
    switch invocation.format {
    case .json: Console.answer([("roff", .string(text))])
    case .text: Console.print(text)
    }
    return .done
  }

  static var text: String {
    var lines = [
      ".TH FEDSIM 1 \"\" \"fedsim \(FedsimVersion.current)\" \"User Commands\"", ".SH NAME",
      "fedsim \\- federated learning on long\\-tailed data, simulated", ".SH SYNOPSIS",
      ".B fedsim", "COMMAND [ARGUMENTS] [OPTIONS]", ".SH COMMANDS",
    ]
    for command in CommandName.allCases {
      lines += [".SS \(escaped("fedsim " + command.usage))", escaped(command.summary) + "."]
      if !command.optionLines.isEmpty {
        lines += [".nf"] + command.optionLines.map(escaped) + [".fi"]
      }
      lines += [".PP", "Examples:", ".nf"] + command.examples.map { escaped("  fedsim \($0)") }
      lines.append(".fi")
    }
    lines += [".SH OPTIONS OF EVERY COMMAND", ".nf"]
    lines += HelpCommand.globalOptions.split(separator: "\n").dropFirst().map {
      escaped(String($0))
    }
    lines += [".fi", ".SH EXIT STATUS", ".nf"]
    lines += ExitCode.allCases.map { escaped("\($0.rawValue)\t\($0.words)") }
    lines += [
      ".fi", ".SH SEE ALSO", escaped("fedsim explain WORD, for every word of scenarios and tables"),
    ]
    return lines.joined(separator: "\n")
  }

  /// Text that roff takes as it is: hyphens are minus signs, no line begins a request.
  private static func escaped(_ text: String) -> String {
    let plain = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
    return plain.hasPrefix(".") || plain.hasPrefix("'") ? "\\&" + plain : plain
  }
}

extension ExitCode {
  /// What it says of a command.
  var words: String {
    switch self {
    case .done: "done"
    case .internalError: "a fault of fedsim"
    case .wrongCommandLine: "wrong command line"
    case .scenarioInvalid: "the scenario or sweep is not valid"
    case .dataMissingOrCorrupt: "a file is missing or damaged"
    case .diverged: "a run gave numbers that are not finite"
    case .limitReached: "a limit of the scenario was reached; resume goes on"
    case .mismatch: "runs that cannot be compared, or that do not repeat themselves"
    case .sweepWithFailures: "some runs of a sweep failed"
    case .folderInUse: "the folder holds something else, or another process has it"
    case .interrupted: "interrupted; resume goes on"
    case .terminated: "terminated; resume goes on"
    }
  }
}
