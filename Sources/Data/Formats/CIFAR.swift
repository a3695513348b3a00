import Base
import Client
import Tensor

/// Records of the CIFAR binary layouts: label bytes, then 3,072 pixel bytes, red, green, blue.
///
/// - Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, and the
///   description at https://www.cs.toronto.edu/~kriz/cifar.html.
struct CIFARRecords {
  /// Such as "CIFAR-10".
  let title: String
  /// Number of classes of each label byte in front of the pixels.
  let labelCounts: [Int]
  /// Which of the label bytes is used.
  let labelAt: Int

  static let shape = FeatureShape(height: 32, width: 32, channels: 3)

  private var labelBytes: Int { labelCounts.count }
  private var classes: Int { labelCounts[labelAt] }
  private var recordSize: Int { labelBytes + Self.shape.count }

  /// Reads files one after the other into one set.
  ///
  /// `official` is the number of records in each file of the published set. A smaller set in the
  /// same layout may have up to a tenth of it; anything between is a cut file.
  func read(_ paths: [String], official: Int, hint: String) throws(Failure) -> ImageSet {
    var files: [[UInt8]] = []
    for path in paths {
      let bytes = try FileBytes.read(path, what: "\(title) records", hint: hint)
      try check(bytes, path, official: official)
      if let first = files.first, first.count != bytes.count {
        throw DataFailure.inconsistent(
          path,
          "\(bytes.count / recordSize) images, but \(FileBytes.lastPart(paths[0])) has "
            + "\(first.count / recordSize)",
          hint: "every training batch has as many images as the first; one of the two is cut")
      }
      files.append(bytes)
    }
    let counts = files.map { $0.count / recordSize }
    let total = counts.reduce(0, +)
    var pixels = [UInt8](repeating: 0, count: total * Self.shape.count)
    var labels: [Int32] = []
    labels.reserveCapacity(total)
    for (file, bytes) in files.enumerated() {
      interleavePlanes(
        bytes, record: recordSize, offset: labelBytes, images: counts[file],
        positions: Self.shape.positions, channels: Self.shape.channels, into: &pixels,
        at: labels.count * Self.shape.count)
      for image in 0..<counts[file] { labels.append(Int32(bytes[image * recordSize + labelAt])) }
    }
    return ImageSet(shape: Self.shape, pixels: .bytes(pixels), labels: labels, classes: classes)
  }

  private func check(_ bytes: [UInt8], _ path: String, official: Int) throws(Failure) {
    if bytes.starts(with: [0x1F, 0x8B]) {
      throw DataFailure.compressed(
        path, "a gzip file; expected \(title) records", hint: "unpack it first")
    }
    let images = bytes.count / recordSize
    guard bytes.count % recordSize == 0 else {
      throw DataFailure.wrongSize(
        path,
        "\(bytes.count) bytes are \(images) records of \(recordSize) bytes and "
          + "\(bytes.count % recordSize) bytes; expected whole records",
        isTooLong: images >= official)
    }
    guard images == official || images <= official / 10 else {
      throw DataFailure.wrongSize(
        path, "\(images) images; \(title) has \(official) in this file",
        hint: images < official
          ? "the file is cut; copy or download it again"
          : "for another data set in the same layout, write .npy files and use kind \"npy\"")
    }
    // Labels that this reading does not use tell a corrupt file as well.
    for (place, classes) in labelCounts.enumerated() {
      for image in 0..<images {
        let label = Int(bytes[image * recordSize + place])
        guard label < classes else {
          let kind = labelCounts.count == 1 ? "" : place == 0 ? "coarse " : "fine "
          throw DataFailure.label(
            path, "image \(image) has \(kind)label \(label); expected 0 to \(classes - 1)",
            hint: "the file is not \(title) in its binary version, or it is corrupt")
        }
      }
    }
  }
}

