import Aggregation

extension Run {
  /// A run of its parts, for what rehearses or verifies one outside of an experiment.
  package init(
    simulation: Simulation<Method>,
    arena: Arena,
    label: String,
    folder: String,
    scenarioHash: String,
    alone: [Int: [Int: Double]]
  ) {
    self.init(
      simulation: simulation,
      arena: arena,
      label: label,
      folder: folder,
      scenarioHash: scenarioHash,
      alone: alone,
      patience: 1
    )
  }
}
