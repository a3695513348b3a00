import Federation
import Fixtures
import Tensor
import Testing

/// Weights that no network can have are refused wherever they are loaded, with their tensor.
@Suite("Weights that are no numbers")
struct WeightFileTests {
  private static let network = try? Network(
    ModelSpec(kind: .cnn, width: 4, norm: .batch),
    input: FeatureShape(height: 8, width: 8, channels: 1), classes: 3)

  @Test(
    "NaN, infinities and doubles too large for 32 bits are refused with tensor and place",
    arguments: [Float.nan, .infinity, -.infinity])
  func values(value: Float) throws {
    let layout = try #require(Self.network).layout
    let file = layout.safetensors([Float](repeating: 0.5, count: layout.count))
    for index in file.items.indices {
      var damaged = file
      let place = damaged.items[index].values.count - 1
      damaged.items[index].values[place] = value
      let error = #expect(throws: Safetensors.FormatError.self) {
        try layout.parameters(from: damaged)
      }
      #expect(error?.message.contains(file.items[index].name) == true)
      #expect(error?.message.contains("place \(place)") == true)
    }
  }

  @Test("a negative variance is refused, a negative mean is not")
  func variances() throws {
    let layout = try #require(Self.network).layout
    let file = layout.safetensors([Float](repeating: 0.5, count: layout.count))
    var seen = 0
    for index in file.items.indices where file.items[index].name.contains("running_") {
      var damaged = file
      damaged.items[index].values[0] = -1
      seen += 1
      if file.items[index].name.hasSuffix("running_var") {
        #expect(throws: Safetensors.FormatError.self) { try layout.parameters(from: damaged) }
      } else {
        _ = try layout.parameters(from: damaged)
      }
    }
    #expect(seen > 1)
  }

  @Test("an experiment that starts from such a file is refused before anything is written")
  func initialFile() throws {
    let folder = try ScratchFolder()
    var text = ScenarioText()
    let data = SmallImages.floats(train: 12)
    let layout = try text.experiment(data).network.layout
    var file = layout.safetensors([Float](repeating: 0.5, count: layout.count))
    text.federation = #"{ "clients": 3, "rounds": 0 }"#
    text.model = """
      { "kind": "mlp", "hidden": [6],
        "init": { "kind": "file", "path": "\(folder.at("w.safetensors"))" } }
      """
    try folder.write("w.safetensors", file.encoded())
    _ = try text.experiment(data)
    file.items[1].values[0] = .nan
    try folder.write("w.safetensors", file.encoded())
    expectDataFailure("E4080", ["w.safetensors", file.items[1].name, "nan"]) {
      _ = try text.experiment(data)
    }
  }
}
