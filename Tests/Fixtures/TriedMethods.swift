import Aggregation
import Testing

/// Runs tests with methods that are not on the shelf, or not yet.
package struct TriedMethods: SuiteTrait, TestTrait, TestScoping {
  package let isRecursive = true
  let types: [any Strategy.Type]

  package func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws { try await StrategyRegistry.$tried.withValue(types) { try await function() } }
}

extension Trait where Self == TriedMethods {
  /// The registry has these methods during the tests, and only there.
  package static func methods(_ types: any Strategy.Type...) -> TriedMethods {
    TriedMethods(types: types)
  }
}
