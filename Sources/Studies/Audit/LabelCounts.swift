import Aggregation
import Base
import Client
import Data
import Federation
import Tensor

/// How many images of each class were in a batch, or in a client's local steps, from the bias of
/// the classifier.
///
/// The gradient of a batch's mean cross-entropy by that bias is ∂_c = p̄_c − n_c/B, with p̄ the mean
/// prediction of the batch: an identity. Over τ plain steps with rate η from w₀ to w_τ
///
///     Σ_t n_c ≈ B·τ·p̄_c + (B/η)·Δb_c,   Δb = b_τ − b₀.
///
/// The attacker knows the model and takes p̄ from images that belong to nobody (the test set): at
/// the model for one step, at the mean of both ends' predictions for several.
///
/// - Source: Zhao, Mopuri and Bilen 2020, arXiv:2001.02610 (the identity for one image); Ma et al.,
///   ICLR 2023 (iLRG), for batches.
struct LabelCounts {
  /// n̂_c before rounding, [C].
  let estimates: [Double]
  /// Whole numbers ≥ 0 with the same sum as there are images, nearest to the estimates.
  let counts: [Int]

  /// Counts of `images` images from a mean gradient of the bias and a mean prediction, both [C].
  ///
  /// For several steps: −Δb/(η·τ) in place of the gradient, and B·τ images.
  init(bias gradient: [Double], prediction: [Double], images: Int) {
    estimates = zip(prediction, gradient).map { Double(images) * ($0 - $1) }
    counts = Self.rounded(estimates, sum: images)
  }

  /// Whole numbers ≥ 0 that add up to `sum`, in the proportions of the positive ones, by the
  /// largest remainders; of equal ones the first.
  static func rounded(_ values: [Double], sum: Int) -> [Int] {
    let positive = values.map { $0.isFinite ? max(0, $0) : 0 }
    let total = positive.reduce(0, +)
    guard total > 0, !values.isEmpty else { return [Int](repeating: 0, count: values.count) }
    let shares = positive.map { $0 * Double(sum) / total }
    var counts = shares.map { Int($0) }
    let order = shares.indices.sorted {
      let (a, b) = (shares[$0] - Double(counts[$0]), shares[$1] - Double(counts[$1]))
      return a != b ? a > b : $0 < $1
    }
    for place in order.prefix(max(0, sum - counts.reduce(0, +))) { counts[place] += 1 }
    return counts
  }
}

/// What was found of the labels of clients' work.
package struct LabelRow: Sendable {
  /// "one step" or "local training".
  package let what: String
  /// Clients that were attacked.
  package let clients: Int
  /// Images of all of them, each as often as it was used.
  package let images: Int
  /// Half of Σ_c |n̂_c − n_c| over all images: the share whose label was miscounted.
  package let miscounted: Double
  /// Share of the classes found that were there.
  package let precision: Double
  /// Share of the classes there that were found.
  package let recall: Double

  /// A row of some attacks; nil without one.
  init?(_ what: String, _ attacks: [(found: [Int], true: [Int])]) {
    let images = attacks.reduce(0) { $0 + $1.true.reduce(0, +) }
    guard images > 0 else { return nil }
    var (wrong, hits, named, there) = (0, 0, 0, 0)
    for (found, real) in attacks {
      for (a, b) in zip(found, real) {
        wrong += abs(a - b)
        hits += a > 0 && b > 0 ? 1 : 0
        named += a > 0 ? 1 : 0
        there += b > 0 ? 1 : 0
      }
    }
    self.what = what
    clients = attacks.count
    self.images = images
    miscounted = Double(wrong) / 2 / Double(images)
    precision = named > 0 ? Double(hits) / Double(named) : 0
    recall = there > 0 ? Double(hits) / Double(there) : 0
  }
}

/// The attack on clients' gradients and local training, without clipping or noise.
struct LabelCountAttack {
  let context: RunContext
  let model: [Float]
  let clients: Int

  /// Images of the test set that the mean prediction is taken from, at most.
  private static let publicImages = 500
  /// Local steps that are attacked, at most.
  private static let steps = 20

