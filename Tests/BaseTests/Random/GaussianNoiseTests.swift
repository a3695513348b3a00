import Testing

@testable import Base

/// Noise for privacy: its distribution, and that nothing but its address decides it.
@Suite("Gaussian noise")
struct GaussianNoiseTests {
  static func noise(_ step: Int = 0) -> GaussianNoise {
    GaussianNoise(RandomStream(seed: 11, .dpNoise, step: step))
  }

  /// Φ(x).
  static func distribution(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }

  /// The first n numbers, by way of a vector of zeros.
  static func sample(_ n: Int, _ noise: GaussianNoise = noise()) -> [Double] {
    (0..<n / 16).flatMap { block in (0..<16).map { noise.value(16 * block + $0) } }
  }

  @Test("Every number is the transformation of its two words, to 10⁻¹³")
  func transformation() {
    let noise = Self.noise()
    var stream = RandomStream(seed: 11, .dpNoise)
    var worst = 0.0
    for block in 0..<5000 {
      let words = (0..<16).map { _ in stream.next() }
      for lane in 0..<8 {
        let u = (Double(words[lane] >> 12) + 0.5) * 0x1p-52
        let v = Double(words[lane + 8] >> 12) * 0x1p-52
        let radius = (-2 * log(u)).squareRoot()
        let cosine = radius * cos(2 * Double.pi * v)
        let sine = radius * sin(2 * Double.pi * v)
        worst = max(worst, abs(noise.value(16 * block + lane) - cosine))
        worst = max(worst, abs(noise.value(16 * block + lane + 8) - sine))
      }
    }
    #expect(worst < 1e-13)
  }

  @Test("Logarithm and root are right to a few last places, to the ends of the unit interval")
  func elementary() {
    var stream = RandomStream(seed: 12, .test)
    let ends: [Double] = [0x1p-53, 0x1.8p-52, 1 - 0x1p-53, 1 - 0x1.8p-52, 0.5, 0x1p-30, 0.71, 0.7]
    for trial in 0..<2000 {
      var u = Reals(0, 0, 0, 0, 0, 0, 0, 0)
      for lane in 0..<8 { u[lane] = trial == 0 ? ends[lane] : stream.openUniform() }
      let logarithm = NoiseMath.logarithm(u)
      let root = NoiseMath.squareRoot(-2 * logarithm)
      for lane in 0..<8 {
        let expected = log(u[lane])
        #expect(abs(logarithm[lane] - expected) <= 2 * expected.ulp)
        let length = (-2 * logarithm[lane]).squareRoot()
        #expect(abs(root[lane] - length) <= 2 * length.ulp)
      }
    }
  }

  @Test("A million numbers have the moments of N(0, 1) and its distribution")
  func distribution() {
    let n = 1_000_000
    var sample = Self.sample(n)
    var sums = (0.0, 0.0, 0.0, 0.0)
    for x in sample {
      sums.0 += x
      sums.1 += x * x
      sums.2 += x * x * x
      sums.3 += x * x * x * x
    }
    let count = Double(n)
    // Five standard errors; the moments of even order are 1, 3, 15 and 105.
    #expect(abs(sums.0 / count) < 5 / count.squareRoot())
    #expect(abs(sums.1 / count - 1) < 5 * (2 / count).squareRoot())
    #expect(abs(sums.2 / count) < 5 * (15 / count).squareRoot())
    #expect(abs(sums.3 / count - 3) < 5 * (96 / count).squareRoot())
    sample.sort()
    var gap = 0.0
    for (index, x) in sample.enumerated() {
      let p = Self.distribution(x)
      gap = max(gap, max(p - Double(index) / count, Double(index + 1) / count - p))
    }
    // Kolmogorov: P(√n·D > 2.2) = 1.3·10⁻⁴.
    #expect(count.squareRoot() * gap < 2.2)
  }

  @Test("The tails are there: numbers beyond 4 and 4.8 as often as they should be")
  func tails() {
    var beyond = (four: 0, more: 0)
    let n = 4_000_000
    let noise = Self.noise(1)
    var zeros = [Float](repeating: 0, count: n)
    noise.add(to: &zeros, deviation: 1)
    for x in zeros {
      if abs(x) > 4 { beyond.four += 1 }
      if abs(x) > 4.8 { beyond.more += 1 }
    }
    let four = 2 * Self.distribution(-4) * Double(n)
    let more = 2 * Self.distribution(-4.8) * Double(n)
    #expect(abs(Double(beyond.four) - four) < 5 * four.squareRoot())
    #expect(abs(Double(beyond.more) - more) < 5 * more.squareRoot())
  }

  @Test("Neighbours, halves of a block and streams are not correlated")
  func correlation() {
    let n = 160_000
    let sample = Self.sample(n)
    let other = Self.sample(n, Self.noise(1))
    for lag in [1, 2, 7, 8, 15, 16, 17] {
      var sum = 0.0
      for i in 0..<n - lag { sum += sample[i] * sample[i + lag] }
      #expect(abs(sum / Double(n)) < 5 / Double(n).squareRoot())
    }
    let product = zip(sample, other).map { $0 * $1 }.reduce(0, +) / Double(n)
    #expect(abs(product) < 5 / Double(n).squareRoot())
  }

  @Test("However a vector is cut into pieces, its bits are the same")
  func pieces() {
    let noise = Self.noise()
    let n = 1000
    let start = (0..<n).map { Float($0 % 7) - 3 }
    var whole = start
    noise.add(to: &whole, deviation: 0.37, first: 5)
    for (place, x) in whole.enumerated() {
      #expect(x == Float(Double(start[place]) + 0.37 * noise.value(place + 5)))
    }
    var cuts = RandomStream(seed: 13, .test)
    for _ in 0..<50 {
      var pieced = start
      pieced.withUnsafeMutableBufferPointer { vector in
        var place = 0
        while place < n {
          let end = min(n, place + cuts.below(60))
          noise.add(
            to: UnsafeMutableBufferPointer(rebasing: vector[place..<end]), deviation: 0.37,
            first: 5 + place)
          place = end
        }
      }
      #expect(pieced == whole)
    }
    var silent = start
    noise.add(to: &silent, deviation: 0)
    #expect(silent == start)
  }
}
