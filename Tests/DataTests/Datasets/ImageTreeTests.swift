import Base
import Client
import Data
import Fixtures
import Foundation
import Tensor
import Testing

@Suite("Data sets of image files")
struct ImageTreeTests {
  /// A PPM file whose bytes come from a number.
  static func ppm(_ width: Int, _ height: Int, _ salt: Int, isGrey: Bool = false) -> [UInt8] {
    let pixels = (0..<width * height).flatMap { place -> [UInt8] in
      let value = UInt8(truncatingIfNeeded: place * 7 + salt * 31)
      return isGrey ? [value, value, value] : [value, value &+ 40, value &+ 90]
    }
    return Array("P6\n# made\n\(width) \(height)\n255\n".utf8) + pixels
  }

  /// A tool that takes the first eight bytes, the mark of a PNG, away from a PPM file.
  private static let tail = ImageTool(png: ["tail", "-c", "+9"], jpeg: ["no such tool"])

  private static let mark: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10]

  private func tree() throws -> ScratchFolder {
    let folder = try ScratchFolder()
    for (part, count) in [("train", 3), ("test", 2)] {
      for (place, name) in ["b dog's \"x\"", "a $(cat)"].enumerated() {
        for number in 0..<count {
          try folder.write(
            "\(part)/\(name)/\(number) it's [0].ppm", Self.ppm(4, 3, 10 * place + number))
        }
      }
    }
    return folder
  }

  @Test("a tree becomes arrays that are read back as the same images, with names")
  func roundTrip() throws {
    let folder = try tree()
    let images = try ImageTree(folder.path, testShare: nil)
    #expect(images.classes == ["a $(cat)", "b dog's \"x\""])
    let data = try images.read()
    #expect(data.train.shape.description == "3×4×3")
    #expect(data.train.labels == [0, 0, 0, 1, 1, 1])
    #expect(data.test.labels == [0, 0, 1, 1])
    try NPYFolder.write(data, to: folder.at("out"))
    let read = try DatasetReader.load(.npy(path: folder.at("out")))
    #expect(read.train.hash == data.train.hash)
    #expect(read.test.hash == data.test.hash)
    #expect(read.classNames == images.classes)
    // The first image's first pixel is that of class "a $(cat)", number 0.
    guard case .bytes(let bytes) = read.train.pixels else {
      Issue.record("no bytes")
      return
    }
    #expect(Array(bytes.prefix(6)) == Array(Self.ppm(4, 3, 10).suffix(36).prefix(6)))
  }

  @Test("PNG files go through the tool, whatever their names, and no shell reads these")
  func tool() throws {
    let plain = try tree()
    let marked = try ScratchFolder()
    for part in ["train", "test"] {
      for name in try FileManager.default.subpathsOfDirectory(atPath: plain.at(part))
      where name.hasSuffix(".ppm") {
        let bytes = try FileReader.bytes(of: plain.at("\(part)/\(name)"))
        try marked.write("\(part)/\(name.dropLast(4)).PNG", Self.mark + bytes)
      }
    }
    let tools = [ImageTool(png: ["fedsim-no-such-tool"], jpeg: ["none"]), Self.tail]
    let data = try ImageTree(marked.path, testShare: nil).read(with: ImageReader(tools: tools))
    #expect(try data.train.hash == ImageTree(plain.path, testShare: nil).read().train.hash)
    expectDataFailure("E4061", ["fedsim-no-such-tool", "apt-get install imagemagick"]) {
      _ = try ImageTree(marked.path, testShare: nil).read(
        with: ImageReader(tools: Array(tools.prefix(1))))
    }
  }

  @Test("images that cannot be used are all named")
  func bad() throws {
    let folder = try tree()
    try folder.write("train/a $(cat)/9.png", Self.mark + [1, 2, 3])
    try folder.write("train/a $(cat)/8.ppm", Self.ppm(5, 3, 1))
    try folder.write("test/b dog's \"x\"/7.pgm", Array("P5 4 3 255\n12".utf8))
    try folder.write("test/b dog's \"x\"/6.jpg", Array("no image".utf8))
    let reader = ImageReader(tools: [Self.tail])
    expectDataFailure(
      "E4060", ["4 of 14", "9.png", "8.ppm: 5 × 3", "4 × 3", "7.pgm", "6.jpg", "--size 3x4"]
    ) { _ = try ImageTree(folder.path, testShare: nil).read(with: reader) }
    // A single one speaks for itself.
    let other = try tree()
    try other.write("train/a $(cat)/8.ppm", Self.ppm(5, 3, 1))
    expectDataFailure("E4005", ["8.ppm", "5 × 3", "--size"]) {
      _ = try ImageTree(other.path, testShare: nil).read()
    }
    let resized = try ImageTree(other.path, testShare: nil).read(size: (height: 2, width: 2))
    #expect(resized.train.shape.description == "2×2×3")
    #expect(resized.train.count == 7)
  }

  @Test(
    "a share of each class is for testing, the same one every time; grey images have one channel")
  func share() throws {
    let folder = try ScratchFolder()
    for name in ["x", "y"] {
      for number in 0..<10 {
        try folder.write(
          "\(name)/deep/\(number).ppm", Self.ppm(4, 4, number, isGrey: true))
      }
    }
    try folder.write("x/notes.txt", text: "no image")
    try folder.write("README", text: "no image")
    try folder.write(".hidden/0.ppm", Self.ppm(4, 4, 0))
    let tree = try ImageTree(folder.path, testShare: 0.3)
    #expect(tree.ignored.map { $0.hasSuffix("README") } == [true, false])
    let data = try tree.read()
    #expect(data.train.classCounts() == [7, 7])
    #expect(data.test.classCounts() == [3, 3])
    #expect(data.train.shape.description == "4×4×1")
    #expect(try ImageTree(folder.path, testShare: 0.3).read().test.hash == data.test.hash)
    #expect(!ImageTree.isSplit(folder.path))
  }

  @Test("domains with classes of all of them, a share of each for testing, and clients of each")
  func domains() throws {
    let folder = try ScratchFolder()
    for (place, name) in ["sketch/cat", "sketch/dog", "real/dog", "real/ant"].enumerated() {
      for number in 0..<5 {
        try folder.write("\(name)/\(number).ppm", Self.ppm(2, 2, 10 * place + number))
      }
    }
    try folder.write("README", text: "no image")
    try folder.write("real/notes.txt", text: "no image")
    try folder.makeFolder("real/cat")
    let tree = try ImageTree(domainsOf: folder.path, testShare: 0.4)
    #expect(tree.classes == ["ant", "cat", "dog"])
    #expect(tree.ignored.map { FilePath.split($0).name } == ["README", "notes.txt"])
    #expect(tree.domains.map(\.name) == ["real", "sketch"])
    #expect(tree.domains.map(\.classes) == [[0, 2], [1, 2]])
    #expect(tree.domains.map(\.train) == [0..<6, 6..<12])
    #expect(tree.domains.map(\.test) == [0..<4, 4..<8])
    let data = try tree.read()
    #expect(data.train.labels == [0, 0, 0, 2, 2, 2, 1, 1, 1, 2, 2, 2])
    #expect(data.test.labels == [0, 0, 2, 2, 1, 1, 2, 2])
    let json = try JSON(parsing: Array(tree.partition(clientsPerDomain: 2).utf8))
    let clients = json["clients"]?.elements?.map { $0.elements?.compactMap(\.int) ?? [] }
    #expect(clients == [[0, 2, 4], [1, 3, 5], [6, 8, 10], [7, 9, 11]])
    #expect(
      json["domains"]?.elements?.compactMap(\.text) == ["real", "real", "sketch", "sketch"])
    #expect(json["testImages"]?.elements?.count == 2)
    let path = try folder.write("partition.json", text: tree.partition(clientsPerDomain: 3))
    let pool = Pool(
      kept: Array(0..<12), labelOf: data.train.labels, classes: 3, clients: 6, seed: 1)
    #expect(try pool.file(path, trainingImages: 12).map(\.count) == [2, 2, 2, 2, 2, 2])
    expectDataFailure("E4005", ["real", "6 training images for 7 clients"]) {
      _ = try tree.partition(clientsPerDomain: 7)
    }
  }

  @Test("folders that are no domains are refused with what they lack")
  func noDomains() throws {
    let folder = try ScratchFolder()
    try folder.write("real/ant/1.ppm", Self.ppm(2, 2, 1))
    try folder.write("real/dog/1.ppm", Self.ppm(2, 2, 1))
    expectDataFailure("E4005", ["1 domains with 2 classes"]) {
      _ = try ImageTree(domainsOf: folder.path, testShare: 0.5)
    }
    try folder.write("sketch/1.ppm", Self.ppm(2, 2, 1))
    expectDataFailure("E4001", ["sketch", "DOMAIN/CLASS/image"]) {
      _ = try ImageTree(domainsOf: folder.path, testShare: 0.5)
    }
    expectDataFailure("E4001", ["nowhere"]) {
      _ = try ImageTree(domainsOf: folder.at("nowhere"), testShare: 0.5)
    }
    // One image of each class: all of them are for training.
    try folder.write("sketch/ant/1.ppm", Self.ppm(2, 2, 1))
    expectDataFailure("E4001", ["leaves no test image"]) {
      _ = try ImageTree(domainsOf: folder.path, testShare: 0.5)
    }
  }

  @Test("trees that are no data set are refused with what they lack")
  func refused() throws {
    let folder = try ScratchFolder()
    try folder.write("train/a/1.ppm", Self.ppm(2, 2, 1))
    try folder.write("test/a/1.ppm", Self.ppm(2, 2, 1))
    expectDataFailure("E4005", ["1 folders of classes", "train"]) {
      _ = try ImageTree(folder.path, testShare: nil)
    }
    try folder.write("train/b/1.ppm", Self.ppm(2, 2, 1))
    try folder.write("test/c/1.ppm", Self.ppm(2, 2, 1))
    expectDataFailure("E4005", ["test/c", "a class that", "does not have"]) {
      _ = try ImageTree(folder.path, testShare: nil)
    }
    try folder.makeFolder("train/empty")
    expectDataFailure("E4001", ["train/empty", "no image"]) {
      _ = try ImageTree(folder.path, testShare: nil)
    }
    expectDataFailure("E4001", ["nowhere"]) {
      _ = try ImageTree(folder.at("nowhere"), testShare: 0.5)
    }
  }

  @Test("what cannot be written whole is not left behind")
  func atomic() throws {
    let folder = try tree()
    let data = try ImageTree(folder.path, testShare: nil).read()
    // Where the labels should go, a folder stands.
    try folder.makeFolder("out/y_test.npy")
    #expect(throws: Failure.self) { try NPYFolder.write(data, to: folder.at("out")) }
    #expect(FilePath.names(in: folder.at("out")) == ["y_test.npy"])
  }
}

