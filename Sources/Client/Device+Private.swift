import Base
import Tensor

/// Private gradients: the sum of clipped gradients of a Poisson batch with noise, over a constant.
extension Device {
  /// Draws the next batch: each example by a coin with probability q = min(1, B̂/n).
  ///
  /// Returns how many were drawn, which is a secret of the client: for counting work alone.
  mutating func drawBatch(_ training: PrivateTraining) -> Int {
    let settings = training.settings
    var stream = random(.dpSampling, stepsTaken)
    let drawn = stream.bernoulliSubset(
      count: examples.count, rate: settings.samplingRate(examples: examples.count))
    // Behind all others in the stream, so that they are drawn as without it.
    training.canaryIsIn =
      training.canary != nil && stream.uniform() < settings.samplingRate(examples: examples.count)
    // Augmented copies of an example are neighbouring rows.
    places = drawn.flatMap { [Int](repeating: $0, count: settings.copies) }
    order = places.map { examples[$0] }
    batch = 0..<order.count
    augmentation = random(.augmentation, stepsTaken)
    return drawn.count
  }

  /// (Σ c_i·g_i + noise)/B̂ on the current batch into `workspace.gradient`, and the gradients of the
  /// rule's heads likewise; all of them together are one vector for clipping.
  ///
  /// A gradient that is not finite counts as 0, so no step throws.
  mutating func computePrivateGradient<Rule: LocalRule>(
    _ rule: inout Rule, _ training: PrivateTraining, ranges: [Range<Int>], firstStep: Int
  ) -> SoftmaxCrossEntropy.Result {
    let lane = training.countGradient()
    var sum = PrivateSum(training, network, workspace, ranges, heads: rule.heads.count, lane: lane)
    let result = addExamples(&rule, to: &sum, firstStep: firstStep)
    sum.finish(&rule) { [seed, round, client] step in
      RandomStream(
        StreamAddress(
          seed: seed, .dpNoise, round: round, client: client, phase: training.phase, step: step))
    }
    if Rule.adjustsGradient {
      workspace.withGradient { gradient, parameters in rule.adjust(&gradient, at: parameters) }
    }
    rule.endBatch(learningRate: learningRate)
    return result
  }

  /// Forward and backward on the whole batch, some examples at a time.
  private mutating func addExamples<Rule: LocalRule>(
    _ rule: inout Rule, to sum: inout PrivateSum, firstStep: Int
  ) -> SoftmaxCrossEntropy.Result {
    let dropout = random(.dropout, stepsTaken)
    stepsTaken += 1
    var result = SoftmaxCrossEntropy.Result(lossSum: 0, weight: 0, correct: 0)
    for index in rule.heads.indices { rule.heads[index].holdsExamples = true }
    defer { for index in rule.heads.indices { rule.heads[index].holdsExamples = false } }
    let copies = sum.copies
    let total = batch.count / copies
    var first = 0
    while first < total {
      let count = min(sum.capacity, total - first)
      load(first * copies, count * copies)
      network.forward(
        workspace, batch: count * copies, training: true, dropoutKey: dropout.key,
        firstExample: first * copies)
      // Each example's own loss is the mean over its copies, whatever the batch.
      let part = BatchPart(
        workspace: workspace, network: network, examples: first * copies..<(first + count) * copies,
        batch: copies, places: places[first * copies..<(first + count) * copies],
        totalWeight: Double(copies))
      var own = SoftmaxCrossEntropy.Result(lossSum: 0, weight: 0, correct: 0)
      evaluate(&rule, part, &own)
      if Rule.hasFeatureTerms {
        sum.sweep(examples: count, .head, from: firstStep)
        own.lossSum += rule.addFeatureTerms(part)
        sum.sweep(examples: count, .body, from: firstStep)
      } else {
        sum.sweep(examples: count, .everything, from: firstStep)
      }
      sum.add(&rule, examples: count)
      if own.lossSum.isFinite {
        result.lossSum += own.lossSum
        result.weight += Double(count * copies)
        result.correct += own.correct
      }
      first += count
    }
    return result
  }
}
