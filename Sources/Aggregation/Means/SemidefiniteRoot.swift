import Base

/// A lower triangular L with L·Lᵀ = A for a symmetric A without negative eigenvalues, [d × d].
///
/// Cholesky's decomposition that leaves a column out where nothing is left of its variance: less
/// than 10⁻⁶ of the largest, for A was sent in single precision. With fewer examples than features
/// most columns are left out, and cost nothing.
///
/// Entries are sums in the order of the columns, whatever is done at once: blocks of columns are
/// taken off the rest of the matrix together, several entries of a row and several samples at once.
struct SemidefiniteRoot {
  private let width: Int
  /// [d × d], row by row; columns that were left out are 0.
  private var l: [Double]
  /// The columns that were not left out, ascending.
  private var columns: [Int] = []

  /// Columns that are taken off the rest together.
  private static let panel = 32
  private typealias Lanes = SIMD8<Double>

  /// The root of (1 − s)·A + s·tr(A)/d·I; `a`: the upper triangle of A, row by row.
  ///
  /// - Complexity: d²·r floating-point operations for r columns that are not left out.
  init(_ a: [Double], width: Int, shrinkage: Double) {
    self.width = width
    l = [Double](repeating: 0, count: width * width)
    var place = 0
    var trace = 0.0
    for i in 0..<width {
      trace += a[place]
      for j in i..<width { l[j * width + i] = (1 - shrinkage) * a[place + j - i] }
      place += width - i
    }
    var largest = 0.0
    for i in 0..<width {
      l[i * width + i] += shrinkage * trace / Double(width)
      largest = max(largest, l[i * width + i])
    }
    for first in stride(from: 0, to: width, by: Self.panel) {
      let end = min(first + Self.panel, width)
      let kept = factorPanel(first..<end, flat: 1e-6 * largest)
      columns += kept
      takeOff(kept, from: end)
    }
  }

  /// Columns of a panel, from which all before it have been taken off; returns those that stay.
  private mutating func factorPanel(_ panel: Range<Int>, flat: Double) -> [Int] {
    let width = width
    var kept: [Int] = []
    l.withUnsafeMutableBufferPointer { l in
      for j in panel {
        var pivot = l[j * width + j]
        for k in kept { pivot -= l[j * width + k] * l[j * width + k] }
        if pivot <= flat {
          for i in j..<width { l[i * width + j] = 0 }
          continue
        }
        let root = pivot.squareRoot()
        l[j * width + j] = root
        for i in j + 1..<max(width, j + 1) {
          var value = l[i * width + j]
          for k in kept { value -= l[i * width + k] * l[j * width + k] }
          l[i * width + j] = value / root
        }
        kept.append(j)
      }
    }
    return kept
  }

  /// Takes a panel's columns off all entries after it, each entry in the order of the columns.
  private mutating func takeOff(_ kept: [Int], from end: Int) {
    guard !kept.isEmpty, end < width else { return }
    let width = width
    let lanes = Lanes.scalarCount
    // Column by column, so that neighbours of a row are neighbours in memory.
    let length = (width - end + lanes - 1) / lanes * lanes
    var turned = [Double](repeating: 0, count: kept.count * length)
    for (place, k) in kept.enumerated() {
      for m in end..<width { turned[place * length + m - end] = l[m * width + k] }
    }
    l.withUnsafeMutableBytes { matrix in
      turned.withUnsafeBytes { turned in
        let size = MemoryLayout<Double>.stride
        for i in end..<width {
          let row = i * width
          let factors = kept.map {
            matrix.loadUnaligned(fromByteOffset: (row + $0) * size, as: Double.self)
          }
          // Entries right of the diagonal belong to nobody: full lanes may touch those in the row.
          var m = end
          while m <= i {
            if m + lanes <= width {
              let at = (row + m) * size
              var values = matrix.loadUnaligned(fromByteOffset: at, as: Lanes.self)
              for (place, factor) in factors.enumerated() {
                let other = turned.loadUnaligned(
                  fromByteOffset: (place * length + m - end) * size, as: Lanes.self)
                values -= factor * other
              }
              matrix.storeBytes(of: values, toByteOffset: at, as: Lanes.self)
              m += lanes
            } else {
              let at = (row + m) * size
              var value = matrix.loadUnaligned(fromByteOffset: at, as: Double.self)
              for (place, factor) in factors.enumerated() {
                value -=
                  factor
                  * turned.loadUnaligned(
                    fromByteOffset: (place * length + m - end) * size, as: Double.self)
              }
              matrix.storeBytes(of: value, toByteOffset: at, as: Double.self)
              m += 1
            }
          }
        }
      }
    }
  }

  /// L·x.
  func times(_ x: [Double]) -> [Double] {
    (0..<width).map { i in
      var sum = 0.0
      for k in columns where k <= i { sum += l[i * width + k] * x[k] }
      return sum
    }
  }

  /// `count` samples of N(mean, L·Lᵀ), [count × d]; normals are drawn sample by sample.
  ///
  /// - Complexity: O(count · d · r).
  func samples(_ count: Int, around mean: [Double], from stream: inout RandomStream) -> [Float] {
    var values = [Float](repeating: 0, count: count * width)
    let lanes = Lanes.scalarCount
    var normals = [Lanes](repeating: .zero, count: width)
    for first in stride(from: 0, to: count, by: lanes) {
      let drawn = min(lanes, count - first)
      for sample in 0..<drawn { for i in 0..<width { normals[i][sample] = stream.normal() } }
      var reached = 0
      for i in 0..<width {
        while reached < columns.count, columns[reached] <= i { reached += 1 }
        var sum = Lanes.zero
        l.withUnsafeBufferPointer { l in
          normals.withUnsafeBufferPointer { normals in
            columns.withUnsafeBufferPointer { columns in
              for place in 0..<reached {
                let k = columns[place]
                sum += l[i * width + k] * normals[k]
              }
            }
          }
        }
        for sample in 0..<drawn {
          values[(first + sample) * width + i] = Float(mean[i] + sum[sample])
        }
      }
    }
    return values
  }
}
