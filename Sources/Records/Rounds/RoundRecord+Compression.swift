import Base

extension RoundRecord {
  /// How near uploads came to what was meant; absent where nothing is encoded.
  package struct Compression: Sendable, Equatable {
    /// cos(x̂, x) of all uploads as one vector; nil for zeros.
    package var cosine: Double?
    /// ‖e‖ / ‖x‖, e what clients remember as lost; nil without a memory.
    package var errorRatio: Double?
    /// Share of values that uploads tell.
    package var kept: Double
    /// Seconds that all workers spent on encoding and decoding; differs between equal runs.
    package var seconds: Double

    package init(cosine: Double? = nil, errorRatio: Double? = nil, kept: Double, seconds: Double) {
      self.cosine = cosine
      self.errorRatio = errorRatio
      self.kept = kept
      self.seconds = seconds
    }
  }
}

extension RoundRecord.Compression {
  package var json: JSON {
    var members: [(String, JSON)] = [("kept", .number(kept))]
    if let cosine { members.append(("cosine", .number(cosine))) }
    if let errorRatio { members.append(("errorRatio", .number(errorRatio))) }
    members.append(("seconds", .number(seconds)))
    return .object(members)
  }

  package init?(_ json: JSON) {
    guard let kept = json["kept"]?.double, let seconds = json["seconds"]?.double else { return nil }
    self.init(
      cosine: json["cosine"]?.double, errorRatio: json["errorRatio"]?.double, kept: kept,
      seconds: seconds)
  }
}
