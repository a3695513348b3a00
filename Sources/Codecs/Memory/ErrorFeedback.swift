/// What compression has lost so far, added to the next message.
///
///     p = u + e,   c = C(p),   e ← p − ĉ      (ĉ: what the receiver decodes)
///
/// The sum of all ĉ and e is the sum of all u: nothing is lost, only late. Biased codecs (top-k,
/// sign, low rank) need it; unbiased ones do not, and only their scaled form keeps e bounded.
///
/// - Source: Seide, Fu, Droppo, Li and Yu, Interspeech 2014; Karimireddy, Rebjock, Stich and
///   Jaggi, ICML 2019, algorithm 1 (EF-SGD).
public struct ErrorMemory: Sendable, Equatable {
  /// e, [d]; empty before the first message.
  public private(set) var error: [Float]

  /// A memory; an earlier one's error may be given.
  public init(error: [Float] = []) { self.error = error }

  /// p = u + s·e.
  ///
  /// - Parameters:
  ///   - update: u.
  ///   - scale: s = η_t/η_{t−1} where updates hold a learning rate that has changed, else 1.
  /// - Returns: what is compressed.
  /// - Complexity: O(d).
  public func corrected(_ update: [Float], scale: Float = 1) -> [Float] {
    guard !error.isEmpty else { return update }
    precondition(
      error.count == update.count, "ErrorMemory: [\(update.count)], not [\(error.count)]")
    var p = update
    for i in p.indices { p[i] += scale * error[i] }
    return p
  }

  /// e ← p − ĉ, once the message has arrived; without this call a lost message changes nothing.
  public mutating func keep(corrected p: [Float], decoded: [Float]) {
    precondition(p.count == decoded.count, "ErrorMemory: [\(decoded.count)] of [\(p.count)]")
    error = p
    for i in error.indices { error[i] -= decoded[i] }
  }
}

/// EF21: both sides hold an estimate h of what the client would send, and only changes travel.
///
///     c = C(g − h),   h ← h + ĉ on both sides,   server: w ← w − η·mean_k h_k
///
/// The mean is over all clients; those that are absent keep h_k. Starting with h = 0 is C(g⁰) as
/// first message; a full first gradient is set by `init(estimate:)` and must be paid for.
///
/// - Source: Richtárik, Sokolov and Fatkhullin, NeurIPS 2021, algorithm 2; absent clients:
///   Fatkhullin et al., arXiv:2110.03294 (EF21-PP); momentum: Fatkhullin, Tyurin and Richtárik,
///   NeurIPS 2023 (EF21-SGDM).
public struct EstimateMemory: Sendable, Equatable {
  /// h, [d]; empty stands for zeros.
  public private(set) var estimate: [Float]
  /// v of the momentum variant, [d]; empty before the first gradient.
  public private(set) var velocity: [Float]

  /// A memory.
  public init(estimate: [Float] = [], velocity: [Float] = []) {
    self.estimate = estimate
    self.velocity = velocity
  }

  /// v ← (1 − η)·v + η·g, the first v = g; what is then compressed in place of g.
  ///
  /// `eta`: in (0, 1]; 1 gives g.
  public mutating func smoothed(_ gradient: [Float], eta: Float) -> [Float] {
    guard !velocity.isEmpty else {
      velocity = gradient
      return gradient
    }
    precondition(velocity.count == gradient.count, "EstimateMemory: [\(gradient.count)]")
    for i in velocity.indices { velocity[i] = (1 - eta) * velocity[i] + eta * gradient[i] }
    return velocity
  }

  /// g − h, what is compressed.
  public func change(_ gradient: [Float]) -> [Float] {
    guard !estimate.isEmpty else { return gradient }
    precondition(estimate.count == gradient.count, "EstimateMemory: [\(gradient.count)]")
    var change = gradient
    for i in change.indices { change[i] -= estimate[i] }
    return change
  }

  /// h ← h + a·ĉ; the client with a = 1, a server that holds the mean with a = 1/N per message.
  public mutating func absorb(_ decoded: [Float], weight: Float = 1) {
    if estimate.isEmpty { estimate = [Float](repeating: 0, count: decoded.count) }
    precondition(estimate.count == decoded.count, "EstimateMemory: [\(decoded.count)]")
    for i in estimate.indices { estimate[i] += weight * decoded[i] }
  }

  /// The largest step that theory allows, 1/(L + L̃·√(β/θ)), θ = 1 − √(1 − α), β = (1 − α)/θ.
  ///
  /// - Parameters:
  ///   - contraction: α in (0, 1] of the codec.
  ///   - smoothness: L of the mean of the clients' losses.
  ///   - meanSmoothness: L̃, the root of the clients' mean square L.
  /// - Returns: the learning rate.
  public static func step(contraction: Double, smoothness: Double, meanSmoothness: Double) -> Double
  {
    let theta = 1 - (1 - contraction).squareRoot()
    let beta = (1 - contraction) / theta
    return 1 / (smoothness + meanSmoothness * (beta / theta).squareRoot())
  }
}
