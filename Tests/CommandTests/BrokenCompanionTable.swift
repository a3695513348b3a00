import Tensor

/// A tiny scenario whose clients are listed in `p.json`.
private let partitioned = ScenarioText.tiny(
  data: #", "partition": { "kind": "file", "path": "p.json" }"#,
  federation: "\"clients\": 2, \"rounds\": 1")

private func partition(_ what: String, _ says: [String], _ text: String?) -> WrongInput {
  WrongInput("partition file: " + what, 4, ["p.json"] + says, partitioned) { folder in
    if let text { try folder.write("p.json", text) }
  }
}

/// A tiny scenario that starts from the weights in `w.safetensors`.
private let initialised = ScenarioText.tiny(
  model: """
    { "kind": "cnn", "width": 4, "dropout": [],
      "init": { "kind": "file", "path": "w.safetensors" } }
    """)

private func weights(_ what: String, _ says: [String], _ bytes: [UInt8]?) -> WrongInput {
  WrongInput("weights: " + what, 4, ["w.safetensors"] + says, initialised) { folder in
    if let bytes { try folder.write("w.safetensors", bytes) }
  }
}

private func header(_ json: String) -> [UInt8] {
  let text = Array(json.utf8)
  return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
}

private let foreign = Safetensors(
  items: [Safetensors.Item(name: "fc.weight", shape: [2, 2], values: [1, 2, 3, 4])], metadata: [:]
).encoded()

/// Files beside the data: who holds which image, and what weights to start from.
let brokenCompanions: [WrongInput] = [
  partition("missing", ["no such file"], nil), partition("empty", ["empty"], ""),
  partition("not JSON", ["line 1"], "0 1 2"),
  partition("cut", ["line"], "{\"clients\": [[0, 1], [2"),
  partition("no clients", ["\"clients\""], "{\"users\": []}"),
  partition("clients of another type", ["\"clients\""], "{\"clients\": 3}"),
  partition("too few clients", ["1 clients", "federation.clients"], "{\"clients\": [[0, 1]]}"),
  partition("an image twice", ["image 1", "client 0"], "{\"clients\": [[0, 1], [1, 2]]}"),
  partition("out of range", ["image 200", "0 to 199"], "{\"clients\": [[0], [200]]}"),
  partition("negative", ["image -1"], "{\"clients\": [[0], [-1]]}"),
  partition("half an image", ["client 1", "index"], "{\"clients\": [[0], [1.5]]}"),
  partition("a huge index", ["client 0"], "{\"clients\": [[1e300], [1]]}"),
  partition("text", ["client 1"], "{\"clients\": [[0], [\"1\"]]}"),
  partition("a client that is no list", ["client 1"], "{\"clients\": [[0], 1]}"),
  weights("missing", ["no such file"], nil), weights("empty", [], []),
  weights("not safetensors", [], Array("PK\u{3}\u{4} a PyTorch archive, not safetensors".utf8)),
  weights("another model's", ["PyTorch's names and shapes"], foreign),
  weights("cut header", [], Array(foreign.prefix(40))),
  weights("cut values", [], Array(foreign.dropLast(5))),
  weights("a header of 2^60 bytes", [], [0, 0, 0, 0, 0, 0, 0, 16, 1]),
  weights(
    "a tensor beyond its file", [],
    header(#"{"fc.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,1000]}}"#)),
  weights(
    "a shape beyond counting", [],
    header(#"{"a":{"dtype":"F32","shape":[4000000000,4000000000,9],"data_offsets":[0,4]}}"#) + [
      0, 0, 0, 0,
    ]),
]
