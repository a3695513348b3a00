import Base
import Tensor
import Testing

@testable import Client

/// DiceSGD's step: its test vector by hand, and its identities.
@Suite("Clipped error feedback")
struct ErrorFeedbackTests {
  private func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }

  @Test("three steps by hand, in units of the mean: B 2, C1 1, C2 0.5, rate 0.1")
  func vector() {
    let gradients: [[[Double]]] = [[[3, 4], [0, 1]], [[0, -2], [6, 8]], [[1, 0], [0, 1]]]
    let expected: [(x: [Double], e: [Double])] = [
      ([-0.03, -0.09], [1.2, 1.6]), ([-0.09, -0.12], [3.6, 4.3]),
      ([-0.17209683, -0.20833788], [3.27903167, 3.91662116]),
    ]
    let settings = ExamplePrivacy(clip: 1, noiseMultiplier: 0, batch: 2)
    // In units of the sum the second threshold is B·C2.
    let step = ErrorFeedbackStep(bound: 2 * 0.5)
    var x = [0.0, 0.0]
    var errors: [[Float]] = [[0, 0]]
    for (batch, after) in zip(gradients, expected) {
      var sum: [[Float]] = [[0, 0]]
      var residual: [Float] = [0, 0]
      for gradient in batch {
        let factor = settings.factor(norm: norm(gradient), bound: 1)
        for i in 0..<2 {
          sum[0][i] += Float(factor * gradient[i])
          residual[i] += Float((1 - factor) * gradient[i])
        }
      }
      step.apply(&sum, &errors, residuals: [residual], ranges: [[0..<2]])
      for i in 0..<2 {
        x[i] -= 0.1 * Double(sum[0][i]) / 2
        #expect(abs(x[i] - after.x[i]) < 1e-6)
        #expect(abs(Double(errors[0][i]) / 2 - after.e[i]) < 1e-6)
      }
    }
  }

  @Test("what was given and what is kept add up to what came in; v is bounded")
  func telescoping() {
    var stream = RandomStream(seed: 4, .test)
    let settings = ExamplePrivacy(clip: 1, noiseMultiplier: 0, batch: 5)
    let step = ErrorFeedbackStep(bound: 1.5)
    var errors: [[Float]] = [[Float](repeating: 0, count: 7)]
    var given = [Double](repeating: 0, count: 7)
    var came = given
    for _ in 0..<100 {
      var sum: [[Float]] = [[Float](repeating: 0, count: 7)]
      var residual = [Float](repeating: 0, count: 7)
      for _ in 0..<5 {
        let gradient = (0..<7).map { _ in stream.normal() }
        let factor = settings.factor(norm: norm(gradient), bound: 1)
        for i in 0..<7 {
          came[i] += gradient[i]
          sum[0][i] += Float(factor * gradient[i])
          residual[i] += Float((1 - factor) * gradient[i])
        }
      }
      step.apply(&sum, &errors, residuals: [residual], ranges: [[0..<7]])
      #expect(norm(sum[0].map(Double.init)) <= (5 + 1.5) * (1 + 1e-6))
      for i in 0..<7 { given[i] += Double(sum[0][i]) }
    }
    for i in 0..<7 {
      let total = given[i] + Double(errors[0][i])
      #expect(abs(total - came[i]) < 1e-3, "\(total) and \(came[i])")
    }
  }

  @Test("an empty batch gives back a part of the error and keeps the rest")
  func emptyBatch() {
    var errors: [[Float]] = [[3, 4]]
    var sum: [[Float]] = [[0, 0]]
    ErrorFeedbackStep(bound: 1).apply(&sum, &errors, residuals: [], ranges: [[0..<2]])
    #expect(abs(sum[0][0] - 0.6) < 1e-6 && abs(sum[0][1] - 0.8) < 1e-6)
    #expect(abs(errors[0][0] - 2.4) < 1e-6 && abs(errors[0][1] - 3.2) < 1e-6)
  }

  /// Trains some steps and returns the parameters and the errors.
  private func train(_ feedback: ExamplePrivacy.ErrorFeedback?, clip: Double, noise: Double = 0)
    throws -> (model: [Float], errors: [String: [Float]])
  {
    let fixture = try DeviceFixture("dense a 5 1; relu; dense b 40 1")
    let settings = ExamplePrivacy(
      clip: clip, noiseMultiplier: noise, batch: 8, errorFeedback: feedback)
    let training = PrivateTraining(settings, memory: ExampleMemory())
    var device = Device(
      client: 0, round: 1, rounds: 1, seed: 2, examples: Array(0..<24), network: fixture.network,
      workspace: fixture.workspace, loader: fixture.loader,
      settings: LocalSettings(
        work: .steps(6), batch: 8, optimizer: OptimizerSpec(learningRate: 0.1)), privacy: training)
    var rule = PlainRule(device.loss)
    _ = try device.train(&rule)
    return (fixture.workspace.currentParameters, training.errors)
  }

  @Test("when nothing is clipped the error stays 0 and the steps are DP-SGD's, noise included")
  func nothingClipped() throws {
    let dice = try train(.init(ratio: 1), clip: 50, noise: 0.01)
    let plain = try train(nil, clip: 50, noise: 0.01)
    #expect(dice.model == plain.model)
    #expect(dice.errors["0"]?.allSatisfy { $0 == 0 } == true)
  }

  @Test("no noise enters the error: after one batch it is the same with any noise")
  func secretError() throws {
    let first = try train(.init(ratio: 0), clip: 0.1)
    #expect(first.errors["0"]?.contains { $0 != 0 } == true)
    // With rate 0.1 models part after the first step, so errors are compared through one step.
    func one(_ noise: Double) throws -> [Float] {
      let fixture = try DeviceFixture("dense a 5 1; relu; dense b 40 1")
      let settings = ExamplePrivacy(
        clip: 0.1, noiseMultiplier: noise, batch: 8, errorFeedback: .init(ratio: 1))
      let training = PrivateTraining(settings, memory: ExampleMemory())
      var device = Device(
        client: 0, round: 1, rounds: 1, seed: 2, examples: Array(0..<24), network: fixture.network,
        workspace: fixture.workspace, loader: fixture.loader,
        settings: LocalSettings(
          work: .steps(1), batch: 8, optimizer: OptimizerSpec(learningRate: 0.1)), privacy: training
      )
      var rule = PlainRule(device.loss)
      _ = try device.train(&rule)
      return training.errors["0", default: []]
    }
    let (quiet, loud) = (try one(0), try one(3))
    #expect(quiet == loud)
  }

  @Test("a cap bounds what one example leaves behind")
  func cap() throws {
    let free = try train(.init(ratio: 0), clip: 0.1).errors["0", default: []]
    let capped = try train(.init(ratio: 0, cap: 0.15), clip: 0.1).errors["0", default: []]
    let lengths = [free, capped].map { norm($0.map(Double.init)) }
    #expect(lengths[1] < lengths[0])
    // 6 batches of about 8 examples that leave at most 0.05 each.
    #expect(lengths[1] <= 0.05 * 6 * 24)
  }
}
