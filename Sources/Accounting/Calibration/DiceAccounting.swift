import Base

/// The budget of DP-SGD with clipped error feedback (DiceSGD), by one of several arguments.
///
/// All noise is that of the SUM of a step's clipped gradients, in units of the clip norm C1; the
/// error's threshold is ρ·C1 in the same sum. DiceSGD feeds a secret error back, which depends on
/// an example long after it was drawn, so the accounting of DP-SGD does not simply apply.
///
/// - Source: Zhang, Bu, Wu and Hong, ICLR 2024, arXiv:2311.14632 (`paper`); `fixed` and `poisson`
///   are our own derivation, in `wholeRunSensitivity`.
public struct DiceAccounting: Sendable, Equatable {
  /// Which argument proves a number.
  public enum Mode: Sendable, Equatable {
    /// Noise of DP-SGD times √(1 + 2 max(ρ, ρ²)), as in the paper and its code.
    case paper(Accountant)
    /// A worst case over the whole run, for examples that are used `participations` times in any
    /// order, such as once in each of k epochs.
    case fixed(participations: Int)
    /// The same worst case, averaged over Poisson sampling.
    case poisson
    /// The error is kept by a client and clipped with its update: plain DP-FedAvg per client.
    case client(Accountant)
  }

  /// An ε with the words that have to stand beside it.
  public struct Answer: Sendable, Equatable {
    /// ε, or the noise multiplier.
    public let value: Double
    /// What kind of claim it is.
    public let label: String
  }

  /// The argument.
  public let mode: Mode
  /// `ρ` = C2/C1 in sum units, ≥ 0.
  public let errorRatio: Double
  /// `G/C1` ≥ 1: each gradient is cut to norm G before anything else.
  public let capRatio: Double
  /// `q`, in [0, 1].
  public let samplingRate: Double
  /// `T`, steps of the run.
  public let steps: Int

  /// An accounting, checked; `capRatio` matters for `fixed` and `poisson` only.
  public init(
    mode: Mode, errorRatio: Double, capRatio: Double = 1, samplingRate: Double, steps: Int
  ) throws(AccountingError) {
    guard errorRatio >= 0, errorRatio.isFinite else {
      throw .outOfRange("the ratio of thresholds is \(errorRatio); expected a number >= 0")
    }
    guard capRatio >= 1, capRatio.isFinite else {
      throw .outOfRange("the cap is \(capRatio) clip norms; expected a number >= 1")
    }
    if case .fixed(let participations) = mode {
      guard participations >= 0, participations <= steps else {
        throw .outOfRange("\(participations) participations in \(steps) steps")
      }
    }
    // Rate and steps are those of an event.
    _ = try PrivacyEvent.poisson(
      unit: .example, rate: samplingRate, noiseMultiplier: 1, steps: steps)
    self.mode = mode
    self.errorRatio = errorRatio
    self.capRatio = capRatio
    self.samplingRate = samplingRate
    self.steps = steps
  }

  /// What kind of claim the numbers are; printed wherever they are.
  public var label: String {
    switch mode {
    case .paper: "as published, not independently verified"
    case .fixed(let participations):
      "worst case over the whole run, \(participations) participations per example"
    case .poisson: "worst case over the whole run, averaged over Poisson participation"
    case .client: "client level, plain DP-FedAvg accounting"
    }
  }

  /// `noise` over the σ of DP-SGD with the same budget: √(1 + 2 max(ρ, ρ²)).
  ///
  /// The public code has √(1 + 2ρ), the theorem reads like √(1 + 2ρ²); they agree at ρ = 1, and
  /// this covers both.
  public var publishedFactor: Double {
    (1 + 2 * max(errorRatio, errorRatio * errorRatio)).squareRoot()
  }

  /// How far an example that is used k times can move all that is released, in clip norms.
  ///
  ///     R(k) = √k + min(k (G/C1 − 1), 2ρ √T)
  ///
  /// The first term is the clipped gradients themselves. What clipping removed from one use has
  /// norm at most G − C1; along two runs with the same noise, the difference of the errors is
  /// moved only by those k pieces, and since clipping is a projection (firmly non-expansive), the
  /// squares of what is fed back of it add up to at most (k (G − C1))² over all later steps. Each
  /// step alone is at most 2ρC1 apart. Minkowski's inequality joins both.
  public func wholeRunSensitivity(participations: Int) -> Double {
    let count = Double(participations)
    if participations == 0 { return 0 }
    return count.squareRoot()
      + min(count * (capRatio - 1), 2 * errorRatio * Double(steps).squareRoot())
  }

  /// ε at δ in (0, 1) with noise of standard deviation `noise` · C1 on the sum.
  public func epsilon(noise: Double, delta: Double) throws(AccountingError) -> Answer {
    guard noise >= 0, noise.isFinite else {
      throw .outOfRange("the noise multiplier is \(noise); expected a number >= 0")
    }
    try check(delta)
    return Answer(value: try plainEpsilon(noise: noise, delta: delta), label: label)
  }

