/// The linear maps of Winograd's minimal filtering F(2×2, 3×3), on sixteen channels at once.
///
/// With B, G and A of Lavin and Gray 2016, arXiv:1509.09308, equation 7:
/// y = Aᵀ[(G·g·Gᵀ) ⊙ (Bᵀ·d·B)]A gives a 2×2 output tile from a 4×4 input tile d and a 3×3 filter g
/// with 16 multiplications instead of 36.
enum WinogradTransform {
  /// One row or one column of a tile.
  struct Line {
    var a, b, c, d: Vector

    @inline(__always) static func + (x: Line, y: Line) -> Line {
      Line(a: x.a + y.a, b: x.b + y.b, c: x.c + y.c, d: x.d + y.d)
    }
    @inline(__always) static func - (x: Line, y: Line) -> Line {
      Line(a: x.a - y.a, b: x.b - y.b, c: x.c - y.c, d: x.d - y.d)
    }
    @inline(__always) static func * (s: Float, x: Line) -> Line {
      Line(a: s * x.a, b: s * x.b, c: s * x.c, d: s * x.d)
    }
    @inline(__always) static var zero: Line {
      Line(a: Vector(), b: Vector(), c: Vector(), d: Vector())
    }

    /// Bᵀ of a line of four: d₀ − d₂, d₁ + d₂, d₂ − d₁, d₁ − d₃.
    @inline(__always) var input: Line { Line(a: a - c, b: b + c, c: c - b, d: b - d) }
    /// Aᵀ of a line of four: m₀ + m₁ + m₂, m₁ − m₂ − m₃.
    @inline(__always) var output: (Vector, Vector) { (a + b + c, b - c - d) }
    /// A of a line of two (a, b): y₀, y₀ + y₁, y₀ − y₁, −y₁.
    @inline(__always) var outputGradient: Line { Line(a: a, b: a + b, c: a - b, d: Vector() - b) }
    /// G of a line of three (a, b, c): g₀, (g₀ + g₁ + g₂)/2, (g₀ − g₁ + g₂)/2, g₂.
    @inline(__always) var weights: Line {
      let ends = 0.5 * (a + c)
      let middle = 0.5 * b
      return Line(a: a, b: ends + middle, c: ends - middle, d: c)
    }
    /// Gᵀ of a line of four: u₀ + (u₁ + u₂)/2, (u₁ − u₂)/2, (u₁ + u₂)/2 + u₃.
    @inline(__always) var weightGradient: Line {
      let sum = 0.5 * (b + c)
      return Line(a: a + sum, b: 0.5 * (b - c), c: sum + d, d: Vector())
    }
  }

  /// Four lines; the first is row 0 of the tile.
  struct Tile {
    var a, b, c, d: Line

    /// Sixteen points, `stride` floats apart.
    @inline(__always) init(points: UnsafePointer<Float>, _ stride: Int) {
      a = Tile.line(points, stride)
      b = Tile.line(points + 4 &* stride, stride)
      c = Tile.line(points + 8 &* stride, stride)
      d = Tile.line(points + 12 &* stride, stride)
    }

    /// A 4×4 patch of a map.
    @inline(__always) init(patch: UnsafePointer<Float>, row: Int, column: Int) {
      a = Tile.line(patch, column)
      b = Tile.line(patch + row, column)
      c = Tile.line(patch + 2 &* row, column)
      d = Tile.line(patch + 3 &* row, column)
    }

    @inline(__always) init(a: Line, b: Line, c: Line, d: Line) {
      self.a = a
      self.b = b
      self.c = c
      self.d = d
    }

    @inline(__always) private static func line(_ from: UnsafePointer<Float>, _ stride: Int) -> Line
    {
      Line(
        a: from.vector, b: (from + stride).vector, c: (from + 2 &* stride).vector,
        d: (from + 3 &* stride).vector)
    }

    /// Sixteen points, `stride` floats apart.
    @inline(__always) func store(_ points: UnsafeMutablePointer<Float>, _ stride: Int) {
      store(a, points, stride)
      store(b, points + 4 &* stride, stride)
      store(c, points + 8 &* stride, stride)
      store(d, points + 12 &* stride, stride)
    }

    @inline(__always) private func store(
      _ line: Line, _ to: UnsafeMutablePointer<Float>, _ stride: Int
    ) {
      to.vector = line.a
      (to + stride).vector = line.b
      (to + 2 &* stride).vector = line.c
      (to + 3 &* stride).vector = line.d
    }

    /// Bᵀ·d·B.
    @inline(__always) var input: Tile {
      Tile(a: (a - c).input, b: (b + c).input, c: (c - b).input, d: (b - d).input)
    }

    /// Aᵀ·m·A: rows of two, in the first two places of the first two lines.
    @inline(__always) var output: (Vector, Vector, Vector, Vector) {
      let upper = (a + b + c).output
      let lower = (b - c - d).output
      return (upper.0, upper.1, lower.0, lower.1)
    }

    /// A·y·Aᵀ of the 2×2 tile in the first two places of the first two lines.
    @inline(__always) var outputGradient: Tile {
      Tile(
        a: a.outputGradient, b: (a + b).outputGradient, c: (a - b).outputGradient,
        d: (Line.zero - b).outputGradient)
    }

    /// G·g·Gᵀ of the 3×3 filter in the first three places of the first three lines.
    @inline(__always) var weights: Tile {
      let ends = 0.5 * (a + c)
      let middle = 0.5 * b
      return Tile(
        a: a.weights, b: (ends + middle).weights, c: (ends - middle).weights, d: c.weights)
    }

    /// Gᵀ·u·G, the 3×3 filter in the first three places of the first three lines.
    @inline(__always) var weightGradient: Tile {
      let sum = 0.5 * (b + c)
      return Tile(
        a: (a + sum).weightGradient, b: (0.5 * (b - c)).weightGradient, c: (sum + d).weightGradient,
        d: .zero)
    }
  }
}
