import Aggregation
import Base

extension ScenarioFields {
  /// The fields of a card.
  static func hyperparameters(_ card: StrategyCard) -> Part<StrategySettings> {
    Part(card.fields.map(field)) { ScenarioDecoder.settings(card, $0) }
  }

  private static func field(_ hyperparameter: Hyperparameter) -> Field {
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

extension Hyperparameter.Value {
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
