import Base
import Client
import Data
import Federation
import Scenario
import Tensor
import Testing

/// A scenario as text, in pieces that tests vary; what is not varied is small and fast.
package struct ScenarioText {
  package var seeds = "[1]"
  /// Classes of the images in memory, as far as the scenario's validation knows.
  package var classes = 3
  package var partition = #"{ "kind": "iid" }"#
  package var augment = "[]"
  package var normalize = "none"
  package var localTest = "{}"
  /// Sections that most tests leave out.
  package var publicSet: String?
  package var styles: String?
  package var resize: String?
  package var clientModels: String?
  package var system: String?
  package var limits: String?
  package var federation = #"{ "clients": 3, "rounds": 2 }"#
  package var model = #"{ "kind": "mlp", "hidden": [6] }"#
  package var work = #"{ "epochs": 2 }"#
  package var batch = 4
  package var order = "sequential"
  package var optimizer = Optimizers.plain
  package var schedule = #"{ "kind": "constant" }"#
  package var strategies = [#"{ "kind": "fedavg" }"#]
  package var evaluation = #"{ "every": 1 }"#
  package var output = #"{ "checkpointEvery": 2 }"#

  /// Local optimizers used by many tests.
  package enum Optimizers {
    package static let plain =
      #"{ "kind": "sgd", "learningRate": 0.1, "momentum": 0, "weightDecay": 0 }"#
    package static let momentum = """
      { "kind": "sgd", "learningRate": 0.05, "momentum": 0.9, "weightDecay": 0.01 }
      """
    package static let nesterov = """
      { "kind": "sgd", "learningRate": 0.05, "momentum": 0.8, "nesterov": true,
        "weightDecay": 0.02 }
      """
  }

  package init() {}

  package init(seeds: String = "[1]", partition: String) {
    self.seeds = seeds
    self.partition = partition
  }

  /// The scenario's JSON text.
  package var json: String {
    """
    {
      "fedsim": 1, "name": "test", "seeds": \(seeds),
      "data": {
        "dataset": { "kind": "synthetic", "classes": \(classes) },
        "partition": \(partition), "augment": \(augment),
        "normalize": "\(normalize)", "test": \(localTest)\(member("public", publicSet))\(
          member("styles", styles))\(member("resize", resize))
      }\(member("clientModels", clientModels))\(
        member("system", system))\(member("limits", limits)),
      "federation": \(federation), "model": \(model),
      "client": {
        "work": \(work), "batch": \(batch), "order": "\(order)", "optimizer": \(optimizer),
        "schedule": \(schedule)
      },
      "strategies": [\(strategies.joined(separator: ", "))],
      "evaluation": \(evaluation), "output": \(output)
    }
    """
  }

  private func member(_ name: String, _ value: String?) -> String {
    value.map { #", "\#(name)": \#($0)"# } ?? ""
  }

  /// What the reader makes of it; a text that is refused fails the test.
  package func reading(sourceLocation: SourceLocation = #_sourceLocation) throws -> ScenarioReading
  {
    let reading = ScenarioReader().read(bytes: Array(json.utf8), file: "test.json")
    for problem in reading.errors {
      Issue.record("\(problem.path): \(problem.message)", sourceLocation: sourceLocation)
    }
    return reading
  }

  /// What the reader finds wrong or doubtful.
  package var problems: [Problem] {
    ScenarioReader().read(bytes: Array(json.utf8), file: "test.json").problems
  }

  /// The experiment on images in memory: the text's data set is not read.
  package func experiment(_ data: LabelledData) throws -> Experiment {
    try Experiment(try #require(try reading().scenario), data: data)
  }

  /// One strategy of a kind with some of its fields, as JSON members.
  package static func strategy(_ kind: String, _ fields: String = "") -> String {
    #"{ "kind": "\#(kind)"\#(fields.isEmpty ? "" : ", " + fields) }"#
  }

  /// Fields that make a method's work small, for tests that run every method.
  private static let small = [
    "fedmd": #""publicEpochs": 1, "privateEpochs": 1"#,
    "feddf": #""steps": 6, "checkEvery": 3, "validationShare": 0.3"#,
  ]

  /// Any strategy of the registry, with little work.
  package static func registered(_ kind: String) -> String { strategy(kind, small[kind] ?? "") }

  /// A public set for tests that run every method, which those without a use for it pass over, and
  /// the images that the data need beyond those of the partition file.
  package static let somePublic = (json: #"{ "size": 9 }"#, count: 9, spareImages: 24)
}

/// A partition file that gives consecutive images to clients of the sizes stated.
package struct PartitionFile {
  package let folder: ScratchFolder
  /// The clients' images.
  package let clients: [[Int]]

  /// Client k holds `sizes[k]` images, in an order that is not ascending.
  package init(sizes: [Int]) throws {
    var next = 0
    try self.init(
      clients: sizes.map { size in
        defer { next += size }
        return Array((next..<next + size).reversed())
      })
  }

  /// Who holds what, in this order.
  package init(clients: [[Int]]) throws {
    self.clients = clients
    folder = try ScratchFolder()
    try folder.write("partition.json", text: #"{ "clients": \#(clients) }"#)
  }

  /// The scenario's entry.
  package var json: String { #"{ "kind": "file", "path": "\#(folder.at("partition.json"))" }"# }
}

/// Small random images whose label shows in their mean, so that a few steps learn something.
package enum SmallImages {
  /// Float images from a seeded stream: N(0, 1)-like noise plus a shift by label.
  package static func floats(
    train: Int, test: Int = 24,
    shape: FeatureShape = FeatureShape(height: 3, width: 4, channels: 2), classes: Int = 3
  ) -> LabelledData {
    LabelledData(
      title: "small floats", train: set(train, shape, classes, part: 1) { .floats($0) },
      test: set(test, shape, classes, part: 2) { .floats($0) })
  }

  /// The same images as bytes.
  package static func bytes(
    train: Int, test: Int = 24,
    shape: FeatureShape = FeatureShape(height: 8, width: 8, channels: 3), classes: Int = 3
  ) -> LabelledData {
    let quantised: ([Float]) -> ImageSet.Pixels = { values in
      .bytes(values.map { UInt8(min(255, max(0, 128 + 50 * $0))) })
    }
    return LabelledData(
      title: "small bytes", train: set(train, shape, classes, part: 1, quantised),
      test: set(test, shape, classes, part: 2, quantised))
  }

  private static func set(
    _ count: Int, _ shape: FeatureShape, _ classes: Int, part: Int,
    _ pixels: ([Float]) -> ImageSet.Pixels
  ) -> ImageSet {
    var stream = RandomStream(seed: 2024, .test, round: part)
    let labels = (0..<count).map { _ in Int32(stream.below(classes)) }
    let values = labels.flatMap { label in
      (0..<shape.count).map { position in
        let sign: Double = position % classes == Int(label) ? 0.8 : -0.2
        return Float(sign + 2 * (stream.uniform() + stream.uniform() - 1))
      }
    }
    return ImageSet(shape: shape, pixels: pixels(values), labels: labels, classes: classes)
  }
}