  /// The standard deviation of the noise on the sum, in clip norms, that meets (ε, δ).
  public func noise(epsilon: Double, delta: Double) throws(AccountingError) -> Answer {
    guard epsilon > 0, epsilon.isFinite else {
      throw .outOfRange("the target epsilon is \(epsilon); expected a number above 0")
    }
    try check(delta)
    return Answer(value: try plainNoise(epsilon: epsilon, delta: delta), label: label)
  }

  private func check(_ delta: Double) throws(AccountingError) {
    guard delta > 0, delta < 1 else {
      throw .outOfRange("delta is \(delta); expected a number between 0 and 1")
    }
  }

  private func plainEpsilon(noise: Double, delta: Double) throws(AccountingError) -> Double {
    switch mode {
    case .paper(let accountant):
      let ledger = PrivacyLedger([try event(noise: noise / publishedFactor)])
      return accountant.epsilon(ledger, delta: delta)
    case .client(let accountant):
      return accountant.epsilon(PrivacyLedger([try event(noise: noise)]), delta: delta)
    case .fixed(let participations):
      let sensitivity = wholeRunSensitivity(participations: participations)
      if sensitivity == 0 { return 0 }
      return GaussianMechanism(shift: sensitivity / noise).epsilon(delta: delta)
    case .poisson:
      let mixture = ParticipationMixture(self)
      if mixture.delta(epsilon: 0, noise: noise) <= delta { return 0 }
      if mixture.delta(epsilon: .greatestFiniteMagnitude, noise: noise) > delta { return .infinity }
      var high = 1.0
      while mixture.delta(epsilon: high, noise: noise) > delta { high *= 2 }
      return GaussianMechanism.boundary(from: 0, to: high) {
        mixture.delta(epsilon: $0, noise: noise) <= delta
      }
    }
  }

  private func plainNoise(epsilon: Double, delta: Double) throws(AccountingError) -> Double {
    switch mode {
    case .paper(let accountant):
      return publishedFactor * (try calibrated(accountant, epsilon, delta))
    case .client(let accountant): return try calibrated(accountant, epsilon, delta)
    case .fixed(let participations):
      return wholeRunSensitivity(participations: participations)
        * GaussianMechanism.noiseMultiplier(epsilon: epsilon, delta: delta)
    case .poisson:
      let mixture = ParticipationMixture(self)
      func meets(_ noise: Double) -> Bool { mixture.delta(epsilon: epsilon, noise: noise) <= delta }
      var high = 1.0
      while !meets(high) {
        high *= 2
        guard high < 1e12 else { throw .unreachable("no noise up to 1e12 clip norms is enough") }
      }
      while high > 1e-6, meets(high / 2) { high /= 2 }
      return GaussianMechanism.boundary(from: high / 2, to: high, where: meets)
    }
  }

  private func calibrated(_ accountant: Accountant, _ epsilon: Double, _ delta: Double)
    throws(AccountingError) -> Double
  {
    try Calibration(accountant, epsilon: epsilon, delta: delta).noiseMultiplier(
      for: try event(noise: 1))
  }

  private func event(noise: Double) throws(AccountingError) -> PrivacyEvent {
    var unit = PrivacyEvent.Unit.example
    if case .client = mode { unit = .client }
    return try .poisson(unit: unit, rate: samplingRate, noiseMultiplier: noise, steps: steps)
  }
}

/// δ(ε) ≤ Σ_k P(k uses) δ_k(ε), k ∼ Binomial(T, q): δ is jointly convex in the two data sets'
/// output distributions.
private struct ParticipationMixture {
  /// Probabilities of k uses, with R(k), where they matter.
  private var uses: [(probability: Double, sensitivity: Double)] = []
  /// Probability of all k that were left out; counted as no privacy at all.
  private var rest = 0.0

  init(_ accounting: DiceAccounting) {
    let (q, steps) = (accounting.samplingRate, accounting.steps)
    if q == 0 || steps == 0 { return }
    if q == 1 {
      uses = [(1, accounting.wholeRunSensitivity(participations: steps))]
      return
    }
    // From the mode outward by the ratio of neighbours; terms below 10⁻³⁰ of it are left out.
    let middle = min(steps, Int(Double(steps + 1) * q))
    var weights: [(Int, Double)] = []
    var weight = 1.0
    var k = middle
    while k <= steps, weight > 1e-30 {
      weights.append((k, weight))
      weight *= Double(steps - k) / Double(k + 1) * (q / (1 - q))
      k += 1
    }
    (weight, k) = (1, middle)
    while k > 0 {
      weight *= Double(k) / Double(steps - k + 1) * ((1 - q) / q)
      k -= 1
      if weight <= 1e-30 { break }
      weights.append((k, weight))
    }
    let total = weights.reduce(0) { $0 + $1.1 }
    uses = weights.map { ($1 / total, accounting.wholeRunSensitivity(participations: $0)) }
    // Beyond the last term both sides fall faster than a geometric series of ratio ½ at most.
    rest = weights.count == steps + 1 ? 0 : 4e-30
  }

  func delta(epsilon: Double, noise: Double) -> Double {
    var delta = rest
    for (probability, sensitivity) in uses where sensitivity > 0 {
      delta += probability * GaussianMechanism(shift: sensitivity / noise).delta(epsilon: epsilon)
    }
    return min(1, delta)
  }
}
