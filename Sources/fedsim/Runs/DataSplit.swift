import Base
import Report
import Scenario
import Studies

extension DataCommand {
  /// `fedsim data split`: who gets which images, before any run; nothing is written but the page.
  static func split(_ path: String, _ invocation: Invocation) throws -> ExitCode {
    let file = try invocation.text("html")
    guard let scenario = try scenario(path, invocation) else { return .scenarioInvalid }
    let preview = try SplitPreview(scenario)
    if let file {
      let text = file.hasSuffix(".svg") ? preview.plot.svg() : preview.page.html
      do throws(Failure) { try AtomicFile.write(text, to: file) } catch {
        throw error.ofCommandLine
      }
    }
    switch invocation.format {
    case .json: Console.answer([("file", .string(path))] + preview.json)
    case .text:
      if !invocation.isQuiet {
        for warning in preview.warnings { Console.tell("warning: " + warning) }
      }
      Console.print(preview.text(width: Terminal.width(1)))
      if let file { Console.print("figure  \(file)") }
    }
    return .done
  }
}
