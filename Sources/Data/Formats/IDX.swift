import Base
import Client
import Tensor

/// An IDX file of bytes: big-endian magic number 0x0000 08 dd with dd dimensions, their sizes, then
/// the values.
///
/// - Source: the file description at http://yann.lecun.com/exdb/mnist/ (LeCun, Cortes, Burges).
struct IDX {
  let dimensions: [Int]
  let values: [UInt8]

  /// Reads a plain or gzip file; which one it is its first bytes tell, not its name.
  init(path: String, what: String, ranks: ClosedRange<Int>) throws(Failure) {
    var bytes = try FileBytes.read(path, what: what)
    if Gzip.isCompressed(bytes) {
      let most = min(Gzip.maximumBytes, MemoryLimit.current.bytes / 3)
      bytes = try Gzip.decompress(path, limit: most)
    }
    try self.init(bytes, path: path, what: what, ranks: ranks)
  }

  private init(_ bytes: [UInt8], path: String, what: String, ranks: ClosedRange<Int>)
    throws(Failure)
  {
    guard bytes.count >= 4 else {
      throw DataFailure.wrongSize(path, "\(bytes.count) bytes are no IDX header; expected \(what)")
    }
    guard bytes[0] == 0, bytes[1] == 0, bytes[2] == 0x08 else {
      let magic = bytes[..<4].map { String($0, radix: 16) }.joined(separator: " ")
      throw DataFailure.malformed(
        path, "starts with \(magic) (hexadecimal); an IDX file of bytes starts with 0 0 8",
        hint: "expected \(what)")
    }
    let rank = Int(bytes[3])
    guard ranks.contains(rank) else {
      throw DataFailure.malformed(
        path, "has \(rank) dimensions; expected \(what)",
        hint: "images have 3 dimensions and labels 1; were two files swapped?")
    }
    let header = 4 + 4 * rank
    guard bytes.count >= header else {
      throw DataFailure.wrongSize(path, "\(bytes.count) bytes; the header alone has \(header)")
    }
    var sizes: [Int] = []
    var product = 1
    for dimension in 0..<rank {
      let at = 4 + 4 * dimension
      let size = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      guard size > 0, !overflow else {
        throw DataFailure.malformed(path, "dimension \(dimension) has an impossible size, \(size)")
      }
      product = next
      sizes.append(size)
    }
    guard product == bytes.count - header else {
      let shape = sizes.map(String.init).joined(separator: "×")
      throw DataFailure.wrongSize(
        path, "\(bytes.count - header) values after the header; \(shape) needs \(product)",
        isTooLong: bytes.count - header > product)
    }
    dimensions = sizes
    values = Array(bytes[header...])
  }
}

/// MNIST and its relatives: four IDX files in one folder, each plain or .gz.
///
/// `prefix` serves EMNIST ("emnist-balanced-"). Labels of EMNIST Letters start at 1; when no image
/// of either part has label 0, labels are counted from 1 and moved down by one. EMNIST's images
/// are stored mirrored along their diagonal and stay so.
enum MNIST {
  static func load(_ folder: String, prefix: String) throws(Failure) -> LabelledData {
    let advice = advice(folder, prefix: prefix)
    try FileBytes.requireFolder(folder, what: "a folder with IDX files", hint: advice)
    let train = try part(folder, names: ["\(prefix)train"], hint: advice)
    let test = try part(folder, names: ["\(prefix)t10k", "\(prefix)test"], hint: advice)
    guard train.shape == test.shape else {
      throw DataFailure.inconsistent(
        test.imagePath, "images of \(test.shape); the training images have \(train.shape)",
        hint: "the files belong to different data sets")
    }
    let lowest = min(train.labels.min() ?? 0, test.labels.min() ?? 0)
    let base: UInt8 = lowest == 1 ? 1 : 0
    let classes = Int(max(train.labels.max() ?? 0, test.labels.max() ?? 0) - base) + 1
    if let highest = train.labels.max(), let tested = test.labels.max(), tested > highest {
      throw DataFailure.label(
        test.labelPath, "has label \(tested); the training labels end at \(highest)",
        hint: "the files belong to different data sets")
    }
    let title = prefix.isEmpty ? "IDX images" : prefix.trimmed("-_")
    var data = LabelledData(
      title: "\(title) (\(FileBytes.lastPart(folder)))",
      train: train.set(base: base, classes: classes), test: test.set(base: base, classes: classes))
    data.doubts = [ChannelAxis.remark(train.shape)].compactMap { $0 }
    return data
  }

