import Base
import Client
import Data
import Scenario
import Tensor

/// Features in place of images.
enum FeatureStage {
  /// The data with every image's features in its place.
  ///
  /// A record's features use no other record, so that making them costs no privacy.
  ///
  /// - Throws: exit 3 where the images have no such features, 4 where a file of features does not
  ///   fit them.
  static func features(of data: LabelledData, _ settings: FeatureSettings) throws(Failure)
    -> LabelledData
  {
    let (train, test) =
      switch settings.source {
      case .scattering: try scattered(data, settings)
      case .npy(let path): try read(data, settings, path)
      }
    var featured = LabelledData(
      title: data.title, train: train, test: test, naturalClients: data.naturalClients,
      classNames: data.classNames)
    featured.doubts = data.doubts
    return featured
  }

  // MARK: Scattering

  private static func scattered(_ data: LabelledData, _ settings: FeatureSettings) throws(Failure)
    -> (ImageSet, ImageSet)
  {
    let shape = try settings.shape(of: data.train.shape)
    try settings.requireGroups(shape)
    let values = 2 * shape.count.multipliedClamped(by: data.train.count + data.test.count)
    try FileReader.requireMemory(values, for: "the features of model.features")
    func part(_ images: ImageSet) -> ImageSet {
      let kept = FeatureCache(key: settings.key, images: images, count: shape.count * images.count)
      let pixels = kept?.read() ?? made(images, settings, shape)
      kept?.write(pixels)
      return ImageSet(
        shape: shape, pixels: .halves(pixels), labels: images.labels, classes: images.classes)
    }
    return (part(data.train), part(data.test))
  }

  private static func made(
    _ images: ImageSet, _ settings: FeatureSettings, _ shape: FeatureShape
  ) -> [Float16] {
    let block = FeatureMaker.block(images)
    let pool = WorkerPool(workers: Machine.coreCount)
    // A few blocks at a time: making the filters costs as much as some blocks do.
    let size = 64 * block
    let pieces = (images.count + size - 1) / size
    return [Float16](unsafeUninitializedCapacity: shape.count * images.count) { buffer, filled in
      filled = 0
      pool.run(pieces) { _, piece -> [Float16] in
        guard let maker = FeatureMaker(settings, images, shape) else { return [] }
        let last = min((piece + 1) * size, images.count)
        return stride(from: piece * size, to: last, by: block).flatMap {
          maker.features($0..<min($0 + block, last))
        }
      } fold: { _, part in
        for value in part {
          buffer.initializeElement(at: filled, to: value)
          filled += 1
        }
      }
    }
  }

  // MARK: Features of another program

  private static func read(
    _ data: LabelledData, _ settings: FeatureSettings, _ folder: String
  ) throws(Failure) -> (ImageSet, ImageSet) {
    func part(_ name: String, _ images: ImageSet) throws(Failure) -> ImageSet {
      let path = FilePath.join(folder, name)
      let hint = "model.features of kind npy: train.npy and test.npy, a row for each image"
      let array = try NPY(path: path, what: "a NumPy array of features", hint: hint)
      guard [2, 4].contains(array.shape.count), !array.shape.contains(0),
        array.shape[0] == images.count
      else {
        throw DataFailure.inconsistent(
          path, "shape \(array.shape); expected [N, F] or [N, H, W, C] with N = \(images.count)",
          hint: hint)
      }
      let sizes = Array(array.shape.dropFirst())
      let shape =
        sizes.count == 1
        ? FeatureShape(features: sizes[0])
        : FeatureShape(height: sizes[0], width: sizes[1], channels: sizes[2])
      try settings.requireGroups(shape)
      return ImageSet(
        shape: shape, pixels: normalised(try array.pixels(), settings, shape),
        labels: images.labels, classes: images.classes)
    }
    let (train, test) = (try part("train.npy", data.train), try part("test.npy", data.test))
    guard train.shape == test.shape, train.isBytes == test.isBytes else {
      throw DataFailure.inconsistent(
        FilePath.join(folder, "test.npy"),
        "features of another shape or type than those of train.npy")
    }
    return (train, test)
  }

  private static func normalised(
    _ pixels: ImageSet.Pixels, _ settings: FeatureSettings, _ shape: FeatureShape
  ) -> ImageSet.Pixels {
    guard settings.groups != nil, shape.count > 0 else { return pixels }
    var values: [Float] =
      switch pixels {
      case .bytes(let bytes): bytes.map { Float($0) / 255 }
      case .floats(let floats): floats
      case .halves(let halves): halves.map(Float.init)
      }
    for start in stride(from: 0, to: values.count, by: shape.count) {
      var record = Array(values[start..<start + shape.count])
      settings.normalise(&record, channels: shape.channels)
      values.replaceSubrange(start..<start + shape.count, with: record)
    }
    return .floats(values)
  }
}

/// Features that were made before.
///
/// They are kept as 16-bit floats under a name that says what decides them: the images' hash and
/// the settings. The folder is `$FEDSIM_CACHE`, else `fedsim` in
/// `$XDG_CACHE_HOME` or in `~/.cache`.
///
/// A cache: a file that cannot be read, or is damaged, is made anew; one that cannot be written is
/// done without.
struct FeatureCache {
  private let path: String
  private let count: Int

  /// nil where there is no folder to keep anything in.
  init?(key: String, images: ImageSet, count: Int) {
    func variable(_ name: String) -> String? {
      getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
    let folder =
      variable("FEDSIM_CACHE")
      ?? (variable("XDG_CACHE_HOME") ?? variable("HOME").map { FilePath.join($0, ".cache") }).map {
        FilePath.join($0, "fedsim")
      }
    guard let folder else { return nil }
    let name = "features-\(key)-\(images.hash).f16"
    path = FilePath.join(folder, name)
    self.count = count
  }

  /// The values; nil where they are not there, or not whole.
  func read() -> [Float16]? {
    guard FileKind(of: path) == .file,
      let bytes = try? FileReader.bytes(of: path, growth: 2), bytes.count == 2 * count + 8
    else { return nil }
    let values = [Float16](unsafeUninitializedCapacity: count) { buffer, filled in
      bytes.withUnsafeBytes { source in
        UnsafeMutableRawBufferPointer(buffer).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: source[..<(2 * count)]))
      }
      filled = count
    }
    return Array(bytes[(2 * count)...]) == Self.seal(values) ? values : nil
  }

  /// Keeps them, where that can be done.
  func write(_ values: [Float16]) {
    guard FileKind(of: path) != .file || read() == nil else { return }
    try? FilePath.makeFolder(FilePath.split(path).folder)
    try? AtomicFile.replace(path) { descriptor throws(Failure) in
      var first = 0
      while first < values.count {
        let part = values[first..<min(first + 1 << 22, values.count)]
        let bytes = part.withUnsafeBytes { Array($0) }
        try AtomicFile.writeAll(bytes, to: descriptor, path: path)
        first += part.count
      }
      try AtomicFile.writeAll(Self.seal(values), to: descriptor, path: path)
    }
  }

  /// XXH64 of the values, 8 bytes.
  private static func seal(_ values: [Float16]) -> [UInt8] {
    var hash = XXHash64()
    hash.update(values)
    return Array(hash.hex.utf8.prefix(8))
  }
}
