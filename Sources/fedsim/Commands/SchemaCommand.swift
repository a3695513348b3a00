import Aggregation
import Federation

/// `fedsim schema`: JSON Schema of the scenario.
enum SchemaCommand {
  static func run(_ invocation: Invocation) throws -> ExitCode {
    if invocation.operands != ["scenario"] { try invocation.noOperands() }
    Console.print(ScenarioSchema.json(cards: StrategyRegistry.cards))
    return .done
  }
}