@Suite("PNM images")
struct PixmapTests {
  private func read(_ bytes: [UInt8]) throws(Failure) -> Pixmap {
    try Pixmap(pnm: bytes, path: "p.pnm")
  }

  @Test("all six forms give the same image")
  func forms() throws {
    // Black, white, white; white, black, white.
    let shades: [UInt8] = [0, 255, 255, 255, 0, 255]
    let wanted = Pixmap(width: 3, height: 2, bytes: shades.flatMap { [$0, $0, $0] })
    let colours = shades.flatMap { [$0, $0, $0] }
    let texts: [[UInt8]] = [
      Array("P1 3 2 100\n0 1 0".utf8), Array("P2\n3 2\n7\n0 7 7 7 0 7".utf8),
      Array(
        ("P3 #c\n3 #c 9 9\n2 255 " + colours.map { "\($0)" }.joined(separator: " ")).utf8),
      Array("P4 3 2\n".utf8) + [0b1000_0000, 0b0100_0000], Array("P5 3 2 255\n".utf8) + shades,
      Array("P6 3 2 255\n".utf8) + colours,
      Array("P5 3 2 1000\n".utf8) + shades.flatMap { $0 == 0 ? [0, 0] : [3, 232] as [UInt8] },
    ]
    for text in texts { #expect(try read(text) == wanted) }
  }

  @Test("values are scaled to 255 and rounded")
  func scale() throws {
    #expect(
      try read(Array("P2 4 1 3\n0 1 2 3".utf8)).bytes.map(Int.init)
        == [0, 85, 170, 255].flatMap { [$0, $0, $0] })
    #expect(try read(Array("P2 1 1 4\n1".utf8)).bytes == [64, 64, 64])
  }

