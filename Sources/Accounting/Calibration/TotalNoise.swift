import Base

/// Planning of private training by the total amount of noise.
///
/// While σ is above about 2 the budget of DP-SGD depends on one number alone,
///
///     η = (q/σ) √(S/2),   ε_TAN(δ) = η² + 2η √(ln 1/δ)
///
/// so batch and noise may be raised together, and a cheap run with batch B' and σ' = σ B'/B has
/// the same signal and noise per step, though no privacy to speak of. Below 2 the true budget
/// grows quickly.
///
/// - Source: Sander, Stock and Sablayrolles 2023, arXiv:2210.03403, §3.
public struct TotalNoise: Sendable, Equatable {
  /// `η` ≥ 0.
  public let value: Double

  /// The total noise of `steps` steps at rate q with noise multiplier σ.
  public init(samplingRate: Double, noiseMultiplier: Double, steps: Int) {
    value = samplingRate / noiseMultiplier * (Double(steps) / 2).squareRoot()
  }

  /// ε_TAN(δ): an approximation and NOT a bound; for planning, never for a claim.
  public func approximateEpsilon(delta: Double) -> Double {
    value * value + 2 * value * (-log(delta)).squareRoot()
  }

  /// Below this noise multiplier the approximation breaks down.
  public static let smallestNoise = 2.0
}

/// What a budget allows for several batch sizes.
public struct PrivacyPlan: Sendable, Equatable {
  /// One batch size.
  public struct Row: Sendable, Equatable {
    /// Expected examples of a step, `B`.
    public let batch: Int
    /// `q` = B/N.
    public let samplingRate: Double
    /// `σ` that meets the target, by privacy loss distributions.
    public let noiseMultiplier: Double
    /// ε of this σ by privacy loss distributions: the guarantee of the run.
    public let pld: Double
    /// The same by Rényi divergences.
    public let rdp: Double
    /// `η`.
    public let totalNoise: Double
    /// ε_TAN; an approximation, not a guarantee.
    public let approximateEpsilon: Double
    /// `σ'` of the surrogate with the plan's smallest batch, σ B'/B, which is not private.
    public let surrogateNoise: Double
    /// Whether σ is below 2, where more noise for a larger batch would pay.
    public var isBelowWall: Bool { noiseMultiplier < TotalNoise.smallestNoise }
  }

  /// Examples, or clients.
  public let examples: Int
  /// Steps, or rounds.
  public let steps: Int
  /// Target ε.
  public let epsilon: Double
  /// Target δ.
  public let delta: Double
  /// The batch of the surrogate, the smallest of all.
  public let surrogateBatch: Int
  /// A row for each batch size, as given.
  public let rows: [Row]

  /// Batch sizes to look at when none are given: powers of two from 256 that are at most N, and N
  /// itself when it is below 256.
  public static func usualBatches(examples: Int) -> [Int] {
    let sizes = (8...16).map { 1 << $0 }.filter { $0 <= examples }
    return sizes.isEmpty ? [examples] : sizes
  }

  /// Calibrates σ for every batch size.
  ///
  /// - Complexity: a calibration for each, about 0.2 s.
  public init(
    examples: Int, steps: Int, epsilon: Double, delta: Double, batches: [Int],
    unit: PrivacyEvent.Unit = .example
  ) throws(AccountingError) {
    guard examples > 0 else {
      throw .outOfRange("the number of examples is \(examples); expected at least 1")
    }
    guard steps > 0, steps <= PrivacyEvent.stepLimit else {
      throw .outOfRange("the number of steps is \(steps); expected 1 to \(PrivacyEvent.stepLimit)")
    }
    for batch in batches where batch < 1 || batch > examples {
      throw .outOfRange("the batch is \(batch); expected 1 to the \(examples) examples")
    }
    guard let smallest = batches.min() else { throw .outOfRange("no batch size was given") }
    let calibration = try Calibration(.pld, epsilon: epsilon, delta: delta)
    var rows: [Row] = []
    for batch in batches {
      let rate = Double(batch) / Double(examples)
      func event(_ noise: Double) throws(AccountingError) -> PrivacyEvent {
        try .poisson(unit: unit, rate: rate, noiseMultiplier: noise, steps: steps)
      }
      let noise = try calibration.noiseMultiplier(for: try event(1))
      let ledger = PrivacyLedger([try event(noise)])
      let total = TotalNoise(samplingRate: rate, noiseMultiplier: noise, steps: steps)
      rows.append(
        Row(
          batch: batch, samplingRate: rate, noiseMultiplier: noise,
          pld: Accountant.pld.epsilon(ledger, delta: delta),
          rdp: Accountant.rdp.epsilon(ledger, delta: delta), totalNoise: total.value,
          approximateEpsilon: total.approximateEpsilon(delta: delta),
          surrogateNoise: noise * Double(smallest) / Double(batch)))
    }
    self.examples = examples
    self.steps = steps
    self.epsilon = epsilon
    self.delta = delta
    surrogateBatch = smallest
    self.rows = rows
  }
}
