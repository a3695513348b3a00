import Base
import Client
import Tensor

/// What a network sees in place of images: features that each image has by itself.
package struct FeatureSettings: Sendable, Equatable {
  /// Where they come from.
  package enum Source: Sendable, Equatable {
    /// A scattering transform; 1 or 2 orders: 17 or 81 channels for each colour.
    case scattering(orders: Int)
    /// `train.npy` and `test.npy` in a folder, a row for each image in the data set's order.
    case npy(path: String)
  }

  /// Statistics of channels over all clients' records, from sums that each client clips and adds
  /// noise to, once, before the first round.
  package struct Standardisation: Sendable, Equatable {
    /// σ: deviation of the noise on a client's sum, divided by the clip.
    package var noiseMultiplier: Double
    /// Largest length of a record's means over space, [channels].
    package var clipMeans: Double
    /// Largest length of a record's mean squares over space, [channels].
    package var clipSquares: Double

    package init(noiseMultiplier: Double, clipMeans: Double, clipSquares: Double) {
      self.noiseMultiplier = noiseMultiplier
      self.clipMeans = clipMeans
      self.clipSquares = clipSquares
    }
  }

  package var source: Source
  /// Groups of channels that are normalised over a record's own values; nil for none.
  package var groups: Int?
  /// Whether channels are standardised by statistics that clients release; nil for not.
  package var standardisation: Standardisation?

  package init(source: Source, groups: Int? = nil, standardisation: Standardisation? = nil) {
    self.source = source
    self.groups = groups
    self.standardisation = standardisation
  }

  /// What decides the values beside the images.
  package var key: String {
    let words =
      switch source {
      case .scattering(let orders): "scattering-2-8-\(orders)"
      case .npy: "npy"
      }
    return words + (groups.map { "-group\($0)" } ?? "")
  }
}

extension FeatureSettings {
  /// The shape of features of images of a shape.
  ///
  /// - Throws: E3265 where images of that shape have no such features.
  package func shape(of images: FeatureShape) throws(Failure) -> FeatureShape {
    guard case .scattering(let orders) = source else { return images }
    guard images.height == images.width, ScatteringTransform(side: images.height) != nil else {
      throw Failure(
        .scenarioInvalid, "E3265",
        "$.model.features: a scattering transform needs square images with a side of 8, 12, 16, "
          + "...; these are \(images)", hint: "data.resize makes them so")
    }
    return FeatureShape(
      height: images.height / 4, width: images.width / 4,
      channels: images.channels * ScatteringTransform.channels(orders: orders))
  }

  /// Refuses groups that do not divide the channels.
  ///
  /// - Throws: E3265.
  package func requireGroups(_ shape: FeatureShape) throws(Failure) {
    guard let groups, shape.channels % groups != 0 else { return }
    let fitting = (1...shape.channels).filter { shape.channels % $0 == 0 }
    throw Failure(
      .scenarioInvalid, "E3265",
      "$.model.features.groups: \(groups) groups do not divide \(shape.channels) channels",
      hint: "one of " + fitting.prefix(12).map(String.init).joined(separator: ", "))
  }

  /// Normalises one record's values, channels last, within groups of channels:
  /// (x − mean)/√(variance + 1e-5) over the group's channels and all places.
  package func normalise(_ record: inout [Float], channels: Int) {
    guard let groups else { return }
    let width = channels / groups
    let places = record.count / channels
    for group in 0..<groups {
      let range = group * width..<(group + 1) * width
      var (sum, squares) = (0.0, 0.0)
      for place in 0..<places {
        for c in range {
          let value = Double(record[place * channels + c])
          sum += value
          squares += value * value
        }
      }
      let count = Double(places * width)
      let mean = sum / count
      let scale = 1 / (max(0, squares / count - mean * mean) + 1e-5).squareRoot()
      for place in 0..<places {
        for c in range {
          let at = place * channels + c
          record[at] = Float((Double(record[at]) - mean) * scale)
        }
      }
    }
  }
}

/// Features of some images, one after the other.
package struct FeatureMaker {
  private let settings: FeatureSettings
  private let images: ImageSet
  private let shape: FeatureShape
  private let transform: ScatteringTransform
  private let space: ScatteringTransform.Workspace
  private let orders: Int

  /// nil for features that are read.
  ///
  /// `shape`: what `FeatureSettings.shape(of:)` says of the images.
  package init?(_ settings: FeatureSettings, _ images: ImageSet, _ shape: FeatureShape) {
    guard case .scattering(let orders) = settings.source,
      let transform = ScatteringTransform(side: images.shape.height)
    else { return nil }
    (self.settings, self.images, self.shape, self.orders) = (settings, images, shape, orders)
    self.transform = transform
    space = ScatteringTransform.Workspace(transform)
  }

  /// Images that are made together: their planes fill the lanes.
  package static func block(_ images: ImageSet) -> Int {
    max(1, ScatteringTransform.planes / images.shape.channels)
  }

  /// The features of neighbouring images, at most `block` of them, rounded to 16 bits.
  ///
  /// Three colours are normalised by ImageNet's means and deviations, constants that no image here
  /// decides; one colour stays in [0, 1].
  package func features(_ range: Range<Int>) -> [Float16] {
    let (colours, size) = (images.shape.channels, shape.count)
    var records = [[Float]](repeating: [Float](repeating: 0, count: size), count: range.count)
    let perColour = ScatteringTransform.channels(orders: orders)
    transform.transform(
      range.count * colours, space, orders: orders,
      pixel: { plane, row, column in
        let image = range.lowerBound + plane / colours
        return pixel(image, row, column, colour: plane % colours)
      },
      write: { plane, channel, place, value in
        let at = place * shape.channels + plane % colours * perColour + channel
        records[plane / colours][at] = value
      })
    for index in records.indices { settings.normalise(&records[index], channels: shape.channels) }
    return records.flatMap { $0.map { Float16($0) } }
  }

  private static let means: [Float] = [0.485, 0.456, 0.406]
  private static let deviations: [Float] = [0.229, 0.224, 0.225]

  private func pixel(_ image: Int, _ row: Int, _ column: Int, colour: Int) -> Float {
    let (shape, colours) = (images.shape, images.shape.channels)
    let at = image * shape.count + (row * shape.width + column) * colours + colour
    let value: Float =
      switch images.pixels {
      case .bytes(let bytes): Float(bytes[at]) / 255
      case .floats(let floats): floats[at]
      case .halves(let halves): Float(halves[at])
      }
    return colours == 3 ? (value - Self.means[colour]) / Self.deviations[colour] : value
  }
}
