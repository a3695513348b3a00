/// How long one client's part of an exchange takes, in seconds.
package struct PartTiming: Sendable, Equatable {
  /// The download with its latency; 0 for an empty message.
  package var receive: Double
  /// FLOPs / speed.
  package var compute: Double
  /// The upload with its latency; 0 for an empty message.
  package var send: Double
  /// Seconds in which bits of the download, and of the upload, are on the way.
  package var receiving: Double
  package var sending: Double

  package init(receive: Double, compute: Double, send: Double, receiving: Double, sending: Double) {
    self.receive = receive
    self.compute = compute
    self.send = send
    self.receiving = receiving
    self.sending = sending
  }

  /// t_k = (latency + 8·down/b_down) + FLOPs/speed + (latency + 8·up/b_up).
  package var total: Double { receive + compute + send }

  /// The same, given up so many seconds after its start.
  package func cut(after seconds: Double) -> PartTiming {
    let receive = min(receive, seconds)
    let compute = max(0, min(compute, seconds - receive))
    let send = max(0, min(send, seconds - receive - compute))
    return PartTiming(
      receive: receive, compute: compute, send: send, receiving: min(receiving, receive),
      sending: min(sending, send))
  }
}
