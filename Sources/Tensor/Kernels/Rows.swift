/// Loops over the rows of a row-major matrix; the inner loop runs over columns and vectorises.
enum Rows {
  /// Every row becomes `row`.
  static func broadcast(
    _ row: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, rows: Int, columns: Int
  ) { for r in 0..<rows { (y + r * columns).update(from: row, count: columns) } }

  /// Column sums, added up row by row in order.
  static func sum(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, rows: Int, columns: Int,
    accumulate: Bool
  ) {
    if !accumulate { y.update(repeating: 0, count: columns) }
    for r in 0..<rows {
      let row = x + r * columns
      for c in 0..<columns { y[c] += row[c] }
    }
  }

  /// y ← max(0, y); what is not a number stays.
  static func rectify(_ y: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count { y[i] = y[i] <= 0 ? 0 : y[i] }
  }

  /// dy ← dy where y > 0, else 0: PyTorch's choice at 0.
  static func gate(_ dy: UnsafeMutablePointer<Float>, by y: UnsafePointer<Float>, count: Int) {
    for i in 0..<count { dy[i] = y[i] > 0 ? dy[i] : 0 }
  }

  /// y ← y + x, or y ← x.
  static func deliver(
    _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, count: Int, _ how: GradientWrite
  ) {
    switch how {
    case .skip: break
    case .overwrite: y.update(from: x, count: count)
    case .add: for i in 0..<count { y[i] += x[i] }
    }
  }
}
