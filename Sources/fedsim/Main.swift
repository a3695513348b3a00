import Federation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The program: words in, words and an exit code out.
@main
struct Main {
  static func main() {
    Console.secureStreams()
    let words = Array(CommandLine.arguments.dropFirst())
    let code = run(words)
    fflush(nil)
    exit(code.rawValue)
  }

  /// Parses, runs and reports; every failure ends here.
  static func run(_ words: [String]) -> ExitCode {
    do {
      let invocation = try Arguments.parse(words)
      return try Command.run(invocation)
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
