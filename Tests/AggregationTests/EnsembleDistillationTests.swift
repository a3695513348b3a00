import Aggregation
import Client
import Tensor
import TestSupport
import Testing

/// Training at the server; whole rounds are in FedDFTests.
@Suite("Ensemble distillation")
struct EnsembleDistillationTests {
  private let distillation = EnsembleDistillation(
    steps: 8, batch: 4, learningRate: 0.5, isCosine: true, temperature: 1, validationShare: 0,
    checkEvery: 1, patience: 1)

  @Test("the rate falls from η to 0 by a cosine, or stays")
  func rate() {
    #expect(distillation.rate(0) == 0.5)
    #expect(abs(distillation.rate(4) - 0.25) < 1e-15)
    #expect(abs(distillation.rate(8)) < 1e-15)
    var constant = distillation
    constant.isCosine = false
    #expect(constant.rate(7) == 0.5)
  }

  @Test("a student that is not finite is the server's divergence, not a client's")
  func divergence()
    throws
  {
    let shape = FeatureShape(height: 1, width: 2, channels: 1)
    let network = try NetworkRecipe.build("dense a 3 1", input: shape)
    let images = ImageSet(
      shape: shape, pixels: .floats([1, 2, 3, 4, 5, 6, 7, 8]), labels: [0, 1, 2, 0], classes: 3)
    let device = Device(
      client: 7, round: 5, rounds: 9, seed: 1, examples: [0, 1, 2, 3], network: network,
      workspace: Workspace(network, capacity: 4, training: true),
      loader: BatchLoader(images, PixelTransform(channels: 1)),
      settings: LocalSettings(work: .epochs(1), batch: 2, optimizer: OptimizerSpec(learningRate: 1))
    )
    let teachers = [Float](repeating: 0, count: 12)
    let start = [Float](repeating: 0, count: network.layout.count)
    // Teachers that the student agrees with already teach it nothing.
    #expect(try distillation.train(device, from: start, towards: teachers) == start)
    var broken = start
    broken[0] = .infinity
    let thrown = #expect(throws: Divergence.self) {
      _ = try distillation.train(device, from: broken, towards: teachers)
    }
    #expect(thrown == Divergence(round: 5))
  }
}
