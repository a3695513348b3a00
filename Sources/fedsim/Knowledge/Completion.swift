import Aggregation
import Base
import Scenario

/// `fedsim completion SHELL`: what a shell needs to complete commands, options and words, made from
/// the tables that read the command line.
enum Completion {
  static let shells = ["bash", "zsh", "fish"]

  static func run(_ invocation: Invocation) throws -> ExitCode {
    let shell = try invocation.onlyOperand(shells.joined(separator: ", "))
    let script: String
    switch shell {
    case "bash": script = bash
    case "zsh": script = zsh
    case "fish": script = fish
    default:
      throw Failure(
        .wrongCommandLine, "E2006", "no completion for \"\(shell)\"",
        hint: Suggestions.nearest(shell, among: shells).map { "did you mean \($0) ?" }
          ?? "one of \(shells.joined(separator: ", "))")
    }
    switch invocation.format {
    case .json: Console.answer([("shell", .string(shell)), ("script", .string(script))])
    case .text: Console.print(script)
    }
    return .done
  }

  private static var commands: [String] { CommandName.allCases.map(\.rawValue) }

  /// Options of a command as they are typed, those of every command last.
  private static func options(_ command: CommandName) -> [String] {
    (command.options.keys.sorted() + ["format", "quiet", "help"]).map { "--\($0)" }
  }

  /// Everything that may follow a command, between spaces.
  private static func answers(_ command: CommandName) -> String {
    (words(command) + options(command)).joined(separator: " ")
  }

  /// Words that a command takes in place of files.
  private static func words(_ command: CommandName) -> [String] {
    switch command {
    case .help: commands
    case .list: ListCommand.subjects
    case .explain: StrategyRegistry.infos.map(\.kind)
    case .schema: ["scenario", "sweep"]
    case .completion: shells
    case .privacy: ["epsilon", "noise", "steps", "plan"]
    default: []
    }
  }

  private static var bash: String {
    let cases = CommandName.allCases.map { command in
      "    \(command.rawValue)) words=\"\(answers(command))\" ;;"
    }
    return """
      # fedsim completion bash > /etc/bash_completion.d/fedsim
      _fedsim() {
        local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words=""
        if [ "$COMP_CWORD" -eq 1 ]; then
          words="\(commands.joined(separator: " ")) --version --help"
        elif [ "$before" = --format ]; then
          words="\(OutputFormat.allCases.map(\.rawValue).joined(separator: " "))"
        else
          case "${COMP_WORDS[1]}" in
      \(cases.joined(separator: "\n"))
          esac
        fi
        COMPREPLY=($(compgen -W "$words" -- "$word"))
        case "$word" in -*) ;; *) COMPREPLY+=($(compgen -f -- "$word")) ;; esac
      }
      complete -o filenames -F _fedsim fedsim
      """
  }

  private static var zsh: String {
    let list = CommandName.allCases.map { "    '\($0.rawValue):\(quoted($0.summary))'" }
    let cases = CommandName.allCases.map { command in
      "    \(command.rawValue)) answers=(\(answers(command))) ;;"
    }
    return """
      #compdef fedsim
      # fedsim completion zsh > "${fpath[1]}/_fedsim"
      _fedsim() {
        local command="${words[2]}"
        local -a commands answers
        commands=(
      \(list.joined(separator: "\n"))
        )
        if (( CURRENT == 2 )); then
          _describe command commands
          return
        fi
        case "$command" in
      \(cases.joined(separator: "\n"))
        esac
        compadd -- $answers
        [[ "$PREFIX" == -* ]] || _files
      }
      _fedsim "$@"
      """
  }

  private static var fish: String {
    var lines = ["# fedsim completion fish > ~/.config/fish/completions/fedsim.fish"]
    for command in CommandName.allCases {
      lines.append(
        "complete -c fedsim -n __fish_use_subcommand -f -a \(command.rawValue) "
          + "-d '\(quoted(command.summary))'")
      let here = "complete -c fedsim -n '__fish_seen_subcommand_from \(command.rawValue)'"
      for option in command.options.keys.sorted() {
        lines.append(here + " -l \(option)" + (command.options[option] == true ? " -r" : ""))
      }
      let words = words(command)
      if !words.isEmpty { lines.append(here + " -f -a '\(words.joined(separator: " "))'") }
    }
    lines.append("complete -c fedsim -l format -x -a 'text json'")
    lines += ["complete -c fedsim -s q -l quiet", "complete -c fedsim -s h -l help"]
    return lines.joined(separator: "\n")
  }

  /// Inside single quotes of any of the shells.
  private static func quoted(_ text: String) -> String {
    String(text.map { "'\":\\".contains($0) ? " " : $0 })
  }
}
