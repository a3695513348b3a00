/// Height × width × channels of one example's features, stored channels last: the element at (y, x,
/// c) has index (y·width + x)·channels + c.
///
/// Vectors have height = width = 1.
public struct FeatureShape: Hashable, Sendable, CustomStringConvertible {
  /// Rows.
  public let height: Int
  /// Columns.
  public let width: Int
  /// Values per position.
  public let channels: Int

  /// A feature map.
  public init(height: Int, width: Int, channels: Int) {
    precondition(
      height > 0 && width > 0 && channels > 0,
      "FeatureShape: \(height)×\(width)×\(channels) has an empty side")
    self.height = height
    self.width = width
    self.channels = channels
  }

  /// A vector.
  public init(features: Int) { self.init(height: 1, width: 1, channels: features) }

  /// Floats per example.
  public var count: Int { height * width * channels }
  /// height · width.
  public var positions: Int { height * width }
  /// Such as "32×32×3".
  public var description: String { "\(height)×\(width)×\(channels)" }
}
