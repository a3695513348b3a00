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

  var json: JSON {
    .known([
      (
        "generic",
        generic.map {
          .numbers([
            ("accuracy", $0.accuracy), ("balancedAccuracy", $0.balancedAccuracy), ("loss", $0.loss),
          ])
        }
      ),
      ("personal", personal.map { .numbers([("accuracy", $0)]) }),
      ("score", score.map(JSON.number)), ("best", best.map(JSON.int)),
    ])
  }

  init?(_ json: JSON) {
    guard json.members != nil else { return nil }
    func measure(_ json: JSON?) -> Double? { json.flatMap { $0.isNull ? .nan : $0.double } }
    if let part = json["generic"], let accuracy = measure(part["accuracy"]),
      let balanced = measure(part["balancedAccuracy"]), let loss = measure(part["loss"])
    {
      generic = Generic(accuracy: accuracy, balancedAccuracy: balanced, loss: loss)
    }
    personal = measure(json["personal"]?["accuracy"])
    score = json["score"]?.double
    best = json["best"]?.int
  }
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

extension StrategyRun {
  /// Whether it has done so many rounds, or ended before because it waited long enough for a better
  /// one.
  package func reaches(_ round: Int, patience: Int?) -> Bool {
    guard let last = records.last else { return false }
    return last.round >= round || BestRound(records).isOver(patience)
  }
}
