private func top(_ text: String) -> String { scenario(top: text) }
private func privacy(_ text: String) -> String { top("\"privacy\": {\(text)}") }

/// Privacy that does not fit itself, the method or the network.
let wrongPrivacy: [WrongScenario] = [
  .init("E3330", "$.privacy", 6, privacy("\"unit\": \"example\"")),
  .init(
    "E3331", "$.privacy.errorCap", 6,
    privacy(
      "\"unit\": \"example\", \"mechanism\": \"dice-sgd\", \"noiseMultiplier\": 1, "
        + "\"errorCap\": 0.5")),
  .init(
    "E3331", "$.privacy.accounting", 6,
    privacy(
      "\"unit\": \"example\", \"mechanism\": \"dice-sgd\", \"noiseMultiplier\": 1, "
        + "\"accounting\": \"strict\"")),
  .init(
    "E3332", "$.privacy.placement", 6,
    privacy(
      "\"unit\": \"client\", \"mechanism\": \"dice-sgd\", \"noiseMultiplier\": 1, "
        + "\"placement\": \"local\""), suggest: "\"server\""),
  .init(
    "E3332", "$.privacy.clipping", 6,
    privacy(
      "\"unit\": \"client\", \"clipping\": \"adaptive\", \"noiseMultiplier\": 1, "
        + "\"placement\": \"local\""), suggest: "\"flat\""),
  .init(
    "E3333", "$.strategies[0]", 5,
    top(
      "\"model\": {\"norm\": \"batch\"}, \"privacy\": {\"unit\": \"example\", "
        + "\"noiseMultiplier\": 1}")),
  .init(
    "E3372", "$.privacy.target.delta", 6,
    privacy("\"unit\": \"example\", \"delta\": 1e-5, \"target\": {\"epsilon\": 8, \"delta\": 1e-6}")
  ),
]
