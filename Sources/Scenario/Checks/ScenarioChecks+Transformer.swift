extension ScenarioChecks {
  /// Attention heads share the width evenly, and a hidden layer has a channel.
  mutating func checkTransformer(at path: String) {
    guard text("\(path).kind") == "vit", let width = int("\(path).width") else { return }
    if let heads = int("\(path).heads"), width % heads != 0 {
      let fix = ScenarioFields.largestDivisor(of: [width], upTo: heads)
      error(
        "E3230", "\(path).heads",
        "found \(heads) heads; they do not divide the width of \(width) channels",
        suggestion: "\(fix)", hint: "or choose another width")
    }
    if let ratio = number("\(path).mlpRatio"), Double(width) * ratio < 1 {
      error(
        "E3231", "\(path).mlpRatio",
        "found \(ratio); \(ratio) of \(width) channels is less than one",
        hint: "the usual ratio is 4")
    }
  }
}
