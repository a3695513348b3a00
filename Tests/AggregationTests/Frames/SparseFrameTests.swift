import Aggregation
import Base
import TestSupport
import Testing

/// SSE-C of FedLoGe: its zeros, its gradient, and what it reaches.
@Suite("Sparse frame")
struct SparseFrameTests {
  private func frame(
    _ classes: Int, _ width: Int, _ settings: SparseFrame.Settings = SparseFrame.Settings(),
    seed: UInt64 = 1
  ) -> SparseFrame {
    var stream = RandomStream(seed: seed, .strategy)
    return SparseFrame(classes: classes, width: width, settings: settings, stream: &stream)
  }

  @Test("After ten thousand steps angles are equal again and lengths are γ", arguments: [64, 32])
  func reached(width: Int) {
    let facts = frame(10, width).facts
    #expect(abs(facts.targetAngle - 96.3794) < 1e-4)
    #expect(abs(facts.meanAngle - facts.targetAngle) < 0.05)
    #expect(facts.angleDeviation < 0.1)
    #expect(abs(facts.meanNorm - 0.1) < 0.002)
  }

  @Test("The widths of residual networks, ten and a hundred classes", arguments: [10, 100])
  func wide(classes: Int) {
    let facts = frame(classes, 512).facts
    #expect(abs(facts.meanAngle - facts.targetAngle) < 0.05)
    #expect(facts.angleDeviation < 0.3)
    #expect(abs(facts.meanNorm - 0.1) < 0.002)
  }

  @Test("Sixteen features are too few for ten classes with six tenths of zeros")
  func unreached() {
    let facts = frame(10, 16).facts
    #expect(facts.angleDeviation > 0.5)
    #expect(facts.meanAngle < facts.targetAngle && facts.meanAngle > 95)
    #expect(abs(facts.meanNorm - 0.1) < 0.003)
  }

