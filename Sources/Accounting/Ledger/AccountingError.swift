/// Why a question about privacy has no answer.
public enum AccountingError: Error, Sendable, Equatable {
  /// A number outside its range; the text names it, its value and the range.
  case outOfRange(String)
  /// A combination that no accountant here can bound; never answered by a guess.
  case unsupported(String)
  /// No value of the unknown meets the target; the text says how far the search went.
  case unreachable(String)

  /// The case in words.
  public var message: String {
    switch self {
    case .outOfRange(let text), .unsupported(let text), .unreachable(let text): text
    }
  }
}
