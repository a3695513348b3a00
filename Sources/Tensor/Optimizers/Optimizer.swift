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
      "Optimizer: the workspace holds \(workspace.moments.count) moments"
    )
    for moment in workspace.moments { moment.update(repeating: 0) }
  }

  /// One step on the parameters in `ranges` with the gradient in the workspace.
  ///
  /// `learningRate`: η of this step, in place of the spec's.
  ///
  /// `ranges`: disjoint ranges of trained parameters.
  ///
  /// - Complexity: O(parameters in the ranges), no allocation.
  public mutating func step(
    _ workspace: Workspace,
    learningRate: Double,
    ranges: [Range<Int>]
  ) {
    steps += 1
    for range in ranges where !range.isEmpty {
      switch spec.kind {
      case .sgd: sgd(workspace, range, Float(learningRate))
      case .adam, .adamw: adam(workspace, range, learningRate)
      }
    }
  }

  /// g ← g + λw; v ← ρv + g; w ← w − η·v, or w − η·(g + ρv) with Nesterov.
  private func sgd(_ workspace: Workspace, _ range: Range<Int>, _ rate: Float) {
    let decay = Float(spec.weightDecay)
    let momentum = Float(spec.momentum)
    guard let w = workspace.parameters.baseAddress, let g = workspace.gradient.baseAddress else {
      return
    }
    guard momentum > 0, let v = workspace.moments[0].baseAddress else {
      for i in range { w[i] -= rate * (g[i] + decay * w[i]) }
      return
    }
    if spec.nesterov {
      for i in range {
        let gradient = g[i] + decay * w[i]
        v[i] = momentum * v[i] + gradient
        w[i] -= rate * (gradient + momentum * v[i])
      }
    } else {
      for i in range {
        v[i] = momentum * v[i] + (g[i] + decay * w[i])
        w[i] -= rate * v[i]
      }
    }
  }

  /// m ← m + (1 − β₁)(g − m); v ← β₂v + (1 − β₂)g²; w ← w − η/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε).
  ///
  /// Kingma and Ba 2015, arXiv:1412.6980, algorithm 1; weight decay joins g (Adam) or shrinks w
  /// first (AdamW: Loshchilov and Hutter 2019, arXiv:1711.05101).
  private func adam(_ workspace: Workspace, _ range: Range<Int>, _ rate: Double) {
    guard let w = workspace.parameters.baseAddress, let g = workspace.gradient.baseAddress,
      let m = workspace.moments[0].baseAddress, let v = workspace.moments[1].baseAddress
    else { return }
    var power1 = 1.0
    var power2 = 1.0
    for _ in 0..<steps {
      power1 *= spec.beta1
      power2 *= spec.beta2
    }
    let stepSize = Float(rate / (1 - power1))
    let root = Float((1 - power2).squareRoot())
    let beta2 = Float(spec.beta2)
    let rest1 = Float(1 - spec.beta1)
    let rest2 = Float(1 - spec.beta2)
    let epsilon = Float(spec.epsilon)
    let joined = spec.kind == .adam ? Float(spec.weightDecay) : 0
    let shrink = spec.kind == .adamw ? Float(1 - rate * spec.weightDecay) : 1
    for i in range {
      w[i] *= shrink
      let gradient = g[i] + joined * w[i]
      m[i] += rest1 * (gradient - m[i])
      v[i] = beta2 * v[i] + rest2 * gradient * gradient
      w[i] -= stepSize * m[i] / (v[i].squareRoot() / root + epsilon)
    }
  }
}
