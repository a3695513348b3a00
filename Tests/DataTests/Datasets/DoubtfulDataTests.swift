import Base
import Client
import Data
import Federation
import Fixtures
import Tensor
import Testing

/// Data that can be read and cannot be meant, or that lack something.
@Suite("Doubtful data")
struct DoubtfulDataTests {
  private func npy(
    train shape: [Int], type: String = "|u1", labels: [UInt8], labelType: String = "|u1"
  ) throws -> ScratchFolder {
    let folder = try ScratchFolder()
    let width = type == "|u1" ? 1 : 4
    for part in ["train", "test"] {
      let text = "(" + shape.map { "\($0)," }.joined() + ")"
      let values = [UInt8](repeating: 0, count: width * shape.reduce(1, *))
      try folder.write("x_\(part).npy", NPYFile.npy(type, text, values))
      try folder.write("y_\(part).npy", NPYFile.npy(labelType, "(\(shape[0]),)", labels))
    }
    return folder
  }

  @Test("shapes that may be meant are read, with a word where they look odd")
  func axes() throws {
    for (shape, isOdd) in [
      ([2, 8, 8, 3], false), ([2, 8, 8, 8], false), ([2, 3, 8, 12], false), ([2, 1, 8, 8], false),
      ([2, 1, 8, 9], true), ([2, 4, 8, 8], true), ([2, 3, 8, 3], true), ([2, 1, 8, 3], false),
      ([2, 1, 8, 1], false),
    ] {
      let data = try NPYTests.load(npy(train: shape, type: "<f4", labels: [0, 1]))
      #expect(data.remarks.contains { $0.contains("channels") } == isOdd, "\(shape)")
    }
  }

  @Test("one label far beyond the images is refused, not given a matrix of its square")
  func classes() throws {
    let folder = try npy(train: [2, 4], labels: [0, 0, 0x10, 0x27], labelType: "<i2")
    expectDataFailure("E4013", ["y_train.npy", "10000", "2 training images"]) {
      _ = try NPYTests.load(folder)
    }
    // A thousand classes are believed.
    let believed = try npy(train: [2, 4], labels: [0, 0, 0xE7, 3], labelType: "<i2")
    let data = try NPYTests.load(believed)
    #expect(data.train.classes == 1000)
    #expect(data.remarks.contains { $0.contains("and 988 more (998 of 1000)") })
    let leaf = try ScratchFolder()
    let text = """
      {"users":["a"],"num_samples":[2],"user_data":{"a":{"x":[[1],[2]],"y":[0,99999]}}}
      """
    for part in ["train", "test"] { try leaf.write("\(part)/a.json", text: text) }
    expectDataFailure("E4013", ["100000 classes"]) {
      _ = try DatasetReader.load(.leaf(path: leaf.path))
    }
  }

  @Test("labels of another type say whether they could be cast, and what to do for each type")
  func labelTypes() throws {
    func bytes<T>(_ values: [T]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }
    for (type, labels, words) in [
      ("<f4", bytes([1, 2] as [Float]), ["all of them are whole", "astype(numpy.int64)"]),
      ("<f4", bytes([1, 0.5] as [Float]), ["value 1 is 0.5", "no class"]),
      ("<f8", bytes([-1, 0] as [Double]), ["value 0 is -1.0", "no class"]),
      ("<f8", bytes([.nan, 0] as [Double]), ["value 0 is nan", "no class"]),
      ("<U3", [UInt8](repeating: 65, count: 24), ["<U3", "numpy.unique"]),
      ("|O", [1, 2], ["objects"]), ("|b1", [1, 0], ["astype(numpy.uint8)"]),
      ("<u8", bytes([1, 0] as [UInt64]), ["astype(numpy.int64)"]),
      (">i4", bytes([1, 0] as [Int32]), ["big-endian"]),
    ] {
      let folder = try npy(train: [2, 4], labels: [0, 1])
      try folder.write("y_train.npy", NPYFile.npy(type, "(2,)", labels))
      expectDataFailure("E4008", ["y_train.npy"] + words) { _ = try NPYTests.load(folder) }
    }
  }

  @Test("a file that is too long is not called cut")
  func tooLong() throws {
    let folder = try npy(train: [2, 4], labels: [0, 1])
    try folder.write("x_train.npy", NPYFile.npy("|u1", "(2, 4)", [UInt8](repeating: 0, count: 9)))
    expectDataFailure("E4003", ["9 bytes", "needs 8", "more than its header says"]) {
      _ = try NPYTests.load(folder)
    }
    try folder.write("x_train.npy", NPYFile.npy("|u1", "(2, 4)", [1]))
    expectDataFailure("E4003", ["may be cut"]) { _ = try NPYTests.load(folder) }
  }

  @Test("classes that training or test lack are said of every data set")
  func absentClasses() throws {
    let shape = FeatureShape(features: 1)
    func images(_ labels: [Int32]) -> ImageSet {
      let pixels = [UInt8](repeating: 0, count: labels.count)
      return ImageSet(shape: shape, pixels: .bytes(pixels), labels: labels, classes: 4)
    }
    let data = LabelledData(title: "", train: images([0, 1, 3]), test: images([1]))
    #expect(
      data.remarks == [
        "no training image is of class 2", "no test image is of class 0, 2, 3 (3 of 4)",
      ])
    #expect(
      LabelledData(title: "", train: images([0, 1, 2, 3]), test: images([3, 2, 1, 0])).remarks
        .isEmpty)
    var text = ScenarioText()
    text.federation = #"{ "clients": 1, "rounds": 1 }"#
    let warnings = try text.experiment(data).warnings
    #expect(warnings.contains("no test image is of class 0, 2, 3 (3 of 4)"))
    #expect(warnings.contains("seed 1: no client holds an image of class 2"))
  }

  @Test(
    "changes that cannot be made to the images are refused at the scenario's field",
    arguments: [
      ("crop4", FeatureShape(features: 24)), ("flip", FeatureShape(features: 24)),
      ("crop4", FeatureShape(height: 1, width: 1, channels: 3)),
      ("crop4", FeatureShape(height: 4, width: 9, channels: 1)),
      ("flip", FeatureShape(height: 24, width: 1, channels: 1)),
    ])
  func augmentation(kind: String, shape: FeatureShape) throws {
    var text = ScenarioText()
    text.augment = "[\"\(kind)\"]"
    let data = SmallImages.floats(train: 9, shape: shape)
    expectFailure(.scenarioInvalid, "E3115", ["$.data.augment", kind, shape.description]) {
      _ = try text.experiment(data)
    }
    text.augment = "[]"
    _ = try text.experiment(data)
  }

  @Test("styles that change nothing on one column are refused")
  func styles() throws {
    var text = ScenarioText()
    text.styles = #"{ "kinds": ["flip"] }"#
    let shape = FeatureShape(height: 24, width: 1, channels: 1)
    expectFailure(.scenarioInvalid, "E3258", ["flip", "one column"]) {
      _ = try text.experiment(SmallImages.floats(train: 9, shape: shape))
    }
  }
}
