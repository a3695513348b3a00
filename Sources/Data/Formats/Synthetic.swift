import Base
import Client
import Tensor

/// A built-in image problem, 32×32×3 bytes, made in memory from a seed.
///
/// A class is a handful of motifs. A motif is two coloured gratings (Gabor patches: a wave under a
/// Gaussian window) at a fixed distance from each other; an image shows one motif of its class at
/// a random place, with random phases, contrast and small changes of angle and wavelength, between
/// motifs of other classes that are paler, and under noise. A wave of random phase has mean zero at
/// every pixel, so a linear model can only use the faint tint that every class has; a
/// convolution finds the waves. With few images of a class some of its motifs are hardly seen:
/// that is what a long tail costs.
///
/// Training and test images come from the same distribution and from different streams.
package struct SyntheticImages {
  /// Side of an image in pixels.
  static let side = 32
  package static let shape = FeatureShape(height: side, width: side, channels: 3)

  package let seed: UInt64
  package let classes: Int
  private let kinds: [Kind]

  /// Most bytes of images made; beyond it a scenario asks for a mistake.
  package static let maximumBytes = 16 << 30

  /// Makes the data set that a scenario describes.
  package static func load(classes: Int, trainPerClass: Int, testPerClass: Int, seed: UInt64)
    throws(Failure) -> LabelledData
  {
    let limit = maximumBytes / shape.count
    let total = Double(classes) * (Double(trainPerClass) + Double(testPerClass))
    guard classes > 0, trainPerClass > 0, testPerClass > 0, total <= Double(limit) else {
      throw Failure(
        .scenarioInvalid, "E3406",
        "data.dataset \"synthetic\": \(classes) classes with \(trainPerClass) training and "
          + "\(testPerClass) test images each; expected at least 1 of each, "
          + "at most \(limit) images in all")
    }
    // Labels beside pixels, and the arrays of two sets.
    let bytes = Int(total) * (shape.count + 8)
    let memory = MemoryLimit.current
    guard !memory.isBelow(bytes) else {
      throw Failure(
        .scenarioInvalid, "E3117",
        "$.data.dataset: \(Int(total)) synthetic images need about "
          + "\(MemoryLimit.gibibytes(bytes)); \(memory.words)",
        hint: "lower trainPerClass, testPerClass or classes")
    }
    return SyntheticImages(classes: classes, seed: seed).data(
      trainPerClass: trainPerClass, testPerClass: testPerClass)
  }

  /// The problem of a seed: what the classes look like.
  package init(classes: Int, seed: UInt64) {
    self.seed = seed
    self.classes = classes
    kinds = (0..<classes).map { label in
      var stream = RandomStream(seed: seed, .syntheticData, round: 0, client: label)
      return Kind(from: &stream)
    }
  }

  /// Training and test set; image i has label i mod classes, so every prefix is balanced.
  package func data(trainPerClass: Int, testPerClass: Int) -> LabelledData {
    LabelledData(
      title: "synthetic, \(classes) classes", train: images(trainPerClass, part: 1),
      test: images(testPerClass, part: 2))
  }

  private func images(_ perClass: Int, part: Int) -> ImageSet {
    let count = perClass * classes
    let size = Self.shape.count
    let bytes = [UInt8](unsafeUninitializedCapacity: count * size) { buffer, filled in
      var canvas = Canvas()
      for image in 0..<count {
        var stream = RandomStream(seed: seed, .syntheticData, round: part, step: image)
        draw(image % classes, on: &canvas, from: &stream)
        canvas.develop(into: &buffer, at: image * size, noise: Look.noise, from: &stream)
      }
      filled = count * size
    }
    let labels = (0..<count).map { Int32($0 % classes) }
    return ImageSet(shape: Self.shape, pixels: .bytes(bytes), labels: labels, classes: classes)
  }

  /// Paints one image of a class: ground, distractors, then its motif.
  private func draw(_ label: Int, on canvas: inout Canvas, from stream: inout RandomStream) {
    let kind = kinds[label]
    canvas.fill(
      kind.tint,
      ground: SIMD3(
        Look.ground * Float(stream.normal()), Look.ground * Float(stream.normal()),
        Look.ground * Float(stream.normal())))
    for _ in 0..<Look.distractors {
      let other = kinds[stream.below(classes)]
      other.motifs[stream.below(Kind.motifCount)].paint(
        on: &canvas, contrast: Look.distractorContrast * stream.between(0.5, 1), from: &stream)
    }
    kind.motifs[stream.below(Kind.motifCount)].paint(
      on: &canvas, contrast: Look.contrast * stream.between(0.6, 1.4), from: &stream)
  }
}