  @Test("resizing takes the mean of what a pixel covers")
  func resize() throws {
    let image = try read(Array("P2 4 2 255\n0 10 20 30 40 50 60 70".utf8))
    #expect(image.resized(width: 2, height: 1).bytes == [25, 25, 25, 45, 45, 45])
    #expect(image.resized(width: 4, height: 2) == image)
    #expect(image.resized(width: 8, height: 4).resized(width: 4, height: 2) == image)
    // Thirds: 4/3 of a pixel each: (0 + 10/3)·3/4 = 2.5, (20·2/3 + 10·2/3)·3/4 = 15, 27.5.
    let row = try read(Array("P2 4 1 255\n0 10 20 30".utf8)).resized(width: 3, height: 1)
    #expect(row.bytes == [3, 3, 3, 15, 15, 15, 28, 28, 28])
  }

  @Test(
    "wrong files are refused",
    arguments: [
      ("P6 2 2 255\nxxx", "E4003"), ("P7 2 2 255\n", "E4006"), ("P6 0 2 255\n", "E4006"),
      ("P6 2 2 70000\n", "E4006"), ("P6 99999 99999 255\n", "E4006"), ("P2 2 1 3 1 4", "E4006"),
      ("P1 2 1 12", "E4006"), ("P6", "E4006"), ("P6 20000 20000 255\n", "E4003"), ("P6 2", "E4003"),
    ])
  func wrong(text: String, code: String) {
    expectDataFailure(code, ["p.pnm"]) { _ = try read(Array(text.utf8)) }
  }

  @Test("cut and changed files never trap")
  func fuzz() {
    let texts = ["P6 3 2 255\nabcdefghijklmnopqr", "P1 3 2 100010", "P2 3 1 9 1 2 3", "P4 9 1\nab"]
    var stream = RandomStream(seed: 3, .test)
    for round in 0..<2000 {
      var bytes = Array(texts[round % texts.count].utf8)
      bytes.removeLast(stream.below(bytes.count))
      for _ in 0..<2 where !bytes.isEmpty {
        bytes[stream.below(bytes.count)] = UInt8(stream.below(256))
      }
      if let image = try? read(bytes) {
        #expect(image.bytes.count == 3 * image.width * image.height)
      }
    }
  }
}
