/// Every strategy by name.
public enum StrategyRegistry {
  /// The cards of all strategies, in the order of `fedsim list strategies`.
  public static let cards: [StrategyCard] = []
}
