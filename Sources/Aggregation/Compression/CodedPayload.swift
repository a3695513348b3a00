import Tensor

/// A message: what its receiver reads, and the buffers behind it where it was encoded.
struct CodedPayload {
  var payload: Payload
  /// nil for plain numbers.
  var message: CodedMessage?
  /// Time of encoding and decoding.
  var seconds = 0.0

  init(_ payload: Payload, _ message: CodedMessage? = nil, seconds: Double = 0) {
    self.payload = payload
    self.message = message
    self.seconds = seconds
  }

  var byteCount: Int { message?.byteCount ?? payload.byteCount }
}
