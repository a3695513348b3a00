/// Small data sets in each of the formats that are read, written as their sources write them.
enum DataSamples {
  /// Bytes that differ from each other, the same in every test.
  static func noise(_ count: Int, _ salt: Int = 1) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761 &+ salt &* 40_503) >> 13) }
  }

  // MARK: - CIFAR

  /// Records of label and 3,072 pixels.
  static func cifarBatch(_ images: Int, salt: Int = 1) -> [UInt8] {
    (0..<images).flatMap { [UInt8($0 % 10)] + noise(3072, salt &+ $0) }
  }

  static func cifar10(in folder: TemporaryFolder, _ name: String) throws {
    for batch in 1...5 {
      try folder.write("\(name)/data_batch_\(batch).bin", cifarBatch(20, salt: batch))
    }
    try folder.write("\(name)/test_batch.bin", cifarBatch(20, salt: 6))
  }

  // MARK: - IDX

  /// Images of `side` × `side` bytes.
  static func idxImages(_ count: Int, side: Int = 12) -> [UInt8] {
    [0, 0, 8, 3] + word(count) + word(side) + word(side) + noise(count * side * side)
  }

  static func idxLabels(_ count: Int) -> [UInt8] {
    [0, 0, 8, 1] + word(count) + (0..<count).map { UInt8($0 % 10) }
  }

  private static func word(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  static func mnist(in folder: TemporaryFolder, _ name: String) throws {
    for (part, count) in [("train", 100), ("t10k", 20)] {
      try folder.write("\(name)/\(part)-images-idx3-ubyte", idxImages(count))
      try folder.write("\(name)/\(part)-labels-idx1-ubyte", idxLabels(count))
    }
  }

  // MARK: - NumPy

  /// A version-1 file.
  static func npy(_ type: String, _ shape: [Int], _ values: [UInt8]) -> [UInt8] {
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sizes)), }"
    header += String(repeating: " ", count: 64 - (header.utf8.count + 11) % 64) + "\n"
    let size = header.utf8.count
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(size & 255), UInt8(size >> 8)]
      + Array(header.utf8) + values
  }

  /// Grey images and labels of one byte.
  static func npy(in folder: TemporaryFolder, _ name: String, side: Int = 8, classes: Int = 10)
    throws
  {
    for (part, count) in [("train", 100), ("test", 20)] {
      try folder.write(
        "\(name)/x_\(part).npy", npy("|u1", [count, side, side], noise(count * side * side)))
      try folder.write(
        "\(name)/y_\(part).npy", npy("|u1", [count], (0..<count).map { UInt8($0 % classes) }))
    }
  }

  // MARK: - LEAF

  /// Two users with four examples of four numbers.
  static let leafText = """
    { "users": ["a", "b"], "num_samples": [4, 4], "user_data": {
      "a": { "x": [[0,0,0,1],[0,0,1,0],[0,1,0,0],[1,0,0,0]], "y": [0,1,2,1] },
      "b": { "x": [[0,0,1,1],[0,1,1,0],[1,1,0,0],[1,0,0,1]], "y": [2,1,0,0] } } }
    """

  static func leaf(in folder: TemporaryFolder, _ name: String) throws {
    try folder.write("\(name)/train/all.json", leafText)
    try folder.write("\(name)/test/all.json", leafText)
  }
}
