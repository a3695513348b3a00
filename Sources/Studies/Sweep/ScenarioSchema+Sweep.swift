import Base
import Scenario

extension ScenarioSchema {
  package static var sweep: JSON {
    document(
      "fedsim sweep, version 1",
      "Many scenarios of fedsim from one. Keys that start with // are comments.", SweepFields.root)
  }
}