/// The numbers that set how hard the problem is; grey levels out of 255 unless said otherwise.
///
/// Chosen by training in PyTorch 2 (SGD, momentum 0.9, batch 32): 10 classes, 500 training and 200
/// test images each, seed 0, eight epochs: logistic regression 34 %, a ResNet-8 84 %, a CNN of two
/// convolutions and two dense layers 88 %. With an exponential tail of factor 100 (1,236 images, 16
/// epochs) the CNN has 87 % on the first three classes, 34 % on the next four, 0 % on the last
/// three. With 100 classes of 200 images, six epochs of `centralised` (rate 0.01): logistic
/// regression 6 %, a ResNet-8 of width 16 31 %.
private enum Look {
  static let contrast: Float = 66
  static let distractors = 2
  static let distractorContrast: Float = 34
  static let tint: Double = 0.8
  static let ground: Float = 12
  static let noise: Float = 22
  /// Standard deviation of the angle of a wave, in radians, and of the logarithm of its length.
  static let angleJitter: Double = 0.15
  static let lengthJitter: Double = 0.12
}

extension RandomStream {
  fileprivate mutating func between(_ low: Float, _ high: Float) -> Float {
    low + (high - low) * Float(uniform())
  }

  /// A direction in colour space, away from grey.
  fileprivate mutating func colour() -> SIMD3<Float> {
    let raw = SIMD3<Float>(Float(normal()), Float(normal()), Float(normal()))
    return raw / max((raw * raw).sum().squareRoot(), 1e-3)
  }
}

/// What one class looks like.
private struct Kind {
  static let motifCount = 2

  let motifs: [Motif]
  /// Mean colour on a 4×4 grid: all that a linear model can see.
  let tint: [SIMD3<Float>]

  init(from stream: inout RandomStream) {
    motifs = (0..<Self.motifCount).map { _ in Motif(from: &stream) }
    tint = (0..<16).map { _ in
      SIMD3(
        Float(Look.tint * stream.normal()), Float(Look.tint * stream.normal()),
        Float(Look.tint * stream.normal()))
    }
  }
}

/// Two waves at a fixed distance.
private struct Motif {
  struct Wave {
    let angle: Double
    let length: Double
    let colour: SIMD3<Float>
  }

  let first: Wave
  let second: Wave
  let distance: SIMD2<Float>

  init(from stream: inout RandomStream) {
    func wave() -> Wave {
      Wave(
        angle: stream.uniform() * .pi, length: 3 * pow(3, stream.uniform()), colour: stream.colour()
      )
    }
    first = wave()
    second = wave()
    let angle = stream.uniform() * 2 * .pi
    distance = SIMD2(Float(7 * cos(angle)), Float(7 * sin(angle)))
  }

  func paint(on canvas: inout Canvas, contrast: Float, from stream: inout RandomStream) {
    let middle = Float(SyntheticImages.side) / 2
    let place = SIMD2(middle + stream.between(-9, 9), middle + stream.between(-9, 9))
    for (wave, centre) in [(first, place - distance / 2), (second, place + distance / 2)] {
      canvas.add(
        angle: wave.angle + Look.angleJitter * stream.normal(),
        length: wave.length * exp(Look.lengthJitter * stream.normal()),
        phase: stream.uniform() * 2 * .pi, at: centre, colour: wave.colour * contrast)
    }
  }
}
