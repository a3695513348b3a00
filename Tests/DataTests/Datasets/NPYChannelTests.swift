import Base
import Client
import Data
import Fixtures
import Tensor
import Testing

@Suite("Channels of npy images")
struct NPYChannelTests {
  /// Two sets of three images each, `sizes` height, width and channels.
  private func folder(_ sizes: [Int], _ place: ChannelPlace, _ type: String) throws -> ScratchFolder
  {
    let (height, width, channels) = (sizes[0], sizes[1], sizes[2])
    let folder = try ScratchFolder()
    func value(_ image: Int, _ row: Int, _ column: Int, _ channel: Int) -> UInt8 {
      UInt8(truncatingIfNeeded: image * 101 + row * 37 + column * 11 + channel * 59)
    }
    for part in ["train", "test"] {
      var values: [UInt8] = []
      for image in 0..<3 {
        switch place {
        case .last:
          for row in 0..<height {
            for column in 0..<width {
              for channel in 0..<channels { values.append(value(image, row, column, channel)) }
            }
          }
        case .first:
          for channel in 0..<channels {
            for row in 0..<height {
              for column in 0..<width { values.append(value(image, row, column, channel)) }
            }
          }
        }
      }
      let bytes =
        type == "|u1"
        ? values : values.map { Float($0) - 100 }.withUnsafeBytes { Array($0) }
      let axes = place == .last ? sizes : [channels, height, width]
      let text = "(3, \(axes.map(String.init).joined(separator: ", ")))"
      try folder.write("x_\(part).npy", NPYFile.npy(type, text, bytes))
      try folder.write("y_\(part).npy", NPYFile.npy("|u1", "(3,)", [0, 1, 0]))
    }
    return folder
  }

  /// What is read of such a folder.
  private func load(
    _ sizes: [Int], _ place: ChannelPlace, _ type: String, as channels: ChannelPlace? = nil
  ) throws -> LabelledData {
    let folder = try folder(sizes, place, type)
    defer { withExtendedLifetime(folder) {} }
    return try DatasetReader.load(.npy(path: folder.path, channels: channels))
  }

  @Test(
    "the same images have the same hash, whichever axis has the channels",
    arguments: [[5, 6, 3], [28, 28, 1], [2, 7, 3], [8, 5, 3]], ["|u1", "<f4"])
  func layouts(sizes: [Int], type: String) throws {
    let last = try load(sizes, .last, type)
    let first = try load(sizes, .first, type)
    #expect(first.train.shape == last.train.shape)
    #expect(first.train.hash == last.train.hash)
    #expect(first.test.hash == last.test.hash)
    #expect(first.remarks.isEmpty, "\(first.remarks)")
  }

  @Test("a field decides where the sizes alone mislead, and nothing is doubtful then")
  func field() throws {
    // A series of 12 steps with 9 values each, in one row.
    let told = try load([1, 12, 9], .last, "<f4")
    #expect(told.train.shape.description == "12×9×1")
    #expect(told.remarks.contains { $0.contains("data.dataset.channels") && $0.contains("last") })
    let meant = try load([1, 12, 9], .last, "<f4", as: .last)
    #expect(meant.train.shape.description == "1×12×9")
    #expect(meant.remarks.isEmpty, "\(meant.remarks)")
    // Three by three by three: last by the rule, and it is said.
    let read = try load([3, 3, 3], .first, "|u1")
    #expect(read.remarks.contains { $0.contains("to \"first\"") }, "\(read.remarks)")
    let planes = try load([3, 3, 3], .first, "|u1", as: .first)
    #expect(planes.remarks.isEmpty)
    #expect(planes.train.hash != read.train.hash)
    let same = try load([3, 3, 3], .last, "|u1")
    #expect(planes.train.hash == same.train.hash)
  }

  @Test("names of classes are read, follow the classes, and must be as many")
  func names() throws {
    let folder = try folder([4, 5, 3], .last, "|u1")
    #expect(try DatasetReader.load(.npy(path: folder.path)).classNames == [])
    try folder.write("classes.txt", text: "grey cat\r\ndog\n")
    #expect(try DatasetReader.load(.npy(path: folder.path)).classNames == ["grey cat", "dog"])
    try folder.write("classes.txt", text: "cat\ndog\ncow\n")
    expectDataFailure("E4005", ["classes.txt", "3 names", "2 classes"]) {
      _ = try DatasetReader.load(.npy(path: folder.path))
    }
    for part in ["train", "test"] {
      try folder.write("y_\(part).npy", NPYFile.npy("|u1", "(3,)", [0, 1, 2]))
    }
    let data = try DatasetReader.load(.npy(path: folder.path))
    #expect(try data.withoutClasses([1]).classNames == ["cat", "cow"])
    #expect(try data.onlyClasses([1, 2]).classNames == ["dog", "cow"])
  }
}
