/// The section `system`.
extension ScenarioDecoder {
  func system(_ root: Node) throws(Missing) -> SystemSettings? {
    guard root.has("system") else { return nil }
    let node = try root.node("system")
    var settings = SystemSettings()
    settings.compute = try compute(try node.node("compute"))
    let network = try node.node("network")
    settings.network.up = try network.number("up")
    settings.network.down = try network.number("down")
    settings.network.latency = try network.number("latency")
    settings.network.sigma = try network.number("sigma")
    let availability = try node.node("availability")
    switch try availability.text("kind") {
    case "always": settings.availability = .always
    case "rate": settings.availability = .rate(try availability.number("rate"))
    case "trace": settings.availability = .trace(path: try availability.text("path"))
    default: throw availability.missing("kind")
    }
    settings.dropout = try node.number("dropout")
    settings.loss = try node.number("loss")
    if node.has("deadline") { settings.deadline = try node.number("deadline") }
    settings.overSelection = try node.number("overSelection")
    settings.stragglers = try node.choice("stragglers")
    if node.has("energy") {
      let energy = try node.node("energy")
      settings.energy = SystemSettings.Energy(
        computeWatts: try energy.number("computeWatts"), sendWatts: try energy.number("sendWatts"),
        receiveWatts: try energy.number("receiveWatts"))
    }
    if node.has("cost") {
      let cost = try node.node("cost")
      settings.cost = SystemSettings.Cost(
        perGigabyteUp: try cost.number("perGigabyteUp"),
        perGigabyteDown: try cost.number("perGigabyteDown"),
        perDeviceHour: try cost.number("perDeviceHour"))
    }
    return settings
  }

  private func compute(_ node: Node) throws(Missing) -> SystemSettings.Compute {
    switch try node.text("kind") {
    case "constant": return .constant(speed: try node.number("speed"))
    case "lognormal":
      return .logNormal(median: try node.number("speed"), sigma: try node.number("sigma"))
    case "zipf":
      return .zipf(median: try node.number("speed"), exponent: try node.number("exponent"))
    case "table":
      if node.has("path") { return .table(path: try node.text("path")) }
      return .values(try node.numbers("values"))
    default: throw node.missing("kind")
    }
  }
}
