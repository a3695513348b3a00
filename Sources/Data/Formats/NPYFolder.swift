import Base
import Client
import Tensor

/// `x_train.npy`, `y_train.npy`, `x_test.npy`, `y_test.npy` in one folder, and `classes.txt` where
/// classes have names.
///
/// x has shape [N, H, W, C], [N, C, H, W], [N, H, W] or [N, F], y shape [N] with labels from 0.
package enum NPYFolder {
  /// Which files there are and what is in them, for people.
  package static let words = [
    "x_train.npy  x_test.npy  the examples, of one type and, but for N, of one shape:",
    "  [N, H, W, C]  images with their channels last",
    "  [N, C, H, W]  images with their channels first, as PyTorch keeps them: told by the sizes,",
    "                where the axis after N is 1 or 3 and the last one is not; where that is",
    "                not what is meant, \"channels\" decides",
    "  [N, H, W]     images of one channel",
    "  [N, F]        F features",
    "y_train.npy  y_test.npy  of shape [N], whole numbers: the classes, counted from 0",
    "classes.txt  may be absent; the classes' names, one a line, in the order of the labels",
    "types  u1 for pixels 0 to 255; i1, i2, u2, i4, i8, f4 or f8 for values used as they are;",
    "       labels of any type of whole numbers; little-endian, in C order, by numpy.save",
    "fedsim data convert TREE --out DIR makes such a folder of image files",
  ]
  /// One name per line, in the order of the labels; may be absent.
  static let namesFile = "classes.txt"

  static func load(_ folder: String, channels: ChannelPlace? = nil) throws(Failure) -> LabelledData
  {
    let hint =
      "expected x_train.npy, y_train.npy, x_test.npy and y_test.npy in one folder, "
      + "written by numpy.save"
    try FileBytes.requireFolder(folder, what: "a folder with four .npy files", hint: hint)
    let train = try Part(folder, "train", channels, hint: hint)
    let test = try Part(folder, "test", channels, hint: hint)
    let testPath = FilePath.join(folder, "x_test.npy")
    guard train.shape == test.shape else {
      throw DataFailure.inconsistent(
        testPath, "examples of \(test.shape); x_train.npy has \(train.shape)")
    }
    switch (train.pixels, test.pixels) {
    case (.bytes, .bytes), (.floats, .floats): break
    default:
      throw DataFailure.inconsistent(
        testPath, "bytes in one of x_train.npy and x_test.npy, other numbers in the other",
        hint: "bytes (u1) are pixels 0 to 255; save both with the same type")
    }
    let classes = Int(train.labels.max() ?? 0) + 1
    try DataFailure.requirePlausible(
      classes: classes, images: train.labels.count, FilePath.join(folder, "y_train.npy"))
    if let position = test.labels.firstIndex(where: { $0 >= classes }) {
      throw DataFailure.label(
        FilePath.join(folder, "y_test.npy"),
        "label \(position) is \(test.labels[position]); the training labels end at \(classes - 1)")
    }
    var data = LabelledData(
      title: "npy (\(FileBytes.lastPart(folder)))",
      train: ImageSet(
        shape: train.shape, pixels: train.pixels, labels: train.labels, classes: classes),
      test: ImageSet(shape: test.shape, pixels: test.pixels, labels: test.labels, classes: classes))
    data.classNames = try names(folder, classes: classes) ?? []
    data.doubts = [train.doubt].compactMap { $0 }
    return data
  }

  private static func names(_ folder: String, classes: Int) throws(Failure) -> [String]? {
    let path = FilePath.join(folder, namesFile)
    guard try FileReader.isThere(path) else { return nil }
    let names = try TextFile.lines(of: path, what: "names of classes").map(\.text)
    guard names.count == classes else {
      throw DataFailure.inconsistent(
        path, "\(names.count) names; the training labels make \(classes) classes",
        hint: "one name per line, in the order of the labels, or no such file")
    }
    return names
  }

  /// The two files of one of the sets.
  private struct Part {
    let shape: FeatureShape
    let pixels: ImageSet.Pixels
    let labels: [Int32]
    let doubt: String?

    init(_ folder: String, _ name: String, _ channels: ChannelPlace?, hint: String) throws(Failure)
    {
      let xPath = FilePath.join(folder, "x_\(name).npy")
      let yPath = FilePath.join(folder, "y_\(name).npy")
      let x = try NPY(path: xPath, what: "a NumPy array of examples", hint: hint)
      let y = try NPY(path: yPath, what: "a NumPy array of labels", hint: hint)
      guard (2...4).contains(x.shape.count), !x.shape.contains(0) else {
        throw DataFailure.inconsistent(
          xPath,
          "shape \(x.shape); expected [N, H, W, C], [N, C, H, W], [N, H, W] or [N, F], no entry 0")
      }
      guard y.shape.count == 1 else {
        throw DataFailure.inconsistent(
          yPath, "shape \(y.shape); expected [N], one label per example",
          hint: "labels are class numbers, not one-hot rows; y.reshape(-1) flattens a column")
      }
      guard x.shape[0] == y.shape[0] else {
        throw DataFailure.inconsistent(
          yPath, "\(y.shape[0]) labels; x_\(name).npy has \(x.shape[0]) examples")
      }
      labels = try y.labels()
      guard x.shape.count == 4 else {
        shape =
          x.shape.count == 3
          ? FeatureShape(height: x.shape[1], width: x.shape[2], channels: 1)
          : FeatureShape(features: x.shape[1])
        (pixels, doubt) = (try x.pixels(), nil)
        return
      }
      doubt = channels == nil ? ChannelAxis.doubt(x.shape) : nil
      let sizes = Array(x.shape.dropFirst())
      switch channels ?? ChannelAxis.place(x.shape) {
      case .last:
        shape = FeatureShape(height: sizes[0], width: sizes[1], channels: sizes[2])
        pixels = try x.pixels()
      case .first:
        shape = FeatureShape(height: sizes[1], width: sizes[2], channels: sizes[0])
        pixels = try x.pixels().withChannelsLast(shape)
      }
    }
  }

  /// Writes data of bytes into a folder that is empty or not there; what was written is taken away
  /// when a file fails.
  ///
  /// `others`: further files, by their names.
  package static func write(
    _ data: LabelledData, to folder: String, others: [(name: String, text: String)] = []
  ) throws(Failure) {
    let isNew = FileKind(of: folder) == .missing
    try FilePath.makeFolder(folder)
    var written: [String] = []
    func put(_ name: String, _ body: (Int32, String) throws(Failure) -> Void) throws(Failure) {
      let path = FilePath.join(folder, name)
      try AtomicFile.replace(path) { descriptor throws(Failure) in try body(descriptor, path) }
      written.append(path)
    }
    do throws(Failure) {
      for (images, part) in [(data.train, "train"), (data.test, "test")] {
        guard case .bytes(let bytes) = images.pixels else { continue }
        let shape = [images.count, images.shape.height, images.shape.width, images.shape.channels]
        try put("x_\(part).npy") { descriptor, path throws(Failure) in
          let header = NPYHeader.bytes(.u1, shape: shape)
          try AtomicFile.writeAll(header, to: descriptor, path: path)
          try AtomicFile.writeAll(bytes, to: descriptor, path: path)
        }
        try put("y_\(part).npy") { descriptor, path throws(Failure) in
          let labels = images.labels.flatMap { label in
            (0..<8).map { UInt8(truncatingIfNeeded: Int(label) >> (8 * $0)) }
          }
          let header = NPYHeader.bytes(.i8, shape: [images.count])
          try AtomicFile.writeAll(header + labels, to: descriptor, path: path)
        }
      }
      let names = (name: namesFile, text: data.classNames.map { $0 + "\n" }.joined())
      for file in [names] + others {
        try put(file.name) { descriptor, path throws(Failure) in
          try AtomicFile.writeAll(Array(file.text.utf8), to: descriptor, path: path)
        }
      }
    } catch {
      for path in written { AtomicFile.remove(path) }
      if isNew { rmdir(folder) }
      throw error.ofCommandLine
    }
  }
}

extension ImageSet.Pixels {
  /// Images of a shape that were stored plane by plane, with their channels last.
  fileprivate func withChannelsLast(_ shape: FeatureShape) -> Self {
    func interleaved<Pixel>(_ pixels: [Pixel]) -> [Pixel] {
      var result = pixels
      interleavePlanes(
        pixels, record: shape.count, offset: 0, images: pixels.count / shape.count,
        positions: shape.positions, channels: shape.channels, into: &result, at: 0)
      return result
    }
    return switch self {
    case .bytes(let bytes): .bytes(interleaved(bytes))
    case .floats(let floats): .floats(interleaved(floats))
    case .halves(let halves): .halves(interleaved(halves))
    }
  }
}
