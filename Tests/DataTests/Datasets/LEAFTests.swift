import Base
import Client
import Data
import Fixtures
import Tensor
import Testing

@Suite("LEAF files")
struct LEAFTests {
  static let trainA = """
    {"users": ["zoe", "ann"], "num_samples": [2, 1], "hierarchies": [[1, {"a": null}], "x\\"y"],
     "user_data": {
       "zoe": {"x": [[0.5, 1, -2.5e1], [3, 4, 5]], "y": [2, 0]},
       "ann": {"y": [1], "x": [[7, 8, 9]]}}}
    """
  static let trainB = """
    {"users": ["bob"], "num_samples": [0], "user_data": {"bob": {"x": [], "y": []}}}
    """
  static let test = """
    {"users": ["ann"], "num_samples": [1], "user_data": {"ann": {"x": [[1, 1, 1]], "y": [3]}}}
    """

  static func folder() throws -> ScratchFolder {
    let folder = try ScratchFolder()
    try folder.write("train/b.json", text: trainB)
    try folder.write("train/a.json", text: trainA)
    try folder.write("train/README", text: "not data")
    try folder.write("test/a.json", text: test)
    return folder
  }

  static func load(_ folder: ScratchFolder) throws -> LabelledData {
    try DatasetReader.load(.leaf(path: folder.path))
  }

  @Test("examples, labels and users sorted by name")
  func isRead() throws {
    let data = try Self.load(try Self.folder())
    #expect(data.train.labels == [2, 0, 1])
    #expect(data.train.classes == 4)
    #expect(data.test.labels == [3])
    #expect(data.naturalClients == [[2], [], [0, 1]])
    guard case .floats([0.5, 1, -25, 3, 4, 5, 7, 8, 9]) = data.train.pixels else {
      Issue.record("values are \(data.train.pixels)")
      return
    }
  }

  @Test(
    "square counts are grey images", arguments: [(784, "28×28×1"), (60, "1×1×60"), (1, "1×1×1")])
  func shapes(count: Int, shape: String) {
    #expect(LEAF.shape(ofFeatures: count).description == shape)
  }

  @Test("wrong files are told apart, with the place")
  func brokenFiles() throws {
    func user(_ x: String, _ y: String) -> String {
      "{\"users\": [\"u\"], \"num_samples\": [1], "
        + "\"user_data\": {\"u\": {\"x\": \(x), \"y\": \(y)}}}"
    }
    let cases: [(code: String, text: String, words: [String])] = [
      ("E4003", "", ["empty"]), ("E4003", "{\"users\": [\"a", ["ends at line 1"]),
      ("E4003", String(Self.trainA.prefix(50)), ["ends at line"]),
      ("E4006", "[]", ["line 1, column 1", "'{'"]), ("E4006", "{} {}", ["end of the file"]),
      ("E4006", user("[[1, 2, nan]]", "[0]"), ["a number"]),
      ("E4006", user("[[1, 2, 0x10]]", "[0]"), ["a number"]),
      ("E4009", user("[[1, 2, 1e300]]", "[0]"), ["too large"]),
      ("E4008", user("[\"a tweet\"]", "[0]"), ["text", "FEMNIST"]),
      ("E4005", user("[[1, 2]]", "[0]"), ["2 numbers", "has 3"]),
      ("E4005", user("[[]]", "[0]"), ["0 numbers"]),
      ("E4005", user("[[1, 2, 3]]", "[0, 1]"), ["1 examples and 2 labels"]),
      ("E4004", user("[[1, 2, 3]]", "[-1]"), ["label -1"]),
      ("E4004", user("[[1, 2, 3]]", "[4000000000]"), ["label 4000000000"]),
      ("E4006", user("[[1, 2, 3]]", "[0.5]"), ["whole number"]),
      ("E4005", user("[]", "[]"), ["num_samples says 1", "0 examples"]),
      ("E4005", Self.trainA, ["\"zoe\" was already given"]),
      ("E4005", "{\"users\": [\"q\"], \"num_samples\": [3]}", ["no entry"]),
      ("E4005", "{\"users\": [\"q\"], \"num_samples\": []}", ["1 users but 0"]),
      ("E4005", "{\"user_data\": {\"q\": {}}}", ["0 names in users", "has 1"]),
      ("E4006", String(repeating: "[", count: 5000), ["'{'"]),
      ("E4006", "{\"a\": " + String(repeating: "[", count: 5000), ["nested"]),
    ]
    for (code, text, words) in cases {
      let folder = try Self.folder()
      try folder.write("train/c.json", text: text)
      expectDataFailure(code, ["train/c.json"] + words) { _ = try Self.load(folder) }
    }
  }

  @Test("missing folders and folders without data")
  func missing() throws {
    let folder = try ScratchFolder()
    expectDataFailure("E4001", ["/train", "train/ and test/"]) { _ = try Self.load(folder) }
    try folder.makeFolder("train")
    expectDataFailure("E4001", ["/train", "no .json"]) { _ = try Self.load(folder) }
    try folder.write("train/b.json", text: Self.trainB)
    expectDataFailure("E4003", ["/train", "no example"]) { _ = try Self.load(folder) }
    try folder.makeFolder("train/a.json")
    expectDataFailure("E4002", ["train/a.json", "folder"]) { _ = try Self.load(folder) }
  }

  @Test("no prefix of a file can trap")
  func prefixes() throws {
    let folder = try Self.folder()
    let whole = Array(Self.trainA.utf8)
    for length in 0..<whole.count {
      try folder.write("train/a.json", Array(whole.prefix(length)))
      #expect(throws: Failure.self) { try Self.load(folder) }
    }
  }
}
