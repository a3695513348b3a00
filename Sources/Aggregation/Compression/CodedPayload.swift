/// A message: what its receiver reads, and the buffers behind it where it was encoded.
package struct CodedPayload {
  package var payload: Payload
  /// nil for plain numbers.
  package var message: CodedMessage?
  /// Time of encoding and decoding.
  package var seconds = 0.0

  package init(_ payload: Payload, _ message: CodedMessage? = nil, seconds: Double = 0) {
    self.payload = payload
    self.message = message
    self.seconds = seconds
  }

  package var byteCount: Int { message?.byteCount ?? payload.byteCount }
}
