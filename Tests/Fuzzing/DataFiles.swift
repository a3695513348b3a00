/// Small data sets in each of the formats that are read, and files beside them.
enum DataFiles {
  /// Bytes that differ from each other, always the same.
  static func noise(_ count: Int, _ salt: Int = 1) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761 &+ salt &* 40_503) >> 13) }
  }

  static func labels(_ count: Int, classes: Int = 4) -> [UInt8] {
    (0..<count).map { UInt8($0 % classes) }
  }

  private static func word(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  private static func little(_ value: Int, _ bytes: Int) -> [UInt8] {
    (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  // MARK: IDX

  static func idx(_ folder: String, zipped: Bool) -> [InputFile] {
    [("train", 40), ("t10k", 12)].flatMap { part, count in
      let images = [0, 0, 8, 3] + word(count) + word(12) + word(12) + noise(count * 144)
      let classes = [0, 0, 8, 1] + word(count) + labels(count)
      return [("images-idx3", images), ("labels-idx1", classes)].map { name, bytes in
        zipped
          ? InputFile("\(folder)/\(part)-\(name)-ubyte.gz", gzip(bytes))
          : InputFile("\(folder)/\(part)-\(name)-ubyte", bytes)
      }
    }
  }

  /// A gzip file of stored blocks.
  static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var file: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
    var rest = bytes[...]
    repeat {
      let part = rest.prefix(5000)
      rest = rest.dropFirst(part.count)
      file += [rest.isEmpty ? 1 : 0] + little(part.count, 2) + little(~part.count, 2) + part
    } while !rest.isEmpty
    return file + little(Int(checksum(bytes)), 4) + little(bytes.count, 4)
  }

  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var sum: UInt32 = ~0
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
    }
    return ~sum
  }

  // MARK: CIFAR

  static func cifar(_ folder: String, fine: Bool) -> [InputFile] {
    func batch(_ images: Int, _ salt: Int) -> [UInt8] {
      var bytes: [UInt8] = []
      for image in 0..<images {
        if fine { bytes.append(UInt8(image % 20)) }
        bytes.append(UInt8(image % 10))
        bytes += noise(3072, salt &+ image)
      }
      return bytes
    }
    if fine {
      return [
        InputFile("\(folder)/train.bin", batch(40, 1)),
        InputFile("\(folder)/test.bin", batch(12, 2)),
      ]
    }
    return (1...5).map { InputFile("\(folder)/data_batch_\($0).bin", batch(10, $0)) } + [
      InputFile("\(folder)/test_batch.bin", batch(10, 6))
    ]
  }

  // MARK: NumPy

  /// A version-1 file.
  static func npy(_ type: String, _ shape: [Int], _ values: [UInt8], fortran: Bool = false)
    -> [UInt8]
  {
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    return npy(
      header: "{'descr': '\(type)', 'fortran_order': \(fortran ? "True" : "False"), "
        + "'shape': (\(sizes)), }", values)
  }

  static func npy(header text: String, _ values: [UInt8]) -> [UInt8] {
    let padding = 64 - (text.utf8.count + 11) % 64
    let header = text + String(repeating: " ", count: padding) + "\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0] + little(header.utf8.count, 2) + Array(header.utf8)
      + values
  }

  /// Grey images and labels of one byte.
  static func arrays(_ folder: String) -> [InputFile] { arrays(folder, "|u1", "|u1", []) }

  /// Images and labels of some types.
  static func arrays(_ folder: String, _ images: String, _ classes: String, _ more: [Int])
    -> [InputFile]
  {
    [("train", 40), ("test", 12)].flatMap { part, count in
      let shape = [count, 8, 8] + more
      let pixels = shape.reduce(1, *)
      return [
        InputFile(
          "\(folder)/x_\(part).npy",
          npy(images, shape, values(images, noise(pixels)), fortran: images.hasPrefix(">"))),
        InputFile("\(folder)/y_\(part).npy", npy(classes, [count], values(classes, labels(count)))),
      ]
    }
  }

  /// Small numbers in one of NumPy's types.
  private static func values(_ type: String, _ bytes: [UInt8]) -> [UInt8] {
    let isBig = type.hasPrefix(">")
    let size = Int(type.dropFirst(2)) ?? 1
    return bytes.flatMap { byte -> [UInt8] in
      var little: [UInt8]
      switch type.dropFirst().first {
      case "f" where size == 4: little = Self.little(Int(Float(byte).bitPattern), 4)
      case "f" where size == 8: little = Self.little(Int(Double(byte).bitPattern), 8)
      case "f": little = [0, 0x3C]
      default: little = [byte] + [UInt8](repeating: 0, count: size - 1)
      }
      if isBig { little.reverse() }
      return little
    }
  }

  // MARK: Texts

  static let leaf = """
    { "users": ["a", "b"], "num_samples": [4, 4], "user_data": {
      "a": { "x": [[0,0,0,1],[0,0,1,0],[0,1,0,0],[1,0,0,0]], "y": [0,1,2,1] },
      "b": { "x": [[0,0,1,1],[0,1,1,0],[1,1,0,0],[1,0,0,1]], "y": [2,1,0,0] } } }
    """

  static let trace = "client,from,to\n0,0,100\n1,0,50\n1,60,1e9\n2,0.5,1e300\n# all day\n3,0,9\n"
  static let table = "1e9\n20 GFLOP/s\n5e10\n1 TFLOP/s\n"
  static let partition = """
    {"clients": [[0, 1, 2, 3, 16, 17], [4, 5, 6, 7], [8, 9, 10, 11, 30], [12, 13, 14, 15]]}
    """

  /// Weights of the plain network on grey arrays: 64 inputs, 4 hidden, 4 classes.
  static func weights() -> [UInt8] {
    let shapes = [
      ("fc1.weight", [4, 64]), ("fc1.bias", [4]), ("fc2.weight", [4, 4]), ("fc2.bias", [4]),
    ]
    var entries: [String] = []
    var values: [UInt8] = []
    for (name, shape) in shapes {
      let count = shape.reduce(1, *)
      let start = values.count
      for index in 0..<count { values += little(Int((Float(index % 7) / 8).bitPattern), 4) }
      let dims = shape.map(String.init).joined(separator: ",")
      entries.append(
        "\"\(name)\":{\"dtype\":\"F32\",\"shape\":[\(dims)],"
          + "\"data_offsets\":[\(start),\(values.count)]}")
    }
    return safetensors(header: "{" + entries.joined(separator: ",") + "}", values)
  }

  static func safetensors(header: String, _ values: [UInt8]) -> [UInt8] {
    little(header.utf8.count, 8) + Array(header.utf8) + values
  }
}
