import Base
import Foundation
import Tensor
import TestSupport
import Testing

/// The file format: what we write, what others write, and what nobody should have written.
///
/// `encoded()` was also read by Python's safetensors 0.8.0 during development: write the bytes of
/// `sample` to a file and compare `safetensors.numpy.load_file(path)`. The standing check is that
/// our bytes of format_plain equal those that Python wrote.
@Suite("Safetensors")
struct SafetensorsTests {
  static let sample = Safetensors(
    items: [
      .init(name: "layer.weight", shape: [2, 3], values: [1, -2, 3.5, 0, .infinity, 0x1p-140]),
      .init(name: "scalar", shape: [], values: [7]),
      .init(name: "empty", shape: [0, 4], values: []),
      .init(name: "ünïcode \"quoted\"\n", shape: [1], values: [-0.0]),
    ], metadata: ["format": "pt", "note": "a \\ b", "a": ""])

  @Test("What we write we read, bit by bit")
  func roundTrip() throws {
    let bytes = Self.sample.encoded()
    let file = try Safetensors(decoding: bytes)
    #expect(file == Self.sample)
    #expect(file.encoded() == bytes)
    let length = bytes[..<8].enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
    #expect(length % 8 == 0 && bytes.count == 8 + length + 4 * 8)
    #expect(try Safetensors(decoding: Safetensors(items: []).encoded()).items.isEmpty)
  }

  @Test("NaN keeps its payload")
  func payload() throws {
    let odd = Float(bitPattern: 0x7FC1_2345)
    let file = Safetensors(items: [.init(name: "n", shape: [1], values: [odd])])
    let back = try Safetensors(decoding: file.encoded())
    #expect(back["n"]?.values.first?.bitPattern == 0x7FC1_2345)
  }

  @Test("Our bytes are those of Python's safetensors")
  func sameBytesAsPython() throws {
    let golden = try GoldenFile("format_plain")
    #expect(golden.file.encoded() == golden.bytes)
    #expect(golden.file["scalar"]?.shape == [] && golden.file["scalar"]?.values == [2.5])
  }

  @Test("Doubles, halves, bfloats and integers are converted")
  func types() throws {
    let file = try GoldenFile("format_types").file
    let numbers: [Float] = [0, -1.5, 0x1p-20, 65504, 0.1, .infinity]
    #expect(file["f32"]?.values == numbers && file["f64"]?.values == numbers)
    #expect(file["f16"]?.values == [0, -1.5, 0x1p-20, 65504, 0x1.998p-4, .infinity])
    #expect(file["bf16"]?.values == [0, -1.5, 0x1p-20, 65536, 0x1.9Ap-4, .infinity])
    #expect(file["i64"]?.values == [3, -7])
    #expect(file["empty"]?.shape == [0, 4])
  }

  @Test("A whole PyTorch state_dict with batch norm's step counters loads")
  func stateDict() throws {
    let file = try GoldenFile("format_state").file
    #expect(file["n1.num_batches_tracked"]?.values == [1])
    let layout = try NetworkRecipe.build(
      "conv conv1 3 3 1 0 0; batch n1", input: FeatureShape(height: 5, width: 5, channels: 2)
    ).layout
    let vector = try layout.parameters(from: file)
    for entry in layout.entries {
      #expect(layout.exported(entry, from: vector) == file[entry.name]?.values)
    }
  }

  @Test("Missing, unknown and misshapen tensors are named")
  func mismatches() throws {
    let layout = try NetworkRecipe.build("dense fc 2 1", input: FeatureShape(features: 3)).layout
    let weight = Safetensors.Item(
      name: "fc.weight", shape: [2, 3], values: [Float](repeating: 1, count: 6))
    let bias = Safetensors.Item(name: "fc.bias", shape: [2], values: [1, 2])
    func message(_ items: [Safetensors.Item]) -> String {
      do {
        _ = try layout.parameters(from: Safetensors(items: items))
        return ""
      } catch { return error.message }
    }
    #expect(message([weight, bias]) == "")
    #expect(message([weight]).contains("lacks fc.bias"))
    let other = Safetensors.Item(name: "head.bias", shape: [1], values: [0])
    #expect(message([weight, bias, other]).contains("unknown head.bias"))
    let turned = Safetensors.Item(name: "fc.weight", shape: [3, 2], values: weight.values)
    #expect(message([turned, bias]).contains("[3, 2]"))
    #expect(message([turned, bias]).contains("[2, 3]"))
  }

