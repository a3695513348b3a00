/// A lower-triangular Toeplitz matrix C by which noise is correlated over rounds.
///
/// The sums x_t of rounds 0 ..< n are released as x + C⁻¹z with independent noise z. Everything
/// that is released is a function of Cx + z, which is one Gaussian mechanism; what a server that
/// adds its steps up suffers from is A·C⁻¹z, A the lower triangle of ones. With
///
///     c_k = binom(2k, k) / 4^k = 1, 1/2, 3/8, 5/16, …     C·C = A
///     r_0 = 1/c_0,  r_t = −(1/c_0) Σ_{j=1}^{t} c_j r_{t−j}   C⁻¹, here 1, −1/2, −1/8, −1/16, …
///
/// a banded C keeps c_0 … c_{b−1} and a banded inverse r_0 … r_{b−1}; one band is independent
/// noise.
///
/// - Source: the square root: Fichtenberger, Henzinger and Upadhyay 2022, arXiv:2202.11205; bands:
///   Choquette-Choo et al. 2023, arXiv:2306.08153, and Kalinin and Lampert 2024, arXiv:2405.13763;
///   banded inverse: Kalinin, McKenna, Upadhyay and Lampert 2025, arXiv:2505.12128.
public struct ToeplitzStrategy: Sendable, Equatable {
  /// Which of the two matrices has bands.
  public enum Kind: String, Sendable, CaseIterable {
    /// C: a row depends on the last b rounds; its inverse is full.
    case banded
    /// C⁻¹: the noise of a round is a sum of b independent ones; C is full.
    case bandedInverse = "banded-inverse"
  }

  /// Which matrix has bands.
  public let kind: Kind
  /// `b`: bands with the diagonal, 1 … n.
  public let bands: Int
  /// `n`: rounds, 1 … `mostRounds`.
  public var rounds: Int { coefficients.count }
  /// `c`, [n]: the first column of C.
  public let coefficients: [Double]
  /// `r`, [n]: the first column of C⁻¹.
  public let inverse: [Double]

  /// Most rounds: each round's noise is a sum over those before, and the matrices' coefficients
  /// take O(n·b).
  public static let mostRounds = 20_000

  /// The matrices of a kind.
  ///
  /// - Complexity: O(n·b).
  public init(_ kind: Kind, bands: Int, rounds: Int) throws(AccountingError) {
    guard rounds >= 1, rounds <= Self.mostRounds else {
      throw .outOfRange("the number of rounds is \(rounds); expected 1 to \(Self.mostRounds)")
    }
    guard bands >= 1, bands <= rounds else {
      throw .outOfRange("the number of bands is \(bands); expected 1 to the \(rounds) rounds")
    }
    self.kind = kind
    self.bands = bands
    switch kind {
    case .banded:
      let column = Self.squareRoot(bands)
      coefficients = Self.padded(column, to: rounds)
      inverse = Self.inverse(of: column, count: rounds)
    case .bandedInverse:
      let column = Self.inverseSquareRoot(bands)
      coefficients = Self.inverse(of: column, count: rounds)
      inverse = Self.padded(column, to: rounds)
    }
  }

  /// The first `count` coefficients of (1 − x)^(−1/2): the square root of A.
  public static func squareRoot(_ count: Int) -> [Double] {
    var column = [1.0]
    for k in stride(from: 1, to: count, by: 1) {
      column.append(column[k - 1] * Double(2 * k - 1) / Double(2 * k))
    }
    return column
  }

  /// The first `count` coefficients of (1 − x)^(1/2): the inverse of the square root.
  public static func inverseSquareRoot(_ count: Int) -> [Double] {
    var column = [1.0]
    for k in stride(from: 1, to: count, by: 1) {
      column.append(column[k - 1] * Double(2 * k - 3) / Double(2 * k))
    }
    return column
  }

  /// The first column of the inverse of a Toeplitz matrix whose own is `column`, with zeros after
  /// it.
  ///
  /// - Complexity: O(count · column).
  public static func inverse(of column: [Double], count: Int) -> [Double] {
    var inverse: [Double] = []
    inverse.reserveCapacity(count)
    for t in 0..<count {
      var sum = t == 0 ? 1.0 : 0
      for j in stride(from: 1, through: min(t, column.count - 1), by: 1) {
        sum -= column[j] * inverse[t - j]
      }
      inverse.append(sum / column[0])
    }
    return inverse
  }

  private static func padded(_ column: [Double], to count: Int) -> [Double] {
    column + [Double](repeating: 0, count: max(0, count - column.count))
  }

  /// `e_t`, [n]: variance of the sum of the noise of rounds 0 … t for z of variance 1.
  ///
  ///     e_t = Σ_{s≤t} (Σ_{i≤s} r_i)²
  public var prefixVariances: [Double] {
    var (entry, total) = (0.0, 0.0)
    return inverse.map { r in
      entry += r
      total += entry * entry
      return total
    }
  }

  /// Root of the mean of e_t over all rounds: the error of a prefix sum for z of deviation 1.
  public var prefixError: Double {
    (prefixVariances.reduce(0, +) / Double(rounds)).squareRoot()
  }

  /// Deviation of the noise of round t, from 0, for z of deviation 1: above 1, because what is
  /// added in one round is taken back in later ones.
  public func roundDeviation(_ round: Int) -> Double {
    inverse.prefix(round + 1).reduce(0) { $0 + $1 * $1 }.squareRoot()
  }
}
