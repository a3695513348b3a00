import Aggregation
import Base
import Client
import Scenario
import Tensor

/// The server's half of client-level privacy: the sum of clipped uploads, its noise, and the
/// division by a number that is no secret.
///
///     Δ̄ = (Σ_k c_k + N(0, σ²S²)) / m,   m = q·K fixed
///
/// With error feedback at the server (DiceSGD on client updates) clip(e, ρS) is added and
/// e ← (e − clip(e, ρS)) + Σ_k (u_k − c_k).
///
/// - Source: McMahan et al. 2018; Zhang et al. 2024, arXiv:2311.14632, with clients in place of
///   examples.
struct PrivateAggregate {
  /// The blocks' names and shapes; nil before anything was sent.
  private(set) var template: Payload?
  private var sums: [[Double]] = []
  private var residuals: [[Float]] = []
  /// Sums of what was clipped, where the messages have shares of the noise.
  private var quiet: [[Double]] = []
  /// Updates within the clip, and all.
  private(set) var whole = 0
  private(set) var count = 0

  /// Takes one client's message in; the order decides roundings and is fixed.
  mutating func add(_ sent: ClientRelease.Sent, clip: Double) {
    if template == nil { shape(sent.upload) }
    for (index, block) in sent.upload.blocks.enumerated() where index < sums.count {
      let values = block.values
      for i in values.indices { sums[index][i] += Double(values[i]) }
    }
    if !sent.residual.isEmpty {
      if residuals.isEmpty { residuals = sums.map { [Float](repeating: 0, count: $0.count) } }
      for index in residuals.indices {
        VectorArithmetic.addScaled(&residuals[index], 1, sent.residual[index])
      }
    }
    if !sent.quiet.isEmpty {
      if quiet.isEmpty { quiet = sent.quiet.map { [Double](repeating: 0, count: $0.count) } }
      for (index, values) in sent.quiet.enumerated() {
        for i in values.indices { quiet[index][i] += Double(values[i]) }
      }
    }
    count += 1
    if sent.norm <= clip { whole += 1 }
  }

  /// Blocks to sum up, all zero.
  mutating func shape(_ payload: Payload) {
    template = payload
    sums = payload.blocks.map { [Double](repeating: 0, count: $0.count) }
  }

  /// The noisy mean as one message.
  ///
  /// - Parameters:
  ///   - clip: S.
  ///   - deviation: of the noise that is still to be added to the sum.
  ///   - size: m.
  ///   - noise: its distribution.
  ///   - ratio: ρ; nil without error feedback at the server.
  ///   - errors: e of each block, in units of the sum, read and written; empty at first.
  ///   - correlated: the noise of a block with so many numbers, where it is not the round's own.
  ///   - streams: the address of each block's noise.
  /// - Returns: the message, the norm of the sum without noise, and how many numbers got noise.
  func release(
    clip: Double, deviation: Double, size: Double, noise: PrivacySettings.ClientMechanism.Noise,
    ratio: Double?, errors: inout [[Float]],
    correlated: ((_ block: Int, _ count: Int) -> [Float])? = nil,
    streams: (Int) -> RandomStream
  ) -> (payload: Payload, signal: Double, coordinates: Int) {
    guard let template else { return (.empty, 0, 0) }
    var sums = sums
    if let ratio { giveBack(ratio * clip, &sums, &errors) }
    let ranges = template.blocks.map(ClientRelease.floats)
    var signal = 0.0
    var coordinates = 0
    for (sum, ranges) in zip(sums, ranges) {
      for range in ranges {
        if quiet.isEmpty { for i in range { signal += sum[i] * sum[i] } }
        coordinates += range.count
      }
    }
    for sum in quiet { for x in sum { signal += x * x } }
    var means: [[Float]] = []
    let discrete = GridNoise(clip: clip, deviation: deviation)
    for index in sums.indices {
      var stream = streams(index)
      var added = [Float](repeating: 0, count: sums[index].count)
      let isNoisy = Self.places(ranges[index], of: sums[index].count)
      if noise == .gaussian {
        if let correlated {
          added = correlated(index, added.count)
        } else {
          GaussianNoise(stream).add(to: &added, deviation: deviation)
        }
        for i in added.indices where !isNoisy[i] { added[i] = 0 }
      }
      var mean = added
      for i in mean.indices {
        var x = sums[index][i] + Double(added[i])
        if noise == .discrete, isNoisy[i], let sampler = discrete.sampler {
          // Sums of multiples of a power of two are exact in Double: nothing was rounded.
          x += Double(sampler.draw(from: &stream)) * discrete.grid
        }
        mean[i] = Float(x / size)
      }
      means.append(mean)
    }
    return (template.replacing(means), signal.squareRoot(), coordinates)
  }

  private static func places(_ ranges: [Range<Int>], of count: Int) -> [Bool] {
    if ranges == [0..<count] { return [Bool](repeating: true, count: count) }
    var places = [Bool](repeating: false, count: count)
    for range in ranges { for i in range { places[i] = true } }
    return places
  }

  /// The server's error feedback: sums are floats from here on.
  private func giveBack(_ bound: Double, _ sums: inout [[Double]], _ errors: inout [[Float]]) {
    if errors.isEmpty { errors = sums.map { [Float](repeating: 0, count: $0.count) } }
    var floats = sums.map { $0.map { Float($0) } }
    ErrorFeedbackStep(bound: bound).apply(
      &floats, &errors, residuals: residuals, ranges: floats.map { [0..<$0.count] })
    sums = floats.map { $0.map { Double($0) } }
  }

  /// S·exp(−η_C·(b̃ − γ)), b̃ the noisy share of updates within the clip.
  ///
  /// Shares are sent as b_k − ½, so that one client moves their sum by ½.
  ///
  /// - Source: Andrew et al., NeurIPS 2021, arXiv:1905.03871, algorithm 1.
  func adapted(
    clip: Double, _ adaptive: PrivacySettings.ClientMechanism.Adaptive, size: Double,
    countDeviation: Double, noise: Double
  ) -> Double {
    let centred = Double(whole) - Double(count) / 2
    let share = (centred + countDeviation * noise) / size + 0.5
    return min(1e6, max(1e-6, clip * exp(-adaptive.rate * (share - adaptive.quantile))))
  }
}
