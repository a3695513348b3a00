import Aggregation
import Base

extension ScenarioFields {
  static func hyperparameters(_ info: MethodInfo) -> Part<StrategySettings> {
    Part(info.fields.map(field)) { json in
      var values: [String: AnyHyperparameter.Value] = [:]
      for field in info.fields {
        guard let value = json[field.name] else { return nil }
        values[field.name] = field.domain.value(value)
      }
      return StrategySettings(info, values)
    }
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

extension AnyHyperparameter.Domain {
  /// What a legal value is; nil for one of another type.
  fileprivate func value(_ json: JSON) -> AnyHyperparameter.Value? {
    switch self {
    case .number: json.double.map { .number($0) }
    case .integer: json.int.map { .integer($0) }
    case .flag: json.truth.map { .flag($0) }
    case .choice: json.text.map { .choice($0) }
    case .integers: .integers(json.elements?.compactMap(\.int) ?? [])
    }
  }
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
