import Codecs
import Tensor

/// A block that a link's codecs could not send, and why.
public struct FrameError: Error, Sendable, Equatable {
  /// What the codec found.
  public let reason: CodecError
  /// The payload block's name.
  public let block: String
  /// Number of values.
  public let values: Int
  /// The codecs of its tensors, each kind once.
  public let codecs: String

  package init(_ reason: CodecError, block: String, values: Int, codecs: String) {
    self.reason = reason
    self.block = block
    self.values = values
    self.codecs = codecs
  }

  init(_ reason: CodecError, _ block: PayloadBlock, _ codecs: [CodecSpec]) {
    var kinds: [String] = []
    for codec in codecs {
      let kind = "\(codec.codec.kind)"
      if !kinds.contains(kind) { kinds.append(kind) }
    }
    self.init(reason, block: block.name, values: block.count, codecs: kinds.joined(separator: ", "))
  }
}

extension PayloadBlock {
  /// Runs codecs on this block; what fails says whose it was.
  func coding<T>(_ codecs: [CodecSpec], _ body: () throws(CodecError) -> T) throws(FrameError) -> T
  { do throws(CodecError) { return try body() } catch { throw FrameError(error, self, codecs) } }
}
