import Aggregation
import Base
import Client
import Data
import Fixtures
import Tensor
import Testing

@testable import Federation

/// Images of another size, and weights that were made for another size.
@Suite("Sizes of images")
struct ImageSizeTests {
  private func text(_ weights: String? = nil) -> ScenarioText {
    var text = ScenarioText()
    let file = weights.map { #", "init": { "kind": "file", "path": "\#($0)" }"# } ?? ""
    text.model = #"{ "kind": "vit", "width": 12, "patch": 4, "depth": 1, "heads": 3\#(file) }"#
    return text
  }

  private let data = SmallImages.bytes(train: 24)

  @Test("everything after the reader sees images of the size asked for, styles and crops too")
  func resized() throws {
    var text = text()
    text.resize = #"{ "height": 16, "width": 20 }"#
    text.augment = #"["crop4", "flip"]"#
    text.styles = #"{ "kinds": ["plain", "blur", "rotate180"] }"#
    text.federation = #"{ "clients": 3, "rounds": 1 }"#
    let experiment = try text.experiment(data)
    #expect(experiment.data.train.shape.description == "16×20×3")
    #expect(experiment.network.input.description == "16×20×3")
    #expect(experiment.conditions.contains { $0.contains("images resized to 16×20") })
    #expect(try experiment.trial().trainLoss.allSatisfy(\.isFinite))
    // Styles look at the size that images get.
    text.styles = #"{ "kinds": ["rotate90"] }"#
    expectFailure(.scenarioInvalid, "E3258", ["16×20×3"]) { _ = try text.experiment(data) }
    text.styles = nil
    text.resize = #"{ "height": 4, "width": 4 }"#
    expectFailure(.scenarioInvalid, "E3115", ["crop4", "4×4×3"]) { _ = try text.experiment(data) }
    text.resize = #"{ "height": 10 }"#
    text.augment = "[]"
    expectFailure(.scenarioInvalid, "E3301", ["10×10×3"]) { _ = try text.experiment(data) }
  }

  @Test("memory that images take is that of their new size")
  func memory() throws {
    var text = text()
    let small = try text.experiment(data)
    text.resize = #"{ "height": 40 }"#
    let large = try text.experiment(data)
    for (experiment, pixels) in [(small, 64), (large, 1600)] {
      let part = experiment.baseNeed(threads: 1).parts.first { $0.what == "images" }
      #expect(part?.bytes == Double((24 + 24) * 3 * pixels))
    }
  }

  @Test("positions of a file for another grid are interpolated, which the conditions say")
  func positions() throws {
    let folder = try ScratchFolder()
    let own = try text().experiment(data)
    let layout = own.network.layout
    let vector = layout.initialParameters(.timm, seed: 5)
    try folder.write("own.safetensors", layout.safetensors(vector).encoded())
    let path = folder.at("own.safetensors")
    let same = try text(path).experiment(data)
    #expect(!same.conditions.contains { $0.contains("interpolated") })
    // The same weights under images of 4 by 3 patches.
    var other = text(path)
    other.resize = #"{ "height": 16, "width": 12 }"#
    let wide = try other.experiment(data)
    #expect(
      wide.conditions.contains {
        $0 == "positions of the weights' file interpolated from 2×2 to 4×3 patches "
          + "(bicubic, antialias, as timm)"
      })
    let parameters = wide.context(0, threads: 1).problem.initial
    for entry in wide.network.layout.entries where entry.role != .positions {
      let source = try #require(layout[entry.name])
      #expect(Array(parameters[entry.range]) == Array(vector[source.range]), "\(entry.name)")
    }
    let new = try #require(wide.network.layout["pos_embed"])
    let old = try #require(layout["pos_embed"])
    #expect(parameters[new.range].prefix(12) == vector[old.range].prefix(12))
    #expect(parameters[new.range].allSatisfy { $0 != 0 && abs($0) < 0.2 })
    // A grid of 12 patches is no square: nobody knows how they lay.
    let made = wide.network.layout.safetensors(parameters)
    try folder.write("wide.safetensors", made.encoded())
    let wrong = text(folder.at("wide.safetensors"))
    expectDataFailure("E4080", ["wide.safetensors", "12 patches", "no square", "2×2"]) {
      _ = try wrong.experiment(data)
    }
  }
}
