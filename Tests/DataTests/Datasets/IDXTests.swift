import Client
import Data
import Fixtures
import Foundation
import Tensor
import Testing

@Suite("IDX files")
struct IDXTests {
  static func idx(_ sizes: [Int], _ values: [UInt8], type: UInt8 = 8) -> [UInt8] {
    [0, 0, type, UInt8(sizes.count)]
      + sizes.flatMap { size in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: size >> $0) } }
      + values
  }

  static func gzip(_ folder: ScratchFolder, _ name: String) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["gzip", folder.at(name)]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
  }

  static let images = "train-images-idx3-ubyte"
  static let labels = "train-labels-idx1-ubyte"
  static let testImages = "t10k-images-idx3-ubyte"
  static let testLabels = "t10k-labels-idx1-ubyte"

  /// Three training and one test image of 2×3.
  static func mnist(labels: [UInt8] = [0, 2, 1], prefix: String = "", test: String = "t10k") throws
    -> ScratchFolder
  {
    let folder = try ScratchFolder()
    try folder.write(prefix + images, idx([3, 2, 3], (0..<18).map { UInt8($0) }))
    try folder.write(prefix + Self.labels, idx([3], labels))
    try folder.write("\(prefix)\(test)-images-idx3-ubyte", idx([1, 2, 3], [9, 8, 7, 6, 5, 4]))
    try folder.write("\(prefix)\(test)-labels-idx1-ubyte", idx([1], [labels[1]]))
    return folder
  }

  static func load(_ folder: ScratchFolder, prefix: String = "") throws -> LabelledData {
    try DatasetReader.load(.mnist(path: folder.path, prefix: prefix))
  }

  @Test("images and labels are read, plain or .gz, whatever the mixture")
  func isRead() throws {
    let folder = try Self.mnist()
    for compressed in [[], [Self.images], [Self.labels, Self.testImages, Self.testLabels]] {
      for name in compressed { try Self.gzip(folder, name) }
      let data = try Self.load(folder)
      #expect(data.train.shape.description == "2×3×1")
      #expect(data.train.labels == [0, 2, 1])
      #expect(data.test.labels == [2])
      #expect(data.train.classes == 3)
      guard case .bytes(let pixels) = data.train.pixels else {
        Issue.record("IDX pixels are no bytes")
        return
      }
      #expect(pixels == (0..<18).map { UInt8($0) })
    }
  }

  @Test("EMNIST's prefix, its \"test\" files and labels from 1 are understood")
  func emnistLetters()
    throws
  {
    let folder = try Self.mnist(labels: [1, 3, 2], prefix: "emnist-letters-", test: "test")
    let data = try Self.load(folder, prefix: "emnist-letters-")
    #expect(data.train.labels == [0, 2, 1])
    #expect(data.train.classes == 3)
    expectDataFailure("E4001", [Self.images, "emnist-letters-"]) { _ = try Self.load(folder) }
  }

  @Test("a large file passes through gzip whole")
  func largeGzip() throws {
    let folder = try Self.mnist()
    let many = 40_000
    try folder.write(Self.images, Self.idx([many, 2, 3], (0..<many * 6).map { UInt8($0 % 251) }))
    try folder.write(Self.labels, Self.idx([many], (0..<many).map { UInt8($0 % 3) }))
    try Self.gzip(folder, Self.images)
    let data = try Self.load(folder)
    #expect(data.train.count == many)
    guard case .bytes(let pixels) = data.train.pixels else { return }
    #expect(pixels.last == UInt8((many * 6 - 1) % 251))
  }

  @Test("wrong headers and sizes are told apart")
  func brokenFiles() throws {
    let huge = Self.idx([0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF], [])
    let cases: [(code: String, name: String, bytes: [UInt8], words: [String])] = [
      ("E4003", Self.images, [], ["empty"]), ("E4003", Self.images, [0, 0], ["2 bytes"]),
      ("E4003", Self.images, [0, 0, 8, 3, 0, 0], ["header"]),
      ("E4006", Self.images, [1, 2, 3, 4, 5], ["1 2 3 4"]),
      ("E4006", Self.images, Self.idx([3, 2, 3], [], type: 0x0D), ["0 0 d 3"]),
      ("E4006", Self.images, Self.idx([3], [0, 1, 2]), ["1 dimensions", "swapped"]),
      ("E4006", Self.labels, Self.idx([1, 2, 3], [0, 1, 2, 3, 4, 5]), ["3 dimensions"]),
      ("E4006", Self.images, huge, ["impossible"]),
      ("E4006", Self.images, Self.idx([0, 2, 3], []), ["impossible size, 0"]),
      ("E4003", Self.images, Self.idx([3, 2, 3], [1, 2]), ["2 values", "3×2×3 needs 18"]),
      ("E4003", Self.images, Self.idx([1, 1, 1], [1, 2]), ["2 values", "needs 1"]),
      ("E4005", Self.labels, Self.idx([2], [0, 1]), ["2 labels", "3 images"]),
      ("E4005", Self.testImages, Self.idx([1, 2, 2], [1, 2, 3, 4]), ["2×2×1", "2×3×1"]),
      ("E4004", Self.testLabels, Self.idx([1], [77]), ["label 77", "end at 2"]),
    ]
    for (code, name, bytes, words) in cases {
      let folder = try Self.mnist()
      try folder.write(name, bytes)
      expectDataFailure(code, [name] + words) { _ = try Self.load(folder) }
    }
  }

  @Test("a cut or corrupt .gz is refused, and so is a folder in its place")
  func brokenGzip() throws {
    let folder = try Self.mnist()
    try Self.gzip(folder, Self.images)
    let name = Self.images + ".gz"
    let whole = try Array(Data(contentsOf: URL(filePath: folder.at(name))))
    var flipped = whole
    flipped[whole.count / 2] ^= 0x55
    for bytes in [Array(whole.dropLast(9)), Array(whole.prefix(2)), flipped] {
      try folder.write(name, bytes)
      expectDataFailure("E4007", [name, "gzip"]) { _ = try Self.load(folder) }
    }
    try removeFile(folder.at(name))
    try folder.makeFolder(name)
    expectDataFailure("E4002", [name, "folder"]) { _ = try Self.load(folder) }
  }

  @Test("a missing gzip and a bomb are refused without a zombie or a hang")
  func gzipLimits() throws {
    let folder = try Self.mnist()
    try folder.write(Self.images, [UInt8](repeating: 0, count: 3_000_000))
    try Self.gzip(folder, Self.images)
    let path = folder.at(Self.images + ".gz")
    expectDataFailure("E4007", ["no-such-gzip", "install gzip"]) {
      _ = try Gzip.decompress(path, tool: "no-such-gzip")
    }
    expectDataFailure("E4007", ["more than 100000 bytes"]) {
      _ = try Gzip.decompress(path, limit: 100_000)
    }
    #expect(try Gzip.decompress(path).count == 3_000_000)
  }
}
