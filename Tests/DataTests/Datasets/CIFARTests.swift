import Client
import Data
import Fixtures
import Tensor
import Testing

@Suite("CIFAR files")
struct CIFARTests {
  /// Records whose pixel at (channel, position) is a function of all three numbers.
  static func records(_ labels: [[UInt8]], first: Int = 0) -> [UInt8] {
    labels.enumerated().flatMap { image, label in
      label + (0..<3072).map { pixel(first + image, channel: $0 / 1024, position: $0 % 1024) }
    }
  }

  static func pixel(_ image: Int, channel: Int, position: Int) -> UInt8 {
    UInt8((image * 31 + channel * 101 + position * 7) % 256)
  }

  static func cifar10() throws -> ScratchFolder {
    let folder = try ScratchFolder()
    for batch in 1...5 {
      try folder.write(
        "data_batch_\(batch).bin",
        records([[UInt8(batch)], [UInt8(batch + 3)]], first: 2 * batch - 2))
    }
    try folder.write("test_batch.bin", records([[0], [9], [4]], first: 50))
    return folder
  }

  @Test("classes have the names of the file beside the images, and numbers without it")
  func names() throws {
    let folder = try Self.cifar10()
    #expect(try DatasetReader.load(.cifar10(path: folder.path)).classNames == [])
    let names = (0..<10).map { "class \($0)" }
    try folder.write("batches.meta.txt", Array((names.joined(separator: "\r\n") + "\n\n").utf8))
    let data = try DatasetReader.load(.cifar10(path: folder.path))
    #expect(data.classNames == names)
    #expect(try data.onlyClasses([4, 1]).classNames == ["class 1", "class 4"])
    try folder.write("batches.meta.txt", Array("cat\ndog\n".utf8))
    #expect { try DatasetReader.load(.cifar10(path: folder.path)) } throws: { error in
      "\(error)".contains("2 names for 10 classes")
    }
  }

  @Test("CIFAR-10 batches come in order, channels last")
  func cifar10IsRead() throws {
    let folder = try Self.cifar10()
    let data = try DatasetReader.load(.cifar10(path: folder.path))
    #expect(data.train.labels == [1, 4, 2, 5, 3, 6, 4, 7, 5, 8])
    #expect(data.test.labels == [0, 9, 4])
    #expect(data.train.classes == 10)
    #expect(data.train.shape.description == "32×32×3")
    guard case .bytes(let pixels) = data.train.pixels else {
      Issue.record("CIFAR pixels are no bytes")
      return
    }
    for (image, position, channel) in [(0, 0, 0), (3, 17, 1), (9, 1023, 2)] {
      #expect(
        pixels[(image * 1024 + position) * 3 + channel]
          == Self.pixel(image, channel: channel, position: position))
    }
  }

  @Test("CIFAR-100 gives fine or coarse labels", arguments: [(false, [7, 99]), (true, [1, 19])])
  func cifar100IsRead(coarse: Bool, labels: [Int32]) throws {
    let folder = try ScratchFolder()
    try folder.write("train.bin", Self.records([[1, 7], [19, 99]]))
    try folder.write("test.bin", Self.records([[0, 0]]))
    let data = try DatasetReader.load(.cifar100(path: folder.path, coarse: coarse))
    #expect(data.train.labels == labels)
    #expect(data.train.classes == (coarse ? 20 : 100))
    guard case .bytes(let pixels) = data.train.pixels else {
      Issue.record("CIFAR pixels are no bytes")
      return
    }
    #expect(pixels[(1024 + 5) * 3 + 2] == Self.pixel(1, channel: 2, position: 5))
  }

  @Test("a missing batch, a folder in its place, an empty and a cut one are told apart")
  func brokenFiles() throws {
    let record = Self.records([[3]])
    let cases: [(code: String, words: [String], change: (ScratchFolder) throws -> Void)] = [
      ("E4002", ["data_batch_3.bin", "folder"], { try $0.makeFolder("data_batch_3.bin") }),
      ("E4003", ["data_batch_3.bin", "empty"], { try $0.write("data_batch_3.bin", []) }),
      (
        "E4003", ["data_batch_3.bin", "3073"],
        { try $0.write("data_batch_3.bin", record.dropLast()) }
      ),
      ("E4003", ["data_batch_3.bin", "3073"], { try $0.write("data_batch_3.bin", record + [1]) }),
      ("E4005", ["data_batch_3.bin", "1 images"], { try $0.write("data_batch_3.bin", record) }),
      (
        "E4004", ["data_batch_3.bin", "image 1 has label 10"],
        { try $0.write("data_batch_3.bin", Self.records([[9], [10]])) }
      ),
      (
        "E4007", ["data_batch_3.bin", "gzip"],
        { try $0.write("data_batch_3.bin", [0x1F, 0x8B, 8]) }
      ),
    ]
    for (code, words, change) in cases {
      let folder = try Self.cifar10()
      try? removeFile(folder.at("data_batch_3.bin"))
      try change(folder)
      expectDataFailure(code, words) { _ = try DatasetReader.load(.cifar10(path: folder.path)) }
    }
    let folder = try Self.cifar10()
    try removeFile(folder.at("test_batch.bin"))
    expectDataFailure("E4001", ["test_batch.bin", "no such file"]) {
      _ = try DatasetReader.load(.cifar10(path: folder.path))
    }
  }

  @Test("a label that this reading does not use is checked, too", arguments: [false, true])
  func unusedLabel(coarse: Bool) throws {
    let folder = try ScratchFolder()
    try folder.write("train.bin", Self.records([[1, 7]]))
    try folder.write("test.bin", Self.records([[1, 7], coarse ? [1, 100] : [20, 7]]))
    let words = coarse ? "fine label 100" : "coarse label 20"
    expectDataFailure("E4004", ["test.bin", "image 1", words]) {
      _ = try DatasetReader.load(.cifar100(path: folder.path, coarse: coarse))
    }
  }

  @Test("a published file cut between two records is noticed")
  func cutBetweenRecords() throws {
    let folder = try ScratchFolder()
    try folder.write("train.bin", [UInt8](repeating: 0, count: 3074 * 5001))
    try folder.write("test.bin", Self.records([[0, 0]]))
    expectDataFailure("E4003", ["train.bin", "5001 images", "50000", "cut"]) {
      _ = try DatasetReader.load(.cifar100(path: folder.path, coarse: false))
    }
  }

  @Test("a wrong path is met with what it was probably meant to be")
  func hints() throws {
    let folder = try ScratchFolder()
    let tar = try folder.write("cifar-10-binary.tar.gz", [0x1F, 0x8B])
    expectDataFailure("E4002", ["unpack"]) { _ = try DatasetReader.load(.cifar10(path: tar)) }
    expectDataFailure("E4001", ["tar xf"]) {
      _ = try DatasetReader.load(.cifar10(path: folder.path))
    }
    try folder.write("data_batch_1", [1])
    expectDataFailure("E4001", ["Python version", "binary"]) {
      _ = try DatasetReader.load(.cifar10(path: folder.path))
    }
    try folder.makeFolder("cifar-10-batches-bin")
    expectDataFailure("E4001", ["did you mean", "/cifar-10-batches-bin"]) {
      _ = try DatasetReader.load(.cifar10(path: folder.path))
    }
    for path in [folder.at("nowhere"), "", "a\u{0}b"] {
      expectDataFailure("E4001", ["no such folder", "cs.toronto.edu"]) {
        _ = try DatasetReader.load(.cifar10(path: path))
      }
    }
    expectDataFailure("E4002", ["not a folder"]) {
      _ = try DatasetReader.load(.cifar10(path: "/dev/null"))
    }
  }
}
