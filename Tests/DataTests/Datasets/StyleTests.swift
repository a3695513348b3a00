import Base
import Client
import Data
import Fixtures
import Tensor
import Testing

@Suite("Styles of images")
struct StyleTests {
  /// All images in one style: one client has them all.
  static func styled(_ style: ImageStyle, _ images: ImageSet) throws -> StyledData {
    let data = LabelledData(title: "test", train: images, test: images)
    let settings = DataSettings.Styles(kinds: [style], perClient: 1)
    return StyledData(data, split: try split(data, settings), settings: settings, seed: 1)
  }

  static func split(
    _ data: LabelledData, _ styles: DataSettings.Styles, clients: Int = 1, publicSize: Int? = nil,
    policy: DataSettings.LocalTest.Policy = .priorWeighted
  ) throws -> Split {
    var settings = HeldOutTests.settings(publicSize: publicSize, partition: .iid, policy: policy)
    settings.styles = styles
    return try SplitBuilder.split(data, settings: settings, clients: clients, seed: 1)
  }

  static func bytes(_ shape: FeatureShape, _ values: [UInt8]) -> ImageSet {
    ImageSet(
      shape: shape, pixels: .bytes(values),
      labels: [Int32](repeating: 0, count: values.count / shape.count), classes: 1)
  }

  static func values(_ images: ImageSet) -> [Double] {
    switch images.pixels {
    case .bytes(let bytes): bytes.map(Double.init)
    case .floats(let floats): floats.map(Double.init)
    case .halves(let halves): halves.map(Double.init)
    }
  }

  /// 1 2 3 / 4 5 6 / 7 8 9, twice.
  static let square = [UInt8](1...9) + (1...9).map { 10 * $0 }

  static let moved: [(ImageStyle, [Double])] = [
    (.plain, [1, 2, 3, 4, 5, 6, 7, 8, 9]), (.rotate90, [3, 6, 9, 2, 5, 8, 1, 4, 7]),
    (.rotate180, [9, 8, 7, 6, 5, 4, 3, 2, 1]), (.flip, [3, 2, 1, 6, 5, 4, 9, 8, 7]),
    (.invert, [254, 253, 252, 251, 250, 249, 248, 247, 246]),
    // Corners: 12/4; edges: 21/6 = 3.5 and so on, rounded half up.
    (.blur, [3, 4, 4, 5, 5, 6, 6, 7, 7]),
  ]

  @Test("bytes by hand", arguments: moved)
  func bytes(style: ImageStyle, expected: [Double]) throws {
    let shape = FeatureShape(height: 3, width: 3, channels: 1)
    let styled = try Self.styled(style, Self.bytes(shape, Self.square))
    #expect(Array(Self.values(styled.train).prefix(9)) == expected)
    #expect(Self.values(styled.test) == Self.values(styled.train))
    #expect(styled.styleOfTrain == [style.code, style.code])
    #expect(styled.train.labels == [0, 0])
  }

  @Test("floats by hand; inversion reflects the training range")
  func floats() throws {
    let shape = FeatureShape(height: 2, width: 2, channels: 1)
    let images = ImageSet(shape: shape, pixels: .floats([-1, 0, 0.5, 3]), labels: [0], classes: 1)
    let expected: [(ImageStyle, [Double])] = [
      (.plain, [-1, 0, 0.5, 3]), (.rotate90, [0, 3, -1, 0.5]), (.rotate180, [3, 0.5, 0, -1]),
      (.flip, [0, -1, 3, 0.5]), (.invert, [3, 2, 1.5, -1]), (.blur, [0.625, 0.625, 0.625, 0.625]),
    ]
    for (style, values) in expected {
      #expect(Self.values(try Self.styled(style, images).train) == values, "\(style)")
    }
  }

  @Test("channels move together; luminance is that of BT.601")
  func colours() throws {
    let shape = FeatureShape(height: 1, width: 2, channels: 3)
    let images = Self.bytes(shape, [255, 0, 0, 10, 200, 30])
    #expect(Self.values(try Self.styled(.flip, images).train) == [10, 200, 30, 255, 0, 0])
    // 0.299·255 = 76.2; 2.99 + 117.4 + 3.42 = 123.8.
    #expect(Self.values(try Self.styled(.grayscale, images).train) == [76, 76, 76, 124, 124, 124])
    let white = Self.bytes(shape, [255, 255, 255, 0, 0, 0])
    #expect(Self.values(try Self.styled(.grayscale, white).train) == [255, 255, 255, 0, 0, 0])
    // Two pixels: the mean of both, per channel, half up.
    #expect(Self.values(try Self.styled(.blur, images).train) == [133, 100, 15, 133, 100, 15])
    let floats = ImageSet(
      shape: shape, pixels: .floats([1, 0, 0, 0, 1, 0]), labels: [0], classes: 1)
    let grey = Self.values(try Self.styled(.grayscale, floats).train)
    #expect(grey == [0.299, 0.299, 0.299, 0.587, 0.587, 0.587].map { Double(Float($0)) })
  }

