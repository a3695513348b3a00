import Aggregation
import Base
import Client
import Codecs

/// Why a round does not come to its end.
package enum RoundFailure: Error, Sendable, Equatable {
  /// Training left the numbers, which is a result of the experiment.
  case diverged(Divergence)
  /// A frame could not be made or read, which is a mistake of the program.
  case frame(FrameFailure)

  /// What the message says where a divergence cannot be meant.
  package func failure(run: String) -> Failure {
    switch self {
    case .diverged(let divergence):
      Failure(.diverged, "E5001", "\(run) diverged in round \(divergence.round)")
    case .frame(let frame): frame.failure(run: run)
    }
  }

  /// Runs what can only diverge: a method's own code, a client's training.
  static func diverging<T>(_ body: () throws(Divergence) -> T) throws(RoundFailure) -> T {
    do throws(Divergence) { return try body() } catch { throw .diverged(error) }
  }

  /// Runs a link's codecs: values that are no numbers are a divergence, all else is a mistake.
  ///
  /// `step`: the client's last local step, nil for what the server sends.
  static func coding<T>(
    _ way: FrameFailure.Way, round: Int, exchange: Int, client: Int?, step: Int? = nil,
    _ body: () throws(FrameError) -> T
  ) throws(RoundFailure) -> T {
    do throws(FrameError) { return try body() } catch {
      if error.reason == .nonFinite {
        throw .diverged(Divergence(round: round, client: client, step: step))
      }
      throw .frame(
        FrameFailure(error: error, way: way, round: round, exchange: exchange, client: client))
    }
  }
}

/// A frame that failed, and whose it was.
package struct FrameFailure: Sendable, Equatable {
  package enum Way: String, Sendable { case up, down }

  let error: FrameError
  let way: Way
  let round: Int
  /// Of the round, from 0.
  let exchange: Int
  /// Nil for what the server sends to all.
  let client: Int?

  /// The message, with everything that a report of the mistake needs.
  func failure(run: String) -> Failure {
    let whose = client.map { "client \($0)" } ?? "all clients"
    let link = way == .up ? "from \(whose) to the server" : "from the server to \(whose)"
    return Failure(
      .internalError, "E1040",
      "\(run), round \(round), exchange \(exchange + 1), \(link): block \(error.block) "
        + "(\(error.values) values, codecs \(error.codecs)): \(error.reason)",
      hint: "this is a bug: please report it with the scenario; the checkpoint of the run is whole")
  }
}
