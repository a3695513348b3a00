import Tensor

/// A stretch of local training: which parameters move, for how long.
public struct LocalPhase: Sendable {
  /// Ranges of trained parameters that the optimizer moves; all others stay.
  public let ranges: [Range<Int>]
  /// How much work.
  public let work: LocalSettings.Work

  /// A phase.
  public init(_ work: LocalSettings.Work, ranges: [Range<Int>]) {
    self.work = work
    self.ranges = ranges
  }

  /// Whether all trained parameters move.
  package func covers(_ network: Network) -> Bool {
    ranges.count == 1 && ranges[0] == 0..<network.layout.trainedCount
  }
}

/// What local training did.
public struct LocalReport: Sendable, Equatable {
  /// Σ over batches of the batch's loss sum: divide by `exampleWeight` for the mean.
  public var lossSum = 0.0
  /// Σ of the squared losses of single examples, without a method's further terms: divide by
  /// `exampleWeight` for the mean.
  public var squareSum = 0.0
  /// Σ of example weights seen (examples, when the loss has no class weights).
  public var exampleWeight = 0.0
  /// Examples seen, each as often as it was seen.
  public var examples = 0
  /// Optimizer steps.
  public var steps = 0

  /// Nothing done yet.
  public init() {}

  /// Adds another stretch.
  public mutating func add(_ other: LocalReport) {
    lossSum += other.lossSum
    squareSum += other.squareSum
    exampleWeight += other.exampleWeight
    examples += other.examples
    steps += other.steps
  }
}

extension Device {
  /// One phase of local training with a new optimizer, on the model in the workspace.
  ///
  /// - Throws: ``Divergence`` at the first loss that is not finite.
  public mutating func train<Rule: LocalRule>(_ phase: LocalPhase, _ rule: inout Rule)
    throws(Divergence) -> LocalReport
  {
    var report = LocalReport()
    var optimizer = Optimizer(settings.optimizer, workspace)
    // Plain SGD on all parameters: dense layers move their weights while they form the gradient.
    let direct =
      settings.optimizer.isPlain && !Rule.adjustsGradient && phase.covers(network) && privacy == nil
    let firstStep = network.firstStep(moving: phase.ranges)
    for _ in 0..<stepCount(phase.work) {
      let batch = nextBatch()
      let isDirect = direct && microBatch >= batch
      let result = try computeGradient(
        &rule, directRate: isDirect ? Float(learningRate) : nil, firstStep: firstStep,
        ranges: phase.ranges)
      if isDirect {
        workspace.finishDirectStep(Float(learningRate), network.indirectRanges)
      } else {
        optimizer.step(workspace, learningRate: learningRate, ranges: phase.ranges)
      }
      report.lossSum += result.lossSum
      report.squareSum += result.squareSum
      report.exampleWeight += result.weight
      report.examples += batch
      report.steps += 1
    }
    return report
  }

  /// The usual round: all trained parameters, the scenario's amount of work.
  public mutating func train<Rule: LocalRule>(_ rule: inout Rule) throws(Divergence) -> LocalReport
  { try train(LocalPhase(settings.work, ranges: [0..<network.layout.trainedCount]), &rule) }
}
