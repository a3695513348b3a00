import Base

/// PowerSGD: one step of subspace iteration gives two factors of the matrix.
///
///     P = M·Q,   P ← orthonormal columns of P,   Q ← Mᵀ·P,   M̂ = P·Qᵀ
///
/// M is the tensor as n × m, n its first side and m the product of the others, r' = min(n, m, r).
/// The caller chooses the shape: convolution weights that lie as [kh][kw][in][out] are best given
/// as [kh·kw·in, out]. Q is kept from one encoding to the next in ``CodecContext/factors`` (warm
/// start); the first is drawn, N(0, 1). A biased codec: use error feedback.
///
/// Body: varint n, varint m, r' u8, then P column after column and Q column after column, 32-bit
/// floats: 4·r'·(n + m) bytes and the head.
///
/// - Source: Vogels, Karimireddy and Jaggi, NeurIPS 2019, algorithm 1.
public struct LowRankCodec: Codec {
  /// r, from 1 to 255.
  public let rank: Int

  /// A codec.
  public init(rank: Int) { self.rank = rank }

  /// 12.
  public var kind: CodecKind { .lowRank }

  func sides(_ shape: [Int]) -> (n: Int, m: Int, r: Int) {
    let n = shape.first ?? 1
    let m = shape.dropFirst().reduce(1, *)
    return (n, m, max(0, min(n, m, rank)))
  }

  /// Values of the right factor, which is kept from one encoding to the next.
  func factorCount(shape: [Int]) -> Int {
    let (_, m, r) = sides(shape)
    return r * m
  }

  /// Refuses ranks that are not from 1 to 255, and tensors of fewer than two dimensions.
  public func check(shape: [Int]) throws(CodecError) {
    guard (1...255).contains(rank) else { throw .parameter("rank \(rank)") }
    guard shape.count >= 2 else { throw .parameter("a low rank of \(shape)") }
  }

  /// Whether factors are smaller: r'·(n + m)·rate < n·m.
  ///
  /// `rate`: how much smaller at least; 2 in PyTorch's communication hook.
  public func pays(shape: [Int], rate: Double = 2) -> Bool {
    guard shape.count >= 2 else { return false }
    let (n, m, r) = sides(shape)
    return Double(r) * (Double(n) + Double(m)) * rate < Double(n) * Double(m)
  }

  /// Exactly |varint n| + |varint m| + 1 + 4·r'·(n + m).
  public func bodySize(shape: [Int]) -> CodecSize {
    let (n, m, r) = sides(shape)
    return .exactly(ByteWriter.varintSize(n) + ByteWriter.varintSize(m) + 1 + 4 * r * (n + m))
  }

  /// Appends the factors and keeps Q in the context.
  ///
  /// - Complexity: O(n·m·r), sums in Double; deterministic.
  public func encodeBody(
    of x: UnsafeBufferPointer<Float>, shape: [Int], to writer: inout ByteWriter,
    context: inout CodecContext
  ) throws(CodecError) -> CodecFlags {
    _ = try Magnitude.largest(x)
    let (n, m, r) = sides(shape)
    if context.factors.count != r * m || !context.factors.allSatisfy(\.isFinite) {
      context.factors = firstFactors(shape: shape, &context.stream)
    }
    var left = Self.left(x, n, m, context.factors)
    OrthonormalColumns.make(&left, rows: n, columns: r)
    // As the receiver has it.
    let sent = left.map { Float($0) }
    context.factors = Self.right(x, n, m, sent)
    writer.varint(n)
    writer.varint(m)
    writer.byte(UInt8(r))
    sent.withUnsafeBytes { writer.raw($0) }
    context.factors.withUnsafeBytes { writer.raw($0) }
    return []
  }

  /// P = M·Q, [r][n].
  package static func left(_ x: UnsafeBufferPointer<Float>, _ n: Int, _ m: Int, _ factors: [Float])
    -> [Double]
  {
    let r = m > 0 ? factors.count / m : 0
    var left = [Double](repeating: 0, count: r * n)
    for column in 0..<r {
      let factor = factors[column * m..<(column + 1) * m].map(Double.init)
      for row in 0..<n { left[column * n + row] = dot(x, row * m, factor) }
    }
    return left
  }

  /// Q = Mᵀ·P, [r][m].
  package static func right(_ x: UnsafeBufferPointer<Float>, _ n: Int, _ m: Int, _ left: [Float])
    -> [Float]
  {
    let r = n > 0 ? left.count / n : 0
    var right = [Double](repeating: 0, count: r * m)
    right.withUnsafeMutableBufferPointer { right in
      for row in 0..<n {
        for column in 0..<r {
          let weight = Double(left[column * n + row])
          for k in 0..<m { right[column &* m &+ k] += weight * Double(x[row &* m &+ k]) }
        }
      }
    }
    return right.map { Magnitude.saturated($0) }
  }

  /// Σ_k x_{first + k}·y_k, eight sums side by side.
  private static func dot(_ x: UnsafeBufferPointer<Float>, _ first: Int, _ y: [Double]) -> Double {
    var sums = SIMD8<Double>.zero
    var k = 0
    while k &+ 8 <= y.count {
      for lane in 0..<8 { sums[lane] += Double(x[first &+ k &+ lane]) * y[k &+ lane] }
      k &+= 8
    }
    var sum = sums.sum()
    while k < y.count {
      sum += Double(x[first &+ k]) * y[k]
      k &+= 1
    }
    return sum
  }

