import Aggregation
import Base
import Client
import Tensor
import TestSupport
import Testing

@Suite("Realignment of heads")
struct RealignmentTests {
  private static let (classes, width) = (7, 12)
  private let shared: [Float]
  private let own: [Float]

  init() {
    var stream = RandomStream(seed: 9, .test)
    func head(_ scale: Double) -> [Float] {
      (0..<Self.classes * (Self.width + 1)).map { _ in Float(scale * stream.gaussian()) }
    }
    (shared, own) = (head(3), head(0.5))
  }

  private func row(_ head: [Float], _ c: Int) -> [Float] {
    Array(head[c * Self.width..<(c + 1) * Self.width])
  }
  private func norm(_ x: [Float]) -> Double { VectorArithmetic.norm(x.span) }
  private func bias(_ head: [Float]) -> [Float] { Array(head.suffix(Self.classes)) }

  @Test("GA-FR: rows of length s in their old directions, the bias kept; twice is once")
  func generic() {
    let once = Realignment.generic(shared, classes: Self.classes, scale: 1.7)
    for c in 0..<Self.classes {
      let (before, after) = (row(shared, c), row(once, c))
      #expect(abs(norm(after) - 1.7) <= 1.7 * Rounding.unit)
      let cosine = VectorArithmetic.dot(before.span, after.span) / (norm(before) * norm(after))
      #expect(abs(cosine - 1) <= 2 * Rounding.unit)
    }
    #expect(bits(bias(once)) == bits(bias(shared)))
    let twice = Realignment.generic(once, classes: Self.classes, scale: 1.7)
    // One more rounding of each weight.
    expectClose(twice, once.map(Double.init), bound: 2 * Rounding.unit)
  }

  @Test("GA-FR with s = 1 is τ-normalisation with τ = 1 that keeps the bias")
  func normalisation() {
    var weight = Array(shared.dropLast(Self.classes))
    var bias = bias(shared)
    PostHoc.tauNormalised(tau: 1, keepsBias: true).apply(
      weight: &weight, bias: &bias, counts: [Int](repeating: 1, count: Self.classes))
    let realigned = Realignment.generic(shared, classes: Self.classes, scale: 1)
    expectClose(realigned, (weight + bias).map(Double.init), bound: Rounding.unit)
    #expect(realigned != shared)
  }

  @Test("LA-FR: directions of the shared head, lengths of both, the shared bias")
  func personal() {
    let head = Realignment.personal(shared, own: own, classes: Self.classes)
    for c in 0..<Self.classes {
      let (before, after) = (row(shared, c), row(head, c))
      let length = norm(before) * norm(row(own, c))
      #expect(abs(norm(after) - length) <= length * Rounding.unit)
      let cosine = VectorArithmetic.dot(before.span, after.span) / (norm(before) * norm(after))
      #expect(abs(cosine - 1) <= 2 * Rounding.unit)
    }
    #expect(bits(bias(head)) == bits(bias(shared)))
  }

  @Test("a row of zeros stays one")
  func zeros() {
    var head = shared
    for i in 0..<Self.width { head[i] = 0 }
    let realigned = Realignment.generic(head, classes: Self.classes, scale: 1.7)
    #expect(row(realigned, 0).allSatisfy { $0 == 0 })
    #expect(row(Realignment.personal(head, own: own, classes: Self.classes), 0) == row(head, 0))
  }

  @Test("a masked class is never predicted, whatever the features are; no example masks nothing")
  func mask() {
    let counts = [3, 0, 1, 0, 0, 9, 2]
    var head = shared
    Realignment.mask(&head, absentFrom: counts)
    for c in counts.indices where counts[c] > 0 {
      #expect(row(head, c) == row(shared, c))
      #expect(bias(head)[c] == bias(shared)[c])
    }
    let masked = LinearHead(
      classes: Self.classes, width: Self.width, values: head,
      optimizer: OptimizerSpec(learningRate: 1))
    var stream = RandomStream(seed: 10, .test)
    for scale in [1e-3, 1, 1e3, 1e6] {
      let features = (0..<Self.width).map { _ in Float(scale * stream.gaussian()) }
      var logits = [Float](repeating: 0, count: Self.classes)
      features.withUnsafeBufferPointer { features in
        logits.withUnsafeMutableBufferPointer { logits in
          guard let h = features.baseAddress, let z = logits.baseAddress else { return }
          masked.logits(features: h, count: 1, into: z)
        }
      }
      let winner = logits.indices.max { logits[$0] < logits[$1] } ?? -1
      #expect(counts[winner] > 0)
    }
    var untouched = shared
    Realignment.mask(&untouched, absentFrom: [Int](repeating: 0, count: Self.classes))
    #expect(untouched == shared)
  }
}
