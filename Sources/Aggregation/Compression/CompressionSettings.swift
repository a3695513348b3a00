import Tensor

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

  /// Whether nothing is encoded.
  public var isInert: Bool { uplink == nil && downlink == nil }
}
