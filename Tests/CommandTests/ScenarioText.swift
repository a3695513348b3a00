import Base
import Foundation
import Testing

/// Texts of small scenarios.
enum ScenarioText {
  /// A run of a tenth of a second: 200 synthetic images, four clients, two rounds.
  static func tiny(
    top: String = "", dataset: String = synthetic, data: String = "",
    federation: String = "\"clients\": 4, \"rounds\": 2", model: String = model,
    client: String = client, strategies: String = "[ { \"kind\": \"fedavg\" } ]"
  ) -> String {
    """
    { "fedsim": 1, "seeds": [1],\(top)
      "data": { "dataset": \(dataset)\(data) },
      "federation": { \(federation) },
      "model": \(model),
      "client": \(client),
      "strategies": \(strategies) }
    """
  }

  static let synthetic = #"{ "kind": "synthetic", "trainPerClass": 20, "testPerClass": 5 }"#
  static let model = #"{ "kind": "cnn", "width": 4, "dropout": [] }"#
  static let client = #"{ "batch": 10, "optimizer": { "kind": "sgd", "learningRate": 0.05 } }"#

  /// A run of some seconds when nobody stops it, with two methods that remember.
  static func long(rounds: Int) -> String {
    tiny(
      top: "\"output\": { \"checkpointEvery\": 3 },",
      federation: "\"clients\": 4, \"rounds\": \(rounds), \"participation\": 0.5",
      strategies: "[ { \"kind\": \"scaffold\" }, { \"kind\": \"fedper\" } ]")
  }
}

extension Program.Outcome {
  /// The one JSON object on stdout; anything else there is a failure.
  func json(sourceLocation: SourceLocation = #_sourceLocation) throws -> JSON {
    let json = try #require(
      try? JSON(parsing: Array(stdout.utf8)), "not one JSON text: \(text)",
      sourceLocation: sourceLocation)
    #expect(json.members != nil, "not an object: \(text)", sourceLocation: sourceLocation)
    return json
  }
}
