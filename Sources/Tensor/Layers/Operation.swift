/// One step of a network: reads some feature maps, writes one.
///
/// A network is a fixed list of operations on numbered slots; forward runs it in order, backward in
/// reverse.
package protocol Operation: Sendable {
  /// Computes the output slot from the input slots, for `pass.batch` examples.
  func forward(_ pass: borrowing Pass)

  /// From the gradient in the output slot: writes (or adds) the parameters' gradients, then writes
  /// the gradient of `input` as `inputGradient` says.
  func backward(_ pass: borrowing Pass, inputGradient: GradientWrite)

  /// The slot whose gradient `backward` produces; equal to `output` for in-place operations.
  var input: Int { get }
  /// The slot that `forward` produces.
  var output: Int { get }
  /// The slots whose gradients `backward` reads or writes.
  var gradientSlots: [Int] { get }
  /// The slots that nobody else reads: what a backward pass needs of the forward pass.
  var ownSlots: [Int] { get }
  /// Whether it reads parameters as whole vectors, and so up to 15 floats beyond their end.
  var readsBeyondParameters: Bool { get }
  /// The operation in PyTorch's terms, with sizes.
  var summary: String { get }
  /// Floating-point operations of one example's forward pass, a multiply-add as two; products only.
  var forwardFLOPs: Int { get }
  /// Floating-point operations of one example's backward pass, counted alike.
  func backwardFLOPs(inputGradient: Bool) -> Int
  /// Whether it has parameters that need a gradient.
  var hasParameters: Bool { get }
  /// Where they lie, running statistics not counted; a frozen operation may say it too.
  var parameterRanges: [Range<Int>] { get }
  /// Floats of `Pass.scratch` that it uses.
  var scratchCount: Int { get }
  /// Parameters that `Pass.directRate` moves, or nil.
  var directRange: Range<Int>? { get }
}

extension Operation {
  package var forwardFLOPs: Int { 0 }
  /// As much as forward for the gradient of its weights, if it trains any, and for its input's.
  package func backwardFLOPs(inputGradient: Bool) -> Int {
    forwardFLOPs * ((hasParameters ? 1 : 0) + (inputGradient ? 1 : 0))
  }
  package var hasParameters: Bool { false }
  package var parameterRanges: [Range<Int>] { [] }
  package var scratchCount: Int { 0 }
  package var gradientSlots: [Int] { [input, output] }
  package var ownSlots: [Int] { [] }
  package var readsBeyondParameters: Bool { false }
  package var directRange: Range<Int>? { nil }
}

/// An operation whose output is linear in its parameters, y = W·x + b at one or many positions,
/// with a ReLU after it perhaps.
///
/// Its backward pass has three parts, which can be run on different examples: `backward` is one
/// after the other on all of them.
package protocol WeightedOperation: Operation {
  /// The gradient in the output slot becomes the one in front of the ReLU, in place.
  func gateGradient(_ pass: borrowing Pass)
  /// The parameters' gradients from the output's after `gateGradient`.
  func weightGradient(_ pass: borrowing Pass)
  /// The input's gradient from the output's after `gateGradient`.
  func inputGradient(_ pass: borrowing Pass, _ how: GradientWrite)
  /// What its weight gradient is a sum of.
  var outerProducts: OuterProducts { get }
}

/// The gradient of one example's weights as a sum over positions, G = Σ_t b_t ⊗ a_t.
package struct OuterProducts: Sendable {
  /// T, positions of one example.
  package let positions: Int
  /// Numbers in a_t: an input vector, or what is under a window.
  package let inputs: Int
  /// Numbers in b_t, the gradient of the output at a position.
  package let outputs: Int
  /// Whether there is a bias, whose gradient is Σ_t b_t.
  package let hasBias: Bool
  /// How positions read a map where they are no rows of it.
  package let window: ConvolutionGeometry?

  package init(
    positions: Int, inputs: Int, outputs: Int, hasBias: Bool, window: ConvolutionGeometry?
  ) {
    self.positions = positions
    self.inputs = inputs
    self.outputs = outputs
    self.hasBias = hasBias
    self.window = window
  }
}

/// Everything that one forward or backward sweep reads and writes; borrowed from a workspace.
package struct Pass: ~Copyable {
  /// Examples in this sweep.
  package let batch: Int
  /// Training: batch statistics and dropout are on.
  package let training: Bool
  /// Parameter gradients are added to what is there, instead of replacing it.
  package let accumulate: Bool
  /// Mixed address of this step's dropout masks.
  package let dropoutKey: UInt64
  /// Place of the sweep's first example in its batch.
  package let firstExample: Int
  /// η when dense layers are to move their weights by −η·dW themselves, instead of storing dW.
  package let directRate: Float?
  /// All parameters, [layout.count].
  package let parameters: UnsafePointer<Float>
  /// Where parameters go that a training pass moves itself, by `directRate` or as running
  /// statistics: `parameters`, or memory of one's own while those are somebody else's.
  package let moved: UnsafeMutablePointer<Float>?
  /// Gradients of the trained parameters, [layout.trainedCount].
  package let gradient: UnsafeMutablePointer<Float>
  /// Where each slot's values lie, [capacity × perExample + fixed].
  package let values: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
  /// Where each slot's gradient is; slots without one point to no memory.
  package let gradients: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
  /// Shared scratch of the largest size that any operation asked for.
  package let scratch: UnsafeMutablePointer<Float>

  /// The same sweep over other examples or into other memory.
  ///
  /// `gradient`: what parameters' gradients are counted from; only where an operation's own
  /// parameters lie must there be memory.
  func on(
    batch: Int, accumulate: Bool, gradient: UnsafeMutablePointer<Float>,
    values: UnsafeMutablePointer<UnsafeMutablePointer<Float>>? = nil,
    gradients: UnsafeMutablePointer<UnsafeMutablePointer<Float>>? = nil
  ) -> Pass {
    Pass(
      batch: batch, training: training, accumulate: accumulate, dropoutKey: dropoutKey,
      firstExample: firstExample, directRate: nil, parameters: parameters, moved: moved,
      gradient: gradient, values: values ?? self.values, gradients: gradients ?? self.gradients,
      scratch: scratch)
  }
}
