import Tensor

/// Labelled images, shared read-only by all workers; nothing is ever copied per client.
public final class ImageSet: Sendable {
  /// Pixels of all images one after the other, channels last.
  public enum Pixels: Sendable {
    case bytes([UInt8])
    case floats([Float])
    /// Features that were rounded to 16 bits, which is how they are kept.
    case halves([Float16])
  }

  /// Size of one image.
  public let shape: FeatureShape
  /// shape.count values per image.
  public let pixels: Pixels
  /// One label in 0 ..< classes per image.
  public let labels: [Int32]
  /// Number of classes C; some may have no image.
  public let classes: Int

  /// Bytes of the pixels.
  public var byteCount: Int { bytesPerPixel * shape.count * count }
  /// Bytes of a value in memory: 1, 4 or 2.
  public var bytesPerPixel: Int {
    switch pixels {
    case .bytes: 1
    case .floats: 4
    case .halves: 2
    }
  }
  /// Number of images.
  public var count: Int { labels.count }

  /// Images whose pixel count, labels and classes agree; anything else is a programmer's mistake.
  public init(shape: FeatureShape, pixels: Pixels, labels: [Int32], classes: Int) {
    let values =
      switch pixels {
      case .bytes(let bytes): bytes.count
      case .floats(let floats): floats.count
      case .halves(let halves): halves.count
      }
    precondition(
      values == shape.count * labels.count,
      "ImageSet: \(values) values for \(labels.count) images of \(shape)")
    precondition(
      labels.allSatisfy { $0 >= 0 && Int($0) < classes }, "ImageSet: a label outside 0..<\(classes)"
    )
    self.shape = shape
    self.pixels = pixels
    self.labels = labels
    self.classes = classes
  }

  /// Images per class, of all images or of those listed.
  public func classCounts(of indices: [Int]? = nil) -> [Int] {
    var counts = [Int](repeating: 0, count: classes)
    if let indices {
      for index in indices { counts[Int(labels[index])] += 1 }
    } else {
      for label in labels { counts[Int(label)] += 1 }
    }
    return counts
  }
}
