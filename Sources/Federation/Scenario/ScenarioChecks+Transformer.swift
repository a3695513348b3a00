extension ScenarioChecks {
  /// Attention heads share the width evenly, and a hidden layer has a channel.
  mutating func checkTransformer() {
    guard text("model.kind") == "vit", let width = int("model.width") else { return }
    if let heads = int("model.heads"), width % heads != 0 {
      let fix = ScenarioFields.largestDivisor(of: [width], upTo: heads)
      error(
        "E3230",
        "model.heads",
        "found \(heads) heads; they do not divide the width of \(width) channels",
        suggestion: "\(fix)",
        hint: "or choose another model.width"
      )
    }
    if let ratio = number("model.mlpRatio"), Double(width) * ratio < 1 {
      error(
        "E3231",
        "model.mlpRatio",
        "found \(ratio); \(ratio) of \(width) channels is less than one",
        hint: "the usual ratio is 4"
      )
    }
  }
}
