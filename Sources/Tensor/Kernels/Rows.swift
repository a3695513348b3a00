/// Loops over the rows of a row-major matrix; the inner loop runs over columns and vectorises.
enum Rows {
  /// Every row becomes `row`.
  static func broadcast(
    _ row: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>,
    rows: Int,
    columns: Int
  ) {
    for r in 0..<rows { (y + r * columns).update(from: row, count: columns) }
  }

  /// Column sums, added up row by row in order.
  static func sum(
    _ x: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>,
    rows: Int,
    columns: Int,
    accumulate: Bool
  ) {
    if !accumulate { y.update(repeating: 0, count: columns) }
    for r in 0..<rows {
      let row = x + r * columns
      for c in 0..<columns { y[c] += row[c] }
    }
  }

  /// y ← y + x, or y ← x.
  static func deliver(
    _ x: UnsafePointer<Float>,
    to y: UnsafeMutablePointer<Float>,
    count: Int,
    _ how: GradientWrite
  ) {
    switch how {
    case .skip: break
    case .overwrite: y.update(from: x, count: count)
    case .add: for i in 0..<count { y[i] += x[i] }
    }
  }
}
