import Base

/// Morlet wavelets and the low-pass of a scattering transform with J = 2 scales and L = 8 angles,
/// as real spectra on an M × M torus.
///
/// - Source: Bruna and Mallat, IEEE TPAMI 2013, arXiv:1203.1513; sizes and constants of Kymatio
///   (Andreux et al., JMLR 2020), which takes π as 3.1415 in one place.
struct ScatteringFilters {
  static let angles = 8

  /// ψ of scale 0 and of scale 1, [L] each, [M · M].
  let wavelets: [[[Float]]]
  /// φ at full and at half resolution, [M · M] and [M/2 · M/2].
  let lowPass: [[Float]]

  init(side m: Int) {
    wavelets = (0..<2).map { scale in
      (0..<Self.angles).map { turn in
        let shape = Gabor(
          sigma: scale == 0 ? 0.8 : 1.6, theta: Double(3 - turn) * Double.pi / 8, slant: 0.5)
        let wave = shape.values(side: m, frequency: 0.75 * Double.pi / (scale == 0 ? 1 : 2))
        let envelope = shape.values(side: m, frequency: 0)
        return Self.spectrum(Self.withoutMean(wave, envelope), side: m).map(Float.init)
      }
    }
    let low = Self.spectrum(
      Gabor(sigma: 1.6, theta: 0, slant: 1).values(side: m, frequency: 0), side: m)
    lowPass = [low.map(Float.init), Self.halved(low, side: m).map(Float.init)]
  }

  /// An elliptic Gaussian, and waves in it.
  private struct Gabor {
    let sigma: Double
    let theta: Double
    let slant: Double

    /// g(u) = slant/(2·3.1415·σ²) · Σ_e exp(−vᵀKv + i·ξ·(v_x·cos θ + v_y·sin θ)), v = u + M·e
    /// with e in {−2, …, 2}², K = R_θ·diag(1, slant²)·R_θᵀ/(2σ²); x is the row.
    func values(side m: Int, frequency: Double) -> [(re: Double, im: Double)] {
      let (c, s) = (cos(theta), sin(theta))
      let (long, short) = (1 / (2 * sigma * sigma), slant * slant / (2 * sigma * sigma))
      let kxx = c * c * long + s * s * short
      let kxy = c * s * (long - short)
      let kyy = s * s * long + c * c * short
      let norm = slant / (2 * 3.1415 * sigma * sigma)
      var sums = [(re: Double, im: Double)](repeating: (0, 0), count: m * m)
      for x in -2 * m..<3 * m {
        for y in -2 * m..<3 * m {
          let (vx, vy) = (Double(x), Double(y))
          let power = kxx * vx * vx + 2 * kxy * vx * vy + kyy * vy * vy
          // Below a rounding of the largest value.
          if power > 60 { continue }
          let (height, angle) = (norm * exp(-power), frequency * (vx * c + vy * s))
          let place = (x + 2 * m) % m * m + (y + 2 * m) % m
          sums[place].re += height * cos(angle)
          sums[place].im += height * sin(angle)
        }
      }
      return sums
    }
  }

  /// ψ = wave − κ·envelope with κ = Σ wave / Σ envelope: its sum is 0.
  private static func withoutMean(
    _ wave: [(re: Double, im: Double)], _ envelope: [(re: Double, im: Double)]
  ) -> [(re: Double, im: Double)] {
    let total = envelope.reduce(0) { $0 + $1.re }
    let (re, im) = wave.reduce((0.0, 0.0)) { ($0.0 + $1.re, $0.1 + $1.im) }
    return zip(wave, envelope).map {
      (re: $0.re - re / total * $1.re, im: $0.im - im / total * $1.re)
    }
  }

  /// The real part of the transform of a plane.
  ///
  /// Complexity: O(M³), once for each filter.
  private static func spectrum(_ plane: [(re: Double, im: Double)], side m: Int) -> [Double] {
    let turns = (0..<m).map { turn in
      (
        re: cos(-2 * Double.pi * Double(turn) / Double(m)),
        im: sin(-2 * Double.pi * Double(turn) / Double(m))
      )
    }
    func rows(_ plane: [(re: Double, im: Double)]) -> [(re: Double, im: Double)] {
      var result = plane
      for row in 0..<m {
        for k in 0..<m {
          var sum = (re: 0.0, im: 0.0)
          for n in 0..<m {
            let (x, w) = (plane[row * m + n], turns[n * k % m])
            sum.re += x.re * w.re - x.im * w.im
            sum.im += x.re * w.im + x.im * w.re
          }
          // Transposed, so that the same pass serves the columns.
          result[k * m + row] = sum
        }
      }
      return result
    }
    return rows(rows(plane)).map(\.re)
  }

  /// A spectrum at half the resolution: the upper frequencies are left out, the rest is folded.
  private static func halved(_ spectrum: [Double], side m: Int) -> [Double] {
    let half = m / 2
    let first = m / 4
    func isKept(_ k: Int) -> Bool { k < first || k >= first + half }
    var result = [Double](repeating: 0, count: half * half)
    for x in 0..<m where isKept(x) {
      for y in 0..<m where isKept(y) { result[x % half * half + y % half] += spectrum[x * m + y] }
    }
    return result
  }
}