  private struct Part {
    let imagePath: String
    let labelPath: String
    let shape: FeatureShape
    let pixels: [UInt8]
    let labels: [UInt8]

    func set(base: UInt8, classes: Int) -> ImageSet {
      ImageSet(
        shape: shape, pixels: .bytes(pixels), labels: labels.map { Int32($0 - base) },
        classes: classes)
    }
  }

  private static func part(_ folder: String, names: [String], hint: String) throws(Failure) -> Part
  {
    let imagePath = try find(folder, names.map { "\($0)-images" }, "idx3-ubyte", hint: hint)
    let labelPath = try find(folder, names.map { "\($0)-labels" }, "idx1-ubyte", hint: hint)
    let images = try IDX(path: imagePath, what: "IDX images (3 dimensions)", ranks: 3...4)
    let labels = try IDX(path: labelPath, what: "IDX labels (1 dimension)", ranks: 1...1)
    guard images.dimensions[0] == labels.dimensions[0] else {
      throw DataFailure.inconsistent(
        labelPath,
        "\(labels.dimensions[0]) labels; \(FileBytes.lastPart(imagePath)) has "
          + "\(images.dimensions[0]) images")
    }
    let channels = images.dimensions.count == 4 ? images.dimensions[3] : 1
    let shape = FeatureShape(
      height: images.dimensions[1], width: images.dimensions[2], channels: channels)
    if images.dimensions.count == 4 { try ChannelAxis.requireLast(shape, imagePath) }
    return Part(
      imagePath: imagePath, labelPath: labelPath, shape: shape, pixels: images.values,
      labels: labels.values)
  }

  /// The first that exists of `<name>-<ending>`, `<name>.<ending>`, plain before .gz.
  private static func find(_ folder: String, _ names: [String], _ ending: String, hint: String)
    throws(Failure) -> String
  {
    for name in names {
      for candidate in ["\(name)-\(ending)", "\(name).\(ending)"] {
        for path in [candidate, candidate + ".gz"].map({ FilePath.join(folder, $0) })
        where FileKind(of: path) != .missing { return path }
      }
    }
    throw DataFailure.missing(
      FilePath.join(folder, "\(names[0])-\(ending)"), "no such file, neither plain nor .gz",
      hint: hint)
  }

  /// Another prefix that the folder has files for, or what the four files are called.
  private static func advice(_ folder: String, prefix: String) -> String {
    let mark = "train-images"
    let names = FilePath.names(in: folder)
    let prefixes = names.compactMap { name -> String? in
      name.contains(mark) ? name.before(mark) : nil
    }
    if let other = prefixes.first, !prefixes.contains(prefix) {
      return "the folder has files with the prefix \"\(other)\"; set data.dataset.prefix to it"
    }
    return "expected \(prefix)train-images-idx3-ubyte, \(prefix)train-labels-idx1-ubyte, "
      + "\(prefix)t10k-images-idx3-ubyte and \(prefix)t10k-labels-idx1-ubyte, each plain or .gz"
  }
}

extension String {
  /// What stands before the first occurrence of a text; empty when it does not occur.
  fileprivate func before(_ mark: String) -> String {
    let all = Array(utf8)
    let wanted = Array(mark.utf8)
    guard all.count >= wanted.count else { return "" }
    for start in 0...(all.count - wanted.count) where all[start...].starts(with: wanted) {
      return String(decoding: all[..<start], as: UTF8.self)
    }
    return ""
  }

  /// Without the given characters at its end.
  fileprivate func trimmed(_ characters: String) -> String {
    var text = self
    while let last = text.last, characters.contains(last) { text.removeLast() }
    return text
  }
}
