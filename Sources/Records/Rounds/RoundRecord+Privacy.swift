import Base

extension RoundRecord {
  /// What privacy cost up to this round, and what it did to this round's training.
  package struct Privacy: Sendable, Equatable {
    /// The largest ε over clients, or that of the server's releases; infinite without noise.
    package var epsilonMax: Double
    /// The median over clients that released something.
    package var epsilonMedian: Double
    /// δ.
    package var delta: Double
    /// "pld" or "rdp".
    package var accountant: String
    /// Whether the ε means anything: nothing left a client unprotected.
    package var hasGuarantee: Bool
    /// Share of examples, or of messages, that were scaled down; nil when there was none.
    package var clipped: Double?
    /// Mean norm before clipping.
    package var norm: Double?
    /// Expected norm of the noise over the norm of the sum that it was added to, both summed up
    /// over the round's releases.
    package var noiseToSignal: Double?
    /// The clip of the round.
    package var clip: Double
    /// Mean norm of the hidden error; nil without error feedback.
    package var error: Double?
    /// Clients of the cohort whose budget was used up.
    package var stopped: [Int]

    package init(
      epsilonMax: Double, epsilonMedian: Double, delta: Double, accountant: String,
      hasGuarantee: Bool, clipped: Double? = nil, norm: Double? = nil, noiseToSignal: Double? = nil,
      clip: Double, error: Double? = nil, stopped: [Int]
    ) {
      self.epsilonMax = epsilonMax
      self.epsilonMedian = epsilonMedian
      self.delta = delta
      self.accountant = accountant
      self.hasGuarantee = hasGuarantee
      self.clipped = clipped
      self.norm = norm
      self.noiseToSignal = noiseToSignal
      self.clip = clip
      self.error = error
      self.stopped = stopped
    }
  }
}

extension RoundRecord.Privacy {
  package var json: JSON {
    var members: [(String, JSON)] = [
      ("epsilon", .object([("max", .number(epsilonMax)), ("median", .number(epsilonMedian))])),
      ("delta", .number(delta)), ("accountant", .string(accountant)),
      ("guarantee", .bool(hasGuarantee)), ("clip", .number(clip)),
    ]
    for (name, value) in [
      ("clipped", clipped), ("norm", norm), ("noiseToSignal", noiseToSignal), ("error", error),
    ] { if let value { members.append((name, .number(value))) } }
    if !stopped.isEmpty { members.append(("stopped", .array(stopped.map(JSON.int)))) }
    return .object(members)
  }

  package init?(_ json: JSON) {
    func number(_ json: JSON?) -> Double? { json.flatMap { $0.isNull ? .infinity : $0.double } }
    guard let largest = number(json["epsilon"]?["max"]),
      let median = number(json["epsilon"]?["median"]), let delta = json["delta"]?.double,
      let accountant = json["accountant"]?.text, let guarantee = json["guarantee"]?.truth
    else { return nil }
    self.init(
      epsilonMax: largest, epsilonMedian: median, delta: delta, accountant: accountant,
      hasGuarantee: guarantee, clipped: json["clipped"]?.double, norm: json["norm"]?.double,
      noiseToSignal: json["noiseToSignal"]?.double, clip: json["clip"]?.double ?? .infinity,
      error: json["error"]?.double, stopped: json["stopped"]?.elements?.compactMap(\.count) ?? [])
  }
}
