import Aggregation
import Base
import Data

/// Rules that tie several fields together.
///
/// Each looks only at values that are valid by themselves,
/// so that these problems are found in the same go as all others.
struct ScenarioChecks {
  let values: [String: JSON]
  let lines: [String: Int]
  let cards: [StrategyCard]
  let reach: ReachFinding.Search
  var problems: [Problem] = []

  /// All problems, errors first in the order of the sections.
  mutating func run() -> [Problem] {
    checkPartition()
    checkHeldOut()
    checkStyles()
    checkLongTail()
    checkLocalTest()
    checkSizes()
    checkFederation()
    checkModel(at: "model")
    checkClientModels()
    checkClient()
    checkStrategies()
    checkPrivacy()
    checkCompression()
    checkSystem()
    return problems
  }

  func int(_ path: String) -> Int? { values[path]?.int }
  func number(_ path: String) -> Double? { values[path]?.double }
  func text(_ path: String) -> String? { values[path]?.text }

  /// The line of a path, or of what encloses it when the value is a default.
  func line(_ path: String) -> Int {
    var path = path
    while true {
      if let line = lines[path], line != 0 { return line }
      guard let cut = path.lastIndex(where: { $0 == "." || $0 == "[" }) else {
        return lines[""] ?? 0
      }
      path = String(path[..<cut])
    }
  }

  mutating func error(
    _ code: String, _ path: String, _ message: String, suggestion: String? = nil,
    hint: String? = nil
  ) {
    problems.append(
      Problem(code, at: path, line: line(path), message, suggestion: suggestion, hint: hint))
  }

  mutating func warn(_ code: String, _ path: String, _ message: String, hint: String? = nil) {
    problems.append(Problem(code, .warning, at: path, line: line(path), message, hint: hint))
  }

  // MARK: - Data

  private mutating func checkPartition() {
    let dataset = text("data.dataset.kind")
    if text("data.partition.kind") == "natural", let dataset, dataset != "leaf" {
      error(
        "E3204", "data.partition.kind",
        "found \"natural\"; the data set \"\(dataset)\" has no natural clients, only leaf has",
        hint: "choose iid, dirichlet, dirichlet-prior, shards, quantity or another one")
    }
    let mirrored = values["data.augment"]?.elements?.contains { $0.text == "flip" } ?? false
    if dataset == "mnist", mirrored {
      warn(
        "W3009", "data.augment", "\"flip\" mirrors digits and letters, which changes their meaning",
        hint: "leave flip out for MNIST and EMNIST; for Fashion-MNIST it is fine")
    }
  }

  /// Number of classes where the data set fixes it, those of pre-training included.
  var allClasses: Int? {
    switch text("data.dataset.kind") {
    case "synthetic": int("data.dataset.classes")
    case "cifar10": 10
    case "cifar100": text("data.dataset.labels").map { $0 == "coarse" ? 20 : 100 }
    default: nil
    }
  }

  /// Training images of each whole class where the data set fixes it.
  var wholeClass: Int? {
    switch text("data.dataset.kind") {
    case "synthetic": int("data.dataset.trainPerClass")
    case "cifar10": 5000
    case "cifar100": text("data.dataset.labels").map { $0 == "coarse" ? 2500 : 500 }
    default: nil
    }
  }

  private mutating func checkLongTail() {
    if let factor = number("data.longTail.factor") {
      if factor == 1 {
        warn(
          "W3006", "data.longTail.factor",
          "factor 1 leaves all classes equal: there is no long tail")
      }
      if let full = fullClass, factor > Double(min(full, int("data.longTail.maxPerClass") ?? full))
      {
        error(
          "E3205", "data.longTail.factor",
          "found \(JSON.number(factor).compact); the largest class has "
            + "\(min(full, int("data.longTail.maxPerClass") ?? full)) images, "
            + "so the smallest would be empty",
          hint: "give a factor of at most the size of the largest class")
      }
    }
    checkCap()
    guard let counts = cappedCounts else { return }
    if let classes, counts.count != classes {
      error(
        "E3205", "data.longTail.counts",
        "found \(counts.count) sizes; the data set has \(classes) classes",
        hint: "give one size per class")
    }
    if let full = fullClass, let index = counts.firstIndex(where: { $0 > full }) {
      error(
        "E3205", "data.longTail.counts",
        "found \(counts[index]) for class \(index); a class has \(full) training images")
    }
    if counts.allSatisfy({ $0 == 0 }) {
      error("E3205", "data.longTail.counts", "all sizes are 0: no training image is left")
    }
  }

  /// Training images after the long tail, or an upper bound of it; nil when unknown.
  var trainingImages: Int? {
    guard let classes, let full = fullClass else { return nil }
    if text("data.longTail.profile") == nil, let whole = wholeClass {
      return classes * whole - heldOutImages
    }
    let largest = min(full, int("data.longTail.maxPerClass") ?? full)
    let factor = number("data.longTail.factor") ?? 1
    switch text("data.longTail.profile") {
    case "explicit": return cappedCounts?.reduce(0) { $0 + min($1, full) }
    case "exponential":
      return (0..<classes).reduce(0) { sum, index in
        let exponent = -Double(index) / Double(max(1, classes - 1))
        return sum + Int(clamping: Double(largest) * pow(factor, exponent))
      }
    case "step":
      return classes / 2 * largest + (classes - classes / 2)
        * Int(clamping: Double(largest) / factor)
    default: return classes * largest
    }
  }

  private mutating func checkSizes() {
    if let classes = int("data.dataset.classes"), let train = int("data.dataset.trainPerClass"),
      let test = int("data.dataset.testPerClass")
    {
      let gibibytes = (classes * (train + test) * 3072) >> 30
      if classes * (train + test) * 3072 > SyntheticImages.maximumBytes {
        error(
          "E3209", "data.dataset",
          "found \(classes) classes of \(train) + \(test) images, \(gibibytes) GiB of pixels",
          hint: "keep classes x (trainPerClass + testPerClass) below 5.5 million")
      }
    }
    guard let images = trainingImages, let clients = int("federation.clients") else { return }
    if clients > images {
      error(
        "E3206", "federation.clients",
        "found \(clients) clients for \(images) training images; every client needs one",
        hint: images > 0 ? "give at most \(images) clients or more data" : "give more data")
      return
    }
    if let least = int("data.partition.minPerClient"), least > images / clients {
      error(
        "E3206", "data.partition.minPerClient",
        "found \(least) images for each of \(clients) clients; there are only \(images)",
        hint: "give at most \(images / clients)")
    }
    checkEqualSizes(images: images, clients: clients)
    if text("data.partition.kind") == "shards", let shards = int("data.partition.perClient"),
      shards > images / clients
    {
      error(
        "E3206", "data.partition.perClient",
        "found \(shards) shards for each of \(clients) clients; there are only \(images) images",
        hint: "give at most \(images / clients)")
    }
    if let batch = int("client.batch"), batch > images / clients {
      warn(
        "W3003", "client.batch",
        "a batch of \(batch) is larger than a client's share of about \(images / clients) images",
        hint: "every epoch of such a client is one step")
    }
  }
}
