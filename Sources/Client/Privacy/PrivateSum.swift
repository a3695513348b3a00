import Tensor

/// The private sum of one step: Σ c_i·g_i over the network's moving parameters and the rule's
/// heads, what error feedback adds to it, the noise, and the division by B̂.
struct PrivateSum {
  let training: PrivateTraining
  let workspace: Workspace
  let network: Network
  let ranges: [Range<Int>]
  let gradients: ExampleGradients
  /// Examples that pass together.
  let capacity: Int
  /// Names of the hidden errors: the network's, then the heads'.
  private let lanes: [String]
  /// Σ (min(1, G/‖g_i‖) − c_i)·g_i: what clipping took away; empty without error feedback.
  private var residuals: [[Float]] = []

  private var settings: ExamplePrivacy { training.settings }
  /// Rows per example.
  var copies: Int { settings.copies }
  private var tensors: Int { lanes.count }

  init(
    _ training: PrivateTraining,
    _ network: Network,
    _ workspace: Workspace,
    _ ranges: [Range<Int>],
    heads: Int,
    lane: Int
  ) {
    self.training = training
    self.workspace = workspace
    self.network = network
    self.ranges = ranges
    let settings = training.settings
    capacity = ExampleGradients.microBatch(
      of: min(settings.batch, max(1, workspace.capacity / settings.copies)),
      network,
      ranges: ranges,
      rowsPerExample: settings.copies
    )
    gradients = training.memory.gradients(
      network,
      ranges: ranges,
      copies: settings.copies,
      batch: capacity
    )
    lanes = ["\(lane)"] + (0..<heads).map { "\(lane)/head\($0)" }
    for range in ranges {
      UnsafeMutableBufferPointer(rebasing: workspace.gradient[range]).update(repeating: 0)
    }
  }

  /// The backward sweep of some examples, which keeps them apart.
  func sweep(examples: Int, _ part: BackwardPart, from first: Int) {
    gradients.sweep(network, workspace, examples: examples, part: part, from: first)
  }

  /// Clips the examples of the last sweep and adds them.
  mutating func add<Rule: LocalRule>(_ rule: inout Rule, examples: Int) {
    guard let start = workspace.features.baseAddress else { return }
    let features = UnsafePointer(start)
    let rows = examples * copies
    var squares = (0..<examples).map { gradients.squaredNorm($0) }
    let headSquares = rule.heads.map { head in
      (0..<examples).map {
        head.heldSquaredNorm($0 * copies..<($0 + 1) * copies, features: features, count: rows)
      }
    }
    for head in headSquares { for i in squares.indices { squares[i] += head[i] } }
    let norms = squares.map { $0.squareRoot() }
    count(norms)

    // Error feedback first clips to the cap; everything after is of those gradients.
    let caps = norms.map { norm in
      if !norm.isFinite { return 0.0 }
      guard let cap = settings.errorFeedback?.cap, norm > cap else { return 1 }
      return cap / norm
    }
    if settings.clipping == .perLayer {
      addByLayer(&rule, headSquares, norms, features)
      return
    }
    let factors = norms.indices.map { i in
      caps[i] * settings.factor(norm: norms[i] * caps[i], bound: settings.clip)
    }
    add(&rule, factors, features)
    guard settings.errorFeedback != nil else { return }
    let rest = factors.indices.map { caps[$0] - factors[$0] }
    addResidual(&rule, rest, features)
  }

  private func count(_ norms: [Double]) {
    training.count { statistics in
      statistics.examples += norms.count
      for norm in norms {
        guard norm.isFinite else {
          statistics.invalid += 1
          continue
        }
        statistics.normSum += norm
        if settings.factor(norm: norm, bound: settings.clip) < 1 { statistics.clipped += 1 }
      }
    }
  }

  /// Each example's factor on the network's gradient and on every head's.
  private func add<Rule: LocalRule>(
    _ rule: inout Rule,
    _ factors: [Double],
    _ features: UnsafePointer<Float>
  ) {
    let floats = factors.map { Float($0) }
    gradients.add(floats, to: workspace.gradient)
    let rows = floats.flatMap { [Float](repeating: $0, count: copies) }
    for index in rule.heads.indices {
      var gradient = rule.heads[index].gradient
      rule.heads[index].addHeld(rows, features: features, to: &gradient)
      rule.heads[index].gradient = gradient
    }
  }