/// CIFAR-10, binary version: `data_batch_1.bin` … `data_batch_5.bin`, `test_batch.bin`.
enum CIFAR10 {
  static func load(_ folder: String) throws(Failure) -> LabelledData {
    let hint = CIFARAdvice(
      title: "CIFAR-10", folder: "cifar-10-batches-bin", archive: "cifar-10-binary.tar.gz",
      file: "data_batch_1.bin", pythonFolder: "cifar-10-batches-py", pythonFile: "data_batch_1"
    ).hint(for: folder)
    try FileBytes.requireFolder(folder, what: "the CIFAR-10 folder", hint: hint)
    let records = CIFARRecords(title: "CIFAR-10", labelCounts: [10], labelAt: 0)
    let batches = (1...5).map { FilePath.join(folder, "data_batch_\($0).bin") }
    let train = try records.read(batches, official: 10_000, hint: hint)
    let test = try records.read(
      [FilePath.join(folder, "test_batch.bin")], official: 10_000, hint: hint)
    return LabelledData(
      title: "CIFAR-10", train: train, test: test,
      classNames: try classNames(FilePath.join(folder, "batches.meta.txt"), of: train))
  }
}

/// CIFAR-100, binary version: `train.bin`, `test.bin`, with a coarse and a fine label per image.
enum CIFAR100 {
  static func load(_ folder: String, coarse: Bool) throws(Failure) -> LabelledData {
    let hint = CIFARAdvice(
      title: "CIFAR-100", folder: "cifar-100-binary", archive: "cifar-100-binary.tar.gz",
      file: "train.bin", pythonFolder: "cifar-100-python", pythonFile: "train"
    ).hint(for: folder)
    try FileBytes.requireFolder(folder, what: "the CIFAR-100 folder", hint: hint)
    let title = coarse ? "CIFAR-100, 20 coarse classes" : "CIFAR-100"
    let records = CIFARRecords(title: title, labelCounts: [20, 100], labelAt: coarse ? 0 : 1)
    let train = try records.read([FilePath.join(folder, "train.bin")], official: 50_000, hint: hint)
    let test = try records.read([FilePath.join(folder, "test.bin")], official: 10_000, hint: hint)
    let names = coarse ? "coarse_label_names.txt" : "fine_label_names.txt"
    return LabelledData(
      title: title, train: train, test: test,
      classNames: try classNames(FilePath.join(folder, names), of: train))
  }
}

/// The names of classes, a line each, in a file beside the images; none without it.
private func classNames(_ path: String, of images: ImageSet) throws(Failure) -> [String] {
  guard let bytes = try FileReader.optional(path, what: "names of classes") else { return [] }
  let names = String(decoding: bytes, as: UTF8.self).split { $0.isNewline }.map { line in
    String(line.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }.filter { !$0.isEmpty }
  guard names.count == images.classes else {
    throw DataFailure.inconsistent(
      path, "\(names.count) names for \(images.classes) classes",
      hint: "one name a line; restore the file, or remove it and classes are shown by number")
  }
  return names
}

/// Guesses what a wrong path was meant to be.
private struct CIFARAdvice {
  let title: String
  let folder: String
  let archive: String
  let file: String
  let pythonFolder: String
  let pythonFile: String

  func hint(for path: String) -> String {
    let inside = FilePath.join(path, folder)
    switch FileKind(of: path) {
    case .file:
      return path.hasSuffix(".gz") || path.hasSuffix(".tar") || path.hasSuffix(".tgz")
        ? "this is the archive; unpack it (tar xf \(path)) and give the folder \(folder)"
        : "give the folder that contains \(file)"
    case .folder where FileKind(of: inside) == .folder: return "did you mean \(inside) ?"
    case .folder where isPython(path):
      return "this is the Python version of \(title); fedsim reads the binary one, \(archive)"
    case .folder where isFile(FilePath.join(path, archive)):
      return "unpack the archive: tar xf \(FilePath.join(path, archive)) -C \(path)"
    default:
      return "download \(archive) (\"binary version\") from "
        + "https://www.cs.toronto.edu/~kriz/cifar.html, unpack it and give the folder \(folder)"
    }
  }

  private func isPython(_ path: String) -> Bool {
    FileKind(of: FilePath.join(path, pythonFolder)) == .folder
      || isFile(FilePath.join(path, pythonFile)) && !isFile(FilePath.join(path, file))
  }

  private func isFile(_ path: String) -> Bool { FileKind(of: path) == .file }
}
