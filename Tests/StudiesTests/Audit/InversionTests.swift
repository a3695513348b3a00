import Tensor
import Testing

@testable import Base
@testable import Data
@testable import Studies

/// Attacks on gradients of small networks with random weights.
@Suite("Gradient inversion")
struct InversionTests {
  static let shape = FeatureShape(height: 8, width: 8, channels: 3)
  static let tanh = ModelSpec.Activation.temperedSigmoid(scale: 2, inverseTemperature: 2, offset: 1)

  static func network(_ kind: ModelSpec.Kind, _ activation: ModelSpec.Activation = tanh) throws
    -> Network
  {
    var spec = ModelSpec(kind: kind, width: 4, hidden: [20], activation: activation)
    spec.norm = kind == .resnet8 ? .group(groups: 2) : .none
    return try Network(spec, input: shape, classes: 5, inputGradient: true)
  }

  static func image(_ step: Int) -> [Float] {
    var stream = RandomStream(seed: 61, .test, step: step)
    // Smooth, in −1…1.
    let (a, b) = (stream.uniform(), stream.uniform())
    return (0..<shape.count).map { place in
      let (y, x, c) = (place / 24, place / 3 % 8, place % 3)
      return Float(0.9 * ((Double(y) * a + Double(x) * b) / 7 - 0.5) * (c == 1 ? -1 : 1))
        + Float(0.05 * stream.uniform())
    }
  }

  static func psnr(_ found: [Float], _ truth: [Float]) -> Double {
    ImageScore(found, truth, range: 2, shape: shape).psnr
  }

  @Test("A dense first layer gives the image, whatever the activation", arguments: [0, 1])
  func dense(kind: Int) throws {
    let network = try Self.network(kind == 0 ? .mlp : .logistic, kind == 0 ? .relu : Self.tanh)
    let attack = try #require(AnalyticInversion(network))
    #expect(attack.readsInput)
    let model = network.layout.initialParameters(.pytorch, seed: 1)
    let probe = GradientProbe(network, capacity: 1)
    for step in 0..<5 {
      let image = Self.image(step)
      let gradient = probe.gradient(model, image, [step])
      #expect(AnalyticInversion.labels(from: gradient, network: network, batch: 1) == [step])
      let found = try #require(attack.input(from: gradient))
      #expect(Self.psnr(found, image) > 60)
    }
  }

  @Test("Behind convolutions it gives what the dense layer read, and the label")
  func features()
    throws
  {
    for kind in [ModelSpec.Kind.cnn, .resnet8] {
      let network = try Self.network(kind)
      let attack = try #require(AnalyticInversion(network))
      #expect(!attack.readsInput)
      let model = network.layout.initialParameters(.pytorch, seed: 2)
      let probe = GradientProbe(network, capacity: 1)
      let gradient = probe.gradient(model, Self.image(1), [3])
      #expect(AnalyticInversion.labels(from: gradient, network: network, batch: 1) == [3])
      let found = try #require(attack.input(from: gradient))
      let truth = probe.workspace.slotValues(attack.layer.input, count: attack.layer.inputs)
      #expect(Norm.length(zip(found, truth).map { $0 - $1 }) < 1e-4 * Norm.length(truth))
    }
  }

  @Test("Labels of a batch, repeated ones too, at weights that predict evenly")
  func labels() throws {
    let network = try Self.network(.mlp)
    var model = network.layout.initialParameters(.pytorch, seed: 3)
    for entry in network.layout.entries where entry.layer == network.classifier {
      for i in entry.range { model[i] = 0 }
    }
    let probe = GradientProbe(network, capacity: 4)
    for labels in [[0, 1, 2, 3], [2, 2, 4, 4], [1, 1, 1, 3]] {
      let images = (0..<4).flatMap { Self.image($0) }
      let gradient = probe.gradient(model, images, labels)
      #expect(AnalyticInversion.labels(from: gradient, network: network, batch: 4) == labels)
    }
  }

  @Test("Rows that one example of a batch alone moved give that example")
  func batchRows() throws {
    // Neuron 0 sees only the first image: its weights look for what only that one has.
    let network = try Self.network(.mlp, .relu)
    let attack = try #require(AnalyticInversion(network))
    var model = network.layout.initialParameters(.pytorch, seed: 4)
    let first = [Float](repeating: 0.5, count: Self.shape.count)
    let second = first.map { -$0 }
    for i in 0..<attack.layer.inputs { model[attack.layer.weight + i] = 0.01 }
    let probe = GradientProbe(network, capacity: 2)
    let gradient = probe.gradient(model, first + second, [0, 1])
    let best = attack.candidates(from: gradient).map { Self.psnr($0, first) }.max() ?? 0
    #expect(best > 60)
  }

