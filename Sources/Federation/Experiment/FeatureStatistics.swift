import Base
import Client
import Data
import Tensor

/// Means and deviations of channels that clients release with noise, once, before the first round.
///
/// With m1, m2 in R^K the means and mean squares of a record's channels over space, client k sends
///
///     S1_k = Σ_i clip(m1_i, C1) + N(0, σ²·C1²·I),   S2_k = Σ_i clip(m2_i, C2) + N(0, σ²·C2²·I)
///
/// and everybody takes μ = Σ_k S1_k/N and σ² = max(0, Σ_k S2_k/N − μ²), N the number of records,
/// which is public. A channel without variance becomes 0.
///
/// - Source: Tramer and Boneh, ICLR 2021, arXiv:2011.11660, with clips that are given in place of
///   medians of the data.
enum FeatureStatistics {
  /// The transform that the release gives under one of the seeds.
  ///
  /// Complexity: O(values of the clients' images).
  static func transform(
    _ settings: FeatureSettings.Standardisation, _ images: ImageSet, clients: [[Int]], seed: UInt64
  ) -> PixelTransform {
    let channels = images.shape.channels
    var sums = [[Double]](repeating: [Double](repeating: 0, count: channels), count: 2)
    let clips = [settings.clipMeans, settings.clipSquares]
    for (client, list) in clients.enumerated() where !list.isEmpty {
      // A client's own sums first: the release is of them, and sums keep one order.
      var own = sums.map { $0.map { _ in 0.0 } }
      for image in list {
        for (part, values) in moments(of: image, images).enumerated() {
          let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
          let factor = length > clips[part] ? clips[part] / length : 1
          for c in 0..<channels { own[part][c] += factor * values[c] }
        }
      }
      var stream = RandomStream(seed: seed, .dpNoise, client: client, step: 0x66737461)  // "fsta"
      for part in 0..<2 {
        for c in 0..<channels {
          sums[part][c] += own[part][c] + settings.noiseMultiplier * clips[part] * stream.normal()
        }
      }
    }
    let count = Double(max(1, clients.reduce(0) { $0 + $1.count }))
    let means = sums[0].map { $0 / count }
    let deviations = zip(sums[1], means).map { square, mean -> Float in
      let variance = square / count - mean * mean
      return variance > 0 ? Float((variance + 1e-5).squareRoot()) : .greatestFiniteMagnitude
    }
    return PixelTransform(mean: means.map(Float.init), std: deviations)
  }

  /// Means and mean squares over space of a record's channels.
  private static func moments(of image: Int, _ images: ImageSet) -> [[Double]] {
    let (channels, size) = (images.shape.channels, images.shape.count)
    let range = image * size..<(image + 1) * size
    var (sums, squares) = (
      [Double](repeating: 0, count: channels), [Double](repeating: 0, count: channels)
    )
    switch images.pixels {
    case .bytes(let bytes): add(bytes[range], to: &sums, &squares) { Double($0) / 255 }
    case .floats(let floats): add(floats[range], to: &sums, &squares) { Double($0) }
    case .halves(let halves): add(halves[range], to: &sums, &squares) { Double($0) }
    }
    let places = Double(images.shape.positions)
    return [sums.map { $0 / places }, squares.map { $0 / places }]
  }

  /// Adds a record's values and their squares up by channel, without a check for each number.
  @inline(__always) private static func add<Value>(
    _ record: ArraySlice<Value>, to sums: inout [Double], _ squares: inout [Double],
    _ number: (Value) -> Double
  ) {
    let channels = sums.count
    record.withUnsafeBufferPointer { values in
      sums.withUnsafeMutableBufferPointer { sums in
        squares.withUnsafeMutableBufferPointer { squares in
          guard let from = values.baseAddress, let sum = sums.baseAddress,
            let square = squares.baseAddress
          else { return }
          for first in stride(from: 0, to: values.count, by: channels) {
            for c in 0..<channels {
              let value = number(from[first + c])
              sum[c] += value
              square[c] += value * value
            }
          }
        }
      }
    }
  }
}
