import Base
import Foundation
import Testing

@testable import Data

/// Against a slow program in double precision, and against numbers of another that agrees
/// with Kymatio 0.3 (Andreux et al., JMLR 2020) to 1.5e-7.
@Suite("The scattering transform")
struct ScatteringTests {
  /// All channels of one plane, [channel][place].
  private func features(
    _ side: Int, orders: Int = 2, _ pixel: @escaping (Int, Int) -> Float
  ) throws -> [[Float]] {
    try features(side, orders: orders, planes: 1) { _, row, column in pixel(row, column) }[0]
  }

  private func features(
    _ side: Int, orders: Int = 2, planes: Int, _ pixel: (Int, Int, Int) -> Float
  ) throws -> [[[Float]]] {
    let transform = try #require(ScatteringTransform(side: side))
    let channels = ScatteringTransform.channels(orders: orders)
    let places = transform.outputSide * transform.outputSide
    var all = [[[Float]]](
      repeating: [[Float]](repeating: [Float](repeating: .nan, count: places), count: channels),
      count: planes)
    transform.transform(
      planes, ScatteringTransform.Workspace(transform), orders: orders, pixel: pixel,
      write: { plane, channel, place, value in all[plane][channel][place] = value })
    return all
  }

  private struct Golden {
    let side: Int
    let sums: [Double]
    /// Channel, row, column, value.
    let places: [(Int, Int, Int, Double)]
  }

  private static let golden = [
    Golden(
      side: 28, sums: [24.792407, 34.202712, 20.563522],
      places: [
        (0, 0, 0, 0.45272408), (0, 3, 4, 0.51795763), (1, 2, 5, 0.042919526),
        (9, 4, 1, 0.028973196), (17, 0, 6, 0.0078270583), (80, 5, 5, 0.002005075),
      ]),
    Golden(
      side: 32, sums: [32.762049, 44.564164, 26.494309],
      places: [
        (0, 0, 0, 0.45298821), (0, 3, 4, 0.51795763), (1, 2, 5, 0.04291865),
        (9, 4, 1, 0.028976036), (17, 0, 6, 0.0093816282), (80, 5, 5, 0.0018456279),
      ]),
  ]

  @Test("numbers of an independent program, for the image ((7i + 13j + ij) mod 17)/16")
  func golden() throws {
    for golden in Self.golden {
      let all = try features(golden.side) { i, j in Float((7 * i + 13 * j + i * j) % 17) / 16 }
      #expect(all.count == 81)
      for (sum, range) in zip(golden.sums, [0..<1, 1..<17, 17..<81]) {
        let found = all[range].joined().reduce(0.0) { $0 + Double($1) }
        #expect(abs(found - sum) < 1e-5 * sum)
      }
      for (channel, row, column, value) in golden.places {
        let found = Double(all[channel][row * golden.side / 4 + column])
        #expect(abs(found - value) < 1e-6, "\(channel) \(row) \(column)")
      }
      let first = try features(golden.side, orders: 1) { i, j in
        Float((7 * i + 13 * j + i * j) % 17) / 16
      }
      #expect(first == Array(all[..<17]))
    }
  }

  @Test("a plane's bits do not depend on the planes beside it")
  func lanes() throws {
    var stream = RandomStream(seed: 4, .test)
    let pixels = (0..<16).map { _ in (0..<144).map { _ in Float(stream.normal()) } }
    let together = try features(12, planes: 16) { plane, row, column in
      pixels[plane][row * 12 + column]
    }
    for plane in 0..<16 {
      let alone = try features(12) { row, column in pixels[plane][row * 12 + column] }
      #expect(alone == together[plane])
    }
  }

