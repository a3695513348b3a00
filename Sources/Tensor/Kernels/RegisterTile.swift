/// A few vectors side by side: the columns of a register tile.
protocol Columns {
  static var width: Int { get }
  static var zero: Self { get }
  /// Reads `width` floats.
  init(_ from: UnsafePointer<Float>)
  /// Reads one vector from each of several rows, `stride` floats apart.
  init(rows from: UnsafePointer<Float>, _ stride: Int)
  /// self ← self + x·w.
  mutating func accumulate(_ x: Vector, _ w: Self)
  /// Writes as `finish` says.
  func write(_ to: UnsafeMutablePointer<Float>, _ finish: Finish)
}

/// What becomes of a finished tile A·B.
struct Finish {
  /// The ways to write.
  package enum Kind {
    /// C ← A·B.
    case overwrite
    /// C ← C' + scale·A·B, C' being `source` floats after C.
    case addScaled
    /// C ← A·B + bias.
    case bias
    /// C ← max(0, A·B + bias).
    case biasReLU
  }
  var kind: Kind
  var scale: Float = 1
  var source = 0
  /// One value per column of C, for the kinds that have a bias.
  var bias: UnsafePointer<Float>?

  @inline(__always) static var overwrite: Finish { Finish(kind: .overwrite) }
  @inline(__always) static var add: Finish { Finish(kind: .addScaled) }

  @inline(__always) func apply(_ sum: Vector, at target: UnsafeMutablePointer<Float>, column: Int) {
    switch kind {
    case .overwrite: target.vector = sum
    case .addScaled:
      // Rounded twice, so that moving weights here gives the optimizer's bits.
      target.vector = (target + source).vector + scale * sum
    case .bias, .biasReLU:
      guard let bias else { return }
      let value = sum + (bias + column).vector
      target.vector = kind == .bias ? value : value.gate(value)
    }
  }
}

struct OneVector: Columns {
  private var first: Vector
  @inline(__always) static var width: Int { 16 }
  @inline(__always) static var zero: OneVector { OneVector(first: .zero) }
  @inline(__always) init(_ from: UnsafePointer<Float>) { first = from.vector }
  @inline(__always) init(rows from: UnsafePointer<Float>, _ stride: Int) { first = from.vector }
  @inline(__always) private init(first: Vector) { self.first = first }
  @inline(__always) mutating func accumulate(_ x: Vector, _ w: OneVector) {
    first.accumulate(x, w.first)
  }
  @inline(__always) func write(_ to: UnsafeMutablePointer<Float>, _ finish: Finish) {
    finish.apply(first, at: to, column: 0)
  }
}

struct TwoVectors: Columns {
  private var first: Vector
  private var second: Vector
  @inline(__always) static var width: Int { 32 }
  @inline(__always) static var zero: TwoVectors { TwoVectors(first: .zero, second: .zero) }
  @inline(__always) init(_ from: UnsafePointer<Float>) {
    first = from.vector
    second = (from + 16).vector
  }
  @inline(__always) init(rows from: UnsafePointer<Float>, _ stride: Int) {
    first = from.vector
    second = (from + stride).vector
  }
  @inline(__always) private init(first: Vector, second: Vector) {
    self.first = first
    self.second = second
  }
  @inline(__always) mutating func accumulate(_ x: Vector, _ w: TwoVectors) {
    first.accumulate(x, w.first)
    second.accumulate(x, w.second)
  }
  @inline(__always) func write(_ to: UnsafeMutablePointer<Float>, _ finish: Finish) {
    finish.apply(first, at: to, column: 0)
    finish.apply(second, at: to + 16, column: 16)
  }
}

/// Rows of accumulators that stay in registers while a product is formed.
///
/// Types instead of loops: the compiler keeps the fields of a nested structure in registers, which
/// it does not do for elements of an array that a loop walks.
protocol RegisterTile {
  associatedtype Width: Columns
  static var rows: Int { get }
  static var zero: Self { get }
  /// Row r ← row r + a[r·stride]·b.
  mutating func accumulate(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Width)
  /// Row r ← row r + a[r·stride …]·b, lane by lane.
  mutating func accumulateLanes(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Width)
  /// Row r to `to` + r·stride.
  func write(_ to: UnsafeMutablePointer<Float>, _ stride: Int, _ finish: Finish)
}

struct OneRow<Width: Columns>: RegisterTile {
  private var sum: Width
  @inline(__always) static var rows: Int { 1 }
  @inline(__always) static var zero: OneRow { OneRow(sum: .zero) }
  @inline(__always) mutating func accumulate(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Width) {
    sum.accumulate(a.broadcast, b)
  }
  @inline(__always) mutating func accumulateLanes(
    _ a: UnsafePointer<Float>, _ stride: Int, _ b: Width
  ) { sum.accumulate(a.vector, b) }
  @inline(__always) func write(_ to: UnsafeMutablePointer<Float>, _ stride: Int, _ finish: Finish) {
    sum.write(to, finish)
  }
}

/// One tile above another.
struct Stack<Upper: RegisterTile, Lower: RegisterTile>: RegisterTile
where Upper.Width == Lower.Width {
  typealias Width = Upper.Width
  private var upper: Upper
  private var lower: Lower
  @inline(__always) static var rows: Int { Upper.rows &+ Lower.rows }
  @inline(__always) static var zero: Stack { Stack(upper: .zero, lower: .zero) }
  @inline(__always) mutating func accumulate(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Width) {
    upper.accumulate(a, stride, b)
    lower.accumulate(a + Upper.rows &* stride, stride, b)
  }
  @inline(__always) mutating func accumulateLanes(
    _ a: UnsafePointer<Float>, _ stride: Int, _ b: Width
  ) {
    upper.accumulateLanes(a, stride, b)
    lower.accumulateLanes(a + Upper.rows &* stride, stride, b)
  }
  @inline(__always) func write(_ to: UnsafeMutablePointer<Float>, _ stride: Int, _ finish: Finish) {
    upper.write(to, stride, finish)
    lower.write(to + Upper.rows &* stride, stride, finish)
  }
}

typealias Rows1<W: Columns> = OneRow<W>
typealias Rows2<W: Columns> = Stack<Rows1<W>, Rows1<W>>
typealias Rows3<W: Columns> = Stack<Rows2<W>, Rows1<W>>
typealias Rows4<W: Columns> = Stack<Rows2<W>, Rows2<W>>
typealias Rows5<W: Columns> = Stack<Rows4<W>, Rows1<W>>
typealias Rows6<W: Columns> = Stack<Rows4<W>, Rows2<W>>
typealias Rows7<W: Columns> = Stack<Rows4<W>, Rows3<W>>
typealias Rows8<W: Columns> = Stack<Rows4<W>, Rows4<W>>
typealias Rows9<W: Columns> = Stack<Rows8<W>, Rows1<W>>
typealias Rows10<W: Columns> = Stack<Rows8<W>, Rows2<W>>
typealias Rows11<W: Columns> = Stack<Rows8<W>, Rows3<W>>
typealias Rows12<W: Columns> = Stack<Rows8<W>, Rows4<W>>
typealias Rows13<W: Columns> = Stack<Rows8<W>, Rows5<W>>
typealias Rows14<W: Columns> = Stack<Rows8<W>, Rows6<W>>
typealias Rows15<W: Columns> = Stack<Rows8<W>, Rows7<W>>
typealias Rows16<W: Columns> = Stack<Rows8<W>, Rows8<W>>
