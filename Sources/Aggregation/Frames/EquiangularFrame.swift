import Base
import Tensor

/// A dense simplex equiangular tight frame: C unit vectors in d dimensions, any two at the largest
/// angle that C vectors can all have, arccos(−1/(C − 1)).
///
/// M = √(C/(C − 1))·P·(I − 1·1ᵀ/C) with PᵀP = I, P [d × C]: columns have length 1, pairwise
/// cosine −1/(C − 1), and sum to 0. It is what the classifiers of a network trained to the end tend
/// to (Papyan, Han and Donoho, PNAS 2020), and fixed in FedETF (Li et al., ICCV 2023)
/// and FedLoGe (Xiao et al., ICLR 2024). P is random: the Q factor of a d × C matrix of U(0, 1)
/// numbers.
package struct EquiangularFrame: Sendable, Equatable {
  /// C ≥ 2.
  package let classes: Int
  /// d ≥ C.
  package let width: Int
  /// Mᵀ, [C × d]: a row per class, as a classifier's weight.
  package let values: [Float]

  /// A random frame.
  ///
  /// Gram–Schmidt in double precision, each vector cleaned twice: then columns are orthogonal to
  /// rounding whatever the angle they started from.
  ///
  /// `classes`, `width`: such that `impossibility` has no objection.
  ///
  /// `stream`: takes d·C numbers.
  ///
  /// - Complexity: 4·C²·d floating-point operations.
  package init(classes: Int, width: Int, stream: inout RandomStream) {
    let problem = Self.impossibility(width: width, classes: classes)
    precondition(problem == nil, "EquiangularFrame: \(problem ?? "")")
    self.classes = classes
    self.width = width
    var vectors = [Double](repeating: 0, count: classes * width)
    for i in 0..<width { for c in 0..<classes { vectors[c * width + i] = stream.uniform() } }
    Self.orthonormalise(&vectors, count: classes, width: width)

    var mean = [Double](repeating: 0, count: width)
    for c in 0..<classes {
      for i in 0..<width { mean[i] += vectors[c * width + i] / Double(classes) }
    }
    let scale = (Double(classes) / Double(classes - 1)).squareRoot()
    values = vectors.indices.map { Float(scale * (vectors[$0] - mean[$0 % width])) }
  }

  /// Why there is no such frame, or nil.
  package static func impossibility(width: Int, classes: Int) -> String? {
    if classes < 2 { return "a frame of \(classes) classes has no angle" }
    if width < classes {
      return "\(width) features cannot hold \(classes) classes at equal angles; "
        + "the width must be at least the number of classes"
    }
    return nil
  }

  /// Rows become orthonormal, each in the span of those up to it.
  private static func orthonormalise(_ vectors: inout [Double], count: Int, width: Int) {
    vectors.withUnsafeMutableBufferPointer { vectors in
      for c in 0..<count {
        let row = UnsafeMutableBufferPointer(rebasing: vectors[c * width..<(c + 1) * width])
        for _ in 0..<2 {
          for j in 0..<c {
            let other = UnsafeBufferPointer(rebasing: vectors[j * width..<(j + 1) * width])
            let along = dot(other, UnsafeBufferPointer(row))
            for i in 0..<width { row[i] -= along * other[i] }
          }
        }
        let length = dot(UnsafeBufferPointer(row), UnsafeBufferPointer(row)).squareRoot()
        for i in 0..<width { row[i] /= length }
      }
    }
  }

  /// Σ xᵢ·yᵢ: eight interleaved sums, then the tail.
  private static func dot(_ x: UnsafeBufferPointer<Double>, _ y: UnsafeBufferPointer<Double>)
    -> Double
  {
    var lanes = SIMD8<Double>.zero
    var i = 0
    while i + 8 <= x.count {
      for lane in 0..<8 { lanes[lane] += x[i + lane] * y[i + lane] }
      i += 8
    }
    var total = 0.0
    for lane in 0..<8 { total += lanes[lane] }
    while i < x.count {
      total += x[i] * y[i]
      i += 1
    }
    return total
  }
}

/// What a frame came to, in double precision.
package struct FrameFacts: Sendable, Equatable {
  /// Mean angle over all pairs of classes, in degrees.
  package let meanAngle: Double
  /// Standard deviation of these angles, in degrees.
  package let angleDeviation: Double
  /// Mean length of a row.
  package let meanNorm: Double
  /// arccos(−1/(C − 1)) in degrees: the angle of a frame without flaw.
  package let targetAngle: Double

  /// Measures rows [C × d]; rows of zeros are at right angles to everything.
  ///
  /// - Complexity: O(C²·d).
  package init(_ values: [Float], classes: Int, width: Int) {
    func row(_ c: Int) -> Range<Int> { c * width..<(c + 1) * width }
    let norms = (0..<classes).map { VectorArithmetic.norm(values.span.extracting(row($0))) }
    var angles: [Double] = []
    for i in 0..<classes {
      for j in 0..<i {
        let scale = norms[i] * norms[j]
        let product = VectorArithmetic.dot(
          values.span.extracting(row(i)), values.span.extracting(row(j)))
        angles.append(Self.degrees(scale > 0 ? product / scale : 0))
      }
    }
    let pairs = Double(max(1, angles.count))
    let mean = angles.reduce(0, +) / pairs
    meanAngle = mean
    angleDeviation = (angles.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / pairs).squareRoot()
    meanNorm = norms.reduce(0, +) / Double(max(1, classes))
    targetAngle = Self.degrees(-1 / Double(max(1, classes - 1)))
  }

  private static func degrees(_ cosine: Double) -> Double {
    acos(min(1, max(-1, cosine))) * 180 / .pi
  }
}
