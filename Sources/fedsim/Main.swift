import Base
import CProcess

/// The program: words in, words and an exit code out.
@main struct Main {
  static func main() {
    Console.secureStreams()
    var code = run(words)
    if let lost = Console.outputFailure {
      Console.report(lost, format: .text)
      if code == .done { code = lost.exit }
    }
    fflush(nil)
    exit(code.rawValue)
  }

  /// What was said, without the program's name.
  private static var words: [String] { handedWords ?? Array(CommandLine.arguments.dropFirst()) }

  /// The words as the C library hands them over; nil where it does not.
  ///
  /// Swift's own list is empty where no /proc is mounted.
  static var handedWords: [String]? {
    let count = Int(cprocess_argument_count())
    guard count > 0 else { return nil }
    return (1..<max(1, count)).compactMap {
      cprocess_argument(Int32($0)).map(String.init(cString:))
    }
  }

  /// Parses, runs and reports; every failure ends here.
  static func run(_ words: [String]) -> ExitCode {
    do {
      let invocation = try Arguments.parse(words)
      return try Command.run(invocation)
    } catch let failure as Failure where failure.code == "E1034" {
      // Whoever read a pipe has seen enough.
      return .done
    } catch let failure as Failure {
      Console.report(failure, format: Arguments.format(in: words))
      return failure.exit
    } catch {
      let failure = Failure(.internalError, "E1000", "\(error)")
      Console.report(failure, format: Arguments.format(in: words))
      return failure.exit
    }
  }
}