  /// Each layer by its own norm, within C/√L; each head is a layer.
  private func addByLayer<Rule: LocalRule>(
    _ rule: inout Rule,
    _ headSquares: [[Double]],
    _ norms: [Double],
    _ features: UnsafePointer<Float>
  ) {
    let layers = gradients.layers.count
    let bound = settings.clip / Double(layers + headSquares.count).squareRoot()
    var factors: [[Float]] = []
    for layer in 0..<layers {
      factors.append(
        norms.indices.map { i in
          guard norms[i].isFinite else { return 0 }
          let norm = gradients.squaredNorm(i, layer: layer).squareRoot()
          return Float(settings.factor(norm: norm, bound: bound))
        }
      )
    }
    gradients.add(layers: factors, to: workspace.gradient)
    for index in rule.heads.indices {
      var rows: [Float] = []
      for i in norms.indices {
        let norm = norms[i].isFinite ? headSquares[index][i].squareRoot() : .nan
        let factor = Float(settings.factor(norm: norm, bound: bound))
        for _ in 0..<copies { rows.append(factor) }
      }
      var gradient = rule.heads[index].gradient
      rule.heads[index].addHeld(rows, features: features, to: &gradient)
      rule.heads[index].gradient = gradient
    }
  }

  /// Σ (cap_i − c_i)·g_i, the part that error feedback keeps.
  private mutating func addResidual<Rule: LocalRule>(
    _ rule: inout Rule,
    _ factors: [Double],
    _ features: UnsafePointer<Float>
  ) {
    if residuals.isEmpty {
      residuals = [[Float](repeating: 0, count: network.layout.trainedCount)]
      for head in rule.heads { residuals.append([Float](repeating: 0, count: head.values.count)) }
    }
    let floats = factors.map { Float($0) }
    residuals[0].withUnsafeMutableBufferPointer { gradients.add(floats, to: $0) }
    let rows = floats.flatMap { [Float](repeating: $0, count: copies) }
    for index in rule.heads.indices {
      rule.heads[index].addHeld(rows, features: features, to: &residuals[index + 1])
    }
  }

  /// Adds what error feedback gives back, then noise, and divides by B̂.
  ///
  /// `key`: of the noise vector with a number that was never used before.
  mutating func finish<Rule: LocalRule>(_ rule: inout Rule, noise key: (Int) -> UInt64) {
    var sums = [Array(workspace.gradient)] + rule.heads.map(\.gradient)
    let moving = [ranges] + rule.heads.map { [0..<$0.values.count] }
    if let feedback = settings.errorFeedback { giveBack(feedback, &sums, moving) }
    var signal = 0.0
    var coordinates = 0
    for (sum, ranges) in zip(sums, moving) {
      for range in ranges {
        signal += VectorArithmetic.dot(sum.span.extracting(range), sum.span.extracting(range))
        coordinates += range.count
      }
    }
    let deviation = settings.noiseMultiplier * settings.clip
    let scale = Float(1 / Double(settings.batch))
    for index in sums.indices {
      let key = key(training.nextNoise())
      sums[index].withUnsafeMutableBufferPointer { sum in
        for range in moving[index] {
          let part = UnsafeMutableBufferPointer(rebasing: sum[range])
          if deviation > 0 {
            GaussianNoise(key: key).add(to: part, scale: deviation, firstIndex: range.lowerBound)
          }
          for i in part.indices { part[i] *= scale }
        }
      }
    }
    if let start = workspace.gradient.baseAddress {
      sums[0].withUnsafeBufferPointer { sum in
        guard let from = sum.baseAddress else { return }
        start.update(from: from, count: sum.count)
      }
    }
    for index in rule.heads.indices { rule.heads[index].gradient = sums[index + 1] }
    training.count { statistics in
      statistics.signalSum += signal.squareRoot()
      statistics.noiseSum += deviation * Double(coordinates).squareRoot()
    }
  }

  /// v = S + clip(e, ρC) and e ← (e − clip(e, ρC)) + Σ (g_i − clip(g_i)): the residual form, in
  /// which the noise never enters e.
  private mutating func giveBack(
    _ feedback: ExamplePrivacy.ErrorFeedback,
    _ sums: inout [[Float]],
    _ moving: [[Range<Int>]]
  ) {
    var errors = lanes.indices.map { index in
      training.errors[lanes[index]] ?? [Float](repeating: 0, count: sums[index].count)
    }
    func norm() -> Double {
      var square = 0.0
      for (error, ranges) in zip(errors, moving) {
        for range in ranges {
          square += VectorArithmetic.dot(error.span.extracting(range), error.span.extracting(range))
        }
      }
      return square.squareRoot()
    }
    let length = norm()
    let bound = feedback.ratio * settings.clip
    let factor = Float(length <= bound ? 1 : bound / length)
    for index in errors.indices {
      for range in moving[index] {
        for i in range {
          let given = factor * errors[index][i]
          sums[index][i] += given
          errors[index][i] -= given
          if !residuals.isEmpty { errors[index][i] += residuals[index][i] }
        }
      }
      training.errors[lanes[index]] = errors[index]
    }
    let after = norm()
    training.count { $0.errorSum += after }
  }
}
