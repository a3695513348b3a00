/// Transposition of matrices, sixteen by sixteen in registers.
package enum Transpose {
  /// to[c, r] ← from[r, c]: [rows × columns], `stride` floats from row to row, becomes a dense
  /// [columns × rows] matrix.
  ///
  /// - Complexity: O(rows·columns); four shuffles per sixteen elements.
  package static func copy(
    _ from: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int? = nil,
    to: UnsafeMutablePointer<Float>
  ) {
    let stride = stride ?? columns
    var r = 0
    while r &+ 16 <= rows {
      var c = 0
      while c &+ 16 <= columns {
        Square(from + (r &* stride &+ c), stride).rotated.rotated.rotated.rotated.store(
          to + (c &* rows &+ r), rows)
        c &+= 16
      }
      while c < columns {
        for i in 0..<16 { to[c &* rows &+ r &+ i] = from[(r &+ i) &* stride &+ c] }
        c &+= 1
      }
      r &+= 16
    }
    while r < rows {
      for c in 0..<columns { to[c &* rows &+ r] = from[r &* stride &+ c] }
      r &+= 1
    }
  }

  /// Sixteen vectors, seen as 256 elements with eight index bits: four of the row, four of the
  /// column.
  private struct Square {
    var a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p: Vector

    @inline(__always) init(_ from: UnsafePointer<Float>, _ stride: Int) {
      a = from.vector
      b = (from + stride).vector
      c = (from + 2 &* stride).vector
      d = (from + 3 &* stride).vector
      e = (from + 4 &* stride).vector
      f = (from + 5 &* stride).vector
      g = (from + 6 &* stride).vector
      h = (from + 7 &* stride).vector
      i = (from + 8 &* stride).vector
      j = (from + 9 &* stride).vector
      k = (from + 10 &* stride).vector
      l = (from + 11 &* stride).vector
      m = (from + 12 &* stride).vector
      n = (from + 13 &* stride).vector
      o = (from + 14 &* stride).vector
      p = (from + 15 &* stride).vector
    }

    /// The lowest index bit becomes the highest: four times, and rows are columns.
    @inline(__always) var rotated: Square {
      var next = self
      next.a = .evens(a, b)
      next.b = .evens(c, d)
      next.c = .evens(e, f)
      next.d = .evens(g, h)
      next.e = .evens(i, j)
      next.f = .evens(k, l)
      next.g = .evens(m, n)
      next.h = .evens(o, p)
      next.i = .odds(a, b)
      next.j = .odds(c, d)
      next.k = .odds(e, f)
      next.l = .odds(g, h)
      next.m = .odds(i, j)
      next.n = .odds(k, l)
      next.o = .odds(m, n)
      next.p = .odds(o, p)
      return next
    }

    @inline(__always) func store(_ to: UnsafeMutablePointer<Float>, _ stride: Int) {
      to.vector = a
      (to + stride).vector = b
      (to + 2 &* stride).vector = c
      (to + 3 &* stride).vector = d
      (to + 4 &* stride).vector = e
      (to + 5 &* stride).vector = f
      (to + 6 &* stride).vector = g
      (to + 7 &* stride).vector = h
      (to + 8 &* stride).vector = i
      (to + 9 &* stride).vector = j
      (to + 10 &* stride).vector = k
      (to + 11 &* stride).vector = l
      (to + 12 &* stride).vector = m
      (to + 13 &* stride).vector = n
      (to + 14 &* stride).vector = o
      (to + 15 &* stride).vector = p
    }
  }
}
