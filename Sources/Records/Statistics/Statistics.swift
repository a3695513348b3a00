import Base

/// Means over seeds with their uncertainty.
package struct SeedStatistics: Sendable, Equatable {
  /// Number of seeds n with a finite value.
  package let count: Int
  /// The arithmetic mean; NaN without values.
  package let mean: Double
  /// The smallest and the largest; NaN without values.
  package let least: Double
  package let most: Double
  /// Sample standard deviation (divisor n − 1); nil for n < 2.
  package let standardDeviation: Double?
  /// Half-width of the 95 % interval t₍n−1₎(0.975)·s/√n; nil for n < 2.
  package let halfWidth: Double?

  /// Statistics of one value per seed; those that are not finite are left out.
  package init(_ values: [Double]) {
    let finite = values.filter(\.isFinite)
    let mean = Metrics.mean(finite)
    count = finite.count
    self.mean = mean
    least = finite.min() ?? .nan
    most = finite.max() ?? .nan
    guard finite.count >= 2 else {
      standardDeviation = nil
      halfWidth = nil
      return
    }
    let squares = finite.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let deviation = (squares / Double(finite.count - 1)).squareRoot()
    standardDeviation = deviation
    halfWidth =
      StudentT.quantile(0.975, freedom: finite.count - 1) * deviation
      / Double(finite.count).squareRoot()
  }
}

/// One method against another on the seeds that both have.
package struct PairedDifference: Sendable, Equatable {
  /// Seeds that both have, ascending.
  package let seeds: [UInt64]
  /// first − second for each of these seeds.
  package let differences: [Double]
  /// Mean, deviation and t-interval of the differences.
  package let statistics: SeedStatistics
  /// Seeds on which the first is strictly larger.
  package let wins: Int

  /// Pairs by seed; seeds where one value is missing or not finite are left out.
  package init(_ first: [UInt64: Double], minus second: [UInt64: Double]) {
    var seeds: [UInt64] = []
    var differences: [Double] = []
    for (seed, value) in first.sorted(by: { $0.key < $1.key }) {
      guard let other = second[seed], value.isFinite, other.isFinite else { continue }
      seeds.append(seed)
      differences.append(value - other)
    }
    self.seeds = seeds
    self.differences = differences
    statistics = SeedStatistics(differences)
    wins = differences.filter { $0 > 0 }.count
  }

  /// True when the 95 % interval does not contain zero; nil without an interval.
  package var isSeparated: Bool? { statistics.halfWidth.map { abs(statistics.mean) > $0 } }
}

/// Student's t distribution.
package enum StudentT {
  /// P(T ≤ t) with ν = `freedom` ≥ 1 degrees of freedom: 1 − ½·I₍ν/(ν+t²)₎(ν/2, ½) for t ≥ 0.
  package static func cumulative(_ t: Double, freedom: Int) -> Double {
    let freedom = Double(freedom)
    let tail = 0.5 * regularizedBeta(freedom / (freedom + t * t), freedom / 2, 0.5)
    return t >= 0 ? 1 - tail : tail
  }

  /// The t with P(T ≤ t) = `probability` in (0, 1), by bisection to the last bits.
  package static func quantile(_ probability: Double, freedom: Int) -> Double {
    precondition(
      probability > 0 && probability < 1 && freedom >= 1,
      "StudentT.quantile: probability \(probability), freedom \(freedom)")
    if probability < 0.5 { return -quantile(1 - probability, freedom: freedom) }
    var (low, high) = (0.0, 1.0)
    while cumulative(high, freedom: freedom) < probability { high *= 2 }
    while true {
      let middle = low + (high - low) / 2
      if middle <= low || middle >= high { return middle }
      if cumulative(middle, freedom: freedom) < probability { low = middle } else { high = middle }
    }
  }

  /// The regularised incomplete beta function I_x(a, b), x in [0, 1], a and b > 0.
  ///
  /// - Source: continued fraction of Abramowitz and Stegun 26.5.8, evaluated with the modified
  ///   method of Lentz; I_x(a, b) = 1 − I_{1−x}(b, a) where that converges faster.
  package static func regularizedBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    if x > (a + 1) / (a + b + 2) { return 1 - regularizedBeta(1 - x, b, a) }
    let logFront = logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * log1p(-x)
    let tiny = 1e-300
    var d = 1 - (a + b) * x / (a + 1)
    d = 1 / (abs(d) < tiny ? tiny : d)
    var c = 1.0
    var fraction = d
    for index in 1...500 {
      let m = Double(index)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      var factor = 1.0
      for term in [even, odd] {
        d = 1 + term * d
        d = 1 / (abs(d) < tiny ? tiny : d)
        c = 1 + term / c
        c = abs(c) < tiny ? tiny : c
        factor = d * c
        fraction *= factor
      }
      if abs(factor - 1) < 1e-16 { break }
    }
    return exp(logFront) * fraction / a
  }

  /// ln Γ(x) for x > 0.
  ///
  /// Unlike `lgamma` of the C library it keeps no global sign.
  ///
  /// - Source: Stirling's series to 1/x⁹ after raising x above 12 by the recurrence; relative
  ///   error below 10⁻¹⁵.
  static func logGamma(_ x: Double) -> Double {
    var shift = 0.0
    var z = x
    while z < 12 {
      shift += log(z)
      z += 1
    }
    let inverse = 1 / (z * z)
    let tail = 1.0 / 1260 - inverse * (1.0 / 1680 - inverse / 1188)
    let series = (1.0 / 12 - inverse * (1.0 / 360 - inverse * tail)) / z
    return (z - 0.5) * log(z) - z + 0.918938533204672741780329736406 + series - shift
  }
}
