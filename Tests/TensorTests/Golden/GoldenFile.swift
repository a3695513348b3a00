import Foundation
import Tensor
import TestSupport
import Testing

/// One file that make_golden.py wrote.
struct GoldenFile: CustomStringConvertible {
  let name: String
  let file: Safetensors
  /// The bytes as they lie on disk.
  let bytes: [UInt8]
  var description: String { name }

  /// Reads data/NAME.safetensors.
  init(_ name: String) throws {
    self.name = name
    let url = Self.folder.appendingPathComponent(name + ".safetensors")
    bytes = Array(try Data(contentsOf: url))
    file = try Safetensors(decoding: bytes)
  }

  /// The names of all files with a prefix.
  static func names(_ prefix: String) -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return files.filter { $0.hasPrefix(prefix) }.map { String($0.dropLast(12)) }.sorted()
  }

  private static let folder =
    Bundle.module.resourceURL?.appendingPathComponent("data") ?? URL(fileURLWithPath: ".")

  /// A tensor's values in the order of the file.
  func floats(_ key: String) throws -> [Float] { try #require(file[key], "\(name): \(key)").values }

  /// A tensor's values for comparing with.
  func doubles(_ key: String) throws -> [Double] { try floats(key).map(Double.init) }

  /// Labels, which the file stores as floats.
  func labels() throws -> [Int] { try floats("labels").map { Int($0) } }

  /// A text of the metadata.
  func text(_ key: String) throws -> String { try #require(file.metadata[key], "\(name): \(key)") }

  /// A number of the metadata.
  func number(_ key: String) throws -> Double { try #require(Double(text(key)), "\(name): \(key)") }

  /// An integer of the metadata.
  func int(_ key: String) throws -> Int { Int(try number(key)) }

  /// The size of an example.
  func shape() throws -> FeatureShape {
    FeatureShape(height: try int("height"), width: try int("width"), channels: try int("channels"))
  }

  /// The network that the metadata describe.
  func network() throws -> Network {
    if let recipe = file.metadata["recipe"] {
      return try NetworkRecipe.build(recipe, input: shape())
    }
    let norm = try text("norm").split(separator: ":")
    let kind = try #require(ModelSpec.Kind(rawValue: text("kind")))
    var spec = ModelSpec(
      kind: kind, width: try int("model_width"),
      hidden: try text("hidden").split(separator: " ").compactMap { Int($0) },
      norm: norm[0] == "batch"
        ? .batch : norm[0] == "group" ? .group(groups: try #require(Int(norm[1]))) : .none,
      patch: try kind == .vit ? int("patch") : 1, depth: try kind == .vit ? int("depth") : 1,
      heads: try kind == .vit ? int("heads") : 1,
      mlpRatio: try kind == .vit ? number("mlp_ratio") : 1)
    if kind == .sequential {
      spec.layers = try text("layers").split(separator: ";").map(Self.layer)
    }
    return try Network(spec, input: shape(), classes: int("classes"))
  }

  private struct UnknownLayer: Error { let text: String }

  /// `conv channels kernel stride padding`, `max kernel stride padding`, `dense units`.
  private static func layer(_ text: Substring) throws -> ModelSpec.Layer {
    let words = text.split(separator: " ")
    let sizes = words.dropFirst().compactMap { Int($0) }
    func window(_ at: Int) -> ModelSpec.Window {
      ModelSpec.Window(kernel: sizes[at], stride: sizes[at + 1], padding: sizes[at + 2])
    }
    switch (words[0], sizes.count) {
    case ("conv", 4): return .convolution(channels: sizes[0], window: window(1))
    case ("max", 3): return .maximum(window(0))
    case ("dense", 1): return .dense(units: sizes[0])
    default: throw UnknownLayer(text: String(text))
    }
  }

  /// The tensors whose names start with `prefix`, with the rest of their names, as a file of
  /// PyTorch's `state_dict`.
  func tensors(_ prefix: String) -> Safetensors {
    Safetensors(
      items: file.items.filter { $0.name.hasPrefix(prefix) }.map {
        .init(name: String($0.name.dropFirst(prefix.count)), shape: $0.shape, values: $0.values)
      })
  }

  /// A batch of NCHW images as channels-last examples.
  func images(_ key: String) throws -> [Float] {
    let item = try #require(file[key], "\(name): \(key)")
    let (batch, channels) = (item.shape[0], item.shape[1])
    let positions = item.shape[2] * item.shape[3]
    var values = item.values
    for n in 0..<batch {
      for c in 0..<channels {
        for p in 0..<positions {
          values[(n * positions + p) * channels + c] =
            item.values[(n * channels + c) * positions + p]
        }
      }
    }
    return values
  }
}
