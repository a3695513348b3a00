/// In which rounds one unit may take part: rounds at least b apart, and at most k of them.
///
/// - Source: Choquette-Choo, McMahan, Rush and Thakurta 2022, arXiv:2211.06530; minimal separation:
///   Choquette-Choo et al. 2023, arXiv:2306.08153.
public struct ParticipationPattern: Sendable, Equatable {
  /// `b` ≥ 1: two rounds of one unit differ by b or more.
  public let separation: Int
  /// `k` ≥ 1: rounds of one unit at most; beyond ⌈n/b⌉ it says nothing.
  public let most: Int

  /// A pattern, checked.
  public init(separation: Int, most: Int = .max) throws(AccountingError) {
    guard separation >= 1 else {
      throw .outOfRange("the separation is \(separation); expected at least 1")
    }
    guard most >= 1 else {
      throw .outOfRange("the number of participations is \(most); expected at least 1")
    }
    self.separation = separation
    self.most = most
  }

  /// min(k, ⌈n/b⌉): how often a unit can take part in n rounds.
  public func participations(in rounds: Int) -> Int {
    rounds < 1 ? 0 : min(most, (rounds - 1) / separation + 1)
  }

  /// How far one unit can move the first t rows of Cx, for t = 0 … n, when each x moves by 1.
  ///
  /// For a C without negative entries whose columns never rise, joining as early and as densely as
  /// allowed is the worst case, whatever the directions of the x:
  ///
  ///     sens_t² = Σ_{s<t} v_s²,   v = Σ_{i<k} shift_{ib}(c)
  ///
  /// Any other column is first replaced by the reverse running maximum of its magnitudes, which
  /// bounds it by one of that kind. With no more bands than b nothing overlaps, and
  /// sens_n = √k·‖c‖ wherever all k shifts fit into the n rounds as a whole.
  ///
  /// - Parameter column: c, [n].
  /// - Returns: [n + 1], ascending from 0.
  /// - Complexity: O(n·min(k, n/b)).
  public func sensitivities(of column: [Double]) -> [Double] {
    let column = Self.dominating(column)
    var moved = [Double](repeating: 0, count: column.count)
    for i in 0..<participations(in: column.count) {
      let start = i * separation
      for s in start..<column.count {
        // Beyond the last band there are only zeros.
        if column[s - start] == 0 { break }
        moved[s] += column[s - start]
      }
    }
    var (sensitivities, total) = ([0.0], 0.0)
    for entry in moved {
      total += entry * entry
      sensitivities.append(total.squareRoot())
    }
    return sensitivities
  }

  /// The least column that never rises and is nowhere below the magnitudes of another.
  static func dominating(_ column: [Double]) -> [Double] {
    var result = column
    var largest = 0.0
    for index in column.indices.reversed() {
      largest = max(largest, abs(column[index]))
      result[index] = largest
    }
    return result
  }
}
