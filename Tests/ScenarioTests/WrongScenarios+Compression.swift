private func compression(_ text: String) -> String { scenario(top: "\"compression\": {\(text)}") }

/// Compression that does not fit itself or the method.
let wrongCompression: [WrongScenario] = [
  .init(
    "E3340", "$.compression.uplink.scope", 6,
    compression("\"uplink\": {\"kind\": \"topk\", \"layerwise\": {}}"), suggest: "\"tensor\""),
  .init(
    "E3340", "$.compression.downlink.layerwise", 6,
    compression("\"downlink\": {\"kind\": \"quantize\", \"layerwise\": {}}")),
  .init(
    "E3340", "$.compression.uplink.selection", 6,
    compression("\"uplink\": {\"kind\": \"topk\", \"block\": 4, \"selection\": \"sampled\"}"),
    suggest: "\"exact\""),
]
