import Base

/// Deep gradient compression: what one client accumulates between the values that it sends.
///
///     g ← g · min(1, θ/(√N·‖g‖))                 local clipping, before anything is added
///     u ← m·u + g,        v ← v + u               momentum correction
///     u ← m·(u + g),      v ← v + u + g           the same with Nesterov's momentum
///     send v ⊙ M, M of the largest |v|;           (``SparseCodec`` or `largest`)
///     v ← v ⊙ (1 − M),    u ← u ⊙ (1 − M)         momentum factor masking
///
/// The receiver adds no momentum: w ← w − η·mean of messages. At density 1 this is SGD with
/// momentum, exactly. Tensors of one dimension are not sparsified by the authors; they travel as u
/// (`step` with density 1). Several local steps count momentum twice unless they have none.
///
/// - Source: Lin, Han, Mao, Wang and Dally, ICLR 2018, algorithms 1 to 4 and section 3.
public struct GradientAccumulator: Sendable, Equatable {
  /// How momentum is corrected.
  public struct Rule: Sendable, Equatable {
    /// m in [0, 1).
    public var momentum: Float
    /// Whether momentum is Nesterov's.
    public var isNesterov: Bool
    /// θ > 0, the threshold that the sum of all clients would be clipped at; nil for none.
    public var clip: Double?
    /// N, whose gradients are summed.
    public var clients: Int
    /// Whether u is masked too.
    public var masksMomentum: Bool

    /// A rule.
    public init(
      momentum: Float = 0.9, isNesterov: Bool = false, clip: Double? = nil, clients: Int = 1,
      masksMomentum: Bool = true
    ) {
      self.momentum = momentum
      self.isNesterov = isNesterov
      self.clip = clip
      self.clients = clients
      self.masksMomentum = masksMomentum
    }
  }

  /// u, [d].
  public private(set) var momentum: [Float]
  /// v, [d]: what waits to be sent.
  public private(set) var waiting: [Float]

  /// Empty memories for d values.
  public init(count d: Int) {
    momentum = [Float](repeating: 0, count: d)
    waiting = momentum
  }

  /// Memories of an earlier run.
  ///
  /// - Throws: ``CodecError/size(expected:found:)`` when they differ in length.
  public init(momentum: [Float], waiting: [Float]) throws(CodecError) {
    guard momentum.count == waiting.count else {
      throw .size(expected: momentum.count, found: waiting.count)
    }
    self.momentum = momentum
    self.waiting = waiting
  }

  /// Adds a gradient; `waiting` is then what is compressed.
  ///
  /// - Complexity: O(d).
  public mutating func add(_ gradient: [Float], _ rule: Rule) {
    precondition(gradient.count == waiting.count, "GradientAccumulator: [\(gradient.count)]")
    let factor = Self.clipFactor(gradient, rule)
    let m = rule.momentum
    for i in gradient.indices {
      let g = factor * gradient[i]
      if rule.isNesterov {
        momentum[i] = m * (momentum[i] + g)
        waiting[i] += momentum[i] + g
      } else {
        momentum[i] = m * momentum[i] + g
        waiting[i] += momentum[i]
      }
    }
  }

  /// min(1, θ/(√N·‖g‖)): the sum of N independent gradients is √N times as long as one.
  static func clipFactor(_ gradient: [Float], _ rule: Rule) -> Float {
    guard let clip = rule.clip else { return 1 }
    let norm = gradient.withUnsafeBufferPointer { Magnitude.sums($0).squares.squareRoot() }
    let limit = clip / Double(max(1, rule.clients)).squareRoot()
    return norm > limit ? Float(limit / norm) : 1
  }

  /// Masks what has arrived; without this call a lost message is sent again with the next.
  ///
  /// `positions`: of the values that were sent, each below d.
  public mutating func acknowledge(_ positions: [UInt32], _ rule: Rule) {
    for position in positions where Int(position) < waiting.count {
      waiting[Int(position)] = 0
      if rule.masksMomentum { momentum[Int(position)] = 0 }
    }
  }

  /// What travelled dense has arrived: nothing of it waits, and its momentum goes on.
  public mutating func acknowledge(all range: Range<Int>) { for i in range { waiting[i] = 0 } }

  /// Both memories times a factor: gradients that waited take the step length of another round.
  public mutating func scale(by factor: Float) {
    guard factor != 1 else { return }
    for i in waiting.indices {
      momentum[i] *= factor
      waiting[i] *= factor
    }
  }

