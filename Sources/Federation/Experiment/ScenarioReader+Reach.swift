import Aggregation
import Scenario

extension ScenarioReader {
  /// A reader that knows the strategies of `infos`.
  package init(infos: [MethodInfo] = StrategyRegistry.infos) {
    self.init(infos: infos, reach: CodecReach.findings)
  }
}

extension CodecReach {
  /// What codecs do not reach, where the scenario alone says how large images are.
  @Sendable static func findings(_ scenario: Scenario) -> [ReachFinding] {
    let coded = scenario.strategies.enumerated().filter { $1.compression?.isInert == false }
    guard !coded.isEmpty, let blank = scenario.onBlankImages() else { return [] }
    return coded.flatMap { index, choice in
      findings(choice, blank, sizesCount: false).map { finding in
        ReachFinding(strategy: index, code: finding.code, text: finding.text, hint: finding.hint)
      }
    }
  }
}