  static let all = DataSettings.Styles(
    kinds: [.rotate90, .invert, .blur, .flip, .grayscale], perClient: 2)

  @Test("a client has m styles, each image one of them; public and unused images stay plain")
  func mixture() throws {
    let data = SmallImages.bytes(train: 600, test: 200, classes: 10)
    let split = try Self.split(data, Self.all, clients: 9, publicSize: 60, policy: .holdout)
    let styled = StyledData(data, split: split, settings: Self.all, seed: 1)
    let codes = Self.all.kinds.map(\.code)
    var pairs: Set<[UInt8]> = []
    for client in 0..<9 {
      let own = StyledData.styles(of: client, Self.all, seed: 1).map(\.code)
      let images = split.clients[client] + (split.holdout?[client] ?? [])
      // Two styles of sixty images: each at least 15 but for one case in 10,000.
      for style in own { #expect(images.count { styled.styleOfTrain[$0] == style } >= 15) }
      #expect(Set(images.map { styled.styleOfTrain[$0] }) == Set(own))
      #expect(own.count == 2 && Set(own).isSubset(of: codes))
      pairs.insert(own)
    }
    #expect(pairs.count > 3)
    let size = data.train.shape.count
    let (before, after) = (Self.values(data.train), Self.values(styled.train))
    for index in split.publicIndices {
      #expect(styled.styleOfTrain[index] == ImageStyle.plain.code)
      let range = index * size..<(index + 1) * size
      #expect(before[range] == after[range])
    }
    for style in codes { #expect(styled.styleOfTest.count { $0 == style } >= 20) }
    #expect(Set(styled.styleOfTest) == Set(codes))
    #expect(styled.test.labels == data.test.labels)
    #expect(styled.train.labels == data.train.labels)
    // Every image is what its style alone makes of it.
    for style in Self.all.kinds {
      let alone = Self.values(try Self.styled(style, data.train).train)
      for index in styled.styleOfTrain.indices where styled.styleOfTrain[index] == style.code {
        let range = index * size..<(index + 1) * size
        #expect(after[range] == alone[range])
      }
    }
  }

  @Test("the seed decides, and nothing else")
  func seeds() throws {
    let data = SmallImages.bytes(train: 300, classes: 10)
    let split = try Self.split(data, Self.all, clients: 4)
    func codes(_ seed: UInt64) -> [[UInt8]] {
      let styled = StyledData(data, split: split, settings: Self.all, seed: seed)
      return [styled.styleOfTrain, styled.styleOfTest]
    }
    #expect(codes(1) == codes(1))
    #expect(codes(1)[0] != codes(2)[0])
    #expect(codes(1)[1] != codes(2)[1])
    let three = try Self.split(data, Self.all, clients: 3)
    let other = StyledData(data, split: three, settings: Self.all, seed: 1)
    #expect(other.styleOfTest == codes(1)[1])
  }

  @Test("styles that cannot change such images are refused")
  func misfits() {
    let wide = FeatureShape(height: 2, width: 3, channels: 3)
    let grey = FeatureShape(height: 2, width: 2, channels: 1)
    for (style, shape, word) in [
      (.rotate90, wide, "square"), (.grayscale, grey, "three channels"),
      (.blur, FeatureShape(features: 3), "more than one pixel"),
      (.flip, FeatureShape(features: 4), "more than one pixel"),
      (.rotate180, FeatureShape(features: 4), "more than one pixel"),
      (.rotate90, FeatureShape(features: 4), "more than one pixel"),
    ] as [(ImageStyle, FeatureShape, String)] {
      let images = Self.bytes(shape, [UInt8](repeating: 0, count: 2 * shape.count))
      expectFailure(.scenarioInvalid, "E3258", [style.rawValue, word]) {
        let data = LabelledData(title: "test", train: images, test: images)
        _ = try Self.split(data, .init(kinds: [.plain, style], perClient: 1))
      }
    }
  }

  @Test("the codes of styles are part of results")
  func codes() {
    let names = ["plain", "rotate90", "rotate180", "invert", "grayscale", "blur", "flip"]
    #expect(ImageStyle.allCases.map(\.rawValue) == names)
    #expect(ImageStyle.allCases.map(\.code) == [0, 1, 2, 3, 4, 5, 6])
  }
}
