import Base
import Data

/// What the section `data` says of the number of images and classes.
extension ScenarioChecks {
  /// Number of classes where the data set fixes it, those of pre-training included.
  var allClasses: Int? { fact("classes", cifar10: 10, fine: 100, coarse: 20) }

  /// Training images of each whole class where the data set fixes it.
  private var wholeClass: Int? { fact("trainPerClass", cifar10: 5000, fine: 500, coarse: 2500) }

  /// Test images of each class where the data set fixes it.
  private var testClass: Int? { fact("testPerClass", cifar10: 1000, fine: 100, coarse: 500) }

  private func fact(_ field: String, cifar10: Int, fine: Int, coarse: Int) -> Int? {
    switch text("data.dataset.kind") {
    case "synthetic": int("data.dataset.\(field)")
    case "cifar10": cifar10
    case "cifar100": text("data.dataset.labels").map { $0 == "coarse" ? coarse : fine }
    default: nil
    }
  }

  /// Classes of the clients' problem where the data set fixes it.
  private var classes: Int? {
    allClasses.map { $0 - (values["model.pretrain.classes"]?.elements?.count ?? 0) }
  }

  /// Training images that no client gets.
  private var heldOutImages: Int {
    (int("data.public.size") ?? 0) + (int("model.pretrain.images") ?? 0)
  }

  /// Training images that are left of each class, at least; nil when unknown or when none is.
  private var fullClass: Int? {
    guard let classes, classes > 0, let whole = wholeClass else { return nil }
    let taken = [int("data.public.size"), int("model.pretrain.images")].reduce(0) {
      $0 + (($1 ?? 0) + classes - 1) / classes
    }
    return taken < whole ? whole - taken : nil
  }

  /// Training images of the largest class under the cap.
  private var largestClass: Int? {
    fullClass.map { min($0, int("data.longTail.maxPerClass") ?? $0) }
  }

  /// The explicit sizes, cut to the cap; nil for other profiles.
  private var cappedCounts: [Int]? {
    let cap = int("data.longTail.maxPerClass") ?? .max
    return values["data.longTail.counts"]?.elements?.compactMap(\.int).map { min($0, cap) }
  }

  /// Training images after the long tail, or an upper bound of it; nil when unknown.
  var trainingImages: Int? {
    guard let classes, let full = fullClass, let largest = largestClass else { return nil }
    if text("data.longTail.profile") == nil, let whole = wholeClass {
      return classes * whole - heldOutImages
    }
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
}

/// Checks of `data`.
extension ScenarioChecks {
  mutating func checkData() {
    checkResize()
    checkPartition()
    checkPretrain()
    checkFeatures()
    checkHeldOut()
    checkStyles()
    checkLongTail()
    checkLocalTest()
    checkSizes()
  }

  /// A size that the images have already.
  private mutating func checkResize() {
    let sides = ["synthetic": 32, "cifar10": 32, "cifar100": 32, "mnist": 28]
    guard let side = text("data.dataset.kind").flatMap({ sides[$0] }),
      int("data.resize.height") == side, int("data.resize.width") == side
    else { return }
    warn(
      "W3014", "data.resize", "these images have \(side)×\(side) pixels as they are",
      hint: "leave data.resize out")
  }

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

  private mutating func checkHeldOut() {
    guard heldOutImages > 0, let classes, classes > 0, let whole = wholeClass,
      let clients = int("federation.clients")
    else { return }
    let left = classes * whole - clients
    if heldOutImages > left {
      error(
        "E3251", int("data.public.size") == nil ? "model.pretrain.images" : "data.public.size",
        "found \(heldOutImages) images held out of \(classes * whole) training images; "
          + "\(clients) clients need one each",
        hint: left > 0 ? "hold out at most \(left)" : "lower federation.clients")
    }
  }

  private mutating func checkStyles() {
    guard let kinds = values["data.styles.kinds"]?.elements?.count,
      let count = int("data.styles.perClient"), count > kinds, kinds > 0
    else { return }
    error(
      "E3252", "data.styles.perClient",
      "found \(count) different styles for each client; there are only \(kinds)",
      suggestion: "\(kinds)")
  }

  private mutating func checkLongTail() {
    if let factor = number("data.longTail.factor") {
      if factor == 1 {
        warn(
          "W3006", "data.longTail.factor",
          "factor 1 leaves all classes equal: there is no long tail")
      }
      if let largest = largestClass, factor > Double(largest) {
        error(
          "E3205", "data.longTail.factor",
          "found \(JSON.number(factor).compact); the largest class has \(largest) images, so the "
            + "smallest would be empty",
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

  /// Whether a field stands in the scenario and is no default.
  private func isGiven(_ path: String) -> Bool { values[path] != nil && lines[path] != 0 }

  /// A cap above every class caps nothing.
  private mutating func checkCap() {
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
  private mutating func checkLocalTest() {
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
    for path in places(of: "client") {
      guard let batch = int("\(path).batch"), batch > images / clients,
        says("\(path).batch")
      else { continue }
      warn(
        "W3003", "\(path).batch",
        "a batch of \(batch) is larger than a client's share of about \(images / clients) images",
        hint: "every epoch of such a client is one step")
    }
  }

  /// Clients of equal size, by the partition `dirichlet-prior`.
  private mutating func checkEqualSizes(images: Int, clients: Int) {
    guard text("data.partition.kind") == "dirichlet-prior" else { return }
    let size = int("data.partition.perClient") ?? images / clients
    if size > images / clients {
      error(
        "E3257", "data.partition.perClient",
        "found \(size) images for each of \(clients) clients; there are only \(images)",
        hint: "give at most \(images / clients)")
    }
    guard let least = int("data.partition.minPerClass"), let classes,
      text("data.longTail.profile") != "explicit", least > size / max(1, classes)
    else { return }
    error(
      "E3257", "data.partition.minPerClass",
      "found \(least) images of each of \(classes) classes; a client has \(size) images",
      hint: "give at most \(size / max(1, classes))")
  }
}
