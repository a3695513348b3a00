import Tensor
import Testing

@testable import Client

/// Private training steps of one client against slow computations of the same.
@Suite("Private training")
struct PrivateTrainingTests {
  static let recipe = "dense a 5 1; relu; dense b 40 1"

  private func device(
    _ fixture: DeviceFixture, _ privacy: ExamplePrivacy?, examples: [Int] = Array(0..<24),
    rate: Double = 0.1, errors: [String: [Float]] = [:], round: Int = 1
  ) -> Device {
    Device(
      client: 3, round: round, rounds: 10, seed: 1, examples: examples, network: fixture.network,
      workspace: fixture.workspace, loader: fixture.loader,
      settings: LocalSettings(
        work: .epochs(1), batch: 8, order: .sequential, optimizer: OptimizerSpec(learningRate: rate)
      ), privacy: privacy.map { PrivateTraining($0, memory: ExampleMemory(), errors: errors) })
  }

  /// Gradients of single examples by batches of one, at the fixture's initial parameters.
  private func gradients(_ fixture: DeviceFixture, _ examples: [Int]) throws -> [[Double]] {
    try examples.map { example in
      var one = device(fixture, nil, examples: [example])
      _ = one.nextBatch()
      var rule = PlainRule(one.loss)
      _ = try one.computeGradient(&rule)
      return fixture.workspace.gradient.map(Double.init)
    }
  }

