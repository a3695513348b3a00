import Tensor

/// The step of clipped error feedback on several vectors that count as one.
///
///     v = S + clip(e, b);   e ← (e − clip(e, b)) + r
///
/// with S the sum of clipped parts and r the sum of what clipping took. It is the algorithm's
/// e ← e + Σ g_i − v in residual form, so that noise, which is added to v later, never enters e.
///
/// - Source: Zhang, Bu, Wu and Hong, ICLR 2024, arXiv:2311.14632, algorithm 1, in units of sums.
public struct ErrorFeedbackStep {
  /// b = ρ·C ≥ 0: the most that e gives back in a step.
  public let bound: Double

  /// A step.
  public init(bound: Double) { self.bound = bound }

  /// Moves sums and errors.
  ///
  /// - Parameters:
  ///   - sums: S in, v out.
  ///   - errors: e in and out, of the same shapes.
  ///   - residuals: r; empty for none.
  ///   - ranges: per vector, the places that take part.
  /// - Returns: ‖e‖ afterwards.
  /// - Complexity: O(places).
  @discardableResult public func apply(
    _ sums: inout [[Float]], _ errors: inout [[Float]], residuals: [[Float]], ranges: [[Range<Int>]]
  ) -> Double {
    let length = Self.norm(errors, ranges)
    let factor = Float(length <= bound ? 1 : bound / length)
    for index in errors.indices {
      for range in ranges[index] {
        for i in range {
          let given = factor * errors[index][i]
          sums[index][i] += given
          errors[index][i] -= given
          if !residuals.isEmpty { errors[index][i] += residuals[index][i] }
        }
      }
    }
    return Self.norm(errors, ranges)
  }

  /// The common norm of the places that take part.
  public static func norm(_ vectors: [[Float]], _ ranges: [[Range<Int>]]) -> Double {
    var square = 0.0
    for (vector, ranges) in zip(vectors, ranges) {
      for range in ranges {
        let part = vector.span.extracting(range)
        square += VectorArithmetic.dot(part, part)
      }
    }
    return square.squareRoot()
  }
}
