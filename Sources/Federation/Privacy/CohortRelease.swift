import Accounting
import Aggregation
import Base
import Client
import Scenario
import Tensor

/// The server's half of client-level privacy through the rounds of a run: the clip of each round,
/// the hidden error, and one noisy mean for each exchange.
///
/// What moves is `scheduledClip`, `adaptedClip` and `errors`; all else is constant.
struct CohortRelease {
  let settings: PrivacySettings
  let mechanism: PrivacySettings.ClientMechanism
  /// σ of the noise on updates, in clips.
  let multiplier: Double
  /// m: what a noisy sum is divided by.
  let size: Double
  /// S of this round where it does not adapt.
  var scheduledClip: Double
  /// S where it adapts; nil before the first round.
  var adaptedClip: Float?
  /// The hidden error of each block, in units of the sum.
  var errors: [String: [Float]] = [:]

  init(
    _ settings: PrivacySettings, _ mechanism: PrivacySettings.ClientMechanism, multiplier: Double,
    size: Double
  ) {
    self.settings = settings
    self.mechanism = mechanism
    self.multiplier = multiplier
    self.size = size
    scheduledClip = settings.clip
  }

  /// S of this round.
  var clip: Double { adaptedClip.map(Double.init) ?? scheduledClip }

  /// What each of `senders` clients does to its message.
  func message(senders: Int) -> ClientRelease {
    let whole = multiplier * clip
    let deviation: Double =
      switch mechanism.placement {
      case .server: 0
      case .local: whole
      case .distributed: whole / Double(max(1, senders)).squareRoot()
      }
    return ClientRelease(
      settings: settings, mechanism: mechanism, clip: clip, deviation: deviation)
  }

  /// The noisy mean of a cohort; moves the hidden error and the adaptive clip.
  ///
  /// - Parameters:
  ///   - aggregate: the sum of what arrived.
  ///   - senders: clients that added noise to be a share of the whole.
  ///   - correlated: noise of a block's numbers with a deviation, in place of what `streams` give.
  ///   - streams: the address of the server's noise, by block.
  /// - Returns: the mean, and the norms of the sum and of its noise.
  mutating func mean(
    of aggregate: PrivateAggregate, senders: Int,
    correlated: ((_ block: Int, _ count: Int, _ deviation: Double) -> [Float])? = nil,
    streams: (Int) -> RandomStream
  ) -> (payload: Payload, signal: Double, noise: Double) {
    let clip = clip
    let blocks = aggregate.template?.blocks.map(\.name) ?? []
    var hidden = blocks.compactMap { errors[$0] }
    if hidden.count != blocks.count { hidden = [] }
    var ratio: Double?
    if case .serverErrorFeedback(let value, _) = mechanism.kind { ratio = value }
    // Whoever is missing took a share of the noise along, and a cohort of nobody had none at all:
    // the sum has all of it, whoever sends.
    var missing = 1.0
    if mechanism.placement == .distributed, senders > 0 {
      missing = max(0, 1 - Double(aggregate.count) / Double(senders))
    }
    let deviation = missing == 1 ? multiplier * clip : multiplier * clip * missing.squareRoot()
    let released = aggregate.release(
      clip: clip, deviation: deviation, size: size, noise: mechanism.noise, ratio: ratio,
      errors: &hidden,
      correlated: correlated.map { noise in { noise($0, $1, deviation) } }, streams: streams)
    for (block, error) in zip(blocks, hidden) { errors[block] = error }
    if let adaptive = mechanism.adaptive {
      let stream = streams(blocks.count)
      let next = aggregate.adapted(
        clip: clip, adaptive, size: size, countDeviation: CountNoise.deviation(cohort: size),
        noise: multiplier > 0 ? GaussianNoise(stream).value(0) : 0)
      adaptedClip = Float(next)
    }
    let noise = multiplier * clip * Double(released.coordinates).squareRoot()
    return (released.payload, released.signal, noise)
  }
}