  /// factor^rounds.
  public static func fading(_ factor: Float, rounds: Int) -> Float {
    if factor == 1 { return 1 }
    var power: Float = 1
    for _ in 0..<max(0, rounds) where power > 0 { power *= factor }
    return power
  }

  /// Memory of a client that was away: both u and v times factor^rounds.
  ///
  /// `factor`: 1 keeps them, 0 forgets them, 0.9 lets them fade.
  public mutating func fade(_ factor: Float, rounds: Int) {
    scale(by: Self.fading(factor, rounds: rounds))
  }

  /// Ascending positions of the ⌈density·d⌉ largest |v|, ties by the lowest index.
  ///
  /// - Throws: ``CodecError/nonFinite``, ``CodecError/parameter(_:)``.
  public func largest(_ amount: KeptAmount) throws(CodecError) -> [UInt32] {
    try amount.check()
    return try TopKSelection.positions(waiting, count: amount.of(waiting.count))
  }
}

/// The authors' selection by a threshold from a sample, which sorts little.
public enum SampledSelection {
  /// Ascending positions of at most ⌈density·d⌉ large magnitudes.
  ///
  /// A hundredth of the values, at least 2/density of them, are looked at in equal strides from a
  /// random start; the smallest of their ⌈density·n⌉ largest is the threshold. When more than 1.3
  /// times the wanted number pass, the largest of these are taken exactly; when fewer than 0.8
  /// times, the threshold falls to 0.8 of itself, ten times at most; at last the list is cut to the
  /// wanted length from its end. Vectors of at most 2/density values are selected exactly.
  ///
  /// - Throws: ``CodecError/nonFinite``, ``CodecError/parameter(_:)``.
  /// - Complexity: O(d) per pass.
  public static func positions(_ x: [Float], density: Double, stream: inout RandomStream)
    throws(CodecError) -> [UInt32]
  {
    let amount = KeptAmount.density(density)
    try amount.check()
    let wanted = amount.of(x.count)
    let least = (2 / density).rounded(.up)
    guard Double(x.count) > least, wanted < x.count else {
      return try TopKSelection.positions(x, count: wanted)
    }
    let stride = x.count / max(x.count / 100, Int(clamping: least))
    let start = stream.below(stride)
    let sample = Swift.stride(from: start, to: x.count, by: stride).map { x[$0] }
    let kept = KeptAmount.density(density).of(sample.count)
    let top = try TopKSelection.positions(sample, count: kept)
    var threshold = top.reduce(Float.infinity) { min($0, abs(sample[Int($1)])) }
    var passing = try passing(x, threshold)
    var tries = 0
    while Double(passing.count) < 0.8 * Double(wanted), tries < 10 {
      threshold *= 0.8
      passing = try self.passing(x, threshold)
      tries += 1
    }
    if Double(passing.count) > 1.3 * Double(wanted) {
      let values = passing.map { x[Int($0)] }
      return try TopKSelection.positions(values, count: wanted).map { passing[Int($0)] }
    }
    return Array(passing.prefix(wanted))
  }

  private static func passing(_ x: [Float], _ threshold: Float) throws(CodecError) -> [UInt32] {
    var result: Result<[UInt32], CodecError> = .success([])
    x.withUnsafeBufferPointer { x in
      do throws(CodecError) {
        result = .success(try TopKSelection.positions(x, threshold: threshold))
      } catch { result = .failure(error) }
    }
    return try result.get()
  }
}

/// Densities that fall to their last one, epoch by epoch.
public enum DensityWarmUp: Sendable, Equatable {
  /// The paper's: ¼, 1/16, 1/64, 1/256 (sparsity 75, 93.75, 98.44, 99.6 %), then the last.
  case quarters
  /// The authors' program: r^((e + 1)/(W + 1)) in epoch e < W, r the last, never below it.
  case geometric(epochs: Int)
  /// A list, then the last.
  case list([Double])

  /// The density in an epoch.
  ///
  /// - Parameters:
  ///   - epoch: ≥ 0.
  ///   - last: r in (0, 1].
  /// - Returns: a density in (0, 1].
  /// - Complexity: O(W).
  public func density(epoch: Int, last: Double) -> Double {
    switch self {
    case .quarters:
      guard (0..<4).contains(epoch) else { return last }
      var density = 1.0
      for _ in 0...epoch { density /= 4 }
      return max(density, last)
    case .geometric(let epochs):
      guard epoch >= 0, epoch < epochs else { return last }
      return max(last, pow(last, Double(epoch + 1) / Double(epochs + 1)))
    case .list(let densities): return densities.indices.contains(epoch) ? densities[epoch] : last
    }
  }
}
