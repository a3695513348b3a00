import Base
import Tensor
import TestSupport
import Testing

/// Norms from products of pairs against the gradient itself, formed in double precision from the
/// definition.
@Suite("Norms from products")
struct ProductNormTests {
  /// x and dy of some images, and the norm of each gradient that `window` gives.
  private func check(
    _ geometry: ConvolutionGeometry, rows: Int, bias: Bool,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var stream = RandomStream(seed: 3, .test)
    let x = (0..<rows * geometry.input.count).map { _ in Float(stream.gaussian()) }
    let dy = (0..<rows * geometry.output.count).map { _ in Float(stream.gaussian()) }
    let channels = geometry.output.channels
    let gradient = NaiveConvolution(geometry, batch: rows).weightGradient(x, dy).values
    var truth = gradient.reduce(0) { $0 + $1 * $1 }
    if bias {
      for c in 0..<channels {
        let sum = stride(from: c, to: dy.count, by: channels).reduce(0.0) { $0 + Double(dy[$1]) }
        truth += sum * sum
      }
    }
    let products = OuterProducts(
      positions: geometry.output.positions, inputs: geometry.patch, outputs: channels,
      hasBias: bias, window: geometry)
    expect(products, rows, x, dy, truth, sourceLocation)
  }

  private func expect(
    _ products: OuterProducts, _ rows: Int, _ a: [Float], _ b: [Float], _ truth: Double,
    _ sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let norm = ProductNorm(products, rows: rows)
    // Kernels read whole vectors.
    let (a, b) = (a + [Float](repeating: 0, count: 16), b + [Float](repeating: 0, count: 16))
    var scratch = [Float](repeating: .nan, count: norm.scratchCount + 16)
    let found = scratch.withUnsafeMutableBufferPointer { scratch in
      scratch.baseAddress.flatMap { norm.squared(a, b, scratch: $0) }
    }
    guard let found else {
      Issue.record("too much cancelled", sourceLocation: sourceLocation)
      return
    }
    #expect(
      abs(found - truth) <= 1e-6 * truth, "\(found) for \(truth)", sourceLocation: sourceLocation)
  }

  @Test(
    "windows of any size, stride and padding on maps of any shape",
    arguments: [
      (1, 1, 0), (1, 2, 0), (2, 2, 0), (3, 1, 1), (3, 1, 0), (3, 2, 1), (5, 1, 2), (5, 3, 4),
    ], [1, 3])
  func windows(_ window: (kernel: Int, stride: Int, padding: Int), _ rows: Int) {
    for (height, width, inputs, outputs) in [(5, 5, 3, 4), (6, 9, 16, 33), (12, 5, 7, 16)] {
      check(
        ConvolutionGeometry(
          input: FeatureShape(height: height, width: width, channels: inputs), channels: outputs,
          kernel: window.kernel, stride: window.stride, padding: window.padding), rows: rows,
        bias: rows == 1)
    }
  }

  @Test("a map of one position, and one that is all padding but a pixel")
  func small() {
    for (side, kernel, padding) in [(3, 3, 0), (1, 3, 1), (1, 5, 2), (2, 5, 2)] {
      check(
        ConvolutionGeometry(
          input: FeatureShape(height: side, width: side, channels: 4), channels: 6, kernel: kernel,
          stride: 1, padding: padding), rows: 1, bias: true)
    }
  }

  @Test("rows of one and of many positions", arguments: [1, 4], [1, 2, 17, 65])
  func rows(
    _ rows: Int, _ positions: Int
  ) {
    var stream = RandomStream(seed: 4, .test)
    for (inputs, outputs) in [(1, 1), (7, 33), (300, 40)] {
      let count = rows * positions
      let a = (0..<count * inputs).map { _ in Float(stream.gaussian()) }
      let b = (0..<count * outputs).map { _ in Float(stream.gaussian()) }
      var truth = 0.0
      for o in 0..<outputs {
        var bias = 0.0
        for t in 0..<count { bias += Double(b[t * outputs + o]) }
        truth += bias * bias
        for i in 0..<inputs {
          var sum = 0.0
          for t in 0..<count { sum += Double(a[t * inputs + i]) * Double(b[t * outputs + o]) }
          truth += sum * sum
        }
      }
      // Of a single number nearly everything may cancel.
      if inputs == 1, count > 1 { continue }
      let products = OuterProducts(
        positions: positions, inputs: inputs, outputs: outputs, hasBias: true, window: nil)
      expect(products, rows, a, b, truth)
    }
  }

  @Test("where rounding would show, it says so")
  func cancellation() throws {
    // The same input at every position, and gradients that sum to zero.
    let products = OuterProducts(positions: 8, inputs: 5, outputs: 3, hasBias: false, window: nil)
    let norm = ProductNorm(products, rows: 1)
    var a = [Float](repeating: 0, count: 8 * 5 + 16)
    var b = [Float](repeating: 0, count: 8 * 3 + 16)
    for t in 0..<8 {
      for i in 0..<5 { a[t * 5 + i] = Float(i) + 0.1 }
      for o in 0..<3 { b[t * 3 + o] = (t % 2 == 0 ? 0.1 : -0.1) * Float(o + 1) }
    }
    var scratch = [Float](repeating: 0, count: norm.scratchCount + 16)
    let found = scratch.withUnsafeMutableBufferPointer { scratch in
      scratch.baseAddress.flatMap { norm.squared(a, b, scratch: $0) }
    }
    #expect(found == nil)
    // And a network then looks at the gradient: instance norm of nearly constant maps.
    for rows in [1, 2] {
      let network = try NetworkRecipe.build(
        "linear a 96 0; group n 96; linear b 5 0; first",
        input: FeatureShape(height: 2, width: 4, channels: 96))
      var fixture = ExampleFixture(network, examples: 4, rows: rows)
      for i in fixture.values.indices {
        fixture.values[i] = Float(i % 96 % 5) + 1 + 0.03 * fixture.values[i]
      }
      let gradients = fixture.swept()
      #expect(gradients.layers[0].name == "a" && !gradients.layers[0].isWrittenOut)
      for example in 0..<4 {
        var one = [Float](repeating: 0, count: 4)
        one[example] = 1
        let truth = squared(fixture.sum(gradients, one), gradients.layers[0].ranges)
        let found = gradients.squaredNorm(example, layer: 0)
        #expect(abs(found - truth) <= 2e-5 * truth, "\(found) for \(truth)")
      }
    }
  }
}
