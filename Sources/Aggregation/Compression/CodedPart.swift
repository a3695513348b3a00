import Codecs
import Tensor

/// The tensors of a block that are encoded, as a block of their own; the others travel as plain
/// numbers beside them.
public struct CodedPart: Sendable {
  /// The encoded tensors: the block itself where all of its tensors are.
  public let block: PayloadBlock
  /// The others.
  public let plain: [NamedShape]
  private let whole: PayloadBlock
  /// Where the encoded tensors lie in it.
  private let ranges: [Range<Int>]

  /// The tensors of a block that satisfy `isEncoded`; nil when there is no value in them.
  init?(_ whole: PayloadBlock, where isEncoded: (NamedShape) -> Bool) {
    self.whole = whole
    var (coded, plain): ([NamedShape], [NamedShape]) = ([], [])
    var ranges: [Range<Int>] = []
    var next = 0
    for tensor in whole.tensors {
      let range = next..<next + tensor.count
      next = range.upperBound
      if isEncoded(tensor) {
        coded.append(tensor)
        ranges.append(range)
      } else {
        plain.append(tensor)
      }
    }
    let count = ranges.reduce(0) { $0 + $1.count }
    guard count > 0 else { return nil }
    self.plain = plain
    self.ranges = ranges
    if plain.isEmpty {
      block = whole
    } else {
      let values = whole.values
      block = PayloadBlock(whole.name, coded, count, .values(ranges.flatMap { values[$0] }))
    }
  }

  /// The whole block's values with what a receiver decodes of the encoded tensors, [whole.count].
  package func values(_ decoded: [Float]) -> [Float] {
    if plain.isEmpty { return decoded }
    var values = whole.values
    var next = 0
    for range in ranges {
      values.replaceSubrange(range, with: decoded[next..<next + range.count])
      next += range.count
    }
    return values
  }
}

/// Why a codec leaves a tensor as it is.
public enum CodecObstacle: Sendable, Equatable, CaseIterable {
  /// Whole numbers travel as such.
  case wholeNumbers
  /// `blocks` is "parameters", and it is none.
  case noParameter
  /// Its group travels as 32-bit floats.
  case group
  /// It has fewer values than `denseBelow`.
  case belowDense
  /// `denseVectors`, and it has fewer than two dimensions.
  case vector
  /// Factors of it would be longer than it is.
  case lowRank
  /// The share kept is 1.
  case everyValue
}

extension BlockPlanner {
  /// Why the link's codec leaves a tensor as it is; nil when it is encoded.
  ///
  /// - Parameters:
  ///   - tensor: of any block.
  ///   - sizesCount: whether the sizes of tensors that are no parameters are those of a run.
  /// - Returns: the first reason that holds.
  public func obstacle(_ tensor: NamedShape, sizesCount: Bool = true) -> CodecObstacle? {
    guard tensor.element == .float32 else { return .wholeNumbers }
    guard encodes(tensor) else { return .noParameter }
    if let group = override(of: tensor) { return group == .dense(.float32) ? .group : nil }
    let wanted = settings.codec
    if wanted == .dense(.float32) { return nil }  // frames are what was asked for
    if sizesCount || isParameter(tensor) {
      if tensor.count < settings.denseBelow { return .belowDense }
      if case .lowRank(let lowRank) = wanted, !lowRank.pays(shape: Self.matrix(tensor.shape)) {
        return .lowRank
      }
    }
    if settings.denseVectors, tensor.shape.count < 2 { return .vector }
    switch wanted {
    case .sparse(let sparse) where sparse.density.map({ $0 >= 1 }) ?? false: return .everyValue
    case .randomK(let random):
      if case .density(let density) = random.amount, density >= 1 { return .everyValue }
      return nil
    default: return nil
    }
  }
}
