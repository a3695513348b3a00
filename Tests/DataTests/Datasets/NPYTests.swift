import Base
import Client
import Data
import Fixtures
import Tensor
import Testing

@Suite("npy files")
struct NPYTests {
  /// Two training and one test example of two bytes.
  static func folder() throws -> ScratchFolder {
    let folder = try ScratchFolder()
    try folder.write("x_train.npy", NPYFile.npy("|u1", "(2, 2)", [1, 2, 3, 4]))
    try folder.write("y_train.npy", NPYFile.npy("|u1", "(2,)", [1, 0]))
    try folder.write("x_test.npy", NPYFile.npy("|u1", "(1, 2)", [5, 6]))
    try folder.write("y_test.npy", NPYFile.npy("|u1", "(1,)", [1]))
    return folder
  }

  static func load(_ folder: ScratchFolder) throws -> LabelledData {
    try DatasetReader.load(.npy(path: folder.path))
  }

  @Test("four files make a data set", arguments: [1, 2, 3] as [UInt8])
  func isRead(version: UInt8)
    throws
  {
    let folder = try Self.folder()
    try folder.write("x_train.npy", NPYFile.npy("|u1", "(2L, 2L)", [1, 2, 3, 4], version: version))
    let data = try Self.load(folder)
    #expect(data.train.labels == [1, 0])
    #expect(data.train.classes == 2)
    #expect(data.train.shape.description == "1×1×2")
    guard case .bytes([1, 2, 3, 4]) = data.train.pixels else {
      Issue.record("pixels are \(data.train.pixels)")
      return
    }
  }

  @Test(
    "shapes of two to four dimensions",
    arguments: [("(1, 12)", "1×1×12"), ("(1, 3, 4)", "3×4×1"), ("(1, 2, 3, 2)", "2×3×2")])
  func shapes(text: String, shape: String) throws {
    let folder = try Self.folder()
    let values = (0..<12).map { UInt8($0) }
    for part in ["train", "test"] {
      try folder.write("x_\(part).npy", NPYFile.npy("|u1", text, values))
      try folder.write("y_\(part).npy", NPYFile.npy("|u1", "(1,)", [0]))
    }
    #expect(try Self.load(folder).train.shape.description == shape)
  }

  @Test("every element type gives the same numbers")
  func elementTypes() throws {
    func bytes<T>(_ values: [T]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }
    let cases: [(String, [UInt8], [Float])] = [
      ("|i1", bytes([3, -2] as [Int8]), [3, -2]), ("<i2", bytes([300, -2] as [Int16]), [300, -2]),
      ("<u2", bytes([65535, 1] as [UInt16]), [65535, 1]),
      ("<i4", bytes([70000, -7] as [Int32]), [70000, -7]),
      ("<i8", bytes([1 << 40, -7] as [Int64]), [0x1p40, -7]),
      ("<f4", bytes([0.25, -1e30] as [Float]), [0.25, -1e30]),
      ("<f8", bytes([0.1, -1e30] as [Double]), [0.1, -1e30]),
    ]
    for (type, values, expected) in cases {
      let folder = try Self.folder()
      for part in ["train", "test"] {
        try folder.write("x_\(part).npy", NPYFile.npy(type, "(1, 2)", values))
        try folder.write("y_\(part).npy", NPYFile.npy("<i8", "(1,)", bytes([0] as [Int64])))
      }
      guard case .floats(let found) = try Self.load(folder).train.pixels else {
        Issue.record("\(type) gives no floats")
        return
      }
      #expect(found == expected, "\(type)")
    }
  }

