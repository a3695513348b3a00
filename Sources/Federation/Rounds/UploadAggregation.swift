import Aggregation
import Client

/// The uploads of an exchange on their way into a method's step, whatever the method sums them up
/// in.
protocol UploadAggregation: AnyObject {
  /// Before the first upload; may keep its memory.
  func restart()
  /// Takes uploads in, with the result of taking one after the other.
  func add(_ uploads: [WeightedUpload])
  func step(_ server: inout ServerState, _ round: RoundFacts) throws(RoundFailure)
}

/// A method and its fold: the one place where a strategy's type is opened.
private final class MethodAggregation<Method: Strategy>: UploadAggregation {
  private let method: Method
  private var fold = Method.Combination()

  init(_ method: Method) { self.method = method }

  func restart() { fold.restart() }

  func add(_ uploads: [WeightedUpload]) { if !uploads.isEmpty { fold.add(uploads) } }

  func step(_ server: inout ServerState, _ round: RoundFacts) throws(RoundFailure) {
    try RoundFailure.diverging { () throws(Divergence) in try method.step(&server, fold, round) }
  }
}

extension Strategy {
  /// What its uploads are summed up in.
  func makeAggregation() -> any UploadAggregation { MethodAggregation(self) }

  /// Who trains in a round.
  package var population: Population { Self.population }
  /// Whether clients send anything at all.
  package var sendsUploads: Bool { Self.sendsUploads }
}
