import Client
import Testing

@testable import Federation

@Suite("Geometry of classes")
struct ClassGeometryTests {
  /// The numbers of a case whose features are functions of class, place and column.
  private struct Case {
    let width: Int
    let features: [[[Float]]]
    let weight: [Double]

    init(_ classes: Int, _ width: Int, _ counts: [Int]) {
      self.width = width
      var features: [[[Float]]] = []
      var weight: [Double] = []
      for label in 0..<classes {
        features.append(
          (0..<counts[label]).map { place in (0..<width).map { Self.feature(label, place, $0) } })
        weight += (0..<width).map { Self.weight(label, $0) }
      }
      self.features = features
      self.weight = weight
    }

    private static func feature(_ label: Int, _ place: Int, _ j: Int) -> Float {
      let noise = (place * 7919 + label * 104_729 + j * 31 + place * j * 17) % 1024
      let signal = ((label + 1) * (j + 3) * (label + j + 1) * 37) % 1024
      return Float(noise) / 4096 + Float(signal) / 1024
    }

    private static func weight(_ label: Int, _ j: Int) -> Double {
      let mixed = label * 577 + j * j * 211 + 5 * label * j + 11
      return Double(mixed % 1024 - 512) / 1024
    }

    init(width: Int, _ features: [[[Float]]]) {
      self.width = width
      self.features = features
      weight = []
    }

    var geometry: ClassGeometry? {
      var sums: [Double] = []
      for images in features {
        sums += (0..<width).map { j in images.reduce(0) { $0 + Double($1[j]) } }
      }
      return ClassGeometry(sums: sums, counts: features.map(\.count), width: width)
    }

    func withinClassVariability(_ geometry: ClassGeometry) -> Double? {
      var scratch = [Double](repeating: 0, count: max(1, geometry.rank))
      let spreads = geometry.classes.indices.map { row in
        features[geometry.classes[row]].reduce(0.0) {
          $0 + geometry.spread($1, row: row, scratch: &scratch)
        }
      }
      return geometry.withinClassVariability(spreads, geometry.classes.map { features[$0].count })
    }
  }

  /// There, and zero up to some roundings of numbers of size one.
  private func expectSmall(_ value: Double?, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(value != nil, sourceLocation: sourceLocation)
    #expect(abs(value ?? 1) < 1e-14, sourceLocation: sourceLocation)
  }

  @Test("two classes on a line by hand: NC1 = within / between / 2")
  func byHand() throws {
    // Means -1 and 1 on the first axis, so S_B = diag(1, 0) and its pseudo-inverse is itself.
    // Within: class 0 at -1 ± 0.5 (variance 0.25), class 1 at 1 ± 1 (variance 1): S_W has
    // (0.25 + 1) / 2 = 0.625 there; the second axis does not count. NC1 = 0.625 / 2.
    let images = Case(width: 2, [[[-1.5, 3], [-0.5, 3]], [[0, 3], [2, 3]]])
    let geometry = try #require(images.geometry)
    #expect(geometry.rank == 1)
    let value = try #require(images.withinClassVariability(geometry))
    #expect(abs(value - 0.3125) < 1e-14)
    // The two centred means are opposite: cos = -1 = -1/(C - 1).
    let cosines = try #require(geometry.cosines)
    #expect(abs(cosines.gap) < 1e-14)
    #expect(abs(cosines.deviation) < 1e-14)
    expectSmall(geometry.normVariation)
  }

  @Test("a simplex: no gap, no spread, and the classifier of its own means is aligned")
  func simplex() throws {
    let images = Case(
      width: 4,
      (0..<4).map { label in
        [Float(0.25), -0.25].map { step -> [Float] in
          (0..<4).map { (j: Int) -> Float in j == label ? 4 + step : step }
        }
      })
    let geometry = try #require(images.geometry)
    #expect(geometry.rank == 3)
    // Images move along (1, 1, 1, 1), which no difference of means has: within is nothing.
    expectSmall(images.withinClassVariability(geometry))
    expectSmall(geometry.cosines?.gap)
    let aligned = try #require(geometry.alignment(geometry.centred.map { 7 * $0 }))
    #expect(aligned.distance < 1e-14)
    #expect(abs(aligned.cosine - 1) < 1e-14)
    let opposite = try #require(geometry.alignment(geometry.centred.map { -$0 }))
    #expect(abs(opposite.distance - 2) < 1e-14)
    #expect(abs(opposite.cosine + 1) < 1e-14)
  }

