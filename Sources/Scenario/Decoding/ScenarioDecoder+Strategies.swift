import Aggregation
import Base

enum ScenarioDecoder {
  /// A card's fields in a strategy of the resolved tree.
  static func settings(_ card: StrategyCard, _ json: JSON) -> StrategySettings? {
    var values: [String: Hyperparameter.Value] = [:]
    for field in card.fields {
      guard let value = json[field.name] else { return nil }
      switch field.domain {
      case .number: values[field.name] = value.double.map { .number($0) }
      case .integer: values[field.name] = value.int.map { .integer($0) }
      case .flag: values[field.name] = value.truth.map { .flag($0) }
      case .choice: values[field.name] = value.text.map { .choice($0) }
      case .integers: values[field.name] = .integers(value.elements?.compactMap(\.int) ?? [])
      }
    }
    return StrategySettings(card, values)
  }
}
