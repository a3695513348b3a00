import Synchronization

/// Whether work that is under way should be left as it is: somebody waits for the end of the
/// program and the round would take too long.
///
/// Looked at before every batch. Who leaves work says so by a ``Divergence`` that means nothing:
/// the round that it is thrown through is not used.
public final class StopSign: Sendable {
  private let asked: @Sendable () -> Bool
  private let counts = Atomic<Bool>(false)
  private let seen = Atomic<Bool>(false)

  /// A sign that is up while somebody asks, from any thread, and work may be left.
  public init(_ asked: @escaping @Sendable () -> Bool = { false }) { self.asked = asked }

  /// Whether work may be left from now on.
  public func allow(_ isAllowed: Bool) { counts.store(isAllowed, ordering: .relaxed) }

  /// Whether to leave the work now.
  public var isUp: Bool {
    guard counts.load(ordering: .relaxed), asked() else { return false }
    seen.store(true, ordering: .relaxed)
    return true
  }

  /// Whether anybody was asked to stop: what was computed since is not whole.
  public var wasSeen: Bool { seen.load(ordering: .relaxed) }
}
