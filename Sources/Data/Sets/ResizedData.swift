import Base
import Client
import Tensor

extension DataSettings {
  /// The size that all images get.
  package struct Resize: Sendable, Equatable {
    package var height: Int
    package var width: Int

    package init(height: Int, width: Int) { (self.height, self.width) = (height, width) }

    /// The shape of an image of another shape after it.
    package func shape(of old: FeatureShape) -> FeatureShape {
      FeatureShape(height: height, width: width, channels: old.channels)
    }
  }
}

/// Images of another size than that of their files: what `data.resize` asks for.
extension LabelledData {
  /// The same data with images of a size, drawn again as PyTorch's `interpolate` draws them with
  /// `mode="bilinear"` and `antialias=True`; bytes stay bytes, the nearest, halves to even.
  ///
  /// - Throws: exit 3 for data that are no images, and where the new images do not fit into memory.
  /// - Complexity: O(new pixels · what each takes of the old ones).
  package func resized(
    to size: DataSettings.Resize?, limit: MemoryLimit = .current
  ) throws(Failure) -> LabelledData {
    let old = train.shape
    guard let size, size.shape(of: old) != old else { return self }
    guard old.positions > 1 else {
      throw Failure(
        .scenarioInvalid, "E3116",
        "$.data.resize: \(title) has rows of \(old.count) numbers and no images",
        hint: "leave data.resize out")
    }
    let resampling = Resampling(old, height: size.height, width: size.width, .bilinear)
    guard !train.isBytes || resampling.isExact else {
      throw Failure(
        .scenarioInvalid, "E3116",
        "$.data.resize: images of \(old) cannot shrink to \(size.height)×\(size.width)",
        hint: "give a larger height and width")
    }
    let bytes = [train, test].reduce(0.0) { sum, images in
      sum + Double(images.count) * Double(size.shape(of: old).count) * (images.isBytes ? 1 : 4)
    }
    guard bytes <= Double(limit.bytes) else {
      throw Failure(
        .scenarioInvalid, "E3116",
        "$.data.resize: \(train.count + test.count) images of \(size.shape(of: old)) need about "
          + "\(MemoryLimit.gibibytes(Int(clamping: bytes))); \(limit.words)",
        hint: "lower data.resize.height and width, or take fewer images")
    }
    var data = LabelledData(
      title: title, train: train.drawn(by: resampling), test: test.drawn(by: resampling),
      naturalClients: naturalClients, classNames: classNames)
    data.doubts = doubts
    return data
  }
}

extension ImageSet {
  fileprivate func drawn(by resampling: Resampling) -> ImageSet {
    let new: Pixels =
      switch pixels {
      case .bytes(let bytes): .bytes(resampling.bytes(bytes))
      case .floats(let floats): .floats(resampling.floats(floats))
      // Features are made of images that have their size.
      case .halves: pixels
      }
    return ImageSet(shape: resampling.new, pixels: new, labels: labels, classes: classes)
  }
}
