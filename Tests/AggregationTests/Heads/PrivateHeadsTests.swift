import Base
import Client
import Tensor
import TestSupport
import Testing

@testable import Aggregation

/// Heads that are trained in the same step as the network are one vector with it for clipping.
@Suite("Private heads")
struct PrivateHeadsTests {
  static let rate = 0.5

  private func norm(_ x: [Float]) -> Double { VectorArithmetic.norm(x.span) }

  /// How far a network and two heads move in one step on some examples, in units of the rate.
  private func movement(_ examples: [Int], clip: Double) throws -> (
    network: [Float], heads: [[Float]]
  ) {
    let fixture = try HeadFixture("dense a 8 1; relu; dense fc 5 1")
    var privacy = ExamplePrivacy(clip: clip, noiseMultiplier: 0, batch: 1)
    privacy.drawsBatches = false
    var device = Device(
      client: 0, round: 1, rounds: 1, seed: 4, examples: examples, network: fixture.network,
      workspace: Workspace(fixture.network, capacity: 16, training: true),
      loader: BatchLoader(fixture.images, PixelTransform(channels: 2)),
      settings: LocalSettings(
        work: .steps(1), batch: examples.count, order: .sequential,
        optimizer: OptimizerSpec(learningRate: Self.rate)),
      privacy: PrivateTraining(privacy, memory: ExampleMemory()))
    device.workspace.load(fixture.problem.initial)
    var stream = RandomStream(seed: 8, .test)
    let starts = (0..<2).map { _ in (0..<5 * 8 + 5).map { _ in Float(stream.gaussian()) } }
    var rule = StoppedHeads(
      loss: device.loss, headLoss: SoftmaxCrossEntropy(),
      heads: starts.map {
        LinearHead(
          classes: 5, width: 8, values: $0, optimizer: OptimizerSpec(learningRate: Self.rate))
      })
    _ = try device.train(&rule)
    func moved(_ after: [Float], _ before: [Float]) -> [Float] {
      VectorArithmetic.difference(before.span, after.span).map { $0 / Float(Self.rate) }
    }
    return (
      moved(device.workspace.currentParameters, fixture.problem.initial),
      zip(rule.heads, starts).map { moved($0.values, $1) }
    )
  }

  @Test("one example moves network and heads together by exactly the clip")
  func jointNorm() throws {
    for example in [0, 3, 7] {
      let whole = try movement([example], clip: 1e9)
      let parts = [whole.network] + whole.heads
      let length = parts.reduce(0) { $0 + norm($1) * norm($1) }.squareRoot()
      #expect(length > 0.5)
      let clipped = try movement([example], clip: 0.25)
      let joint = ([clipped.network] + clipped.heads).reduce(0) { $0 + norm($1) * norm($1) }
        .squareRoot()
      #expect(abs(joint / 0.25 - 1) < 1e-4)
      // All are scaled by the same factor.
      for (a, b) in zip(parts, [clipped.network] + clipped.heads) {
        for (x, y) in zip(a, b) { #expect(abs(Double(x) * 0.25 / length - Double(y)) < 1e-5) }
      }
    }
  }

  @Test("a batch is the sum of its examples, each clipped by itself")
  func sum() throws {
    let batch = try movement([0, 3, 7], clip: 0.4)
    let single = try [0, 3, 7].map { try movement([$0], clip: 0.4) }
    for head in 0..<2 {
      for i in batch.heads[head].indices {
        let sum = single.reduce(Float(0)) { $0 + $1.heads[head][i] }
        #expect(abs(batch.heads[head][i] - sum) < 1e-5)
      }
    }
    for i in batch.network.indices {
      let sum = single.reduce(Float(0)) { $0 + $1.network[i] }
      #expect(abs(batch.network[i] - sum) < 1e-5)
    }
  }
}