  /// A file from a header text and some data bytes.
  private func file(_ header: String, data: Int = 8, length: UInt64? = nil) -> [UInt8] {
    var bytes: [UInt8] = []
    withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { bytes += $0 }
    return bytes + Array(header.utf8) + [UInt8](repeating: 0, count: data)
  }

  @Test(
    "Headers that lie are refused",
    arguments: [
      #"[]"#, #"{"a":{}}"#, #"{"a":1}"#, #"{"a":{"dtype":"F32","shape":[2]}}"#, "{", "",
      #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"#,
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}"#,
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8.5]}}"#,
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[-2,-1],"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":"2","data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807],"#
        + #""data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[2],"#
        + #""data_offsets":[9223372036854775800,9223372036854775807]}}"#,
      #"{"a":{"dtype":"F32","shape":[1e300],"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,  // four bytes too many
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,  // a hole in front
      // The same bytes twice.
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"#
        + #""data_offsets":[0,8]}}"#,
      #"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"#
        + #""a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#,
    ])
  func hostile(header: String) {
    #expect(throws: Safetensors.FormatError.self) { try Safetensors(decoding: self.file(header)) }
  }

  @Test("Header lengths that lie are refused", arguments: [0, 1, 56, 58, 1 << 40, .max as UInt64])
  func lengths(length: UInt64) {
    let header = #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}   "#
    #expect(header.utf8.count == 57)
    #expect(throws: Never.self) { try Safetensors(decoding: self.file(header)) }
    #expect(throws: Safetensors.FormatError.self) {
      try Safetensors(decoding: self.file(header, length: length))
    }
  }

  @Test("Every cut of a file is refused")
  func cuts() {
    let bytes = Self.sample.encoded()
    for count in 0..<bytes.count {
      #expect(throws: Safetensors.FormatError.self) {
        try Safetensors(decoding: Array(bytes[..<count]))
      }
    }
  }

  @Test("Five thousand damaged files give an error or a file, never a trap")
  func fuzz() {
    let original = Self.sample.encoded()
    let length = Int(original[0]) + Int(original[1]) << 8
    let interesting = Array(#"0123456789-+.eE[]{}",:\F6 "#.utf8) + [0, 0x7F, 0x80, 0xFF]
    var stream = RandomStream(seed: 1, .test)
    var refused = 0
    for _ in 0..<5000 {
      var bytes = original
      for _ in 0...stream.below(4) {
        // Mostly in the header, where structure is.
        let place = stream.below(stream.below(8) == 0 ? bytes.count : min(bytes.count, 8 + length))
        switch stream.below(5) {
        case 0: bytes[place] = interesting[stream.below(interesting.count)]
        case 1: bytes[place] ^= 1 << UInt8(stream.below(8))
        case 2: bytes.remove(at: place)
        case 3: bytes.insert(interesting[stream.below(interesting.count)], at: place)
        default:
          let end = min(bytes.count, place + stream.below(20))
          bytes.replaceSubrange(place..<end, with: bytes[place..<end].reversed())
        }
      }
      do {
        let file = try Safetensors(decoding: bytes)
        for item in file.items { #expect(item.values.count == item.shape.reduce(1, *)) }
      } catch {
        refused += 1
        #expect(!error.message.isEmpty)
      }
    }
    // Most damage breaks the header; damage to names and values gives other files.
    #expect(refused > 2500 && refused < 5000)
  }
}
