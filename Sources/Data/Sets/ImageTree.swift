import Base
import Client
import Tensor

/// Image files in folders by class: TREE/train/CLASS/… and TREE/test/CLASS/…, or TREE/CLASS/… or
/// TREE/DOMAIN/CLASS/…, of which a share becomes the test set.
package struct ImageTree: Sendable {
  /// Names of the classes, sorted; a label is a place in it.
  package let classes: [String]
  /// Paths of the training and of the test images, class by class, sorted.
  let train: [(path: String, label: Int32)]
  let test: [(path: String, label: Int32)]
  /// Files that are no images by their names.
  package let ignored: [String]
  /// Where images come from, in the order of their names; empty where nothing was asked of that.
  package var domains: [Domain] = []

  /// All images.
  package var count: Int { train.count + test.count }

  /// Whether a folder has the two folders that say what is for training and what for testing.
  package static func isSplit(_ tree: String) -> Bool {
    parts(tree).allSatisfy { FileKind(of: $0) == .folder }
  }

  private static func parts(_ tree: String) -> [String] {
    ["train", "test"].map { FilePath.join(tree, $0) }
  }

  /// Looks at the names in a folder.
  ///
  /// `testShare`: share of each class's images that become test images; nil for the two folders.
  ///
  /// - Throws: exit 4 where there are no classes, or one without images.
  package init(_ tree: String, testShare: Double?) throws(Failure) {
    try FileBytes.requireFolder(tree, what: "a folder of images, one folder for each class")
    let isSplit = testShare == nil
    let parts = Self.parts(tree)
    var ignored: [String] = []
    let first = try Self.folders(isSplit ? parts[0] : tree, &ignored)
    let names = first.map(\.name)
    classes = names
    guard names.count >= 2 else {
      throw DataFailure.inconsistent(
        isSplit ? parts[0] : tree,
        "\(names.count) folders of classes; expected two or more with images in them",
        hint: "one folder for each class, such as \(FilePath.join(tree, "cat/1.png"))")
    }
    func labelled(_ folders: [(name: String, files: [String])]) -> [(String, Int32)] {
      folders.flatMap { folder in
        let label = Int32(names.firstIndex(of: folder.name) ?? 0)
        return folder.files.map { ($0, label) }
      }
    }
    if let testShare {
      // Which ones does not depend on anything but the names' order.
      let halves = first.enumerated().map { label, folder in
        let files = folder.files
        let half = SplitBuilder.holdOut(
          Array(files.indices), share: testShare, client: label, seed: 0)
        return (
          train: (folder.name, half.train.map { files[$0] }),
          test: (folder.name, half.test.map { files[$0] })
        )
      }
      train = labelled(halves.map(\.train))
      test = labelled(halves.map(\.test))
    } else {
      let second = try Self.folders(parts[1], &ignored)
      if let stranger = second.first(where: { !names.contains($0.name) }) {
        throw DataFailure.inconsistent(
          FilePath.join(parts[1], stranger.name), "a class that \(parts[0]) does not have",
          hint: "both folders need the same names of classes")
      }
      train = labelled(first)
      test = labelled(second)
    }
    self.ignored = ignored
    guard !test.isEmpty else {
      throw DataFailure.missing(isSplit ? parts[1] : tree, "leaves no test image")
    }
  }

  init(
    classes: [String], train: [(path: String, label: Int32)],
    test: [(path: String, label: Int32)], ignored: [String], domains: [Domain]
  ) {
    (self.classes, self.train, self.test) = (classes, train, test)
    (self.ignored, self.domains) = (ignored, domains)
  }

  /// The folders of classes in a folder, each with its images.
  static func folders(
    _ folder: String, mayBeEmpty: Bool = false, _ ignored: inout [String]
  ) throws(Failure) -> [(name: String, files: [String])] {
    var folders: [(name: String, files: [String])] = []
    for name in try subfolders(folder, &ignored) {
      let path = FilePath.join(folder, name)
      guard !name.contains(where: \.isNewline), !name.hasPrefix("#") else {
        throw DataFailure.unsupported(
          path, "the name of a class may not start with # or hold a line break")
      }
      var files: [String] = []
      try collect(path, depth: 0, &files, &ignored)
      if files.isEmpty, mayBeEmpty { continue }
      guard !files.isEmpty else {
        throw DataFailure.missing(
          path, "no image; expected \(ImageReader.endings.joined(separator: ", "))",
          hint: "remove the folder, or name the folder above those of the classes")
      }
      folders.append((name, files))
    }
    return folders
  }

  /// Names of the folders in a folder, sorted; files are noted.
  static func subfolders(_ folder: String, _ ignored: inout [String]) throws(Failure) -> [String] {
    var names: [String] = []
    for name in try FilePath.readableNames(in: folder) where !name.hasPrefix(".") {
      let path = FilePath.join(folder, name)
      if FileKind(of: path) == .folder {
        names.append(name)
      } else {
        ignored.append(path)
      }
    }
    return names
  }

  private static func collect(
    _ folder: String, depth: Int, _ files: inout [String], _ ignored: inout [String]
  ) throws(Failure) {
    for name in try FilePath.readableNames(in: folder) where !name.hasPrefix(".") {
      let path = FilePath.join(folder, name)
      if FileKind(of: path) == .folder {
        // A link may lead back to where it is.
        guard depth < 8 else { throw DataFailure.unsupported(path, "folders more than 8 deep") }
        try collect(path, depth: depth + 1, &files, &ignored)
      } else if ImageReader.endings.contains(where: { name.lowercased().hasSuffix($0) }) {
        files.append(path)
      } else {
        ignored.append(path)
      }
    }
  }
}

