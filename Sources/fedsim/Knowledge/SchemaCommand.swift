import Aggregation
import Base
import Scenario
import Studies

/// `fedsim schema`: JSON Schema of the scenario, or of sweep files.
enum SchemaCommand {
  static func run(_ invocation: Invocation) throws -> ExitCode {
    if invocation.operands == ["sweep"] {
      Console.print(ScenarioSchema.sweep)
      return .done
    }
    if invocation.operands != ["scenario"] { try invocation.noOperands() }
    // For programs: without line breaks and indents it is less than half as long.
    Console.print(ScenarioSchema.json(infos: StrategyRegistry.infos).compact)
    return .done
  }
}