  @Test("an even image has nothing in its higher orders, and one that is twice as bright twice all")
  func simple() throws {
    let even = try features(16) { _, _ in 0.5 }
    for value in even[0] { #expect(abs(value - 0.5) < 1e-4) }
    for value in even[1...].joined() { #expect(abs(value) < 1e-5) }
    var stream = RandomStream(seed: 5, .test)
    let pixels = (0..<256).map { _ in Float(stream.openUniform()) }
    let once = try features(16) { row, column in pixels[row * 16 + column] }
    let twice = try features(16) { row, column in 2 * pixels[row * 16 + column] }
    #expect(twice == once.map { $0.map { 2 * $0 } })
    #expect(once[1...].joined().allSatisfy { $0 > 0 })
  }

  @Test("sides that are no multiple of 4, or too small, have no transform")
  func sides() {
    for side in 0...64 {
      #expect((ScatteringTransform(side: side) != nil) == (side >= 8 && side % 4 == 0))
    }
  }

  @Test("random images, against a slow program in double precision", arguments: [8, 12, 20])
  func slow(_ side: Int) throws {
    var stream = RandomStream(seed: UInt64(side), .test)
    let pixels = (0..<side * side).map { _ in stream.openUniform() }
    let expected = SlowScattering(side: side).features(pixels)
    let found = try features(side) { row, column in Float(pixels[row * side + column]) }
    for (a, b) in zip(found.joined(), expected.joined()) { #expect(abs(Double(a) - b) < 1e-6) }
  }

  @Test("sixteen transforms at once are those of the definition, and the inverse undoes them")
  func fourier() {
    var stream = RandomStream(seed: 6, .test)
    for length in 1...41 {
      let fourier = LaneFourier(length: length)
      let plane = LanePlane(side: length)
      for place in 0..<length * length {
        for lane in 0..<16 {
          plane.re[place][lane] = Float(stream.normal())
          plane.im[place][lane] = Float(stream.normal())
        }
      }
      let before = (0..<length * length).map { (plane.re[$0], plane.im[$0]) }
      fourier.transform(plane, isInverse: false)
      let lane = stream.below(16)
      let (row, column) = (stream.below(length), stream.below(length))
      var sum = (re: 0.0, im: 0.0)
      for y in 0..<length {
        for x in 0..<length {
          let angle = -2 * Double.pi * Double(y * row + x * column) / Double(length)
          let value = before[y * length + x]
          let (re, im) = (Double(value.0[lane]), Double(value.1[lane]))
          sum.re += re * cos(angle) - im * sin(angle)
          sum.im += re * sin(angle) + im * cos(angle)
        }
      }
      let bound = 1e-5 * Double(length)
      #expect(abs(Double(plane.re[row * length + column][lane]) - sum.re) < bound)
      #expect(abs(Double(plane.im[row * length + column][lane]) - sum.im) < bound)
      fourier.transform(plane, isInverse: true)
      let scale = 1 / Float(length * length)
      for place in 0..<length * length {
        #expect(abs(plane.re[place][lane] * scale - before[place].0[lane]) < 1e-5)
      }
    }
  }
}

/// The transform as its definition says, with filters in space and transforms in O(M³).
private struct SlowScattering {
  typealias Plane = [(re: Double, im: Double)]

  let side: Int
  let m: Int

  init(side: Int) {
    self.side = side
    m = (side / 4 + 2) * 4
  }

  private func fourier(_ plane: Plane, side n: Int, inverse: Bool = false) -> Plane {
    let sign = inverse ? 2.0 : -2.0
    func rows(_ plane: Plane) -> Plane {
      var result = plane
      for row in 0..<n {
        for k in 0..<n {
          var sum = (re: 0.0, im: 0.0)
          for x in 0..<n {
            let angle = sign * Double.pi * Double(x * k) / Double(n)
            let value = plane[row * n + x]
            sum.re += value.re * cos(angle) - value.im * sin(angle)
            sum.im += value.re * sin(angle) + value.im * cos(angle)
          }
          result[k * n + row] = sum
        }
      }
      return result
    }
    let scale = inverse ? 1 / Double(n * n) : 1
    return rows(rows(plane)).map { ($0.re * scale, $0.im * scale) }
  }

  /// A wave in an elliptic window, wrapped round the torus; minus a window of the same sum.
  private func wavelet(_ scale: Int, _ turn: Int) -> [Double] {
    let (sigma, theta) = (0.8 * pow(2, Double(scale)), Double(3 - turn) * Double.pi / 8)
    let wave = window(sigma, theta, 0.75 * Double.pi / pow(2, Double(scale)), 0.5)
    let plain = window(sigma, theta, 0, 0.5)
    let total = plain.reduce(0) { $0 + $1.re }
    let (re, im) = (wave.reduce(0) { $0 + $1.re }, wave.reduce(0) { $0 + $1.im })
    let zero = zip(wave, plain).map {
      (re: $0.re - re / total * $1.re, im: $0.im - im / total * $1.re)
    }
    return fourier(zero, side: m).map(\.re)
  }

  private func window(_ sigma: Double, _ theta: Double, _ xi: Double, _ slant: Double) -> Plane {
    (0..<m * m).map { place in
      var sum = (re: 0.0, im: 0.0)
      for ex in -2...2 {
        for ey in -2...2 {
          let (x, y) = (Double(place / m + m * ex), Double(place % m + m * ey))
          let along = x * cos(theta) + y * sin(theta)
          let across = -x * sin(theta) + y * cos(theta)
          let power = (along * along + slant * slant * across * across) / (2 * sigma * sigma)
          let height = slant / (2 * 3.1415 * sigma * sigma) * exp(-power)
          sum.re += height * cos(xi * along)
          sum.im += height * sin(xi * along)
        }
      }
      return sum
    }
  }

  /// Every `step`-th value of a plane of side n that was filtered by a spectrum.
  private func filtered(_ plane: [Double], _ filter: [Double], side n: Int, step: Int) -> Plane {
    let spectrum = fourier(plane.map { ($0, 0) }, side: n)
    let all = fourier(
      zip(spectrum, filter).map { ($0.re * $1, $0.im * $1) }, side: n, inverse: true)
    return (0..<n / step).flatMap { y in (0..<n / step).map { x in all[step * (y * n + x)] } }
  }

  /// The low-pass at half the resolution: frequencies from a quarter on left out, the rest folded.
  private func halved(_ spectrum: [Double]) -> [Double] {
    let half = m / 2
    return (0..<half * half).map { place in
      var sum = 0.0
      for x in [place / half, place / half + half] {
        for y in [place % half, place % half + half]
        where [x, y].allSatisfy({ $0 < m / 4 || $0 >= 3 * m / 4 }) { sum += spectrum[x * m + y] }
      }
      return sum
    }
  }

  func features(_ pixels: [Double]) -> [[Double]] {
    func reflected(_ place: Int) -> Int {
      let place = abs(place - 4)
      return place < side ? place : 2 * (side - 1) - place
    }
    let padded = (0..<m * m).map { pixels[reflected($0 / m) * side + reflected($0 % m)] }
    let low = fourier(window(1.6, 0, 0, 1), side: m).map(\.re)
    let lowOfHalf = halved(low)
    func out(_ plane: [Double]) -> [Double] {
      let isWhole = plane.count == m * m
      let smooth = filtered(
        plane, isWhole ? low : lowOfHalf, side: isWhole ? m : m / 2, step: isWhole ? 4 : 2)
      return (1...side / 4).flatMap { y in (1...side / 4).map { smooth[y * m / 4 + $0].re } }
    }
    func moduli(_ plane: [Double], _ scale: Int) -> [[Double]] {
      (0..<8).map { turn in
        filtered(plane, wavelet(scale, turn), side: m, step: 1 << scale).map { hypot($0.re, $0.im) }
      }
    }
    let first = [moduli(padded, 0), moduli(padded, 1)]
    return [out(padded)] + first.joined().map(out) + first[0].flatMap { moduli($0, 1).map(out) }
  }
}
