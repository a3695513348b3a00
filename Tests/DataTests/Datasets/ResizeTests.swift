import Base
import Client
import Data
import Fixtures
import Tensor
import Testing

@Suite("Images of another size")
struct ResizeTests {
  private let size = DataSettings.Resize(height: 4, width: 6)

  @Test("both sets are resized, in their order; bytes stay bytes, numbers stay numbers")
  func sets() throws {
    for data in [SmallImages.bytes(train: 7, test: 3), SmallImages.floats(train: 7, test: 3)] {
      var named = LabelledData(
        title: data.title, train: data.train, test: data.test, naturalClients: [[0, 3], [1]],
        classNames: ["a", "b", "c"])
      named.doubts = ["odd"]
      let resized = try named.resized(to: size)
      #expect(resized.train.shape == size.shape(of: data.train.shape))
      #expect(resized.test.shape == resized.train.shape)
      #expect(resized.train.labels == data.train.labels && resized.test.count == 3)
      #expect(resized.train.isBytes == data.train.isBytes)
      #expect(resized.naturalClients == [[0, 3], [1]] && resized.classNames == ["a", "b", "c"])
      #expect(resized.doubts == ["odd"])
      #expect(try named.resized(to: nil).train === named.train)
      let same = DataSettings.Resize(height: data.train.shape.height, width: data.train.shape.width)
      #expect(try named.resized(to: same).train === named.train)
    }
  }

  @Test("rows of features, too much shrinking and images beyond the memory are refused")
  func refused() throws {
    let rows = SmallImages.floats(train: 3, shape: FeatureShape(features: 5))
    expectFailure(.scenarioInvalid, "E3116", ["$.data.resize", "5 numbers and no images"]) {
      _ = try rows.resized(to: size)
    }
    let images = SmallImages.bytes(train: 3, test: 2)
    // Five images of 4·6·3 bytes.
    let (enough, little) = (
      MemoryLimit(bytes: 360, words: ""), MemoryLimit(bytes: 359, words: "the limit")
    )
    _ = try images.resized(to: size, limit: enough)
    expectFailure(
      .scenarioInvalid, "E3116", ["$.data.resize", "5 images of 4×6×3", "the limit"]
    ) { _ = try images.resized(to: size, limit: little) }
    expectFailure(.scenarioInvalid, "E3116", ["4096×4096", "the limit"]) {
      _ = try images.resized(to: .init(height: 4096, width: 4096), limit: little)
    }
    let long = ImageSet(
      shape: FeatureShape(height: 4000, width: 4000, channels: 1),
      pixels: .bytes([UInt8](repeating: 0, count: 16_000_000)), labels: [0], classes: 2)
    let one = DataSettings.Resize(height: 1, width: 1)
    _ = try LabelledData(title: "", train: long, test: long).resized(to: one)
  }
}