  @Test("wrong files are told apart and none traps")
  func brokenFiles() throws {
    let cases: [(code: String, name: String, bytes: [UInt8], words: [String])] = [
      ("E4003", "x_train.npy", [], ["empty"]),
      ("E4006", "x_train.npy", Array("PK not an array".utf8), ["numpy.save, not savez"]),
      ("E4006", "x_train.npy", [0x93] + Array("NUMPY".utf8), ["does not start"]),
      (
        "E4008", "x_train.npy", NPYFile.npy("|u1", "(2, 2)", [1, 2, 3, 4], version: 9),
        ["version 9"]
      ), ("E4003", "x_train.npy", Array(NPYFile.npy("|u1", "(2, 2)", []).prefix(30)), ["header"]),
      (
        "E4003", "x_train.npy", Array(NPYFile.npy("|u1", "(2,)", [], version: 2).prefix(11)),
        ["header"]
      ),
      ("E4003", "x_train.npy", NPYFile.npy("|u1", "(2, 2)", [1, 2, 3]), ["3 bytes", "needs 4"]),
      (
        "E4003", "x_train.npy", NPYFile.npy("<f4", "(2, 2)", [1, 2, 3, 4]), ["4 bytes", "needs 16"]
      ), ("E4008", "x_train.npy", NPYFile.npy(">f4", "(1, 1)", [1, 2, 3, 4]), ["big-endian"]),
      ("E4008", "x_train.npy", NPYFile.npy("|O", "(1, 1)", [1]), ["|O"]),
      ("E4008", "x_train.npy", NPYFile.npy("", "(1, 1)", [1]), ["element type"]),
      (
        "E4008", "x_train.npy", NPYFile.npy("|u1", "(2, 2)", [1, 2, 3, 4], order: "True"),
        ["Fortran"]
      ), ("E4005", "x_train.npy", NPYFile.npy("|u1", "(4,)", [1, 2, 3, 4]), ["[N, H, W, C]"]),
      ("E4005", "x_train.npy", NPYFile.npy("|u1", "()", [1]), ["[N, H, W, C]"]),
      ("E4005", "x_train.npy", NPYFile.npy("|u1", "(2, 0)", []), ["[N, H, W, C]"]),
      ("E4005", "x_train.npy", NPYFile.npy("|u1", "(1, 4)", [1, 2, 3, 4]), ["2 labels"]),
      ("E4005", "x_test.npy", NPYFile.npy("|u1", "(1, 3)", [1, 2, 3]), ["1×1×3"]),
      ("E4005", "x_test.npy", NPYFile.npy("|i1", "(1, 2)", [1, 2]), ["bytes in one"]),
      ("E4005", "y_train.npy", NPYFile.npy("|u1", "(1, 2)", [1, 2]), ["one-hot"]),
      ("E4004", "y_train.npy", NPYFile.npy("|i1", "(2,)", [0, 255]), ["label 1 is -1"]),
      ("E4004", "y_test.npy", NPYFile.npy("|u1", "(1,)", [9]), ["label 0 is 9", "end at 1"]),
      (
        "E4008", "y_train.npy", NPYFile.npy("<f4", "(2,)", [0, 0, 0, 0, 0, 0, 0, 0]),
        ["astype(numpy.int64)"]
      ),
      (
        "E4009", "x_train.npy", NPYFile.npy("<f4", "(2, 1)", [0, 0, 0, 0, 0, 0, 0xC0, 0x7F]),
        ["value 1 is nan"]
      ),
      (
        "E4006", "x_train.npy", NPYFile.npy("|u1", "(4294967296, 4294967296, 4294967296)", [1]),
        ["more values than can be counted"]
      ),
      ("E4003", "x_train.npy", NPYFile.npy("<f8", "(4611686018427387904, 1)", [1]), ["more than"]),
      (
        "E4006", "x_train.npy", NPYFile.npy("|u1", "(99999999999999999999, 1)", [1]), ["dictionary"]
      ),
    ]
    for (code, name, bytes, words) in cases {
      let folder = try Self.folder()
      try folder.write(name, bytes)
      expectDataFailure(code, [name] + words) { _ = try Self.load(folder) }
    }
  }

  @Test(
    "headers that are no such dictionary are refused",
    arguments: [
      "", "{", "{}", "[1]", "{'descr'", "{'descr': '<f4'", "{'descr': <f4}", "{'shape': (1, 2}",
      "{'descr': '<f4', 'shape': (1,)}", "{'descr': '<f4' 'shape': (1,)}", "{'evil': 1}",
      "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}", "{'shape': (-1,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} os.system", "{'descr': '",
      "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
    ])
  func hostileHeaders(header: String) throws {
    let folder = try Self.folder()
    try folder.write("x_train.npy", NPYFile.file(header, [1, 2, 3, 4]))
    expectDataFailure("E4006", ["x_train.npy", "header"]) { _ = try Self.load(folder) }
  }

  @Test("no prefix and no flipped byte of a file can trap")
  func mutations() throws {
    let folder = try Self.folder()
    let whole = NPYFile.npy("|u1", "(2, 2)", [1, 2, 3, 4])
    for length in 0..<whole.count {
      try folder.write("x_train.npy", Array(whole.prefix(length)))
      #expect(throws: Failure.self) { try Self.load(folder) }
    }
    for position in whole.indices {
      for flip in [1, 0x20, 0x80, 0xFF] as [UInt8] {
        var changed = whole
        changed[position] ^= flip
        try folder.write("x_train.npy", changed)
        _ = try? Self.load(folder)
      }
    }
  }

  @Test("a missing file, a folder in its place and a missing folder")
  func missing() throws {
    let folder = try Self.folder()
    try removeFile(folder.at("y_test.npy"))
    expectDataFailure("E4001", ["y_test.npy", "x_train.npy, y_train.npy"]) {
      _ = try Self.load(folder)
    }
    try folder.makeFolder("y_test.npy")
    expectDataFailure("E4002", ["y_test.npy", "folder"]) { _ = try Self.load(folder) }
    expectDataFailure("E4001", ["no such folder"]) {
      _ = try DatasetReader.load(.npy(path: folder.at("none")))
    }
  }
}
