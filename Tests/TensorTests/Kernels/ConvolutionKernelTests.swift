import Base
import Tensor
import TestSupport
import Testing

/// Every way to compute a convolution against loops over its definition: odd sizes, all strides
/// and paddings, maps of one position, channels that fill no vector.
@Suite("Convolution kernels")
struct ConvolutionKernelTests {
  /// One shape.
  struct Shape: Sendable, CustomTestStringConvertible {
    var height: Int
    var width: Int
    var from: Int
    var to: Int
    var kernel = 3
    var stride = 1
    var padding = 1
    var testDescription: String {
      "\(height)×\(width) \(from)→\(to) k\(kernel) s\(stride) p\(padding)"
    }

    var geometry: ConvolutionGeometry? {
      guard height + 2 * padding >= kernel, width + 2 * padding >= kernel else { return nil }
      return ConvolutionGeometry(
        input: FeatureShape(height: height, width: width, channels: from), channels: to,
        kernel: kernel, stride: stride, padding: padding)
    }
  }

  static let maps = [(1, 1), (2, 3), (5, 7), (8, 6)]
  static let windows = [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (3, 3), (5, 1), (5, 2), (5, 4)]
  static let shapes = windows.flatMap { kernel, stride in
    maps.flatMap { height, width in
      [(1, 1), (3, 5), (17, 19), (5, 33)].flatMap { from, to in
        (0...2).map { padding in
          Shape(
            height: height, width: width, from: from, to: to, kernel: kernel, stride: stride,
            padding: padding)
        }
      }
    }
  }
  static let filterShapes = maps.flatMap { height, width in
    [(16, 16), (16, 32), (48, 16)].flatMap { from, to in
      (0...2).map { Shape(height: height, width: width, from: from, to: to, padding: $0) }
    }
  }

  /// Numbers for one shape, and the scratch that its kernel asks for and not a float more.
  struct Fixture {
    let kernel: ConvolutionKernel
    let (batch, x, w, b, dy): (Int, [Float], [Float], [Float], [Float])

    init(_ geometry: ConvolutionGeometry, _ method: ConvolutionKernel.Method, batch: Int = 3) {
      kernel = ConvolutionKernel(geometry, method: method)
      var stream = RandomStream(seed: 1, .test, client: geometry.patch, step: geometry.output.count)
      func values(_ count: Int) -> [Float] { (0..<count).map { _ in Float(stream.gaussian()) } }
      self.batch = batch
      x = values(batch * geometry.input.count)
      w = values(geometry.patch * geometry.output.channels)
      b = values(geometry.output.channels)
      dy = values(batch * geometry.output.count)
    }

    /// Runs on copies with room to read a vector beyond their end, as workspaces have, filled with
    /// what must not come into any result.
    func run(_ start: [Float], _ body: (Operands, UnsafeMutablePointer<Float>) -> Void) -> [Float] {
      let operands = [x, w, b, dy].map { $0 + [Float](repeating: .nan, count: 16) }
      var result = start + [Float](repeating: 12_345, count: 16)
      var scratch = [Float](repeating: .nan, count: kernel.scratchCount)
      operands[0].withUnsafeBufferPointer { x in
        operands[1].withUnsafeBufferPointer { w in
          operands[2].withUnsafeBufferPointer { b in
            operands[3].withUnsafeBufferPointer { dy in
              scratch.withUnsafeMutableBufferPointer { scratch in
                result.withUnsafeMutableBufferPointer { result in
                  guard let x = x.baseAddress, let w = w.baseAddress, let b = b.baseAddress,
                    let dy = dy.baseAddress, let to = result.baseAddress
                  else { return }
                  let place = scratch.baseAddress ?? to
                  body(Operands(x: x, w: w, b: b, dy: dy, scratch: place), to)
                }
              }
            }
          }
        }
      }
      #expect(result.suffix(16).allSatisfy { $0 == 12_345 }, "written beyond the end")
      return Array(result.dropLast(16))
    }
  }

  struct Operands {
    let x, w, b, dy: UnsafePointer<Float>
    let scratch: UnsafeMutablePointer<Float>
  }

  static func expect(
    _ observed: [Float], _ expected: [Double], within bounds: [Double], _ what: String
  ) {
    var worst = 0.0
    for i in expected.indices {
      let error = abs(Double(observed[i]) - expected[i])
      worst = max(worst, error.isNaN ? .infinity : error / max(bounds[i], .leastNormalMagnitude))
    }
    #expect(worst <= 1, "\(what): \(worst) times the bound")
  }

  /// u·(roundings): γ of a sum of n products has n roundings of each term.
  static func bounds(_ magnitudes: [Double], _ roundings: Double) -> [Double] {
    magnitudes.map { Rounding.unit * roundings * $0 * 1.01 }
  }

  @Test("the definition's sums, in any shape", arguments: shapes + filterShapes)
  func general(
    _ shape: Shape
  ) {
    guard let geometry = shape.geometry else { return }
    for method in [ConvolutionKernel.Method.direct, .patches] {
      let f = Fixture(geometry, method)
      let naive = NaiveConvolution(geometry, batch: f.batch)
      check(f, naive, "\(method)") { sums, length in
        Self.bounds(sums.magnitudes, Double(length) + 2)
      }
    }
  }

