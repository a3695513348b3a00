import Base
import Client
import Data
import Fixtures
import Tensor
import Testing

@Suite("The built-in image problem")
struct SyntheticTests {
  static func bytes(_ images: ImageSet) -> [UInt8] {
    if case .bytes(let bytes) = images.pixels { return bytes }
    return []
  }

  static func make(_ classes: Int, _ train: Int, _ test: Int, seed: UInt64) throws -> LabelledData {
    try DatasetReader.load(
      .synthetic(classes: classes, trainPerClass: train, testPerClass: test, seed: seed))
  }

  @Test("has the sizes asked for, balanced in every prefix", arguments: [1, 3, 10, 100])
  func sizes(
    classes: Int
  ) throws {
    let data = try Self.make(classes, 4, 2, seed: 1)
    #expect(data.train.classCounts() == [Int](repeating: 4, count: classes))
    #expect(data.test.classCounts() == [Int](repeating: 2, count: classes))
    #expect(Array(data.train.labels.prefix(classes)) == Array(0..<Int32(classes)))
    #expect(data.train.shape.description == "32×32×3")
  }

  @Test(
    "the same seed gives the same bytes, another seed others; test images are not training ones")
  func seeds() throws {
    let first = try Self.make(10, 3, 3, seed: 5)
    #expect(Self.bytes(first.train) == Self.bytes(try Self.make(10, 3, 3, seed: 5).train))
    #expect(Self.bytes(first.train) != Self.bytes(try Self.make(10, 3, 3, seed: 6).train))
    #expect(Self.bytes(first.train) != Self.bytes(first.test))
  }

  @Test("more images per class extend a smaller set")
  func prefix() throws {
    let small = Self.bytes(try Self.make(10, 2, 1, seed: 5).train)
    let large = Self.bytes(try Self.make(10, 5, 1, seed: 5).train)
    #expect(large.starts(with: small))
  }

  @Test("pixels use the range without sticking to its ends")
  func range() throws {
    let pixels = Self.bytes(try Self.make(10, 20, 1, seed: 2).train)
    let mean = pixels.reduce(0.0) { $0 + Double($1) } / Double(pixels.count)
    let ends = pixels.count { $0 == 0 || $0 == 255 }
    #expect(abs(mean - 128) < 6)
    #expect(Double(ends) < 0.02 * Double(pixels.count))
  }

  @Test("impossible sizes are refused before memory is asked for")
  func limits() {
    for (classes, train) in [(0, 1), (10, 0), (-1, 5), (100, 1 << 60), (1 << 62, 1 << 62)] {
      expectFailure(.scenarioInvalid, "E3406", ["synthetic"]) {
        _ = try Self.make(classes, train, 1, seed: 0)
      }
    }
  }
}
