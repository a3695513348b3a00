/// Error and warning codes with what they mean and what to do: `fedsim explain CODE`.
///
/// Each module declares the codes that it throws, in lists that extend this type; the program puts
/// them together. The digit after the letter is the exit code of errors, but for those with 1,
/// which are the system's: they say with which code they exit.
public enum MessageCatalogue {
  /// One code.
  public struct Entry: Sendable {
    /// Such as E3103.
    public let code: String
    /// In a few words.
    public let title: String
    /// What has happened.
    public let meaning: String
    /// What to do about it.
    public let remedy: String

    package init(_ code: String, _ title: String, _ meaning: String, _ remedy: String) {
      self.code = code
      self.title = title
      self.meaning = meaning
      self.remedy = remedy
    }
  }
}