  private func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }

  private func privacy(
    clip: Double, noise: Double = 0, copies: Int = 1, clipping: ExamplePrivacy.Clipping = .flat,
    feedback: ExamplePrivacy.ErrorFeedback? = nil
  ) -> ExamplePrivacy {
    var settings = ExamplePrivacy(
      clip: clip, clipping: clipping, noiseMultiplier: noise, batch: 8, copies: copies,
      errorFeedback: feedback)
    settings.drawsBatches = false
    return settings
  }

  @Test(
    "without noise the step is the clipped sum over the constant",
    arguments: [0.05, 0.7, 1.1, 1e9], [ExamplePrivacy.Clipping.flat, .automatic])
  func clippedSum(
    clip: Double, clipping: ExamplePrivacy.Clipping
  ) throws {
    let fixture = try DeviceFixture(Self.recipe)
    let settings = privacy(clip: clip, clipping: clipping)
    let single = try gradients(fixture, Array(0..<8))
    var expected = [Double](repeating: 0, count: single[0].count)
    for gradient in single {
      let factor: Double =
        clipping == .automatic ? clip / (norm(gradient) + 0.01) : min(1, clip / norm(gradient))
      for i in expected.indices { expected[i] += factor * gradient[i] / 8 }
    }
    var device = device(fixture, settings)
    _ = device.nextBatch()
    var rule = PlainRule(device.loss)
    _ = try device.computeGradient(&rule)
    let found = fixture.workspace.gradient.map(Double.init)
    let error = norm(zip(found, expected).map { $0 - $1 })
    #expect(error <= 1e-5 * norm(expected), "\(error) of \(norm(expected))")
  }

  @Test("a large clip without noise trains like the plain device")
  func inertTraining() throws {
    let fixture = try DeviceFixture(Self.recipe)
    let start = fixture.workspace.currentParameters
    var results: [[Float]] = []
    for settings in [nil, privacy(clip: 1e20)] {
      fixture.workspace.load(start)
      var device = device(fixture, settings)
      var rule = PlainRule(device.loss)
      let report = try device.train(&rule)
      #expect(report.steps == 3)
      results.append(fixture.workspace.currentParameters)
    }
    for (a, b) in zip(results[0], results[1]) { #expect(abs(a - b) <= 2e-6) }
  }

  @Test("the noise has the deviation sigma·C/B, is new in every step, and repeats itself")
  func noise() throws {
    let fixture = try DeviceFixture("dense a 300 1; relu; dense b 40 1")
    func gradient(_ settings: ExamplePrivacy, steps: Int) throws -> [Float] {
      var device = device(fixture, settings)
      _ = device.nextBatch()
      var rule = PlainRule(device.loss)
      for _ in 0..<steps { _ = try device.computeGradient(&rule) }
      return Array(fixture.workspace.gradient)
    }
    let quiet = try gradient(privacy(clip: 0.5), steps: 1)
    let loud = try gradient(privacy(clip: 0.5, noise: 2), steps: 1)
    let later = try gradient(privacy(clip: 0.5, noise: 2), steps: 2)
    let noise = zip(loud, quiet).map { Double($0 - $1) }
    let deviation = norm(noise) / Double(noise.count).squareRoot()
    // 14 000 numbers: the deviation of a sample deviation is 0.6 %.
    #expect(abs(deviation / (2 * 0.5 / 8) - 1) < 0.03)
    let second = zip(later, quiet).map { Double($0 - $1) }
    let correlation =
      zip(noise, second).reduce(0) { $0 + $1.0 * $1.1 } / (norm(noise) * norm(second))
    #expect(abs(correlation) < 0.05)
    let again = try gradient(privacy(clip: 0.5, noise: 2), steps: 1)
    #expect(again == loud)
  }

  @Test("batches are Poisson: each example has its coin, some batches are empty")
  func poisson()
    throws
  {
    let fixture = try DeviceFixture(Self.recipe)
    var settings = privacy(clip: 1)
    settings.drawsBatches = true
    settings.batch = 2
    var device = device(fixture, settings, examples: Array(0..<16))
    var counts = [Int](repeating: 0, count: 16)
    var empty = 0
    let draws = 4000
    var rule = PlainRule(device.loss)
    for _ in 0..<draws {
      #expect(device.nextBatch() == device.batchPlaces.count)
      if device.batchPlaces.isEmpty { empty += 1 }
      for place in device.batchPlaces { counts[place] += 1 }
      _ = try device.computeGradient(&rule)
    }
    let rate = 2.0 / 16
    let spread = (rate * (1 - rate) * Double(draws)).squareRoot()
    for count in counts { #expect(abs(Double(count) - rate * Double(draws)) < 5 * spread) }
    let none = (0..<16).reduce(1.0) { chance, _ in chance * (1 - rate) }
    #expect(abs(Double(empty) / Double(draws) - none) < 0.04)
  }

  @Test("an example whose gradient is not a number counts as nothing")
  func invalidExample() throws {
    let fixture = try DeviceFixture(Self.recipe)
    let settings = privacy(clip: 0.5)
    let poisoned = ImageSet(
      shape: fixture.images.shape,
      pixels: .floats(
        (0..<40 * 6).map { i in
          guard case .floats(let values) = fixture.images.pixels else { return 0 }
          return i / 6 == 3 ? .infinity : values[i]
        }), labels: fixture.images.labels, classes: 40)
    let start = fixture.workspace.currentParameters
    func sum(_ loader: BatchLoader, _ examples: [Int]) throws -> [Float] {
      fixture.workspace.load(start)
      var device = Device(
        client: 0, round: 1, rounds: 1, seed: 1, examples: examples, network: fixture.network,
        workspace: fixture.workspace, loader: loader,
        settings: LocalSettings(
          work: .steps(1), batch: 8, order: .sequential, optimizer: OptimizerSpec(learningRate: 0.1)
        ), privacy: PrivateTraining(settings, memory: ExampleMemory()))
      _ = device.nextBatch()
      var rule = PlainRule(device.loss)
      _ = try device.computeGradient(&rule)
      if examples.contains(3) { #expect(device.privacy?.statistics.invalid == 1) }
      return Array(fixture.workspace.gradient)
    }
    let whole = try sum(
      BatchLoader(poisoned, PixelTransform(channels: 1)), [0, 1, 2, 3, 4, 5, 6, 7])
    let without = try sum(fixture.loader, [0, 1, 2, 4, 5, 6, 7])
    for (a, b) in zip(whole, without) { #expect(abs(a - b) <= 1e-7) }
  }

  @Test("per-layer clipping keeps every layer within C/sqrt(L)")
  func perLayer() throws {
    let fixture = try DeviceFixture(Self.recipe)
    let settings = privacy(clip: 0.3, clipping: .perLayer)
    var device = device(fixture, settings, examples: [5])
    _ = device.nextBatch()
    var rule = PlainRule(device.loss)
    _ = try device.computeGradient(&rule)
    let layers = ExampleGradients(
      fixture.network, ranges: [0..<fixture.network.layout.trainedCount], capacity: 1
    ).layers
    #expect(layers.count == 2)
    let bound = 0.3 / Double(layers.count).squareRoot() / 8
    for layer in layers {
      let part = layer.ranges.flatMap { fixture.workspace.gradient[$0].map(Double.init) }
      #expect(abs(norm(part) / bound - 1) < 1e-5)
    }
  }

  @Test("an empty batch has all of its noise, with error feedback too", arguments: [false, true])
  func emptyBatch(hasFeedback: Bool) throws {
    let fixture = try DeviceFixture(Self.recipe)
    var settings = privacy(clip: 0.5)
    settings.drawsBatches = true
    settings.noiseMultiplier = 3
    settings.batch = 1
    if hasFeedback { settings.errorFeedback = ExamplePrivacy.ErrorFeedback(ratio: 0) }
    var device = device(fixture, settings, examples: Array(0..<16))
    var rule = PlainRule(device.loss)
    var (square, count, empty) = (0.0, 0, 0)
    for _ in 0..<60 {
      let drawn = device.nextBatch()
      let result = try device.computeGradient(&rule)
      guard drawn == 0 else { continue }
      #expect(result.weight == 0)
      empty += 1
      for x in fixture.workspace.gradient { square += Double(x) * Double(x) }
      count += fixture.workspace.gradient.count
    }
    #expect(empty > 5)
    #expect(device.privacy?.statistics.batches == [60])
    let deviation = (square / Double(count)).squareRoot()
    #expect(abs(deviation / 1.5 - 1) < 5 / (2 * Double(count)).squareRoot())
  }

  @Test("copies without augmentation change nothing but rounding")
  func copies() throws {
    let fixture = try DeviceFixture(Self.recipe)
    func gradient(_ copies: Int) throws -> [Float] {
      var settings = privacy(clip: 0.4, copies: copies)
      settings.drawsBatches = true
      var device = device(fixture, settings)
      _ = device.nextBatch()
      var rule = PlainRule(device.loss)
      _ = try device.computeGradient(&rule)
      return Array(fixture.workspace.gradient)
    }
    let (one, four) = (try gradient(1), try gradient(4))
    #expect(one.contains { $0 != 0 })
    for (a, b) in zip(one, four) { #expect(abs(a - b) <= 1e-6) }
  }

  @Test("the counter tells batches with several gradients apart")
  func queries() throws {
    let fixture = try DeviceFixture(Self.recipe)
    var device = device(fixture, privacy(clip: 1))
    var rule = PlainRule(device.loss)
    for gradients in [1, 2, 2, 0, 3] {
      _ = device.nextBatch()
      for _ in 0..<gradients { _ = try device.computeGradient(&rule) }
    }
    #expect(device.privacy?.statistics.batches == [1, 2, 1])
    #expect(device.privacy?.statistics.gradients == 8)
  }
}
