private func top(_ text: String) -> String { scenario(top: text) }
private func system(_ text: String) -> String { top("\"system\": {\(text)}") }

/// Clocks that do not fit themselves or the methods.
let wrongSystems: [WrongScenario] = [
  .init("E3102", "$.system", 6, top("\"system\": null")),
  .init("E3101", "$.system.speed", 6, system("\"speed\": 1"), suggest: "\"compute\""),
  .init("E3114", "$.system.compute.speed", 6, system("\"compute\": {\"speed\": \"20 Gflops\"}")),
  .init("E3114", "$.system.deadline", 6, system("\"deadline\": \"60\""), suggest: "60"),
  .init("E3103", "$.system.deadline", 6, system("\"deadline\": 0")),
  .init("E3103", "$.system.dropout", 6, system("\"dropout\": 1")),
  .init("E3103", "$.system.overSelection", 6, system("\"overSelection\": 0.5")),
  .init("E3102", "$.system.network.up", 6, system("\"network\": {\"up\": true}")),
  .init("E3104", "$.system.availability.rate", 6, system("\"availability\": \"rate\"")),
  .init(
    "E3105", "$.system.compute.kind", 6, system("\"compute\": {\"kind\": \"log-normal\"}"),
    suggest: "\"lognormal\""),
  .init("E3360", "$.system.compute", 6, system("\"compute\": {\"kind\": \"table\"}")),
  .init(
    "E3106", "$.system.compute.values", 6,
    system("\"compute\": {\"kind\": \"table\", \"path\": \"s.txt\", \"values\": [1]}")),
  .init(
    "E3361", "$.system.compute.values", 6,
    system("\"compute\": {\"kind\": \"table\", \"values\": [1, \"2 GFLOP/s\"]}")),
  .init("E3362", "$.system.stragglers", 6, system("\"stragglers\": \"partial\"")),
  .init("E3363", "$.strategies[0]", 5, clientPrivacy("\"deadline\": \"60 s\"")),
  .init("E3363", "$.strategies[0]", 5, clientPrivacy("\"overSelection\": 2")),
  .init(
    "E3363", "$.strategies[0]", 5,
    clientPrivacy("\"availability\": {\"kind\": \"rate\", \"rate\": 0.5}")),
  .init(
    "E3363", "$.strategies[0]", 5,
    clientPrivacy("\"dropout\": 0.1", ", \"placement\": \"distributed\"")),
]

/// A federation of which a cohort is a part, with client-level privacy and a clock.
private func clientPrivacy(_ clock: String, _ mechanism: String = "") -> String {
  top(
    "\"system\": {\(clock)}, \"federation\": {\"participation\": 0.1, \"weighting\": \"uniform\"}, "
      + "\"privacy\": {\"unit\": \"client\", \"noiseMultiplier\": 1\(mechanism)}")
}