  @Test(
    "The cost's slope by two passes is its numeric slope",
    arguments: [GradientInversion.Cost.cosine(totalVariation: 0.1), .squares])
  func slope(
    cost: GradientInversion.Cost
  ) throws {
    for kind in [ModelSpec.Kind.mlp, .cnn] {
      let network = try Self.network(kind)
      let model = network.layout.initialParameters(.glorot, seed: 5)
      let probe = GradientProbe(network, capacity: 2)
      let observed = probe.gradient(model, Self.image(0) + Self.image(1), [1, 4])
      let known = GradientInversion.Knowledge(model: model, labels: [1, 4], box: [-2...2])
      let attack = GradientInversion(cost: cost, iterations: 1)
      var stream = RandomStream(seed: 62, .test)
      let x = (0..<2 * Self.shape.count).map { _ in Float(0.5 * stream.normal()) }
      let (_, slope) = attack.derivative(at: x, observed, known, probe)
      let length = slope.map { $0 * $0 }.reduce(0, +).squareRoot()
      // Along the slope, along its signs, and along noise.
      let directions = [
        slope.map { $0 / length }, slope.map { ($0 > 0 ? 1 : -1) / Double(x.count).squareRoot() },
        x.map { _ in stream.normal() / Double(x.count).squareRoot() },
      ]
      for direction in directions {
        let h = 0.02
        func value(_ sign: Double) -> Double {
          let moved = zip(x, direction).map { Float(Double($0) + sign * h * $1) }
          return attack.derivative(at: moved, observed, known, probe).value
        }
        let numeric = (value(1) - value(-1)) / (2 * h)
        let product = zip(slope, direction).map { $0 * $1 }.reduce(0, +)
        // Float's rounding over h, the third derivative times h², and kinks of the variation.
        #expect(abs(product - numeric) < 0.01 * length, "\(kind): \(product) for \(numeric)")
      }
    }
  }

  @Test("Descent comes near the image, and noise keeps it away")
  func descent() throws {
    let network = try Self.network(.mlp)
    let model = network.layout.initialParameters(.glorot, seed: 6)
    let probe = GradientProbe(network, capacity: 1)
    let attack = GradientInversion(cost: .cosine(totalVariation: 0.01), iterations: 120)
    func run(_ step: Int, _ noise: Double) -> Double {
      let image = Self.image(step)
      var seen = probe.gradient(model, image, [step % 5])
      let clip = Norm.length(seen)
      seen = GradientDefence(clip: clip, noise: noise).protect(
        seen, RandomStream(seed: 63, .audit, step: step))
      let known = GradientInversion.Knowledge(model: model, labels: [step % 5], box: [-1...1])
      var stream = RandomStream(seed: 64, .audit, step: step)
      return Self.psnr(attack.images(from: seen, known, probe, &stream), image)
    }
    func median(_ noise: Double) -> Double { (0..<5).map { run($0, noise) }.sorted()[2] }
    let (open, hidden) = (median(0), median(0.3))
    #expect(open > 20, "\(open)")
    #expect(hidden < open - 6, "\(hidden) against \(open)")
  }

  @Test("The more noise, the worse the analytic attack: medians over ten images")
  func noise()
    throws
  {
    let network = try Self.network(.mlp)
    let attack = try #require(AnalyticInversion(network))
    let model = network.layout.initialParameters(.glorot, seed: 7)
    let probe = GradientProbe(network, capacity: 1)
    let medians = [0, 1e-5, 1e-4, 1e-3, 1e-2].map { noise in
      (0..<10).map { step in
        let image = Self.image(step)
        let gradient = probe.gradient(model, image, [step % 5])
        let defence = GradientDefence(clip: 0.5 * Norm.length(gradient), noise: noise)
        let seen = defence.protect(gradient, RandomStream(seed: 65, .audit, step: step))
        return Self.psnr(attack.input(from: seen) ?? image.map { _ in 0 }, image)
      }.sorted()[5]
    }
    for (less, more) in zip(medians, medians.dropFirst()) { #expect(less > more, "\(medians)") }
    #expect(medians[0] > 60)
  }

  @Test("Clipping keeps short gradients, shortens long ones, and noise has the size it says")
  func defence() {
    let key = RandomStream(seed: 66, .audit)
    let gradient = [Float](repeating: 0.01, count: 10_000)  // norm 1
    #expect(GradientDefence(clip: 2, noise: 0).protect(gradient, key) == gradient)
    let cut = GradientDefence(clip: 0.1, noise: 0).protect(gradient, key)
    #expect(abs(Norm.length(cut) - 0.1) < 1e-6)
    let noisy = GradientDefence(clip: 0.1, noise: 3).protect(gradient, key)
    let noise = zip(noisy, cut).map { $0 - $1 }
    // ‖N(0, 0.3²)‖ of 10⁴ numbers: 30, with a spread of 0.3/√2.
    #expect(abs(Norm.length(noise) - 30) < 5 * 0.3 / 2.0.squareRoot())
  }
}
