import Base
import Scenario

extension Suggestions {
  /// E2012: a name on the command line that nothing has.
  package static func unknown(_ what: String, _ word: String, among names: [String]) -> Failure {
    Failure(
      .wrongCommandLine, "E2012", "no \(what) is called \"\(word)\"",
      hint: nearest(word, among: names).map { "did you mean \($0) ?" }
        ?? "one of \(names.joined(separator: ", "))")
  }
}