extension ImageTree {
  /// Reads every image.
  ///
  /// All have the size of the first, or are brought to `size`. They have one channel where no pixel
  /// of any has a colour, else three.
  ///
  /// `progress`: called with the number of images read so far.
  ///
  /// - Throws: E4060 with the names of the images that cannot be read, E4061 without a program that
  ///   reads them, E4005 for sizes that differ; exit 4.
  package func read(
    size: (height: Int, width: Int)? = nil, with reader: ImageReader = ImageReader(),
    progress: (Int) -> Void = { _ in }
  ) throws(Failure) -> LabelledData {
    var reader = reader
    var wanted = size
    var bytes: [UInt8] = []
    var isGrey = true
    var bad: [Failure] = []
    for (done, (path, _)) in (train + test).enumerated() {
      progress(done)
      let image: Pixmap
      do throws(Failure) { image = try reader.image(path) } catch {
        if error.code == "E4061" || error.code == "E4011" { throw error }
        bad.append(error)
        continue
      }
      let (height, width) = wanted ?? (image.height, image.width)
      if wanted == nil || bytes.isEmpty {
        try FileReader.requireMemory(5 * count * height * width, for: path)
        bytes.reserveCapacity(3 * count * height * width)
      }
      wanted = (height, width)
      guard size != nil || image.height == height && image.width == width else {
        bad.append(
          DataFailure.inconsistent(
            path, "\(image.width) × \(image.height) pixels; those before have \(width) × \(height)",
            hint: "--size \(height)x\(width) brings all to one size"))
        continue
      }
      let pixels = image.resized(width: width, height: height)
      isGrey = isGrey && pixels.isGrey
      bytes += pixels.bytes
    }
    progress(count)
    if let failure = Self.whole(bad, of: count) { throw failure }
    let (height, width) = wanted ?? (1, 1)
    if isGrey { bytes = stride(from: 0, to: bytes.count, by: 3).map { bytes[$0] } }
    let shape = FeatureShape(height: height, width: width, channels: isGrey ? 1 : 3)
    func images(_ files: [(path: String, label: Int32)], from start: Int) -> ImageSet {
      let part = Array(bytes[start * shape.count..<(start + files.count) * shape.count])
      return ImageSet(
        shape: shape, pixels: .bytes(part), labels: files.map(\.label), classes: classes.count)
    }
    var data = LabelledData(
      title: "images", train: images(train, from: 0), test: images(test, from: train.count))
    data.classNames = classes
    return data
  }

  /// One failure for all images that cannot be used; a single one speaks for itself.
  private static func whole(_ bad: [Failure], of count: Int) -> Failure? {
    guard let first = bad.first, bad.count > 1 else { return bad.first }
    let shown = bad.prefix(10).map { "\n  " + $0.message }.joined()
    let rest = bad.count > 10 ? "\n  and \(bad.count - 10) more" : ""
    return Failure(
      .dataMissingOrCorrupt, "E4060",
      "\(bad.count) of \(count) images cannot be used; nothing was written:" + shown + rest,
      hint: first.hint ?? "mend or remove them")
  }
}
