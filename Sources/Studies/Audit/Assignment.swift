/// The cheapest one-to-one assignment.
enum Assignment {
  /// Which column each row gets so that the sum of costs is least.
  ///
  /// - Parameter costs: [n][n]; what is not finite counts as very dear.
  /// - Returns: n different columns.
  /// - Complexity: O(n³).
  /// - Source: the Hungarian method (Kuhn 1955) with potentials and shortest augmenting paths, as
  ///   in Jonker and Volgenant, Computing 38, 1987.
  static func cheapest(_ costs: [[Double]]) -> [Int] {
    let n = costs.count
    let costs = costs.map { row in row.map { $0.isFinite ? $0 : 1e150 } }
    // Row 0 and column 0 are where a path starts.
    var rowPotential = [Double](repeating: 0, count: n + 1)
    var columnPotential = [Double](repeating: 0, count: n + 1)
    var rowOfColumn = [Int](repeating: 0, count: n + 1)
    var previous = [Int](repeating: 0, count: n + 1)
    for row in 0..<n {
      rowOfColumn[0] = row + 1
      var column = 0
      var slack = [Double](repeating: .infinity, count: n + 1)
      var isUsed = [Bool](repeating: false, count: n + 1)
      repeat {
        isUsed[column] = true
        let current = rowOfColumn[column]
        var next = 0
        var least = Double.infinity
        for candidate in 1...n where !isUsed[candidate] {
          let reduced =
            costs[current - 1][candidate - 1] - rowPotential[current] - columnPotential[candidate]
          if reduced < slack[candidate] {
            slack[candidate] = reduced
            previous[candidate] = column
          }
          if slack[candidate] < least {
            least = slack[candidate]
            next = candidate
          }
        }
        for candidate in 0...n {
          if isUsed[candidate] {
            rowPotential[rowOfColumn[candidate]] += least
            columnPotential[candidate] -= least
          } else {
            slack[candidate] -= least
          }
        }
        column = next
      } while rowOfColumn[column] != 0
      while column != 0 {
        rowOfColumn[column] = rowOfColumn[previous[column]]
        column = previous[column]
      }
    }
    var columns = [Int](repeating: 0, count: n)
    for column in 1..<(n + 1) { columns[rowOfColumn[column] - 1] = column - 1 }
    return columns
  }
}
