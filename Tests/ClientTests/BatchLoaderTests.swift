import Base
import Client
import Tensor
import TestSupport
import Testing

@Suite("Batches from shared images")
struct BatchLoaderTests {
  static let shape = FeatureShape(height: 5, width: 4, channels: 3)

  /// A set of random images, as bytes or floats, and a workspace that takes six of them.
  private struct Fixture {
    let images: ImageSet
    let loader: BatchLoader
    let workspace: Workspace

    init(bytes: Bool) throws {
      let shape = BatchLoaderTests.shape
      var stream = RandomStream(seed: 3, .test)
      let count = 9
      let pixels: ImageSet.Pixels =
        bytes
        ? .bytes((0..<count * shape.count).map { _ in UInt8(stream.below(256)) })
        : .floats((0..<count * shape.count).map { _ in Float(stream.uniform() * 4 - 2) })
      images = ImageSet(
        shape: shape, pixels: pixels, labels: (0..<count).map { Int32($0 % 4) }, classes: 4)
      loader = BatchLoader(images, PixelTransform(mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.7]))
      let network = try NetworkRecipe.build("dense d 4 1", input: shape)
      workspace = Workspace(network, capacity: 6, training: true)
    }

    /// (x·unit − mean)/std of one pixel, in the order of operations that is documented.
    func normalised(_ image: Int, _ y: Int, _ x: Int, _ c: Int) -> Float {
      let shape = images.shape
      let at = image * shape.count + (y * shape.width + x) * shape.channels + c
      let (mean, std) = (loader.transform.mean[c], loader.transform.std[c])
      return switch images.pixels {
      case .bytes(let bytes): (Float(bytes[at]) / 255 - mean) / std
      case .floats(let floats): (floats[at] - mean) / std
      case .halves(let halves): (Float(halves[at]) - mean) / std
      }
    }

    /// One example of the batch in the workspace.
    func example(_ place: Int) -> [Float] {
      let size = images.shape.count
      return Array(workspace.input[place * size..<(place + 1) * size])
    }

