/// The update rules of PyTorch's SGD, Adam and AdamW on ranges of a flat vector.
///
/// The moments live in the workspace; `restart` makes it a new optimizer.
public struct Optimizer: Sendable {
  /// The rule and its constants.
  public let spec: OptimizerSpec
  /// Steps taken since the start.
  public private(set) var steps = 0

  /// How many moments of the parameters' size the rule keeps.
  public static func momentCount(_ spec: OptimizerSpec) -> Int {
    switch spec.kind {
    case .sgd: spec.momentum > 0 ? 1 : 0
    case .adam, .adamw: 2
    }
  }

  /// A new optimizer: clears the workspace's moments.
  public init(_ spec: OptimizerSpec, _ workspace: Workspace) {
    self.spec = spec
    precondition(
      workspace.moments.count >= Self.momentCount(spec),
      "Optimizer: the workspace holds \(workspace.moments.count) moments")
    for moment in workspace.moments { moment.update(repeating: 0) }
  }

  /// One step on the parameters in `ranges` with the gradient in the workspace.
  ///
  /// `learningRate`: η of this step, in place of the spec's.
  ///
  /// `ranges`: disjoint ranges of trained parameters.
  ///
  /// - Complexity: O(parameters in the ranges), no allocation.
  public mutating func step(_ workspace: Workspace, learningRate: Double, ranges: [Range<Int>]) {
    steps += 1
    if workspace.isDryRun {
      if steps == 1 { workspace.dryStep(ranges) }
      return
    }
    let rule = UpdateRule(spec: spec, number: steps, learningRate: learningRate)
    let moments = workspace.moments
    for range in ranges where !range.isEmpty {
      guard let w = workspace.mutableParameters.baseAddress, let g = workspace.gradient.baseAddress
      else { return }
      rule.step(
        w, g, moments.isEmpty ? nil : moments[0].baseAddress,
        moments.count < 2 ? nil : moments[1].baseAddress, range)
    }
  }
}