  @Test("NumPy's numbers", arguments: DiagnosticsGolden.cases.indices)
  func golden(_ index: Int)
    throws
  {
    let wanted = DiagnosticsGolden.cases[index]
    let images = Case(wanted.classes, wanted.width, wanted.counts)
    let geometry = try #require(images.geometry)
    let cosines = try #require(geometry.cosines)
    let alignment = try #require(geometry.alignment(images.weight))
    let found = [
      try #require(images.withinClassVariability(geometry)), cosines.deviation, cosines.gap,
      try #require(geometry.normVariation), alignment.distance, alignment.cosine,
    ]
    for (a, b) in zip(found, wanted.numbers) {
      #expect(abs(a - b) <= 1e-9 * max(1, abs(b)), "\(wanted.name): \(found)")
    }
  }

  @Test("NumPy's calibration error")
  func goldenCalibration() throws {
    var bins = CalibrationBins()
    for i in 0..<200 {
      let logits = (0..<4).map { (c: Int) -> Float in
        let mixed = i * 37 + c * 101 + i * c * 13
        return Float(mixed % 1024) / 128
      }
      var winner = 0
      for c in 1..<4 where logits[c] > logits[winner] { winner = c }
      bins.add(
        confidence: CalibrationBins.confidence(logits, classes: 4, winner: winner),
        isCorrect: winner == (i * i + 3 * i) % 4)
    }
    let error = try #require(bins.error)
    #expect(abs(error - DiagnosticsGolden.calibrationError) < 1e-13)
  }

  @Test("one class, none, equal means and numbers that are not finite have no geometry")
  func nothing() throws {
    #expect(Case(width: 2, [[[1, 2]], []]).geometry == nil)
    #expect(Case(width: 2, []).geometry == nil)
    #expect(Case(width: 1, [[[.nan]], [[1]]]).geometry == nil)
    #expect(Case(width: 1, [[[.infinity]], [[1]]]).geometry == nil)
    let equal = Case(width: 2, [[[1, 2], [3, 2]], [[2, 2]]])
    let geometry = try #require(equal.geometry)
    #expect(geometry.rank == 0)
    #expect(equal.withinClassVariability(geometry) == nil)
    #expect(geometry.cosines == nil)
    #expect(geometry.normVariation == nil)
    #expect(geometry.alignment([1, 2, 3, 4]) == nil)
  }

  @Test("eigenvectors give the matrix back, and eigenvalues fall", arguments: [1, 2, 5, 40])
  func eigen(_ n: Int) {
    var matrix = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for j in 0..<n { matrix[i * n + j] = Double((i * j * 7 + (i + j) * 13) % 29) - 11 }
    }
    let eigen = SymmetricEigen(matrix, n)
    #expect(zip(eigen.values, eigen.values.dropFirst()).allSatisfy { $0 >= $1 })
    let largest = eigen.values.map(abs).max() ?? 0
    for i in 0..<n {
      for j in 0..<n {
        var sum = 0.0
        var product = 0.0
        for k in 0..<n {
          sum += eigen.values[k] * eigen.vectors[k * n + i] * eigen.vectors[k * n + j]
          product += eigen.vectors[i * n + k] * eigen.vectors[j * n + k]
        }
        // Some ten sweeps of n rotations of each entry, each a few roundings.
        let bound = 100 * Double(n) * Double.ulpOfOne
        let unit = i == j ? 1.0 : 0.0
        #expect(abs(sum - matrix[i * n + j]) <= bound * largest)
        #expect(abs(product - unit) <= bound)
      }
    }
  }
}
