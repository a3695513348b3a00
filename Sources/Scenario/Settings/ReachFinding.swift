/// Something that a scenario asks of `compression` and that has no effect on a method.
package struct ReachFinding: Sendable {
  /// All findings of a scenario that is valid otherwise.
  ///
  /// Only a dry run of a method tells what it sends, and that is the engine's: with the engine,
  /// scenarios are read by `ScenarioReader()`.
  package typealias Search = @Sendable (Scenario) -> [ReachFinding]

  /// The place of the method among the scenario's strategies.
  package let strategy: Int
  /// A code of the message catalogue.
  package let code: String
  /// What has no effect, and why.
  package let text: String
  package let hint: String

  package init(strategy: Int, code: String, text: String, hint: String) {
    self.strategy = strategy
    self.code = code
    self.text = text
    self.hint = hint
  }
}
