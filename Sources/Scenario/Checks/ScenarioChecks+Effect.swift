import Base

/// Fields of the data that are given and can change nothing: silence would let the user believe
/// that they did.
extension ScenarioChecks {
  /// The explicit sizes, cut to the cap; nil for other profiles.
  var cappedCounts: [Int]? {
    let cap = int("data.longTail.maxPerClass") ?? .max
    return values["data.longTail.counts"]?.elements?.compactMap(\.int).map { min($0, cap) }
  }

  /// Whether a field stands in the scenario and is no default.
  private func isGiven(_ path: String) -> Bool { values[path] != nil && lines[path] != 0 }

  /// A cap above every class caps nothing.
  mutating func checkCap() {
    let path = "data.longTail.maxPerClass"
    guard let cap = int(path) else { return }
    let given = values["data.longTail.counts"]?.elements?.compactMap(\.int).max()
    guard let largest = given ?? fullClass, cap > largest else { return }
    warn(
      "W3011", path,
      "found \(cap); the largest class has \(largest) images without it, so it changes nothing",
      hint: "remove it, or give less than \(largest)")
  }

  /// Fields of one policy of local tests under another.
  mutating func checkLocalTest() {
    guard let policy = text("data.test.local") else { return }
    for (field, owner) in [("perClass", "prior-weighted"), ("holdoutShare", "holdout")]
    where isGiven("data.test.\(field)") && policy != owner {
      warn(
        "W3012", "data.test.\(field)",
        "it belongs to the policy \"\(owner)\"; under \"\(policy)\" it changes nothing",
        hint: "remove it, or set data.test.local to \"\(owner)\"")
    }
    guard policy == "prior-weighted", isGiven("data.test.perClass"),
      let wanted = int("data.test.perClass"), let most = testClass, wanted > most
    else { return }
    warn(
      "W3012", "data.test.perClass",
      "found \(wanted); a class has \(most) test images, and all of them are used",
      hint: "give at most \(most)")
  }

  /// Test images of each class where the data set fixes it.
  private var testClass: Int? {
    switch text("data.dataset.kind") {
    case "synthetic": int("data.dataset.testPerClass")
    case "cifar10": 1000
    case "cifar100": text("data.dataset.labels").map { $0 == "coarse" ? 500 : 100 }
    default: nil
    }
  }
}
