import Aggregation
import Base

extension ScenarioFields {
  // MARK: The list

  package static func strategies(_ cards: [StrategyCard]) -> FieldType {
    let variants = cards.map { card in
      Variant(
        card.kind, card.summary,
        [label] + parts(card) + card.fields.map(field) + [strategyPrivacy, strategyCompression])
    }
    let words = [
      "fed-avg": "fedavg", "fed_avg": "fedavg", "avg": "fedavg", "prox": "fedprox",
      "local": "local-only", "localonly": "local-only", "standalone": "local-only",
      "central": "centralised", "centralized": "centralised", "fedavgft": "fedavg-ft",
      "finetune": "fedavg-ft", "fedavg-finetune": "fedavg-ft",
    ]
    return .list(
      of: .union(Union("kind", synonyms: words, variants)), counts: 1...1000, unique: false)
  }

  private static let label = Field(
    "label", .text(.folderName), .derived("the kind; -2, -3 ... for further ones", defaultLabel),
    "The name in tables and folders; unique in a scenario.", synonyms: ["name", "title", "id"])

  /// The kind, with a number from the second of a kind on.
  private static func defaultLabel(_ from: Derivation) -> JSON {
    let digits = from.path.dropFirst("strategies[".count).prefix { $0.isNumber }
    guard let index = Int(digits), let kind = from.values["strategies[\(index)].kind"]?.text else {
      return "run"
    }
    let earlier = (0..<index).count { from.values["strategies[\($0)].kind"]?.text == kind }
    return .string(earlier == 0 ? kind : "\(kind)-\(earlier + 1)")
  }

  package static func field(_ hyperparameter: AnyHyperparameter) -> Field {
    let type: FieldType =
      switch hyperparameter.domain {
      case .number(let range, let exclusive):
        .number(
          NumberRange(
            range.lowerBound, range.upperBound, exclusiveMinimum: exclusive, isFloat: true))
      case .integer(let range): .integer(range)
      case .flag: .flag
      case .choice(let words): .choice(words)
      case .integers(let range): .list(of: .integer(range), counts: 0...1000, unique: true)
      }
    return Field(
      hyperparameter.name, type, .value(hyperparameter.initial.json),
      "\(hyperparameter.summary)  Symbol: \(hyperparameter.symbol).",
      synonyms: [hyperparameter.symbol] + (symbols[hyperparameter.name] ?? []))
  }

  /// What papers and other tools call the fields of strategies.
  private static let symbols: [String: [String]] = [
    "proximalWeight": ["mu", "prox_mu", "proximal_mu", "lambda"],
    "serverLearningRate": ["server_lr", "eta_s", "etaG", "global_lr", "globalLearningRate"],
    "serverMomentum": ["server_momentum", "beta", "global_momentum"],
    "momentum": ["beta", "server_momentum"], "learningRate": ["lr", "server_lr", "eta"],
    "fineTuneEpochs": ["ft_epochs", "epochs", "finetune_epochs"],
    "epochs": ["local_epochs", "E", "ft_epochs", "finetune_epochs"],
  ]
}

extension AnyHyperparameter.Value {
  /// The value as it stands in a scenario.
  package var json: JSON {
    switch self {
    case .number(let number): .number(number)
    case .integer(let integer): .int(integer)
    case .flag(let flag): .bool(flag)
    case .choice(let word): .string(word)
    case .integers(let list): .array(list.map(JSON.int))
    }
  }
}