  /// Reads a body into x.
  package static func read(from reader: inout ByteReader, into x: UnsafeMutableBufferPointer<Float>)
    throws(CodecError)
  {
    let n = try reader.varint()
    let m = try reader.varint()
    let (product, overflow) = n.multipliedReportingOverflow(by: m)
    guard !overflow, product == x.count else { throw .malformed("sides") }
    let r = Int(try reader.byte())
    guard r <= min(n, m) else { throw .malformed("rank") }
    // Sides may be long where the other is 0; then r is 0 too.
    let left = try ValueCoding.float32.read(count: r == 0 ? 0 : r * n, from: &reader)
    let right = try ValueCoding.float32.read(count: r == 0 ? 0 : r * m, from: &reader)
    multiply(left, right, n, m, into: x)
    _ = try Magnitude.largest(UnsafeBufferPointer(x))
  }
}

/// The steps of the power iteration, for servers that sum factors of many clients.
extension LowRankCodec {
  /// Q of the first round: N(0, 1), [r][m].
  public func firstFactors(shape: [Int], _ stream: inout RandomStream) -> [Float] {
    (0..<factorCount(shape: shape)).map { _ in Float(stream.normal()) }
  }

  /// P = M·Q, [r][n], columns one after the other.
  ///
  /// - Complexity: O(n·m·r), sums in Double.
  public func left(of x: [Float], shape: [Int], factors: [Float]) -> [Float] {
    let (n, m, _) = sides(shape)
    return x.withUnsafeBufferPointer {
      Self.left($0, n, m, factors).map { Magnitude.saturated($0) }
    }
  }

  /// P with orthonormal columns.
  public func orthonormal(_ left: [Float], shape: [Int]) -> [Float] {
    let (n, _, r) = sides(shape)
    var columns = left.map(Double.init)
    OrthonormalColumns.make(&columns, rows: n, columns: r)
    return columns.map { Float($0) }
  }

  /// Q = Mᵀ·P, [r][m].
  ///
  /// - Complexity: O(n·m·r), sums in Double.
  public func right(of x: [Float], shape: [Int], left: [Float]) -> [Float] {
    let (n, m, _) = sides(shape)
    return x.withUnsafeBufferPointer { Self.right($0, n, m, left) }
  }

  /// M̂ = P·Qᵀ, [n·m].
  public func product(left: [Float], right: [Float], shape: [Int]) -> [Float] {
    let (n, m, _) = sides(shape)
    var x = [Float](repeating: 0, count: n * m)
    x.withUnsafeMutableBufferPointer { Self.multiply(left, right, n, m, into: $0) }
    return x
  }

  /// Values of P.
  public func leftCount(shape: [Int]) -> Int {
    let (n, _, r) = sides(shape)
    return r * n
  }

  /// Values of Q.
  public func rightCount(shape: [Int]) -> Int { factorCount(shape: shape) }

  /// x = P·Qᵀ, column after column.
  package static func multiply(
    _ left: [Float], _ right: [Float], _ n: Int, _ m: Int, into x: UnsafeMutableBufferPointer<Float>
  ) {
    x.update(repeating: 0)
    let r = n > 0 ? left.count / n : 0
    right.withUnsafeBufferPointer { right in
      for column in 0..<r {
        for row in 0..<n {
          let weight = left[column * n + row]
          for k in 0..<m { x[row &* m &+ k] += weight * right[column &* m &+ k] }
        }
      }
    }
  }
}

/// Gram and Schmidt's method in its modified form, twice (Giraud, Langou and Rozložník, Computers
/// and Mathematics with Applications 50, 2005: twice is enough).
enum OrthonormalColumns {
  /// Makes the columns of a [columns × rows] array, each stored in a row, orthonormal.
  ///
  /// A column that depends on those before it is replaced by the unit vector that they hold least
  /// of, the first of equals: the result depends on nothing but the input.
  /// `columns` ≤ `rows`.
  ///
  /// - Complexity: O(rows·columns²).
  static func make(_ a: inout [Double], rows: Int, columns: Int) {
    for column in 0..<columns {
      let before = normalise(&a, column, rows)
      // Removing what is there already leaves less than rounding's share of a dependent column.
      guard before, reduce(&a, column, rows) > 1e-7 else {
        replace(&a, column, rows)
        continue
      }
      _ = normalise(&a, column, rows)
      _ = reduce(&a, column, rows)
      _ = normalise(&a, column, rows)
    }
  }

  /// Divides by the norm; false where there is none.
  private static func normalise(_ a: inout [Double], _ column: Int, _ rows: Int) -> Bool {
    let range = column * rows..<(column + 1) * rows
    var largest = 0.0
    for i in range { largest = max(largest, abs(a[i])) }
    guard largest > 0, largest.isFinite else { return false }
    var sum = 0.0
    for i in range {
      a[i] /= largest
      sum += a[i] * a[i]
    }
    let norm = sum.squareRoot()
    for i in range { a[i] /= norm }
    return true
  }

  /// Takes away what is along earlier columns; the norm that is left.
  private static func reduce(_ a: inout [Double], _ column: Int, _ rows: Int) -> Double {
    let start = column * rows
    for other in 0..<column {
      var share = 0.0
      for i in 0..<rows { share += a[other * rows + i] * a[start + i] }
      for i in 0..<rows { a[start + i] -= share * a[other * rows + i] }
    }
    var sum = 0.0
    for i in start..<start + rows { sum += a[i] * a[i] }
    return sum.squareRoot()
  }

  private static func replace(_ a: inout [Double], _ column: Int, _ rows: Int) {
    var best = (row: 0, held: Double.infinity)
    for row in 0..<rows {
      var held = 0.0
      for other in 0..<column { held += a[other * rows + row] * a[other * rows + row] }
      if held < best.held { best = (row, held) }
    }
    for row in 0..<rows { a[column * rows + row] = row == best.row ? 1 : 0 }
    for _ in 0..<2 {
      _ = reduce(&a, column, rows)
      _ = normalise(&a, column, rows)
    }
  }
}
