import Aggregation
import Base
import Client

/// What a scenario composes with a strategy: its loss, the server's optimizer, private tensors, and
/// a change of the classifier before the generic model is measured.
extension ScenarioFields {
  /// The fields that a card allows.
  package static func parts(_ card: StrategyCard) -> [Field] {
    var fields: [Field] = []
    if card.composes.contains(.loss) { fields.append(loss(card.defaultLoss)) }
    if card.composes.contains(.serverOptimizer) { fields.append(serverOptimizer) }
    if card.composes.contains(.groups) { fields.append(privateGroups) }
    if card.composes.contains(.postHoc) { fields.append(postHoc) }
    return fields
  }

  private static func loss(_ initial: String) -> Field {
    Field(
      "loss",
      .union(
        Union(
          "kind", default: initial, shorthand: true,
          synonyms: [
            "ce": "cross-entropy", "bsm": "balanced-softmax", "la": "logit-adjustment",
            "ldam-drw": "ldam", "cb": "class-balanced",
          ],
          [
            Variant("cross-entropy", "CE(z, y)."),
            Variant(
              "balanced-softmax", "CE(z + log n, y) (Ren et al. 2020, arXiv:2007.10740).", [prior]),
            Variant(
              "logit-adjustment", "CE(z + tau·log pi, y) (Menon et al. 2021, arXiv:2007.07314).",
              [tau, prior]),
            Variant(
              "focal", "-(1 - p_y)^gamma · log p_y (Lin et al. 2017, arXiv:1708.02002).",
              [
                Field(
                  "gamma", .number(from: 0, to: 100), .value(2), "Focus; 0 is cross-entropy.",
                  synonyms: ["focus"])
              ]),
            Variant(
              "ldam",
              "Margins by class size, with deferred re-weighting (Cao et al. 2019, "
                + "arXiv:1906.07413).",
              [
                Field(
                  "maxMargin", .number(from: 0, to: 100), .value(0.5),
                  "Margin of the rarest class; others have it times (n_min/n_c)^(1/4).",
                  synonyms: ["margin", "max_m"]),
                Field("scale", .number(above: 0, to: 1000), .value(30), "s, multiplies logits."),
                Field(
                  "reweightFrom", .number(from: 0, to: 1), .value(0.8),
                  "Share of the rounds after which class weights apply; 1 for never.",
                  synonyms: ["drw"]), beta,
              ]),
            Variant(
              "class-balanced",
              "Weights (1 - beta)/(1 - beta^n_c) (Cui et al. 2019, arXiv:1901.05555).", [beta]),
          ])), .value(.string(initial)), "The loss on the logits.",
      synonyms: ["criterion", "objective"])
  }

  private static let prior = Field(
    "prior", .choice(of: Prior.self), .value("local"),
    "Class counts: the client's own, or of all clients, which then travel once.",
    synonyms: ["counts"])

  private static let tau = Field(
    "tau", .number(from: 0, to: 100), .value(1), "Strength; 1 is consistent for the balanced error."
  )

  private static let beta = Field(
    "beta", .number(NumberRange(0, 1, exclusiveMaximum: true)), .value(0.9999),
    "Of the effective number of examples.")

  private static let serverOptimizer = Field(
    "serverOptimizer",
    .union(
      Union(
        "kind", default: "sgd", shorthand: true,
        synonyms: ["avgm": "sgd", "fedadam": "adam", "fedyogi": "yogi", "fedadagrad": "adagrad"],
        [
          Variant(
            "sgd", "w + rate·u, u = momentum·u + mean update.",
            [
              serverRate(1),
              Field(
                "momentum", .number(NumberRange(0, 1, exclusiveMaximum: true)), .value(0),
                "Decay of the server's momentum; 0 with rate 1 is plain averaging."),
            ]),
          Variant(
            "adagrad", "Reddi et al. 2021, arXiv:2003.00295.", [serverRate(0.1), adaptivity]),
          Variant(
            "adam", "Reddi et al. 2021, arXiv:2003.00295.",
            [serverRate(0.01), moment("beta1", 0.9), moment("beta2", 0.99), adaptivity]),
          Variant(
            "yogi", "Reddi et al. 2021, arXiv:2003.00295.",
            [serverRate(0.01), moment("beta1", 0.9), moment("beta2", 0.99), adaptivity]),
        ])), .value("sgd"), "How the server applies the mean update.",
    synonyms: ["server_optimizer", "server", "serverOptimiser"])

  private static func serverRate(_ value: JSON) -> Field {
    Field(
      "learningRate", .number(above: 0, to: 1e6), .value(value), "The server's step size.",
      synonyms: ["lr", "eta_g", "server_lr"])
  }

  private static func moment(_ name: String, _ value: JSON) -> Field {
    Field(
      name, .number(NumberRange(0, 1, exclusiveMaximum: name == "beta1")), .value(value),
      name == "beta1" ? "Decay of the first moment." : "Decay of the second moment.")
  }

  private static let adaptivity = Field(
    "tau", .number(above: 0, to: 1e6), .value(1e-3),
    "Degree of adaptivity, added to the root of the second moment.", synonyms: ["epsilon", "eps"])

  private static let privateGroups = Field(
    "private", .list(of: .choice(of: ParameterGroup.self), counts: 0...3, unique: true), .value([]),
    "Parameter groups that stay at each client: norm, head, body.",
    synonyms: ["personal", "privateLayers", "local_layers"])

  private static let postHoc = Field(
    "postHoc",
    .union(
      Union(
        "kind", default: "none", shorthand: true,
        synonyms: ["tau-norm": "tau-normalised", "la": "logit-adjustment"],
        [
          Variant("none", "The model as it is."),
          Variant(
            "tau-normalised", "w_c/|w_c|^tau (Kang et al. 2020, arXiv:1910.09217).",
            [
              tau,
              Field(
                "keepBias", .flag, .value(false), "Whether the bias stays; not so in the paper."),
            ]),
          Variant(
            "logit-adjustment",
            "z - tau·log pi, pi over all clients (Menon et al. 2021, arXiv:2007.07314).", [tau]),
        ])), .value("none"), "A change of the generic model's classifier before it is measured.",
    synonyms: ["post_hoc", "posthoc"])
}
