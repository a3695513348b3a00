import Aggregation
import Client

/// The list of strategies, with what is composed with each.
extension ScenarioDecoder {
  func strategies(
    _ nodes: [Node], privacy common: PrivacySettings?,
    compression commonCompression: CompressionSettings?
  ) throws(Missing) -> [Scenario.StrategyChoice] {
    var all: [Scenario.StrategyChoice] = []
    for node in nodes {
      let kind = try node.text("kind")
      guard let card = cards.first(where: { $0.kind == kind }) else { throw node.missing("kind") }
      var values: [String: AnyHyperparameter.Value] = [:]
      for field in card.fields {
        switch field.domain {
        case .number: values[field.name] = .number(try node.number(field.name))
        case .integer: values[field.name] = .integer(try node.int(field.name))
        case .flag: values[field.name] = .flag(try node.flag(field.name))
        case .choice: values[field.name] = .choice(try node.text(field.name))
        case .integers: values[field.name] = .integers(try node.integers(field.name))
        }
      }
      all.append(
        Scenario.StrategyChoice(
          kind: kind, label: try node.text("label"), settings: StrategySettings(card, values),
          loss: node.has("loss") ? try loss(try node.node("loss")) : .crossEntropy,
          composition: try composition(node),
          postHoc: node.has("postHoc") ? try postHoc(try node.node("postHoc")) : .none,
          privacy: node.has("privacy") ? try privacy(try node.node("privacy")) : common,
          compression: node.has("compression")
            ? try compression(try node.node("compression")) : commonCompression))
    }
    return all
  }

  private func loss(_ node: Node) throws(Missing) -> LossSpec {
    switch try node.text("kind") {
    case "cross-entropy": .crossEntropy
    case "balanced-softmax": .balancedSoftmax(prior: try node.choice("prior"))
    case "logit-adjustment":
      .logitAdjustment(tau: try node.number("tau"), prior: try node.choice("prior"))
    case "focal": .focal(gamma: try node.number("gamma"))
    case "ldam":
      .ldam(
        maxMargin: try node.number("maxMargin"), scale: try node.number("scale"),
        reweightFrom: try node.number("reweightFrom"), beta: try node.number("beta"))
    case "class-balanced": .classBalanced(beta: try node.number("beta"))
    default: throw node.missing("kind")
    }
  }

  private func composition(_ node: Node) throws(Missing) -> Composition {
    var composition = Composition()
    if node.has("private") {
      composition.privateGroups = Set(
        try node.words("private").compactMap(ParameterGroup.init(rawValue:)))
    }
    guard node.has("serverOptimizer") else { return composition }
    let server = try node.node("serverOptimizer")
    var optimizer = ServerOptimizer(
      try server.choice("kind"), learningRate: try server.number("learningRate"))
    if server.has("momentum") { optimizer.momentum = try server.number("momentum") }
    if server.has("beta1") { optimizer.beta1 = try server.number("beta1") }
    if server.has("beta2") { optimizer.beta2 = try server.number("beta2") }
    if server.has("tau") { optimizer.tau = try server.number("tau") }
    composition.serverOptimizer = optimizer
    return composition
  }

  private func postHoc(_ node: Node) throws(Missing) -> PostHoc {
    switch try node.text("kind") {
    case "none": .none
    case "tau-normalised":
      .tauNormalised(tau: try node.number("tau"), keepsBias: try node.flag("keepBias"))
    case "logit-adjustment": .logitAdjustment(tau: try node.number("tau"))
    default: throw node.missing("kind")
    }
  }
}