    /// A padded, cropped, mirrored image by loops: the pixel at (y, x) of the result is that at
    /// (y + top, x' + left), x' counted from the right when mirrored; zero outside.
    func changed(_ image: Int, top: Int, left: Int, mirrored: Bool) -> [Float] {
      let shape = images.shape
      var values: [Float] = []
      for y in 0..<shape.height {
        for x in 0..<shape.width {
          let column = (mirrored ? shape.width - 1 - x : x) + left
          let isInside = (0..<shape.height).contains(y + top) && (0..<shape.width).contains(column)
          for c in 0..<shape.channels {
            values.append(isInside ? normalised(image, y + top, column, c) : 0)
          }
        }
      }
      return values
    }
  }

  @Test("pixels are (x·unit − mean)/std per channel, exactly", arguments: [true, false])
  func normalisation(_ bytes: Bool) throws {
    let fixture = try Fixture(bytes: bytes)
    fixture.loader.fill(fixture.workspace, [7, 0, 3])
    for (place, image) in [7, 0, 3].enumerated() {
      #expect(fixture.example(place) == fixture.changed(image, top: 0, left: 0, mirrored: false))
      #expect(fixture.workspace.labels[place] == fixture.images.labels[image])
    }
  }

  @Test("every augmented image is one of the possible crops", arguments: [true, false])
  func crops(
    _ bytes: Bool
  ) throws {
    let fixture = try Fixture(bytes: bytes)
    let plan = AugmentationPlan(cropPadding: 2, flips: true)
    var seen: Set<[Int]> = []
    for step in 0..<60 {
      let images = [step % 9, (step + 4) % 9]
      var stream = RandomStream(seed: 1, .augmentation, step: step)
      fixture.loader.fill(fixture.workspace, images, augmentation: plan, stream: &stream)
      for (place, image) in images.enumerated() {
        let choices = (-2...2).flatMap { top in
          (-2...2).flatMap { left in [false, true].map { (top, left, $0) } }
        }
        let matching = choices.filter {
          fixture.changed(image, top: $0.0, left: $0.1, mirrored: $0.2) == fixture.example(place)
        }
        let found = try #require(matching.first)
        #expect(matching.count == 1)
        seen.insert([found.0, found.1, found.2 ? 1 : 0])
      }
    }
    // 120 uniform draws of 50: each is missed with probability (1 − 1/50)^120 < 9 %, so fewer
    // than 35 seen has a probability below 10⁻⁶; the draws are fixed by the seed.
    #expect(seen.count >= 35)
  }

  @Test("flips alone mirror about half of the images and move nothing")
  func flips() throws {
    let fixture = try Fixture(bytes: true)
    let plan = AugmentationPlan(flips: true)
    var mirrored = 0
    for step in 0..<100 {
      var stream = RandomStream(seed: 1, .augmentation, step: step)
      fixture.loader.fill(fixture.workspace, [1, 2, 3, 4], augmentation: plan, stream: &stream)
      for place in 0..<4 {
        let plain = fixture.changed(place + 1, top: 0, left: 0, mirrored: false)
        let turned = fixture.changed(place + 1, top: 0, left: 0, mirrored: true)
        #expect(fixture.example(place) == plain || fixture.example(place) == turned)
        mirrored += fixture.example(place) == turned ? 1 : 0
      }
    }
    // Binomial(400, ½): mean 200, deviation 10; five deviations.
    #expect(abs(mirrored - 200) <= 50)
  }

  @Test("an augmented batch depends on its stream's address and on nothing before it")
  func addressed() throws {
    let fixture = try Fixture(bytes: true)
    let plan = AugmentationPlan(cropPadding: 2, flips: true)
    func batch(_ step: Int) -> [[Float]] {
      var stream = RandomStream(seed: 1, .augmentation, round: 2, client: 3, step: step)
      fixture.loader.fill(
        fixture.workspace, [0, 1, 2, 3, 4, 5], augmentation: plan, stream: &stream)
      return (0..<6).map(fixture.example)
    }
    let first = batch(5)
    let other = batch(6)
    #expect(batch(5) == first)
    #expect(other != first)
  }
}

@Suite("Statistics of pixels")
struct PixelTransformTests {
  @Test("mean and deviation are those of a plain computation", arguments: [true, false])
  func statistics(_ bytes: Bool) {
    let shape = FeatureShape(height: 3, width: 5, channels: 2)
    var stream = RandomStream(seed: 8, .test)
    let raw = (0..<7 * shape.count).map { Double(stream.below(256) / (1 + $0 % 2)) }
    let images = ImageSet(
      shape: shape, pixels: bytes ? .bytes(raw.map { UInt8($0) }) : .floats(raw.map { Float($0) }),
      labels: [Int32](repeating: 0, count: 7), classes: 1)
    let listed = [6, 1, 4]
    let transform = PixelTransform(statisticsOf: images, at: listed)
    let unit = bytes ? 1 / 255.0 : 1
    for c in 0..<2 {
      let values = listed.flatMap { image in
        (0..<shape.positions).map { raw[image * shape.count + $0 * 2 + c] * unit }
      }
      let mean = values.reduce(0, +) / Double(values.count)
      let squares = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
      // One rounding to Float; sums of integers are exact in double precision.
      expectClose(transform.mean[c], mean, ulps: 0.51)
      expectClose(transform.std[c], (squares / Double(values.count)).squareRoot(), ulps: 0.51)
    }
  }

  @Test("a channel that never varies has deviation 1, and an empty list changes nothing")
  func degenerate() {
    let images = ImageSet(
      shape: FeatureShape(height: 1, width: 2, channels: 1), pixels: .bytes([51, 51, 51, 51]),
      labels: [0, 0], classes: 1)
    let constant = PixelTransform(statisticsOf: images, at: [0, 1])
    #expect(constant.mean == [0.2])
    #expect(constant.std == [1])
    #expect(PixelTransform(statisticsOf: images, at: []) == PixelTransform(channels: 1))
  }
}
