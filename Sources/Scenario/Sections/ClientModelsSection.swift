import Base
import Tensor

/// The section `clientModels`.
extension ScenarioFields {
  static let clientModels = Part(
    "clientModels",
    .list(
      of: .object(
        Part(
          "share", .number(above: 0, to: 1), .required,
          "Share of the clients, which are taken in order; all shares add up to 1.",
          synonyms: ["fraction", "part", "weight"]),
        Part(
          "model", .union(model), .value([:]), "The network of these clients; fields as in model.",
          synonyms: ["network", "net"])
      ) { (share: $0, model: $1) }, counts: 1...1000, unique: false), .optional,
    "Groups of clients with networks of their own, for methods that do not exchange weights; "
      + "model stays the server's.",
    synonyms: ["client_models", "modelGroups", "heterogeneousModels", "models"]
  ).ifGiven
}

/// Checks of `clientModels`.
extension ScenarioChecks {
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
