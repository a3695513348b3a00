import Codecs

/// How messages are encoded in both directions; a link that is nil sends plain numbers.
public struct CompressionSettings: Sendable, Equatable {
  /// From clients to the server.
  public var uplink: LinkCompression?
  /// From the server to clients.
  public var downlink: LinkCompression?

  /// Settings of both directions.
  public init(uplink: LinkCompression? = nil, downlink: LinkCompression? = nil) {
    self.uplink = uplink
    self.downlink = downlink
  }

  /// What sends messages whose lengths depend on their values, in words; nil when all lengths
  /// follow from shapes.
  public var valueDependent: String? {
    for (link, name) in [(uplink, "uploads"), (downlink, "downloads")] {
      guard let link else { continue }
      if link.layerwise != nil { return "\(name) (layer by layer)" }
      let codecs = [link.codec] + link.overrides.map(\.codec)
      let isFixed = codecs.allSatisfy { spec in
        if case .exactly = spec.codec.bodySize(shape: [64, 64]) { true } else { false }
      }
      if !isFixed { return name }
    }
    return nil
  }

  /// Whether nothing is encoded.
  public var isInert: Bool { uplink == nil && downlink == nil }
}
