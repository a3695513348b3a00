import Base
import Tensor

/// Whether an array of images has its channels where they are expected: last.
///
/// PyTorch keeps images as [N, C, H, W]. Read as [N, H, W, C] such an array has as many rows as
/// colours and as many channels as columns: everything runs, and nothing is learnt from it.
enum ChannelAxis {
  /// What NumPy needs to put the channels last.
  static let transposition = "numpy.transpose(x, (0, 2, 3, 1))"

  /// Whether a shape looks like [C, H, W]: few rows, and more columns and channels than an image
  /// has colours.
  static func looksFirst(_ shape: FeatureShape) -> Bool {
    shape.height <= 4 && shape.width > 4 && shape.channels > 4
  }

  /// Throws E4012 where channels are first for certain: three rows of as many columns as channels,
  /// or one such row of bytes, which are pixels.
  static func requireLast(_ shape: FeatureShape, isBytes: Bool, _ path: String) throws(Failure) {
    guard looksFirst(shape), shape.width == shape.channels,
      shape.height == 3 || shape.height == 1 && isBytes
    else { return }
    throw DataFailure.axes(
      path, "images of \(shape), height × width × channels: the channels seem to be first",
      hint: "put them last and save again: \(transposition)")
  }

  /// What to say of a shape that may be meant; nil when nothing is odd.
  static func remark(_ shape: FeatureShape) -> String? {
    guard looksFirst(shape), shape.positions > 1 else { return nil }
    return "images are read as \(shape), height × width × channels; if the channels are first, "
      + "put them last with \(transposition)"
  }
}
