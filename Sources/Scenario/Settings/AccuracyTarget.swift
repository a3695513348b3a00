import Base

/// An accuracy that runs are asked to reach.
package struct AccuracyTarget: Sendable, Equatable {
  /// Which models are measured.
  package enum Model: String, Sendable, CaseIterable {
    /// The one model for all, on the global test set.
    case generic
    /// What clients get, each on its local test: the mean over clients.
    case personal
  }

  package var model: Model
  /// The accuracy, a share in (0, 1].
  package var accuracy: Double

  package init(_ model: Model, _ accuracy: Double) {
    self.model = model
    self.accuracy = accuracy
  }

  /// Such as "generic accuracy 32.5 %".
  package var title: String {
    var percent = NumberText.percent(accuracy, 3)
    while percent.hasSuffix("0") { percent.removeLast() }
    if percent.hasSuffix(".") { percent.removeLast() }
    return "\(model.rawValue) accuracy \(percent) %"
  }
}
