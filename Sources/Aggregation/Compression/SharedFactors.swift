import Base
import Codecs
import Tensor

/// PowerSGD over a cohort: factors of the clients' mean matrix, in two sums.
///
///     M_k = Δ_k + e_k;   P = Σ p_k·M_k·Q,  orthonormal columns;   Q ← Σ p_k·M_kᵀ·P
///     Δ̄ = P·Qᵀ;   e_k ← M_k − Δ̄   (or M_k − P·(M_kᵀ·P)ᵀ, what the client itself lost)
///
/// Both sums are linear in the M_k, so the mean's best factors are found without anybody seeing a
/// single M_k, and clients receive factors again. Tensors that a low rank does not pay for travel
/// as they are in the first sum.
///
/// - Source: Vogels, Karimireddy and Jaggi, NeurIPS 2019, arXiv:1905.13727, algorithms 1 and 2.
public struct SharedFactors: Sendable {
  /// How the tensors travel.
  public let plan: CodecPlan

  /// Factors for a plan.
  public init(_ plan: CodecPlan) { self.plan = plan }

  /// Values of the first message: P_k of low-rank tensors, others as they are.
  public var leftCount: Int {
    plan.groups.reduce(0) { $0 + (codec($1)?.leftCount(shape: $1.shape) ?? $1.count) }
  }
  /// Values of the second message, and of Q.
  public var rightCount: Int {
    plan.groups.reduce(0) { $0 + (codec($1)?.rightCount(shape: $1.shape) ?? 0) }
  }

  private func codec(_ group: CodecPlan.Group) -> LowRankCodec? {
    if case .lowRank(let lowRank) = group.codec { lowRank } else { nil }
  }

  /// Q of the first round, [rightCount].
  public func firstFactors(_ stream: inout RandomStream) -> [Float] {
    var factors: [Float] = []
    for group in plan.groups {
      if let codec = codec(group) { factors += codec.firstFactors(shape: group.shape, &stream) }
    }
    return factors
  }

  /// The first message, [leftCount].
  public func left(of m: [Float], factors: [Float]) -> [Float] {
    var message: [Float] = []
    var next = 0
    for group in plan.groups {
      let x = values(group, of: m)
      guard let codec = codec(group) else {
        message += x
        continue
      }
      let end = next + codec.rightCount(shape: group.shape)
      message += codec.left(of: x, shape: group.shape, factors: Array(factors[next..<end]))
      next = end
    }
    return message
  }

  /// The sum of first messages with orthonormal columns, [leftCount].
  public func orthonormal(_ sum: [Float]) -> [Float] {
    var result: [Float] = []
    var next = 0
    for group in plan.groups {
      let codec = codec(group)
      let end = next + (codec?.leftCount(shape: group.shape) ?? group.count)
      let part = Array(sum[next..<end])
      result += codec?.orthonormal(part, shape: group.shape) ?? part
      next = end
    }
    return result
  }

  /// M_k − P·Qᵀ on tensors of low rank; what travels as it is loses nothing, [count].
  public func error(of m: [Float], left: [Float], right: [Float]) -> [Float] {
    var error = VectorArithmetic.difference(m.span, product(left: left, right: right).span)
    for group in plan.groups where codec(group) == nil {
      for range in group.ranges {
        error.replaceSubrange(range, with: repeatElement(0, count: range.count))
      }
    }
    return error
  }

  /// The second message, [rightCount].
  public func right(of m: [Float], left: [Float]) -> [Float] {
    var message: [Float] = []
    var next = 0
    for group in plan.groups {
      guard let codec = codec(group) else {
        next += group.count
        continue
      }
      let end = next + codec.leftCount(shape: group.shape)
      message += codec.right(
        of: values(group, of: m), shape: group.shape, left: Array(left[next..<end]))
      next = end
    }
    return message
  }

  /// Δ̄ of both sums; tensors that travelled as they are come from the first, [count].
  public func product(left: [Float], right: [Float]) -> [Float] {
    var result = [Float](repeating: 0, count: plan.count)
    var (a, b) = (0, 0)
    for group in plan.groups {
      let part: [Float]
      if let codec = codec(group) {
        let (c, d) = (
          a + codec.leftCount(shape: group.shape), b + codec.rightCount(shape: group.shape)
        )
        part = codec.product(
          left: Array(left[a..<c]), right: Array(right[b..<d]), shape: group.shape)
        (a, b) = (c, d)
      } else {
        part = Array(left[a..<a + group.count])
        a += group.count
      }
      var next = 0
      for range in group.ranges {
        result.replaceSubrange(range, with: part[next..<next + range.count])
        next += range.count
      }
    }
    return result
  }

  private func values(_ group: CodecPlan.Group, of vector: [Float]) -> [Float] {
    var values: [Float] = []
    values.reserveCapacity(group.count)
    for range in group.ranges { values += vector[range] }
    return values
  }
}