  /// Two rows; nil when the classifier has no bias, or no client has the server's network.
  func rows() -> [LabelRow]? {
    let network = context.network
    guard let entry = network.layout[network.classifier + ".bias"],
      entry.range.upperBound <= network.layout.trainedCount
    else { return nil }
    let inGroups = Set(context.problem.groups.flatMap { Array($0.clients) })
    let chosen = context.split.clients.indices.filter {
      !context.split.clients[$0].isEmpty && !inGroups.contains($0)
    }.prefix(clients)
    let before = prediction(model)
    let found = context.pool.map(chosen.count) { worker, index in
      attack(chosen[chosen.startIndex + index], entry.range, before, worker)
    }
    let rows = [
      LabelRow("one step", found.map { ($0.step.counts, $0.stepCounts) }),
      LabelRow("local training", found.map { ($0.training.counts, $0.trainingCounts) }),
    ].compactMap { $0 }
    return rows.isEmpty ? nil : rows
  }

  private struct Found: Sendable {
    let step: LabelCounts
    let stepCounts: [Int]
    let training: LabelCounts
    let trainingCounts: [Int]
  }

  /// The mean prediction on images of nobody, [C].
  private func prediction(_ model: [Float], worker: Int? = nil) -> [Double] {
    let network = context.network
    let count = min(Self.publicImages, context.test.images.count)
    let size = network.evaluationBatch
    let space = context.spaces[worker ?? 0]
    space.load(model)
    var sums = [Double](repeating: 0, count: network.classes)
    var first = 0
    while first < count {
      let batch = min(size, count - first)
      context.test.fill(space, Array(first..<first + batch))
      network.forward(space, batch: batch, training: false)
      for example in 0..<batch {
        let row = (0..<network.classes).map {
          Double(space.logits[example * network.classes + $0])
        }
        let most = row.max() ?? 0
        let weights = row.map { exp($0 - most) }
        let total = weights.reduce(0, +)
        for c in sums.indices { sums[c] += weights[c] / total }
      }
      first += batch
    }
    return sums.map { $0 / Double(max(1, count)) }
  }

  private func attack(_ client: Int, _ bias: Range<Int>, _ before: [Double], _ worker: Int) -> Found
  {
    let images = context.split.clients[client]
    let batch = min(context.problem.settings.batch, images.count)
    let steps = min(Self.steps, max(1, images.count / batch))
    // One step, and then as many as go once through the images: plain SGD, η known to the server.
    let one = train(client, Array(images.prefix(batch)), batch, steps: 1, bias, worker)
    let all = train(client, Array(images.prefix(batch * steps)), batch, steps: steps, bias, worker)
    let after = prediction(all.model, worker: worker)
    let middle = zip(before, after).map { ($0 + $1) / 2 }
    return Found(
      step: LabelCounts(bias: one.gradient, prediction: before, images: batch),
      stepCounts: context.train.images.classCounts(of: Array(images.prefix(batch))),
      training: LabelCounts(bias: all.gradient, prediction: middle, images: batch * steps),
      trainingCounts: context.train.images.classCounts(of: Array(images.prefix(batch * steps))))
  }

  /// −Δb/(ητ) of some steps in the order of the images, and the model at their end.
  private func train(
    _ client: Int, _ images: [Int], _ batch: Int, steps: Int, _ bias: Range<Int>, _ worker: Int
  ) -> (gradient: [Double], model: [Float]) {
    var local = context.problem.settings
    local.work = .steps(steps)
    local.batch = batch
    local.order = .sequential
    local.loss = .crossEntropy
    local.augmentation = AugmentationPlan()
    let rate = min(0.1, max(1e-3, local.optimizer.learningRate))
    local.optimizer = OptimizerSpec(learningRate: rate)
    local.schedule = LearningRateSchedule()
    var device = Device(
      client: client, round: 1, rounds: 1, seed: context.seed, examples: images,
      network: context.network, workspace: context.spaces[worker], loader: context.train,
      settings: local)
    device.workspace.load(model)
    var rule = PlainRule(device.loss)
    _ = try? device.train(&rule)
    let trained = Array(device.workspace.parameters)
    let gradient = bias.map {
      (Double(model[$0]) - Double(trained[$0])) / (rate * Double(steps))
    }
    return (gradient, trained)
  }
}
