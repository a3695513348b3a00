import Tensor

/// A known change to a whole image.
///
/// A style is stored as its place in `allCases`: only append.
package enum ImageStyle: String, Sendable, CaseIterable {
  /// None.
  case plain
  /// A quarter turn counterclockwise; for square images.
  case rotate90
  /// A half turn.
  case rotate180
  /// x ↦ low + high − x, where low and high are 0 and 255 for bytes, and the smallest and largest
  /// training value for floats.
  case invert
  /// Every channel becomes the luminance 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601); for three
  /// channels.
  case grayscale
  /// The mean over a 3×3 window; at the border over what is inside the image.
  case blur
  /// Mirrored left to right.
  case flip

  /// The place in `allCases`.
  package var code: UInt8 { UInt8(Self.allCases.firstIndex(of: self) ?? 0) }
}

/// A pixel as it is stored.
package protocol StyledPixel: BitwiseCopyable, Sendable {
  /// Reflected between two bounds.
  func inverted(_ low: Self, _ high: Self) -> Self
  /// The luminance of a colour.
  static func luminance(_ red: Self, _ green: Self, _ blue: Self) -> Self
  /// What sums are formed in.
  associatedtype Sum: AdditiveArithmetic
  /// The value as a summand.
  var summand: Sum { get }
  /// The mean of `count` values with this sum, rounded half up where values are whole.
  static func mean(_ sum: Sum, of count: Int) -> Self
}

extension UInt8: StyledPixel {
  package func inverted(_ low: UInt8, _ high: UInt8) -> UInt8 { low + (high - self) }

  /// In 16-bit fixed point, rounded half up: 19595 + 38470 + 7471 = 2¹⁶.
  package static func luminance(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
    let sum = Int(red) * 19_595 + Int(green) * 38_470 + Int(blue) * 7471
    return UInt8((sum + 0x8000) >> 16)
  }

  package var summand: Int { Int(self) }

  package static func mean(_ sum: Int, of count: Int) -> UInt8 {
    UInt8((2 * sum + count) / (2 * count))
  }
}

extension Float: StyledPixel {
  package func inverted(_ low: Float, _ high: Float) -> Float { low + (high - self) }

  package static func luminance(_ red: Float, _ green: Float, _ blue: Float) -> Float {
    0.299 * red + 0.587 * green + 0.114 * blue
  }

  package var summand: Float { self }

  package static func mean(_ sum: Float, of count: Int) -> Float { sum / Float(count) }
}

extension ImageStyle {
  /// Writes the image at `source` in this style to `target`; both are [height][width][channels] and
  /// do not overlap.
  ///
  /// - Precondition: the style fits the shape (``DataSettings/Styles``).
  package func apply<Pixel: StyledPixel>(
    _ source: UnsafePointer<Pixel>, to target: UnsafeMutablePointer<Pixel>, shape: FeatureShape,
    bounds: (low: Pixel, high: Pixel)
  ) {
    let (height, width, channels) = (shape.height, shape.width, shape.channels)
    /// Takes each pixel from a place of the source.
    func move(_ place: (_ y: Int, _ x: Int) -> (y: Int, x: Int)) {
      for y in 0..<height {
        for x in 0..<width {
          let from = place(y, x)
          let pixel = source + (from.y * width + from.x) * channels
          (target + (y * width + x) * channels).update(from: pixel, count: channels)
        }
      }
    }
    switch self {
    case .plain: target.update(from: source, count: shape.count)
    case .rotate90:
      precondition(height == width, "ImageStyle.rotate90: \(shape)")
      move { y, x in (x, width - 1 - y) }
    case .rotate180: move { y, x in (height - 1 - y, width - 1 - x) }
    case .flip: move { y, x in (y, width - 1 - x) }
    case .invert:
      for index in 0..<shape.count {
        target[index] = source[index].inverted(bounds.low, bounds.high)
      }
    case .grayscale:
      precondition(channels == 3, "ImageStyle.grayscale: \(shape)")
      for place in stride(from: 0, to: shape.count, by: 3) {
        let grey = Pixel.luminance(source[place], source[place + 1], source[place + 2])
        for channel in 0..<3 { target[place + channel] = grey }
      }
    case .blur: Self.blur(source, to: target, shape)
    }
  }

  private static func blur<Pixel: StyledPixel>(
    _ source: UnsafePointer<Pixel>, to target: UnsafeMutablePointer<Pixel>, _ shape: FeatureShape
  ) {
    let (width, channels) = (shape.width, shape.channels)
    for y in 0..<shape.height {
      let rows = max(0, y - 1)...min(shape.height - 1, y + 1)
      for x in 0..<width {
        let columns = max(0, x - 1)...min(width - 1, x + 1)
        for channel in 0..<channels {
          var sum = Pixel.Sum.zero
          for row in rows {
            for column in columns {
              sum += source[(row * width + column) * channels + channel].summand
            }
          }
          target[(y * width + x) * channels + channel] = Pixel.mean(
            sum, of: rows.count * columns.count)
        }
      }
    }
  }
}
