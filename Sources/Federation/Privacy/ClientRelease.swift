import Aggregation
import Base
import Client
import Scenario
import Tensor

/// What client-level privacy does to one client's upload before it leaves: error feedback, the clip
/// of all its tensors as one vector, and noise where clients add it.
///
///     p = Δ_k + e_k;   c = p·min(1, S/‖p‖);   e_k ← p − c;   send c (+ noise)
///
/// - Source: McMahan et al., ICLR 2018, arXiv:1710.06963; e_k only with client error feedback.
struct ClientRelease {
  let settings: PrivacySettings
  let mechanism: PrivacySettings.ClientMechanism
  /// S of this round.
  let clip: Double
  /// σ of the noise on one client's message; 0 when it adds none.
  let deviation: Double

  package struct Sent: Sendable {
    var upload: Payload
    /// Σ over blocks of what the clip took away, after a first clip to the cap; empty unless the
    /// server keeps it.
    var residual: [[Float]] = []
    /// ‖p‖ before the clip.
    var norm: Double
    /// What was clipped, without noise; empty unless clients add shares of it, whose sum has a norm
    /// of its own.
    var quiet: [[Float]] = []
  }

  static func errorName(_ block: String) -> String { RunPrivacy.errorPrefix + block }

  /// The upload as it leaves: its floats clipped as one vector, and whole numbers as they are.
  ///
  /// `streams`: the address of the noise, by block.
  func release(
    _ upload: Payload, _ memory: inout ClientMemory, noise streams: (Int) -> RandomStream
  ) -> Sent {
    let all = upload.blocks.map(\.values)
    // Whole numbers are no part of what is clipped and gets noise: they leave as they are.
    let ranges = upload.blocks.map(Self.floats)
    var values = zip(all, ranges).map { $1 == [0..<$0.count] ? $0 : Self.gather($0, $1) }
    let hasMemory = mechanism.kind == .clientErrorFeedback
    if hasMemory {
      for (index, block) in upload.blocks.enumerated() {
        if let error = memory[Self.errorName(block.name)], error.count == values[index].count {
          VectorArithmetic.addScaled(&values[index], 1, error)
        }
      }
    }
    var norm = Self.norm(values)
    if !norm.isFinite {
      // A message that is not a number becomes zero: to refuse it would tell.
      for index in values.indices {
        values[index] = [Float](repeating: 0, count: values[index].count)
      }
    }
    let found = norm
    if case .serverErrorFeedback(_, let cap?) = mechanism.kind, norm.isFinite, norm > cap {
      for index in values.indices { VectorArithmetic.scale(&values[index], by: Float(cap / norm)) }
      norm = Self.norm(values)
    }
    let whole = values
    if norm.isFinite, norm > clip { Self.clip(&values, norm: norm, to: clip) }
    var sent = Sent(upload: upload, norm: found)
    if case .serverErrorFeedback = mechanism.kind {
      sent.residual = values.indices.map { index in
        let rest = Self.difference(whole[index], values[index])
        if rest.count == all[index].count { return rest }
        let nothing = [Float](repeating: 0, count: all[index].count)
        return Self.scatter(rest, ranges[index], into: nothing)
      }
    }
    if hasMemory {
      for (index, block) in upload.blocks.enumerated() {
        memory[Self.errorName(block.name)] = Self.difference(whole[index], values[index])
      }
    }
    if mechanism.placement == .distributed { sent.quiet = values }
    addNoise(to: &values, streams)
    for index in values.indices where values[index].count < all[index].count {
      values[index] = Self.scatter(values[index], ranges[index], into: all[index])
    }
    sent.upload = upload.replacing(values)
    return sent
  }

  /// The places of a block that are floats, in runs.
  static func floats(of block: PayloadBlock) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start = 0
    for tensor in block.tensors {
      let range = start..<start + tensor.count
      start = range.upperBound
      guard tensor.element == .float32, !range.isEmpty else { continue }
      if let last = ranges.last, last.upperBound == range.lowerBound {
        ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
      } else {
        ranges.append(range)
      }
    }
    return ranges
  }

  static func gather(_ values: [Float], _ ranges: [Range<Int>]) -> [Float] {
    ranges.flatMap { values[$0] }
  }

  static func scatter(_ part: [Float], _ ranges: [Range<Int>], into values: [Float]) -> [Float] {
    var values = values
    var start = 0
    for range in ranges {
      values.replaceSubrange(range, with: part[start..<start + range.count])
      start += range.count
    }
    return values
  }

  /// Rounds to the grid where noise is discrete, and adds the client's part of the noise.
  private func addNoise(to values: inout [[Float]], _ streams: (Int) -> RandomStream) {
    switch mechanism.noise {
    case .gaussian:
      for index in values.indices {
        GaussianNoise(streams(index)).add(to: &values[index], deviation: deviation)
      }
    case .discrete:
      for index in values.indices {
        GridNoise(clip: clip, deviation: deviation).apply(to: &values[index], streams(index))
      }
    }
  }

  static func norm(_ values: [[Float]]) -> Double {
    ErrorFeedbackStep.norm(values, values.map { [0..<$0.count] })
  }

  private static func difference(_ a: [Float], _ b: [Float]) -> [Float] {
    VectorArithmetic.difference(a.span, b.span)
  }

  /// Scales a vector so that its norm is at most `bound`, roundings included.
  static func clip(_ values: inout [[Float]], norm: Double, to bound: Double) {
    var factor = bound / norm
    let original = values
    while true {
      for index in values.indices {
        values[index] = original[index]
        VectorArithmetic.scale(&values[index], by: Float(factor))
      }
      if Self.norm(values) <= bound { return }
      factor *= 1 - 1e-7
    }
  }
}

/// Discrete noise on whole multiples of a grid.
///
/// Values are rounded toward zero, which makes no norm larger; the noise is N_ℤ(0, (s/g)²)·g.
struct GridNoise {
  /// g: a power of two near S/2¹⁶, so that sums of its multiples are exact.
  let grid: Double
  /// The noise on multiples; nil for none.
  let sampler: DiscreteGaussian?

  /// The largest σ whose noise the sampler can draw: (σ·S/g)² ≤ 2⁴⁸ with S/g < 2¹⁷.
  static let largestMultiplier = 128.0

  /// `clip`: S; `deviation`: s ≥ 0, in the units of the values.
  init(clip: Double, deviation: Double) {
    grid = Double(sign: .plus, exponent: Int((clip / 65_536).exponent), significand: 1)
    let scaled = deviation / grid
    // At least the sampler's least, which is more noise than asked for; the plan refuses more than
    // its most (`largestMultiplier`).
    let variance = max(0x1p-40, scaled * scaled)
    sampler = deviation > 0 ? DiscreteGaussian(varianceAtLeast: variance) : nil
  }

  func apply(to values: inout [Float], _ stream: RandomStream) {
    var stream = stream
    for i in values.indices {
      var whole = (Double(values[i]) / grid).rounded(.towardZero)
      if let sampler { whole += Double(sampler.draw(from: &stream)) }
      values[i] = Float(whole * grid)
    }
  }
}
