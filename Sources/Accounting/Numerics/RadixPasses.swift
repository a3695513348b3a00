/// The passes of a complex Fourier transform in place, without permutation.
///
/// Forward, a pass of size n replaces x by four sequences of n/4 whose transforms are those of x
/// at k ≡ 0, 2, 1, 3 (mod 4), in this order, and goes on with each of them; backward, the same
/// steps are undone. Going on depth first keeps a block in the cache once it fits.
struct RadixPasses {
  /// cos(2πj/n) and −sin(2πj/n), all levels.
  let cosines: UnsafePointer<Double>
  let sines: UnsafePointer<Double>
  /// Where the table of a level begins.
  let starts: [Int]

  typealias Values = UnsafeMutablePointer<Double>
  private typealias Lanes = SIMD4<Double>

  /// A factor e^{−2πij/n} with its square and cube, of four neighbouring j or of one.
  private struct Turn<Number> { let c1, s1, c2, s2, c3, s3: Number }

  @inline(__always) private func turn(_ at: Int) -> Turn<Lanes> {
    let (c1, s1) = (Self.load(cosines + at), Self.load(sines + at))
    let (c2, s2) = (c1 * c1 - s1 * s1, 2 * c1 * s1)
    return Turn(c1: c1, s1: s1, c2: c2, s2: s2, c3: c1 * c2 - s1 * s2, s3: c1 * s2 + s1 * c2)
  }

  @inline(__always) private func turn(_ at: Int) -> Turn<Double> {
    let (c1, s1) = (cosines[at], sines[at])
    let (c2, s2) = (c1 * c1 - s1 * s1, 2 * c1 * s1)
    return Turn(c1: c1, s1: s1, c2: c2, s2: s2, c3: c1 * c2 - s1 * s2, s3: c1 * s2 + s1 * c2)
  }

  @inline(__always) private static func load(_ from: UnsafePointer<Double>) -> Lanes {
    UnsafeRawPointer(from).loadUnaligned(as: Lanes.self)
  }

  @inline(__always) private static func store(_ lanes: Lanes, _ to: Values) {
    UnsafeMutableRawPointer(to).storeBytes(of: lanes, as: Lanes.self)
  }

  /// x ← its transform, bits of the index reversed; n is a power of two.
  func forward(_ real: Values, _ imaginary: Values, _ n: Int, level: Int) {
    if n < 4 {
      if n == 2 { Self.pair(real, imaginary) }
      return
    }
    let q = n / 4
    let table = starts[level]
    var j = 0
    while j + 4 <= q {
      let w: Turn<Lanes> = turn(table + j)
      let (r, i) = (real + j, imaginary + j)
      let (ar, ai) = (Self.load(r), Self.load(i))
      let (br, bi) = (Self.load(r + q), Self.load(i + q))
      let (cr, ci) = (Self.load(r + 2 * q), Self.load(i + 2 * q))
      let (dr, di) = (Self.load(r + 3 * q), Self.load(i + 3 * q))
      let (t0r, t0i, t1r, t1i) = (ar + cr, ai + ci, ar - cr, ai - ci)
      let (t2r, t2i) = (br + dr, bi + di)
      let (t3r, t3i) = (bi - di, dr - br)  // −i (b − d)
      let (y2r, y2i) = (t0r - t2r, t0i - t2i)
      let (y1r, y1i, y3r, y3i) = (t1r + t3r, t1i + t3i, t1r - t3r, t1i - t3i)
      Self.store(t0r + t2r, r)
      Self.store(t0i + t2i, i)
      Self.store(y2r * w.c2 - y2i * w.s2, r + q)
      Self.store(y2r * w.s2 + y2i * w.c2, i + q)
      Self.store(y1r * w.c1 - y1i * w.s1, r + 2 * q)
      Self.store(y1r * w.s1 + y1i * w.c1, i + 2 * q)
      Self.store(y3r * w.c3 - y3i * w.s3, r + 3 * q)
      Self.store(y3r * w.s3 + y3i * w.c3, i + 3 * q)
      j += 4
    }
    while j < q {
      let w: Turn<Double> = turn(table + j)
      let (r, i) = (real + j, imaginary + j)
      let (t0r, t0i) = (r[0] + r[2 * q], i[0] + i[2 * q])
      let (t1r, t1i) = (r[0] - r[2 * q], i[0] - i[2 * q])
      let (t2r, t2i) = (r[q] + r[3 * q], i[q] + i[3 * q])
      let (t3r, t3i) = (i[q] - i[3 * q], r[3 * q] - r[q])
      let (y2r, y2i) = (t0r - t2r, t0i - t2i)
      let (y1r, y1i, y3r, y3i) = (t1r + t3r, t1i + t3i, t1r - t3r, t1i - t3i)
      (r[0], i[0]) = (t0r + t2r, t0i + t2i)
      (r[q], i[q]) = (y2r * w.c2 - y2i * w.s2, y2r * w.s2 + y2i * w.c2)
      (r[2 * q], i[2 * q]) = (y1r * w.c1 - y1i * w.s1, y1r * w.s1 + y1i * w.c1)
      (r[3 * q], i[3 * q]) = (y3r * w.c3 - y3i * w.s3, y3r * w.s3 + y3i * w.c3)
      j += 1
    }
    for part in 0..<4 { forward(real + part * q, imaginary + part * q, q, level: level + 1) }
  }

