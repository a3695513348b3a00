import Base
import Tensor

/// Where an array of images has its channels.
package enum ChannelPlace: String, Sendable, CaseIterable {
  /// [N, C, H, W], as PyTorch keeps images.
  case first
  /// [N, H, W, C], as fedsim, TensorFlow and image files do.
  case last
}

/// Tells where an array of images has its channels, by its sizes alone.
///
/// Read with the wrong one, an image has as many rows as colours and as many channels as columns:
/// everything runs, and nothing is learnt from it.
enum ChannelAxis {
  /// What NumPy needs to put the channels last.
  static let transposition = "numpy.transpose(x, (0, 2, 3, 1))"

  /// Whether an axis has the size of grey or coloured pixels.
  private static func isColour(_ size: Int) -> Bool { size == 1 || size == 3 }

  /// The place of the channels of a shape [N, …, …, …]: first where the axis after N is 1 or 3 and
  /// the last one is not; else last.
  static func place(_ shape: [Int]) -> ChannelPlace {
    isColour(shape[1]) && !isColour(shape[3]) ? .first : .last
  }

  /// What to say of a shape [N, …, …, …] that may be meant otherwise; nil where it is plain.
  static func doubt(_ shape: [Int]) -> String? {
    let (axis, rows, last) = (shape[1], shape[2], shape[3])
    func text(_ sizes: [Int], _ other: ChannelPlace) -> String {
      let image = FeatureShape(height: sizes[0], width: sizes[1], channels: sizes[2])
      return "axes \(shape) are read as images of \(image); if the channels are "
        + "\(other.rawValue), set data.dataset.channels to \"\(other.rawValue)\""
    }
    switch place(shape) {
    // A series of one row with its channels last has the same form.
    case .first: return axis == 1 && rows != last ? text([rows, last, axis], .last) : nil
    case .last where axis == 3 && isColour(last): return text([axis, rows, last], .first)
    case .last: return remark(FeatureShape(height: axis, width: rows, channels: last))
    }
  }

  /// Whether a shape looks like [C, H, W]: few rows, and more columns and channels than an image
  /// has colours.
  private static func looksFirst(_ shape: FeatureShape) -> Bool {
    shape.height <= 4 && shape.width > 4 && shape.channels > 4
  }

  /// Throws E4012 for images of a format whose channels are last, where they are first for certain:
  /// one or three rows of as many columns as channels.
  static func requireLast(_ shape: FeatureShape, _ path: String) throws(Failure) {
    guard looksFirst(shape), shape.width == shape.channels, isColour(shape.height) else { return }
    throw DataFailure.axes(
      path, "images of \(shape), height × width × channels: the channels seem to be first",
      hint: "put them last and save again: \(transposition)")
  }

  /// What to say of images that may be meant; nil when nothing is odd.
  static func remark(_ shape: FeatureShape) -> String? {
    guard looksFirst(shape), shape.positions > 1 else { return nil }
    return "images are read as \(shape), height × width × channels; if the channels are first, "
      + "put them last with \(transposition)"
  }
}
