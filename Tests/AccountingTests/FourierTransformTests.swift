import Foundation
import Testing

@testable import Accounting

@Suite("Fourier transform")
struct FourierTransformTests {
  /// Values without a pattern, in −1 … 1.
  private func values(_ count: Int, _ seed: Double) -> [Double] {
    (0..<count).map { sin(Double($0 * $0) * 1.7 + seed * Double($0 + 1)) }
  }

  /// Σ x_n e^{−2πikn/N}, term by term.
  private func naive(_ x: [Double], _ k: Int) -> (Double, Double) {
    var (real, imaginary) = (0.0, 0.0)
    for (n, value) in x.enumerated() {
      let angle = -2 * Double.pi * Double(k * n % x.count) / Double(x.count)
      real += value * cos(angle)
      imaginary += value * sin(angle)
    }
    return (real, imaginary)
  }

  @Test("equals the sum that defines it", arguments: [8, 16, 32, 64, 128, 512, 1024])
  func definition(length: Int) {
    let x = values(length, 0.3)
    let spectrum = FourierTransform(length: length).spectrum(x)
    let bits = (length / 2).trailingZeroBitCount
    // The naive sum itself is off by about N roundings of N terms below 1.
    let tolerance = Double(length) * 4e-16
    for place in 1..<(length / 2) {
      let k = FourierTransform.reversed(place, bits: bits)
      let (real, imaginary) = naive(x, k)
      #expect(abs(spectrum.real[place] - real) < tolerance)
      #expect(abs(spectrum.imaginary[place] - imaginary) < tolerance)
    }
    #expect(abs(spectrum.real[0] - naive(x, 0).0) < tolerance)
    #expect(abs(spectrum.imaginary[0] - naive(x, length / 2).0) < tolerance)
  }

  @Test("its inverse gives the values back", arguments: [8, 16, 2048, 1 << 15, 1 << 18])
  func inverse(length: Int) {
    let x = values(length, 1.1)
    let transform = FourierTransform(length: length)
    let back = transform.values(transform.spectrum(x))
    #expect(zip(x, back).allSatisfy { abs($0 - $1) < 3e-15 })
  }

  @Test("products are circular convolutions, powers are products", arguments: [8, 32, 256])
  func convolution(length: Int) {
    let (x, y) = (values(length, 0.1), values(length, 2.3))
    let transform = FourierTransform(length: length)
    var product = transform.spectrum(x)
    product.multiply(by: transform.spectrum(y))
    let found = transform.values(product)
    for n in 0..<length {
      var sum = 0.0
      for m in 0..<length { sum += x[m] * y[(n - m + length) % length] }
      #expect(abs(found[n] - sum) < Double(length) * 4e-16)
    }
    var cube = transform.spectrum(x)
    cube.raise(to: 3)
    var twice = transform.spectrum(x)
    twice.multiply(by: transform.spectrum(x))
    twice.multiply(by: transform.spectrum(x))
    for (a, b) in zip(transform.values(cube), transform.values(twice)) {
      #expect(abs(a - b) <= 1e-14 * Double(length * length))
    }
  }

  @Test("a power of a distribution is that of its sums")
  func power() {
    // Two outcomes: the sums are binomial.
    let (length, steps, p) = (64, 40, 0.3)
    var masses = [Double](repeating: 0, count: length)
    (masses[0], masses[1]) = (1 - p, p)
    let transform = FourierTransform(length: length)
    var spectrum = transform.spectrum(masses)
    spectrum.raise(to: steps)
    let found = transform.values(spectrum)
    var expected = pow(1 - p, Double(steps))
    for k in 0...steps {
      #expect(abs(found[k] - expected) < 1e-15)
      expected *= Double(steps - k) / Double(k + 1) * p / (1 - p)
    }
  }
}
