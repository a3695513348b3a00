import Base
import Client
import Tensor

/// A data set whose images have styles, as the clients of one seed see it.
///
/// Each client draws `perClient` of the styles, and each of its images, those held out for its own
/// tests too, has one of them, all alike; test images have any of the styles. Labels stay. Public
/// images, those for pre-training and those that nobody uses stay plain. An image's style depends
/// on the seed, its client and its own index, not on who else is there.
///
/// - Complexity: O(pixels); one copy of the pixels per seed.
package struct StyledData: Sendable {
  /// Training images; same order and labels.
  package let train: ImageSet
  /// Test images; same order and labels.
  package let test: ImageSet
  /// ``ImageStyle/code`` of each training image.
  package let styleOfTrain: [UInt8]
  /// ``ImageStyle/code`` of each test image.
  package let styleOfTest: [UInt8]

  /// The styled data of a seed.
  ///
  /// - Precondition: the styles fit the images, which `SplitBuilder` has checked.
  package init(_ data: LabelledData, split: Split, settings: DataSettings.Styles, seed: UInt64) {
    var styles = [ImageStyle](repeating: .plain, count: data.train.count)
    for client in split.clients.indices {
      let own = Self.styles(of: client, settings, seed: seed)
      for index in split.clients[client] + (split.holdout?[client] ?? []) {
        var stream = RandomStream(seed: seed, .styles, round: 1, step: index)
        styles[index] = own[stream.below(own.count)]
      }
    }
    let testStyles = (0..<data.test.count).map { index in
      var stream = RandomStream(seed: seed, .styles, round: 2, step: index)
      return settings.kinds[stream.below(settings.kinds.count)]
    }
    let range = data.train.floatRange(needed: settings.kinds.contains(.invert))
    train = data.train.styled(styles, range)
    test = data.test.styled(testStyles, range)
    styleOfTrain = styles.map(\.code)
    styleOfTest = testStyles.map(\.code)
  }

  /// The styles of a client, in the order in which the scenario lists them.
  package static func styles(of client: Int, _ settings: DataSettings.Styles, seed: UInt64)
    -> [ImageStyle]
  {
    var stream = RandomStream(seed: seed, .styles, client: client)
    let chosen = stream.permutation(settings.kinds.count).prefix(settings.perClient).sorted()
    return chosen.map { settings.kinds[$0] }
  }
}

extension DataSettings.Styles {
  /// Refuses styles that cannot change images of this shape.
  package func requireFit(_ shape: FeatureShape) throws(Failure) {
    for style in kinds {
      let need: String
      switch style {
      case .rotate90 where shape.height != shape.width: need = "square images"
      case .grayscale where shape.channels != 3: need = "images of three channels"
      case .rotate90 where shape.positions == 1, .rotate180 where shape.positions == 1,
        .flip where shape.positions == 1, .blur where shape.positions == 1:
        need = "more than one pixel"
      case .flip where shape.width == 1: need = "more than one column"
      default: continue
      }
      throw Failure(
        .scenarioInvalid, "E3258",
        "$.data.styles.kinds: \"\(style.rawValue)\" needs \(need); these are \(shape)",
        hint: "leave \"\(style.rawValue)\" out")
    }
  }
}

extension ImageSet {
  /// Smallest and largest value of float pixels; 0 and 1 when it is not needed.
  fileprivate func floatRange(needed: Bool) -> (low: Float, high: Float) {
    guard needed, case .floats(let values) = pixels, var low = values.first else { return (0, 1) }
    var high = low
    for value in values {
      low = min(low, value)
      high = max(high, value)
    }
    return (low, high)
  }

  /// A copy in which every image has its style.
  fileprivate func styled(_ styles: [ImageStyle], _ range: (low: Float, high: Float)) -> ImageSet {
    let copy: Pixels =
      switch pixels {
      case .bytes(let bytes): .bytes(Self.styled(bytes, styles, shape, (0, 255)))
      case .floats(let floats): .floats(Self.styled(floats, styles, shape, range))
      // Styles are of images, and features are of images that have theirs.
      case .halves: pixels
      }
    return ImageSet(shape: shape, pixels: copy, labels: labels, classes: classes)
  }

  private static func styled<Pixel: StyledPixel>(
    _ pixels: [Pixel], _ styles: [ImageStyle], _ shape: FeatureShape,
    _ bounds: (low: Pixel, high: Pixel)
  ) -> [Pixel] {
    [Pixel](unsafeUninitializedCapacity: pixels.count) { buffer, filled in
      pixels.withUnsafeBufferPointer { source in
        guard let from = source.baseAddress, let to = buffer.baseAddress else { return }
        for (index, style) in styles.enumerated() {
          let offset = index * shape.count
          style.apply(from + offset, to: to + offset, shape: shape, bounds: bounds)
        }
      }
      filled = pixels.count
    }
  }
}
