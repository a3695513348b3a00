import Base
import Scenario

extension RoundRecord {
  /// Models on the images that clients keep out of training, and what follows for the choice of a
  /// round.
  package struct Validation: Sendable, Equatable {
    /// The generic model on all clients' images; nil when the method has none.
    package var generic: Generic?
    /// Mean over clients of their own model's accuracy on their own images; nil without own models.
    package var personal: Double?
    /// What rounds are ranked by; nil when it has no meaning.
    package var score: Double?
    /// The best round so far, the earliest of equals; nil when results are those of the last round.
    package var best: Int?

    package init(
      generic: Generic? = nil, personal: Double? = nil, score: Double? = nil, best: Int? = nil
    ) {
      self.generic = generic
      self.personal = personal
      self.score = score
      self.best = best
    }

    /// The generic model on images in the mixture that clients have.
    package struct Generic: Sendable, Equatable {
      /// Share of images that are right.
      package var accuracy: Double
      /// Mean of the recalls of the classes that are there.
      package var balancedAccuracy: Double
      /// Mean cross-entropy.
      package var loss: Double

      package init(accuracy: Double, balancedAccuracy: Double, loss: Double) {
        self.accuracy = accuracy
        self.balancedAccuracy = balancedAccuracy
        self.loss = loss
      }
    }
  }
}

extension RoundRecord.Validation {
  /// Ranks the round: by the given measure, or by what the method has.
  package mutating func rank(by metric: SelectionMetric?) {
    score =
      switch metric {
      case .genericBalanced: generic?.balancedAccuracy
      case .genericAccuracy: generic?.accuracy
      case .genericLoss: generic.map { -$0.loss }
      case .personalAccuracy: personal
      case nil: generic?.balancedAccuracy ?? personal
      }
    if score?.isNaN == true { score = nil }
  }
}

extension RoundRecord.Validation {
  static let keys = Keys<Self>(
    { Self() },
    [
      Key(
        \.generic, "generic", .object(Generic.keys),
        "The server's model on the images of all clients.", absent: "the method has no such model"),
      .group(
        "personal",
        [
          Key(
            \.personal, "accuracy", .measure, unit: "share",
            "Mean over clients of their own model's accuracy on their own images.",
            absent: "clients have no models of their own")
        ]),
      Key(
        \.score, "score", .number, "What rounds are ranked by: more is better.",
        absent: "it has no meaning"),
      Key(
        \.best, "best", .integer, "The best round so far, the earliest of equals.",
        absent: "results are those of the last round"),
    ])
}

extension RoundRecord.Validation.Generic {
  fileprivate static let keys = Keys<Self>(
    { Self(accuracy: 0, balancedAccuracy: 0, loss: 0) },
    [
      Key(\.accuracy, "accuracy", .measure, unit: "share", "Share of images that are right."),
      Key(
        \.balancedAccuracy, "balancedAccuracy", .measure, unit: "share",
        "Mean of the recalls of the classes that are there."),
      Key(\.loss, "loss", .measure, "Mean cross-entropy."),
    ])
}

/// The best round so far by validation.
package struct BestRound: Sendable, Equatable {
  /// The earliest round with the highest score; nil before the first evaluation with a score.
  package private(set) var round: Int?
  /// Its score.
  package private(set) var score = -Double.infinity
  /// Evaluations since.
  package private(set) var evaluationsSince = 0

  /// The best of some rounds, ascending.
  package init(_ records: some Sequence<RoundRecord> = []) { for record in records { add(record) } }

  /// The next round; one that was not measured on validation images changes nothing.
  package mutating func add(_ record: RoundRecord) {
    guard let validation = record.validation else { return }
    if let new = validation.score, new > score || round == nil {
      (round, score, evaluationsSince) = (record.round, new, 0)
    } else {
      evaluationsSince += 1
    }
  }

  /// Whether a run that may wait so many evaluations for a better round has ended.
  package func isOver(_ patience: Int?) -> Bool {
    guard let patience, round != nil else { return false }
    return evaluationsSince >= patience
  }
}
