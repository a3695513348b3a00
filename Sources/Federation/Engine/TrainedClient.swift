import Aggregation
import Client

/// What all clients of an exchange have in common.
package struct ExchangeContext {
  /// Clients that send.
  var senders: Int
  /// What client-level privacy does to messages; nil without it.
  var release: ClientRelease?
  /// What they are sent, encoded; nil for plain numbers.
  var download: PreparedDownload?
  /// What those know that send factors; nil for updates.
  var factors: SharedFactorsRound?
}

/// What a worker hands over: both messages of a client, and what it remembers.
package struct TrainedClient: Sendable {
  // Not nested in the generic simulation: code that moves these values is compiled once, for them.
  var received: Payload
  /// Bytes of the message behind it.
  var downBytes: Int
  var update: ClientUpdate
  package var memory: ClientMemory
  /// Under client-level privacy, what left.
  var sent: ClientRelease.Sent?
  /// Under example-level privacy, what training did.
  var statistics: PrivateTraining.Statistics?
  /// Floating-point operations of its passes through networks.
  package var flops = 0
  /// Seconds that its worker spent on it.
  package var seconds = 0.0
  /// Where messages are encoded, what was sent.
  var coded: Coded?
  /// What the update looks like, where its upload is something else.
  var template: Payload?

  /// Both messages of a client as bytes.
  package struct Coded: Sendable {
    /// To the client; nil where it was counted when it was sent.
    package var down: CodedMessage?
    /// To the server.
    package var up: CodedMessage?
    /// How near the upload is to what was meant.
    var quality = CompressionQuality()
    /// What the client remembers in place if its upload does not arrive.
    var unheard: [String: [Float]] = [:]
    /// Time of encoding and decoding.
    package var seconds = 0.0
  }

  /// Bytes of the upload.
  var upBytes: Int { coded?.up?.byteCount ?? update.upload.byteCount }
  /// What the client remembers in place if its upload does not arrive.
  var unheard: [String: [Float]] { coded?.unheard ?? [:] }
}
