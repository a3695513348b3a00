/// The update rules of PyTorch's SGD, Adam and AdamW on a plain vector, with moments of its own.
///
/// The same code as `Optimizer`, and so the same bits.
public struct VectorOptimizer: Sendable {
  /// The rule and its constants.
  public let spec: OptimizerSpec
  /// Parameters.
  public let count: Int
  /// Steps taken since the start.
  public private(set) var steps = 0
  /// The moments one after the other, [momentCount × count].
  private var moments: [Float]

  /// A new optimizer for `count` parameters; its moments are 0.
  public init(_ spec: OptimizerSpec, count: Int) {
    self.spec = spec
    self.count = count
    moments = [Float](repeating: 0, count: Optimizer.momentCount(spec) * count)
  }

  /// One step on all parameters.
  ///
  /// `parameters`, `gradient`: [count].
  ///
  /// `learningRate`: η of this step, in place of the spec's.
  ///
  /// - Complexity: O(count), no allocation when nobody else holds the parameters.
  public mutating func step(_ parameters: inout [Float], gradient: [Float], learningRate: Double) {
    step(&parameters, gradient: gradient, learningRate: learningRate, range: 0..<count)
  }

  /// One step on the parameters in a range; the others, and their moments, stay.
  ///
  /// `parameters`, `gradient`: [count]; `range`: within 0 ..< count.
  ///
  /// - Complexity: O(range), no allocation when nobody else holds the parameters.
  public mutating func step(
    _ parameters: inout [Float], gradient: [Float], learningRate: Double, range: Range<Int>
  ) {
    precondition(
      parameters.count == count && gradient.count == count,
      "VectorOptimizer: [\(parameters.count)] with gradient [\(gradient.count)], not [\(count)]")
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count,
      "VectorOptimizer: \(range) is not within 0..<\(count)")
    steps += 1
    let rule = UpdateRule(spec: spec, number: steps, learningRate: learningRate)
    let count = count
    let held = Optimizer.momentCount(spec)
    parameters.withUnsafeMutableBufferPointer { w in
      gradient.withUnsafeBufferPointer { g in
        moments.withUnsafeMutableBufferPointer { moments in
          guard let w = w.baseAddress, let g = g.baseAddress else { return }
          let first = held > 0 ? moments.baseAddress : nil
          rule.step(w, g, first, held > 1 ? first.map { $0 + count } : nil, range)
        }
      }
    }
  }
}
