/// One kind of noisy release, repeated: all that an accountant may know of a run.
///
/// Accountants read events and nothing else, so that a budget cannot depend on what the program
/// meant to do, only on what it recorded.
public struct PrivacyEvent: Sendable, Equatable {
  /// What was added to the clipped sum.
  public enum Mechanism: String, Sendable, CaseIterable {
    /// Gaussian noise in floating point.
    case gaussian
    /// Integer noise N_ℤ(0, s²) on a grid, s = σ·Δ.
    ///
    /// It is counted as Gaussian noise: exact for its Rényi divergence without sampling
    /// (Canonne, Kamath and Steinke 2020, arXiv:2004.00010, Proposition 5), and correct to many
    /// digits with sampling for s ≥ 1.
    case discreteGaussian = "discrete-gaussian"
  }

  /// Whose participation is hidden.
  public enum Unit: String, Sendable, CaseIterable {
    /// One record.
    case example
    /// All records of a client.
    case client
  }

  /// How the units of a step are drawn.
  public enum Sampling: String, Sendable, CaseIterable {
    /// All units are in every step.
    case none
    /// Each unit joins each step with probability q, independently of all others.
    case poisson
    /// m of N units are drawn for each step, all subsets alike; q = m / N.
    case withoutReplacement = "without-replacement"
  }

  /// Which data sets count as neighbours.
  public enum Neighbours: String, Sendable, CaseIterable {
    /// One unit more or less: the clipped sum moves by at most the clip norm.
    case addRemove = "add-remove"
    /// One unit exchanged for another: the clipped sum moves by at most twice the clip norm.
    case replaceOne = "replace-one"
  }

  /// The kind of noise.
  public let mechanism: Mechanism
  /// Whose participation is hidden.
  public let unit: Unit
  /// How the units of a step were drawn.
  public let sampling: Sampling
  /// Which data sets count as neighbours.
  public let neighbours: Neighbours
  /// `q`: the probability that a unit is in a step, in [0, 1]; 1 without sampling.
  public let samplingRate: Double
  /// `σ`: standard deviation of the noise on the sum, in units of the clip norm, ≥ 0.
  public let noiseMultiplier: Double
  /// `T`: how often the release was made, 0 … `stepLimit`.
  public let steps: Int

  /// Most steps of an event: sums of T losses stay within 64-bit indices.
  public static let stepLimit = 1_000_000_000

  /// An event, checked.
  ///
  /// Poisson sampling has neighbours by addition, sampling without replacement (whose N is public)
  /// by replacement; the other two pairs have no bound here and are refused.
  public init(
    mechanism: Mechanism = .gaussian, unit: Unit, sampling: Sampling, neighbours: Neighbours,
    samplingRate: Double, noiseMultiplier: Double, steps: Int
  ) throws(AccountingError) {
    guard samplingRate >= 0, samplingRate <= 1 else {
      throw .outOfRange("the sampling rate is \(samplingRate); expected a number from 0 to 1")
    }
    guard noiseMultiplier >= 0, noiseMultiplier.isFinite else {
      throw .outOfRange("the noise multiplier is \(noiseMultiplier); expected a number >= 0")
    }
    guard steps >= 0, steps <= Self.stepLimit else {
      throw .outOfRange("the number of steps is \(steps); expected 0 to \(Self.stepLimit)")
    }
    switch (sampling, neighbours) {
    case (.none, _), (.poisson, .addRemove), (.withoutReplacement, .replaceOne): break
    case (.poisson, .replaceOne), (.withoutReplacement, .addRemove):
      throw .unsupported(
        "\(sampling.rawValue) sampling with \(neighbours.rawValue) neighbours has no accountant: "
          + "poisson goes with add-remove, without-replacement with replace-one")
    }
    guard sampling != .none || samplingRate == 1 else {
      throw .outOfRange("the sampling rate is \(samplingRate); without sampling it is 1")
    }
    self.mechanism = mechanism
    self.unit = unit
    self.sampling = sampling
    self.neighbours = neighbours
    self.samplingRate = samplingRate
    self.noiseMultiplier = noiseMultiplier
    self.steps = steps
  }

  /// Steps whose units join independently: DP-SGD with Poisson batches, neighbours by addition.
  public static func poisson(unit: Unit, rate: Double, noiseMultiplier: Double, steps: Int)
    throws(AccountingError) -> PrivacyEvent
  {
    try PrivacyEvent(
      unit: unit, sampling: .poisson, neighbours: .addRemove, samplingRate: rate,
      noiseMultiplier: noiseMultiplier, steps: steps)
  }

  /// Steps with `drawn` of `population` units each, neighbours by replacement.
  public static func fixedSize(
    unit: Unit, drawn: Int, of population: Int, noiseMultiplier: Double, steps: Int
  ) throws(AccountingError) -> PrivacyEvent {
    guard population > 0, drawn >= 0, drawn <= population else {
      throw .outOfRange("\(drawn) of \(population) units cannot be drawn without replacement")
    }
    return try PrivacyEvent(
      unit: unit, sampling: .withoutReplacement, neighbours: .replaceOne,
      samplingRate: Double(drawn) / Double(population), noiseMultiplier: noiseMultiplier,
      steps: steps)
  }

  /// The same release, repeated another number of times.
  public func repeated(_ steps: Int) throws(AccountingError) -> PrivacyEvent {
    try with(steps: steps)
  }

  /// The same event with some numbers changed.
  package func with(samplingRate: Double? = nil, noiseMultiplier: Double? = nil, steps: Int? = nil)
    throws(AccountingError) -> PrivacyEvent
  {
    try PrivacyEvent(
      mechanism: mechanism, unit: unit, sampling: sampling, neighbours: neighbours,
      samplingRate: samplingRate ?? self.samplingRate,
      noiseMultiplier: noiseMultiplier ?? self.noiseMultiplier, steps: steps ?? self.steps)
  }

  /// Noise in units of the distance between the sums of neighbours: σ, or σ/2 under replacement.
  var relativeNoise: Double { neighbours == .replaceOne ? noiseMultiplier / 2 : noiseMultiplier }

  /// Whether nothing was released.
  package var isEmpty: Bool { steps == 0 || samplingRate == 0 }
}
