import Base
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
  var capacity: Int { gradients.capacity }
  /// Names of the hidden errors: the network's, then the heads'.
  private let lanes: [String]
  /// Σ (min(1, G/‖g_i‖) − c_i)·g_i: what clipping took away; empty without error feedback.
  private var residuals: [[Float]] = []

  private var settings: ExamplePrivacy { training.settings }
  var copies: Int { settings.copies }

  init(
    _ training: PrivateTraining, _ network: Network, _ workspace: Workspace, _ ranges: [Range<Int>],
    heads: Int, lane: Int
  ) {
    self.training = training
    self.workspace = workspace
    self.network = network
    self.ranges = ranges
    let settings = training.settings
    gradients = training.memory.gradients(
      network, ranges: ranges, copies: settings.copies,
      rows: min(settings.batch * settings.copies, workspace.capacity))
    lanes = ["\(lane)"] + (0..<heads).map { "\(lane)/head\($0)" }
    for range in ranges {
      UnsafeMutableBufferPointer(rebasing: workspace.gradient[range]).update(repeating: 0)
    }
  }

  /// The backward sweep of some examples, which keeps them apart.
  func sweep(examples: Int, _ part: BackwardPart, from first: Int) {
    gradients.sweep(workspace, examples: examples, part: part, from: first)
  }

  /// Clips the examples of the last sweep and adds them.
  mutating func add<Rule: LocalRule>(_ rule: inout Rule, examples: Int) {
    guard let start = workspace.features.baseAddress, !workspace.isDryRun else { return }
    let features = UnsafePointer(start)
    let rows = examples * copies
    var squares = (0..<examples).map { gradients.isFinite($0) ? gradients.squaredNorm($0) : .nan }
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
    _ rule: inout Rule, _ factors: [Double], _ features: UnsafePointer<Float>
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
    _ rule: inout Rule, _ headSquares: [[Double]], _ norms: [Double],
    _ features: UnsafePointer<Float>
  ) {
    let layers = gradients.layers.count
    let bound = settings.clip / Double(layers + headSquares.count).squareRoot()
    var factors: [Float] = []
    for i in norms.indices {
      for layer in 0..<layers {
        let norm = norms[i].isFinite ? gradients.squaredNorm(i, layer: layer).squareRoot() : .nan
        factors.append(Float(settings.factor(norm: norm, bound: bound)))
      }
    }
    gradients.add(layerFactors: factors, to: workspace.gradient)
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
    _ rule: inout Rule, _ factors: [Double], _ features: UnsafePointer<Float>
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
  /// `stream`: the noise vector with a number that was never used before.
  mutating func finish<Rule: LocalRule>(_ rule: inout Rule, noise stream: (Int) -> RandomStream) {
    if workspace.isDryRun { return keepErrors(of: rule) }
    var sums = [Array(workspace.gradient)] + rule.heads.map(\.gradient)
    let moving = [ranges] + rule.heads.map { [0..<$0.values.count] }
    addCanaries(to: &sums)
    if let feedback = settings.errorFeedback { giveBack(feedback, &sums, moving) }
    let signal = ErrorFeedbackStep.norm(sums, moving)
    let coordinates = moving.joined().reduce(0) { $0 + $1.count }
    let deviation = settings.noiseMultiplier * settings.clip
    let scale = Float(1 / Double(settings.batch))
    for index in sums.indices {
      let noise = GaussianNoise(stream(training.nextNoise()))
      sums[index].withUnsafeMutableBufferPointer { sum in
        for range in moving[index] {
          let part = UnsafeMutableBufferPointer(rebasing: sum[range])
          noise.add(to: part, deviation: deviation, first: range.lowerBound)
          for i in part.indices { part[i] *= scale }
        }
      }
    }
    training.canaries?.read(sums[0], batch: settings.batch)
    if let start = workspace.gradient.baseAddress {
      sums[0].withUnsafeBufferPointer { sum in
        guard let from = sum.baseAddress else { return }
        start.update(from: from, count: sum.count)
      }
    }
    for index in rule.heads.indices { rule.heads[index].gradient = sums[index + 1] }
    training.count { statistics in
      statistics.signalSum += signal
      statistics.noiseSum += deviation * Double(coordinates).squareRoot()
    }
  }

  /// The gradients of an audit's records in this batch, clipped like those of examples.
  private mutating func addCanaries(to sums: inout [[Float]]) {
    guard let canaries = training.canaries, !canaries.joined.isEmpty else { return }
    let (kept, rest) = settings.factors(canaries, parts: gradients.layers.count + sums.count - 1)
    if rest > 0, residuals.isEmpty {
      residuals = sums.map { [Float](repeating: 0, count: $0.count) }
    }
    for record in canaries.joined {
      let places = canaries.places[record]
      let number = canaries.norm / Double(places.count).squareRoot()
      for place in places where ranges.contains(where: { $0.contains(place) }) {
        sums[0][place] += Float(kept * number)
        if rest > 0 { residuals[0][place] += Float(rest * number) }
      }
    }
  }

  /// Without numbers there is nothing to add, but hidden errors take their memory.
  private func keepErrors<Rule: LocalRule>(of rule: Rule) {
    guard settings.errorFeedback != nil else { return }
    let counts = [network.layout.trainedCount] + rule.heads.map(\.values.count)
    for (lane, count) in zip(lanes, counts) where training.errors[lane] == nil {
      training.errors[lane] = [Float](repeating: 0, count: count)
    }
  }

  /// What the hidden errors give back to the sums, and what they take.
  private func giveBack(
    _ feedback: ExamplePrivacy.ErrorFeedback, _ sums: inout [[Float]], _ moving: [[Range<Int>]]
  ) {
    var errors = lanes.indices.map { index in
      training.errors[lanes[index]] ?? [Float](repeating: 0, count: sums[index].count)
    }
    let step = ErrorFeedbackStep(bound: feedback.ratio * settings.clip)
    let length = step.apply(&sums, &errors, residuals: residuals, ranges: moving)
    for (lane, error) in zip(lanes, errors) { training.errors[lane] = error }
    training.count { $0.errorSum += length }
  }
}