  /// x ← n times the inverse transform of x, whose index has its bits reversed.
  func backward(_ real: Values, _ imaginary: Values, _ n: Int, level: Int) {
    if n < 4 {
      if n == 2 { Self.pair(real, imaginary) }
      return
    }
    let q = n / 4
    for part in 0..<4 { backward(real + part * q, imaginary + part * q, q, level: level + 1) }
    let table = starts[level]
    var j = 0
    while j + 4 <= q {
      let w: Turn<Lanes> = turn(table + j)
      let (r, i) = (real + j, imaginary + j)
      let (y0r, y0i) = (Self.load(r), Self.load(i))
      let (v2r, v2i) = (Self.load(r + q), Self.load(i + q))
      let (v1r, v1i) = (Self.load(r + 2 * q), Self.load(i + 2 * q))
      let (v3r, v3i) = (Self.load(r + 3 * q), Self.load(i + 3 * q))
      let (y2r, y2i) = (v2r * w.c2 + v2i * w.s2, v2i * w.c2 - v2r * w.s2)
      let (y1r, y1i) = (v1r * w.c1 + v1i * w.s1, v1i * w.c1 - v1r * w.s1)
      let (y3r, y3i) = (v3r * w.c3 + v3i * w.s3, v3i * w.c3 - v3r * w.s3)
      let (s0r, s0i, s1r, s1i) = (y0r + y2r, y0i + y2i, y0r - y2r, y0i - y2i)
      let (s2r, s2i) = (y1r + y3r, y1i + y3i)
      let (s3r, s3i) = (y3i - y1i, y1r - y3r)  // i (y1 − y3)
      Self.store(s0r + s2r, r)
      Self.store(s0i + s2i, i)
      Self.store(s1r + s3r, r + q)
      Self.store(s1i + s3i, i + q)
      Self.store(s0r - s2r, r + 2 * q)
      Self.store(s0i - s2i, i + 2 * q)
      Self.store(s1r - s3r, r + 3 * q)
      Self.store(s1i - s3i, i + 3 * q)
      j += 4
    }
    while j < q {
      let w: Turn<Double> = turn(table + j)
      let (r, i) = (real + j, imaginary + j)
      let (y2r, y2i) = (r[q] * w.c2 + i[q] * w.s2, i[q] * w.c2 - r[q] * w.s2)
      let (y1r, y1i) = (r[2 * q] * w.c1 + i[2 * q] * w.s1, i[2 * q] * w.c1 - r[2 * q] * w.s1)
      let (y3r, y3i) = (r[3 * q] * w.c3 + i[3 * q] * w.s3, i[3 * q] * w.c3 - r[3 * q] * w.s3)
      let (s0r, s0i, s1r, s1i) = (r[0] + y2r, i[0] + y2i, r[0] - y2r, i[0] - y2i)
      let (s2r, s2i) = (y1r + y3r, y1i + y3i)
      let (s3r, s3i) = (y3i - y1i, y1r - y3r)
      (r[0], i[0]) = (s0r + s2r, s0i + s2i)
      (r[q], i[q]) = (s1r + s3r, s1i + s3i)
      (r[2 * q], i[2 * q]) = (s0r - s2r, s0i - s2i)
      (r[3 * q], i[3 * q]) = (s1r - s3r, s1i - s3i)
      j += 1
    }
  }

  /// The transform of two values, which is its own inverse up to a factor 2.
  private static func pair(_ real: Values, _ imaginary: Values) {
    (real[0], real[1]) = (real[0] + real[1], real[0] - real[1])
    (imaginary[0], imaginary[1]) = (imaginary[0] + imaginary[1], imaginary[0] - imaginary[1])
  }
}
