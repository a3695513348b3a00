import Base
import Tensor

/// Random changes to training images.
public struct AugmentationPlan: Sendable, Equatable {
  /// Pixels of zero padding on each side before a random crop of the original size; 0: none.
  public var cropPadding: Int
  /// Whether images are mirrored left to right with probability 1/2.
  public var flips: Bool

  /// A plan; the default changes nothing.
  public init(cropPadding: Int = 0, flips: Bool = false) {
    self.cropPadding = cropPadding
    self.flips = flips
  }

  /// Whether images stay as they are.
  public var isIdentity: Bool { cropPadding == 0 && !flips }
}

/// Makes batches from shared images straight into a worker's input: pixels are normalised and
/// augmented on the way, and nothing else is ever copied.
public struct BatchLoader: Sendable {
  /// The images.
  public let images: ImageSet
  /// How pixels become numbers.
  public let transform: PixelTransform
  /// Where a network that asks a frozen one for features finds those of these images; nil where
  /// nothing is remembered.
  public var features: FeatureMemory?
  /// For bytes: the normalised value of byte b in channel c at [b·channels + c].
  private let table: [Float]
  /// Whether floats are copied as they are.
  private let isCopy: Bool

  /// A loader for images under a transform.
  public init(_ images: ImageSet, _ transform: PixelTransform) {
    precondition(
      transform.mean.count == images.shape.channels,
      "BatchLoader: \(transform.mean.count) means for \(images.shape.channels) channels")
    self.images = images
    self.transform = transform
    isCopy = !images.isBytes && transform.isIdentity
    guard images.isBytes else {
      table = []
      return
    }
    let channels = images.shape.channels
    table = (0..<256 * channels).map { entry in
      let c = entry % channels
      return (Float(entry / channels) / 255 - transform.mean[c]) / transform.std[c]
    }
  }

  /// Writes images and labels into the first places of the workspace's input.
  ///
  /// `indices`: which images, at most the workspace's capacity.
  ///
  /// - Complexity: O(pixels), no allocation.
  public func fill(_ workspace: Workspace, _ indices: some Collection<Int>) {
    var stream = RandomStream(seed: 0, .augmentation)
    fill(workspace, indices, augmentation: AugmentationPlan(), stream: &stream)
  }

  /// Writes images and labels into the first places of the workspace's input.
  ///
  /// `indices`: which images, at most the workspace's capacity.
  ///
  /// `augmentation`: random changes; draws two offsets and one coin per image from `stream`.
  ///
  /// - Complexity: O(pixels), no allocation.
  public func fill(
    _ workspace: Workspace, _ indices: some Collection<Int>, augmentation: AugmentationPlan,
    stream: inout RandomStream
  ) {
    guard let start = workspace.input.baseAddress else { return }
    precondition(indices.count <= workspace.capacity, "BatchLoader: the batch does not fit")
    // An image that is changed at random has other features every time.
    workspace.featureMemory = augmentation.isIdentity ? features : nil
    var place = 0
    for index in indices {
      let target = start + place * images.shape.count
      workspace.labels[place] = images.labels[index]
      workspace.imageNumbers[place] = index
      place += 1
      if workspace.isDryRun { continue }
      if augmentation.isIdentity {
        copy(index, to: target)
      } else {
        copyAugmented(index, to: target, augmentation, &stream)
      }
    }
  }

  private func copy(_ index: Int, to target: UnsafeMutablePointer<Float>) {
    let size = images.shape.count
    let channels = images.shape.channels
    switch images.pixels {
    case .bytes(let bytes):
      bytes.withUnsafeBufferPointer { pixels in
        table.withUnsafeBufferPointer { table in
          let from = index * size
          var i = 0
          while i < size {
            for c in 0..<channels {
              target[i + c] = table[Int(pixels[from + i + c]) * channels + c]
            }
            i += channels
          }
        }
      }
    case .floats(let floats):
      floats.withUnsafeBufferPointer { pixels in
        let from = index * size
        if isCopy, let start = pixels.baseAddress {
          target.update(from: start + from, count: size)
          return
        }
        var i = 0
        while i < size {
          for c in 0..<channels {
            target[i + c] = (pixels[from + i + c] - transform.mean[c]) / transform.std[c]
          }
          i += channels
        }
      }
    case .halves(let halves):
      halves.withUnsafeBufferPointer { pixels in
        guard let start = pixels.baseAddress else { return }
        copy(start + index * size, to: target)
      }
    }
  }

  /// Features have many channels: they are the lanes of vectors, without a check for each number.
  private func copy(_ from: UnsafePointer<Float16>, to target: UnsafeMutablePointer<Float>) {
    let (size, channels) = (images.shape.count, images.shape.channels)
    if isCopy {
      for i in 0..<size { target[i] = Float(from[i]) }
      return
    }
    transform.mean.withUnsafeBufferPointer { means in
      transform.std.withUnsafeBufferPointer { deviations in
        guard let mean = means.baseAddress, let deviation = deviations.baseAddress else { return }
        for first in stride(from: 0, to: size, by: channels) {
          let (source, place) = (from + first, target + first)
          for c in 0..<channels { place[c] = (Float(source[c]) - mean[c]) / deviation[c] }
        }
      }
    }
  }

  /// The crop's padding is zero after normalisation, as with torchvision's RandomCrop on
  /// normalised tensors.
  private func copyAugmented(
    _ index: Int, to target: UnsafeMutablePointer<Float>, _ plan: AugmentationPlan,
    _ stream: inout RandomStream
  ) {
    let (height, width, channels) = (images.shape.height, images.shape.width, images.shape.channels)
    let top = stream.below(2 * plan.cropPadding + 1) - plan.cropPadding
    let left = stream.below(2 * plan.cropPadding + 1) - plan.cropPadding
    let mirrored = stream.next() >> 63 == 1 && plan.flips
    let from = index * images.shape.count
    for y in 0..<height {
      for x in 0..<width {
        let to = target + (y * width + x) * channels
        let sourceY = y + top
        let sourceX = (mirrored ? width - 1 - x : x) + left
        guard sourceY >= 0, sourceY < height, sourceX >= 0, sourceX < width else {
          for c in 0..<channels { to[c] = 0 }
          continue
        }
        let at = from + (sourceY * width + sourceX) * channels
        switch images.pixels {
        case .bytes(let bytes):
          for c in 0..<channels { to[c] = table[Int(bytes[at + c]) * channels + c] }
        case .floats(let floats):
          for c in 0..<channels { to[c] = (floats[at + c] - transform.mean[c]) / transform.std[c] }
        case .halves(let halves):
          for c in 0..<channels {
            to[c] = (Float(halves[at + c]) - transform.mean[c]) / transform.std[c]
          }
        }
      }
    }
  }
}