  @Test(
    "Exactly ⌊β·d·C⌋ zeros, in the same places before and after", arguments: [0, 0.35, 0.6, 0.99])
  func zeros(sparsity: Double) {
    var settings = SparseFrame.Settings()
    settings.sparsity = sparsity
    settings.steps = 0
    let before = frame(10, 33, settings).values
    settings.steps = 200
    let after = frame(10, 33, settings).values
    #expect(before.count { $0 == 0 } == Int(sparsity * 330))
    #expect(before.map { $0 == 0 } == after.map { $0 == 0 })
    #expect(after.allSatisfy(\.isFinite) && before != after)
    var stream = RandomStream(seed: 1, .strategy)
    let dense = EquiangularFrame(classes: 10, width: 33, stream: &stream)
    for (value, whole) in zip(before, dense.values) { #expect(value == 0 || value == whole) }
  }

  @Test("Zeros fall anywhere, each place equally often")
  func uniformZeros() {
    var stream = RandomStream(seed: 9, .strategy)
    var counts = [Int](repeating: 0, count: 20)
    let draws = 20_000
    for _ in 0..<draws {
      for (place, kept) in SparseFrame.kept(20, sparsity: 0.3, &stream).enumerated() where kept == 0
      { counts[place] += 1 }
    }
    #expect(counts.reduce(0, +) == 6 * draws)
    // A binomial count: five standard deviations, for twenty places.
    let deviation = (Double(draws) * 0.3 * 0.7).squareRoot()
    for count in counts { #expect(abs(Double(count) - 0.3 * Double(draws)) < 5 * deviation) }
  }

  @Test("A frame is a function of its stream, zeros and all")
  func random() {
    var settings = SparseFrame.Settings()
    settings.steps = 10
    #expect(frame(5, 16, settings) == frame(5, 16, settings))
    #expect(frame(5, 16, settings) != frame(5, 16, settings, seed: 2))
  }

  // ---------------------------------------------------------------- the objective, slowly

  /// L from its definition, in Double.
  private func objective(
    _ w: [Double], _ classes: Int, _ width: Int, _ settings: SparseFrame.Settings
  ) -> Double {
    func dot(_ i: Int, _ j: Int) -> Double {
      (0..<width).reduce(0) { $0 + w[i * width + $1] * w[j * width + $1] }
    }
    var lengths = 0.0
    var angles = 0.0
    for i in 0..<classes {
      lengths += pow(dot(i, i).squareRoot() - settings.norm, 2)
      let nearest =
        (0..<classes).filter { $0 != i }.map { dot(i, $0) / sqrt(dot(i, i) * dot($0, $0)) }.max()
        ?? 0
      angles -= acos(max(-0.99999, min(0.99999, nearest))) / Double(classes)
    }
    return settings.angleWeight * angles + settings.normWeight * lengths
  }

  private func slopes(
    _ w: [Double], _ kept: [Float], _ classes: Int, _ width: Int, _ settings: SparseFrame.Settings
  ) -> [Double] {
    w.indices.map { i in
      var moved = w
      moved[i] += 1e-6
      let above = objective(moved, classes, width, settings)
      moved[i] -= 2e-6
      return Double(kept[i]) * (above - objective(moved, classes, width, settings)) / 2e-6
    }
  }

  private func start(_ classes: Int, _ width: Int, _ sparsity: Double) -> (
    values: [Float], kept: [Float]
  ) {
    var stream = RandomStream(seed: 3, .strategy)
    let dense = EquiangularFrame(classes: classes, width: width, stream: &stream)
    let kept = SparseFrame.kept(classes * width, sparsity: sparsity, &stream)
    // A little noise: a frame without zeros has angles that are all the nearest.
    let values = zip(dense.values, kept).map { $0 * $1 * Float(0.8 + 0.4 * stream.uniform()) }
    return (values, kept)
  }

  @Test(
    "The gradient is the objective's differences'",
    arguments: [(4, 6, 0.3), (10, 32, 0.6), (3, 20, 0)])
  func gradient(
    classes: Int, width: Int, sparsity: Double
  ) {
    var settings = SparseFrame.Settings()
    settings.angleWeight = 0.7
    settings.normWeight = 1.3
    let (values, kept) = start(classes, width, sparsity)
    var descent = FrameDescent(
      values, kept: kept, classes: classes, width: width, settings: settings)
    descent.computeGradient()
    let truth = slopes(values.map(Double.init), kept, classes, width, settings)
    // Cosines are sums of `width` products in single precision.
    let bound = 8 * Double(width).squareRoot() * Rounding.unit
    expectClose(descent.gradient, truth, bound: bound, floor: 1e-2)
    for (slope, kept) in zip(descent.gradient, kept) where kept == 0 { #expect(slope == 0) }
  }

  @Test("Steps are Adam's with the objective's differences, computed apart")
  func adam() {
    var settings = SparseFrame.Settings()
    settings.learningRate = 1e-3
    let (classes, width) = (4, 6)
    let (values, kept) = start(classes, width, 0.3)
    var descent = FrameDescent(
      values, kept: kept, classes: classes, width: width, settings: settings)
    var w = values.map(Double.init)
    var m = [Double](repeating: 0, count: w.count)
    var v = m
    for t in 1...20 {
      descent.step()
      let g = slopes(w, kept, classes, width, settings)
      for i in w.indices {
        m[i] = 0.9 * m[i] + 0.1 * g[i]
        v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i]
        let mean = m[i] / (1 - pow(0.9, Double(t)))
        w[i] -= 1e-3 * mean / ((v[i] / (1 - pow(0.999, Double(t)))).squareRoot() + 1e-8)
      }
      // Each step moves by 1e-3, of which a gradient of seven digits decides about as many.
      expectClose(descent.values, w, bound: Double(t) * 16 * Rounding.unit, floor: 1, "step \(t)")
    }
    #expect(descent.values != values)
  }

  @Test("A class whose entries are all zero stays zero and harms nobody")
  func empty() {
    let (values, _) = start(3, 4, 0)
    let kept: [Float] = [0, 0, 0, 0] + [Float](repeating: 1, count: 8)
    var descent = FrameDescent(
      zip(values, kept).map { $0 * $1 }, kept: kept, classes: 3, width: 4,
      settings: SparseFrame.Settings())
    for _ in 0..<50 { descent.step() }
    #expect(descent.values[0..<4].allSatisfy { $0 == 0 })
    #expect(descent.values.allSatisfy { $0.isFinite })
  }

  @Test("What cannot be, and what will hardly do, is said")
  func feasibility() {
    func says(_ width: Int, _ classes: Int, _ sparsity: Double) -> String {
      SparseFrame.feasibility(width: width, classes: classes, sparsity: sparsity) ?? ""
    }
    #expect(says(512, 100, 0.6) == "" && says(64, 10, 0.6) == "" && says(16, 10, 0.6) == "")
    #expect(says(64, 100, 0.6).contains("64 features"))
    #expect(says(10, 10, 0.6).contains("too few"))  // 4 free entries a class for 5.5
    #expect(SparseFrame.impossibility(width: 10, classes: 10, sparsity: 0.6) == nil)
    for sparsity in [-0.1, 1, 2, .nan] { #expect(says(64, 10, sparsity).contains("share")) }
  }
}
