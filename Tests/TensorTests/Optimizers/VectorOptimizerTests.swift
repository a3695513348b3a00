import Base
import Tensor
import TestSupport
import Testing

/// An optimizer on a plain vector is the one on a workspace, bit by bit; PyTorch's numbers for that
/// one are in GoldenTrainingTests.
@Suite("Optimizer on a vector")
struct VectorOptimizerTests {
  static let specs = [
    OptimizerSpec(learningRate: 0.1), OptimizerSpec(learningRate: 0.1, weightDecay: 0.05),
    OptimizerSpec(learningRate: 0.1, momentum: 0.9, weightDecay: 0.01),
    OptimizerSpec(learningRate: 0.1, momentum: 0.8, nesterov: true),
    OptimizerSpec(kind: .adam, learningRate: 0.01, weightDecay: 0.1),
    OptimizerSpec(kind: .adamw, learningRate: 0.01, weightDecay: 0.1, beta1: 0.8, beta2: 0.9),
  ]

  @Test("The same bits as the optimizer on a workspace", arguments: specs)
  func same(
    spec: OptimizerSpec
  ) throws {
    let network = try NetworkRecipe.build("dense fc 3 1", input: FeatureShape(features: 6))
    let count = network.layout.trainedCount
    let workspace = Workspace(
      network, capacity: 1, training: true, moments: Optimizer.momentCount(spec))
    var parameters = network.layout.initialParameters(.pytorch, seed: 3)
    workspace.load(parameters)
    var optimizer = Optimizer(spec, workspace)
    var vector = VectorOptimizer(spec, count: count)
    var stream = RandomStream(seed: 4, .test)
    for step in 1...6 {
      let gradient = (0..<count).map { _ in Float(stream.gaussian()) }
      for i in 0..<count { workspace.gradient[i] = gradient[i] }
      let rate = 0.1 / Double(step)
      let range = step % 2 == 0 ? 0..<count : 5..<17
      optimizer.step(workspace, learningRate: rate, ranges: [range])
      if step % 2 == 0 {
        vector.step(&parameters, gradient: gradient, learningRate: rate)
      } else {
        vector.step(&parameters, gradient: gradient, learningRate: rate, range: range)
      }
      #expect(workspace.currentParameters.map(\.bitPattern) == parameters.map(\.bitPattern))
    }
    #expect(vector.steps == 6 && vector.count == count)
  }

  @Test("A range leaves all else alone, an empty one everything", arguments: specs)
  func ranges(
    spec: OptimizerSpec
  ) {
    var vector = VectorOptimizer(spec, count: 8)
    var w = [Float](repeating: 0.5, count: 8)
    let ones = [Float](repeating: 1, count: 8)
    vector.step(&w, gradient: ones, learningRate: 0.1, range: 8..<8)
    #expect(w == [Float](repeating: 0.5, count: 8))
    vector.step(&w, gradient: ones, learningRate: 0.1, range: 2..<5)
    for (index, value) in w.enumerated() { #expect((value != 0.5) == (2..<5).contains(index)) }
  }

  @Test("A copy goes on by itself")
  func copies() {
    let spec = OptimizerSpec(learningRate: 0.1, momentum: 0.9)
    var one = VectorOptimizer(spec, count: 1)
    var w: [Float] = [0]
    one.step(&w, gradient: [1], learningRate: 1)
    var other = one
    var u = w
    one.step(&w, gradient: [1], learningRate: 1)
    other.step(&u, gradient: [-1], learningRate: 1)
    // v = 1, then 0.9 + 1 and 0.9 − 1.
    #expect(w == [-1 - Float(0.9) - 1])
    expectClose(u[0], -0.9, ulps: 2)
  }

  @Test("A vector without elements takes steps")
  func empty() {
    var vector = VectorOptimizer(OptimizerSpec(kind: .adam, learningRate: 0.1), count: 0)
    var w: [Float] = []
    vector.step(&w, gradient: [], learningRate: 0.1)
    #expect(vector.steps == 1 && w.isEmpty)
  }
}
