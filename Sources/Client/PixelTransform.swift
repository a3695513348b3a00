import Tensor

/// How stored pixels become network inputs: x ↦ (x·unit − mean_c) / std_c per channel, with
/// unit = 1/255 for bytes and 1 for floats.
public struct PixelTransform: Sendable, Equatable {
  /// Mean per channel, in units of the scaled pixel.
  public let mean: [Float]
  /// Standard deviation per channel, > 0.
  public let std: [Float]

  /// Only scales: mean 0, deviation 1.
  public init(channels: Int) {
    mean = [Float](repeating: 0, count: channels)
    std = [Float](repeating: 1, count: channels)
  }

  /// Whether floats stay as they are.
  public var isIdentity: Bool { mean.allSatisfy { $0 == 0 } && std.allSatisfy { $0 == 1 } }

  /// Given statistics, as a file or another program states them.
  public init(mean: [Float], std: [Float]) {
    precondition(mean.count == std.count && std.allSatisfy { $0 > 0 }, "PixelTransform: std ≤ 0")
    self.mean = mean
    self.std = std
  }

  /// Per-channel mean and (population) standard deviation over the images listed; a channel that
  /// never varies gets deviation 1.
  ///
  /// - Complexity: O(pixels); exact for bytes, whose sums are integers.
  public init(statisticsOf images: ImageSet, at indices: [Int]) {
    let channels = images.shape.channels
    var sum = [Double](repeating: 0, count: channels)
    var squares = [Double](repeating: 0, count: channels)
    let size = images.shape.count
    func add<Value: BinaryFloatingPoint>(_ values: [Value], _ index: Int) {
      for offset in stride(from: index * size, to: (index + 1) * size, by: channels) {
        for c in 0..<channels {
          let value = Double(values[offset + c])
          sum[c] += value
          squares[c] += value * value
        }
      }
    }
    for index in indices {
      switch images.pixels {
      case .bytes(let bytes):
        bytes.withUnsafeBufferPointer { pixels in
          for offset in stride(from: index * size, to: (index + 1) * size, by: channels) {
            for c in 0..<channels {
              let value = Double(pixels[offset + c])
              sum[c] += value
              squares[c] += value * value
            }
          }
        }
      case .floats(let floats): add(floats, index)
      case .halves(let halves): add(halves, index)
      }
    }
    let count = Double(max(1, indices.count * images.shape.positions))
    let unit = images.isBytes ? 1.0 / 255 : 1
    mean = sum.map { Float($0 / count * unit) }
    std = zip(sum, squares).map { sum, squares in
      let variance = max(0, squares / count - (sum / count) * (sum / count))
      let deviation = Float(variance.squareRoot() * unit)
      return deviation > 1e-12 ? deviation : 1
    }
  }
}

extension ImageSet {
  /// Whether pixels are bytes.
  public var isBytes: Bool {
    if case .bytes = pixels { return true }
    return false
  }
}