  @Test("minimal filtering, within the bound of its own roundings", arguments: filterShapes)
  func filters(_ shape: Shape) throws {
    guard let geometry = shape.geometry else { return }
    #expect(ConvolutionKernel.canFilter(geometry))
    let f = Fixture(geometry, .winograd)
    let naive = NaiveConvolution(geometry, batch: f.batch)
    let extra = FilterMagnitude.transformRoundings

    let y = naive.forward(f.x, f.w, bias: f.b)
    let forward = FilterMagnitude.forward(geometry, f.x, f.w)
    let bias = y.values.indices.map { Double(abs(f.b[$0 % f.b.count])) }
    check(
      f, naive, "winograd",
      forward: Self.bounds(zip(forward, bias).map { $0 + $1 }, Double(shape.from) + extra + 1),
      weight: {
        let (magnitudes, tiles) = FilterMagnitude.weightGradient(geometry, f.x, f.dy)
        return Self.bounds(magnitudes.map { $0 + 1 }, Double(tiles) + extra + 1)
      }(),
      input: {
        let back = ConvolutionGeometry(
          input: geometry.output, channels: shape.from, kernel: 3, stride: 1,
          padding: 2 - shape.padding)
        var turned = [Float](repeating: 0, count: f.w.count)
        for tap in 0..<9 {
          for i in 0..<shape.from {
            for o in 0..<shape.to {
              turned[((8 - tap) * shape.to + o) * shape.from + i] =
                f.w[(tap * shape.from + i) * shape.to + o]
            }
          }
        }
        let magnitudes = FilterMagnitude.forward(back, f.dy, turned)
        return Self.bounds(magnitudes.map { $0 + 1 }, Double(shape.to) + extra + 1)
      }())
  }

  private func check(
    _ f: Fixture, _ naive: NaiveConvolution, _ what: String,
    bound: (NaiveConvolution.Sums, Int) -> [Double]
  ) {
    let g = naive.geometry
    let positions = f.batch * g.output.positions
    var weight = naive.weightGradient(f.x, f.dy)
    var input = naive.inputGradient(f.dy, f.w)
    // Both are also added to ones.
    for i in weight.magnitudes.indices { weight.magnitudes[i] += 1 }
    for i in input.magnitudes.indices { input.magnitudes[i] += 1 }
    check(
      f, naive, what, forward: bound(naive.forward(f.x, f.w, bias: f.b), g.patch),
      weight: bound(weight, positions), input: bound(input, g.kernel * g.kernel * g.output.channels)
    )
  }

  private func check(
    _ f: Fixture, _ naive: NaiveConvolution, _ what: String, forward: [Double], weight: [Double],
    input: [Double]
  ) {
    let (kernel, batch) = (f.kernel, f.batch)
    let biased = naive.forward(f.x, f.w, bias: f.b).values
    for rectified in [false, true] {
      let y = f.run([Float](repeating: .nan, count: biased.count)) { o, y in
        kernel.forward(
          o.x, o.w, bias: o.b, rectified: rectified, y, batch: batch, scratch: o.scratch)
      }
      let expected = rectified ? biased.map { max(0, $0) } : biased
      Self.expect(y, expected, within: forward, "\(what) forward, rectified \(rectified)")
    }
    let plain = naive.forward(f.x, f.w).values
    let y = f.run([Float](repeating: .nan, count: plain.count)) { o, y in
      kernel.forward(o.x, o.w, bias: nil, rectified: false, y, batch: batch, scratch: o.scratch)
    }
    Self.expect(y, plain, within: forward, "\(what) forward without bias")
    for add in [false, true] {
      let start = add ? Float(1) : .nan
      let dw = naive.weightGradient(f.x, f.dy).values
      let observed = f.run([Float](repeating: start, count: dw.count)) { o, to in
        kernel.weightGradient(o.x, o.dy, to, batch: batch, accumulate: add, scratch: o.scratch)
      }
      Self.expect(
        observed, add ? dw.map { $0 + 1 } : dw, within: weight,
        "\(what) weight gradient, added \(add)")
      let dx = naive.inputGradient(f.dy, f.w).values
      let back = f.run([Float](repeating: start, count: dx.count)) { o, to in
        kernel.inputGradient(o.dy, o.w, to, batch: batch, add: add, scratch: o.scratch)
      }
      Self.expect(
        back, add ? dx.map { $0 + 1 } : dx, within: input, "\(what) input gradient, added \(add)")
    }
  }

  @Test("an image's results do not depend on the others of its batch")
  func independence() throws {
    let shape = Shape(height: 5, width: 6, from: 16, to: 16)
    let geometry = try #require(shape.geometry)
    for method in ConvolutionKernel.Method.allCases {
      let f = Fixture(geometry, method, batch: 40)
      let kernel = f.kernel
      let count = geometry.output.count
      func forward(_ first: Int, _ images: Int) -> [Float] {
        f.run([Float](repeating: 0, count: images * count)) { o, y in
          kernel.forward(
            o.x + first * geometry.input.count, o.w, bias: nil, rectified: false, y, batch: images,
            scratch: o.scratch)
        }
      }
      let all = forward(0, 40)
      for (first, images) in [(0, 1), (7, 3), (39, 1)] {
        #expect(forward(first, images) == Array(all[first * count..<(first + images) * count]))
      }
    }
  }

  @Test("a transposition moves every element and no other", arguments: [1, 15, 16, 17, 50])
  func transposition(_ rows: Int) {
    for columns in [1, 16, 35] {
      let stride = columns + 3
      let from = (0..<rows * stride).map(Float.init)
      var to = [Float](repeating: -1, count: rows * columns + 1)
      Transpose.copy(from, rows: rows, columns: columns, stride: stride, to: &to)
      #expect(to[rows * columns] == -1)
      for r in 0..<rows {
        for c in 0..<columns { #expect(to[c * rows + r] == from[r * stride + c]) }
      }
    }
  }
}
