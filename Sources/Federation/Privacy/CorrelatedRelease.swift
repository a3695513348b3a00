import Accounting
import Base
import Tensor

/// The noise of one round that takes earlier noise back.
///
///     w_t = s·Σ_{j≤t} r_j z_{t−j}
///
/// No z is kept: the streams of all rounds before are made anew from their addresses, so that a
/// run goes on after any checkpoint with the noise that it would have had. A banded inverse takes
/// as many passes as it has bands; a banded C, whose inverse is full, up to t + 1. (The recursion
/// of a banded C would take one pass, and b − 1 vectors in every checkpoint.)
struct CorrelatedRelease {
  let strategy: ToeplitzStrategy
  /// The server's streams of a round, from 1.
  let streams: @Sendable (_ round: Int, _ block: Int) -> RandomStream

  /// Terms below the last bit of the sum's first, which have no part in it.
  private static let negligible = 0x1p-60
  /// Numbers that a worker makes at a time; whole blocks of the noise.
  private static let piece = 1 << 14

  /// w of a block.
  ///
  /// Every number is summed up in Double in the order of j, whoever computes it.
  ///
  /// - Parameters:
  ///   - round: t + 1, from 1.
  ///   - block: which block of the message.
  ///   - count: its numbers.
  ///   - deviation: s.
  ///   - pool: the workers that share the numbers.
  /// - Returns: [count].
  /// - Complexity: O(count·min(t, non-zero r)).
  func noise(round: Int, block: Int, count: Int, deviation: Double, _ pool: WorkerPool) -> [Float] {
    let past = min(round, strategy.rounds)
    var terms: [(noise: GaussianNoise, scale: Double)] = []
    for (j, factor) in strategy.inverse.prefix(past).enumerated()
    where abs(factor) >= Self.negligible {
      terms.append((GaussianNoise(streams(round - j, block)), factor * deviation))
    }
    let pieces = pool.map((count + Self.piece - 1) / Self.piece) { [terms] _, number in
      let first = number * Self.piece
      var sum = [Double](repeating: 0, count: min(Self.piece, count - first))
      for term in terms { term.noise.add(to: &sum, scale: term.scale, first: first) }
      return sum.map { Float($0) }
    }
    return pieces.flatMap { $0 }
  }
}
