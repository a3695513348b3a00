import Aggregation
import Base

/// Checks of images that are taken from the clients, of styles, and of groups of clients.
extension ScenarioChecks {
  /// Classes of the clients' problem where the data set fixes it.
  var classes: Int? {
    allClasses.map { $0 - (values["model.pretrain.classes"]?.elements?.count ?? 0) }
  }

  /// Training images that no client gets.
  var heldOutImages: Int { (int("data.public.size") ?? 0) + (int("model.pretrain.images") ?? 0) }

  /// Training images that are left of each class, at least; nil when unknown or when none is.
  var fullClass: Int? {
    guard let classes, classes > 0, let whole = wholeClass else { return nil }
    let taken = [int("data.public.size"), int("model.pretrain.images")].reduce(0) {
      $0 + (($1 ?? 0) + classes - 1) / classes
    }
    return taken < whole ? whole - taken : nil
  }

  mutating func checkHeldOut() {
    checkPretrain()
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

  private mutating func checkPretrain() {
    guard lines["model.pretrain"] != nil else { return }
    let list = values["model.pretrain.classes"]?.elements?.compactMap(\.int)
    let isWrong = ["images", "classes"].contains { lines["model.pretrain.\($0)"] != nil }
    if !isWrong {
      error(
        "E3253", "model.pretrain", "found neither \"images\" nor \"classes\"; expected one of them",
        hint: "\"images\": 5000 holds that many out; \"classes\": [8, 9] takes whole classes")
    }
    if values["model.pretrain.optimizer.nesterov"]?.truth == true,
      number("model.pretrain.optimizer.momentum") == 0
    {
      error(
        "E3207", "model.pretrain.optimizer.nesterov",
        "found true; Nesterov's form needs momentum > 0",
        hint: "set momentum to 0.9, or nesterov to false")
    }
    guard let list, let all = allClasses else { return }
    if let label = list.first(where: { $0 >= all }) {
      error(
        "E3254", "model.pretrain.classes",
        "found class \(label); the data set has classes 0 to \(all - 1)")
    } else if all - list.count < 2 {
      error(
        "E3254", "model.pretrain.classes",
        "found \(list.count) of \(all) classes, which leaves \(all - list.count) for the clients",
        hint: "leave at least two")
    }
  }

  /// Methods that freeze the network want one that has learnt something.
  mutating func checkTrainedNetwork(_ strategy: String, at path: String) {
    guard let type = StrategyRegistry[strategy], type.needs.contains(.trainedNetwork),
      lines["model.pretrain"] == nil, text("model.init.kind") != "file"
    else { return }
    warn(
      "W3030", path, "\(strategy) freezes the network, and nothing has trained it",
      hint: "add model.pretrain, or model.init with kind \"file\" and head \"fresh\"")
  }

  mutating func checkStyles() {
    guard let kinds = values["data.styles.kinds"]?.elements?.count,
      let count = int("data.styles.perClient"), count > kinds, kinds > 0
    else { return }
    error(
      "E3252", "data.styles.perClient",
      "found \(count) different styles for each client; there are only \(kinds)",
      suggestion: "\(kinds)")
  }

  /// Clients of equal size, by the partition `dirichlet-prior`.
  mutating func checkEqualSizes(images: Int, clients: Int) {
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

  mutating func checkClientModels() {
    guard let clients = int("federation.clients") else { return }
    var shares: [Double] = []
    while lines["clientModels[\(shares.count)]"] != nil {
      let path = "clientModels[\(shares.count)]"
      checkModel(at: "\(path).model")
      guard let share = number("\(path).share") else { return }
      shares.append(share)
    }
    guard !shares.isEmpty else { return }
    var sum = 0.0
    for share in shares { sum += share }
    guard abs(sum - 1) <= 1e-9 else {
      error(
        "E3255", "clientModels",
        "found shares that add up to \(JSON.number(sum).compact); expected 1",
        hint: "give each group its share of the clients, such as 0.5 and 0.5")
      return
    }
    let ranges = ClientModelGroup.ranges(clients: clients, shares: shares)
    if let empty = ranges.firstIndex(where: \.isEmpty) {
      error(
        "E3256", "clientModels[\(empty)].share",
        "found \(JSON.number(shares[empty]).compact), which is no whole one of \(clients) clients",
        hint: "raise the share or federation.clients")
    }
  }
}
