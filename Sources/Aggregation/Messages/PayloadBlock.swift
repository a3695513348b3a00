import Tensor

/// Tensors that belong together, one after the other in one flat buffer of 32-bit floats.
///
/// Tensors of small whole numbers travel as such and are floats to those who read them.
/// The buffer is what a receiver reads. It is made only when somebody asks for `values`: a block
/// may stand for tensors of a vector that is elsewhere, or for the difference of two.
public struct PayloadBlock: Sendable, Equatable {
  /// What the block is, such as "model" or "control".
  public let name: String
  /// Names and shapes; their sizes add up to `count`.
  public let tensors: [NamedShape]
  /// Floats of the buffer.
  public let count: Int
  package var source: Source

  /// Where the values come from.
  package enum Source: Sendable {
    /// The buffer itself.
    case values([Float])
    /// Ranges of a full vector.
    case selected(of: [Float], [Range<Int>])
    /// Ranges of a client's full model minus what it received: the same ranges of a full vector,
    /// or their values one after the other.
    case difference(ParameterBuffer, base: [Float], baseIsFull: Bool, [Range<Int>])
  }

  package init(_ name: String, _ tensors: [NamedShape], _ count: Int, _ source: Source) {
    self.name = name
    self.tensors = tensors
    self.count = count
    self.source = source
  }

  /// Bytes that travel.
  public var byteCount: Int {
    var total = 0
    for tensor in tensors { total += tensor.byteCount }
    return total
  }

  /// The first tensor with a value that is infinite or not a number, where values lie as they were
  /// made; nil when all are finite.
  ///
  /// Of a difference only the client's model is looked at: what it received was finite.
  ///
  /// - Complexity: O(count), no allocation.
  public var firstNonFinite: String? {
    func isFinite(_ full: UnsafeBufferPointer<Float>, _ ranges: [Range<Int>]) -> Bool {
      ranges.allSatisfy { range in
        let part = UnsafeBufferPointer(rebasing: full[range])
        return VectorArithmetic.isFinite(part.span)
      }
    }
    let isFinite =
      switch source {
      case .values(let values): VectorArithmetic.isFinite(values.span)
      case .selected(let vector, let ranges):
        vector.withUnsafeBufferPointer { isFinite($0, ranges) }
      case .difference(let model, _, _, let ranges): model.withValues { isFinite($0, ranges) }
      }
    if isFinite { return nil }
    let values = values
    var start = 0
    for tensor in tensors {
      let range = start..<start + tensor.count
      if !values[range].allSatisfy(\.isFinite) { return tensor.name }
      start = range.upperBound
    }
    return name
  }

  /// The buffer.
  ///
  /// - Complexity: O(1) when it is there; else O(count), in every call.
  public var values: [Float] {
    get {
      if case .values(let values) = source { return values }
      return [Float](unsafeUninitializedCapacity: count) { target, initialized in
        guard let start = target.baseAddress else { return }
        let term = WeightedBlock(block: self, weight: 1)
        WeightedBlock.add([term], to: start, count: count, fresh: true)
        initialized = count
      }
    }
    set {
      precondition(newValue.count == count, "PayloadBlock: [\(newValue.count)] for [\(count)]")
      source = .values(newValue)
    }
  }

  /// A client's model on the selected tensors, minus the block of them that it received.
  package static func difference(
    _ name: String, _ selection: ParameterSelection, of model: ParameterBuffer,
    minus base: PayloadBlock
  ) -> PayloadBlock {
    let source: Source
    switch base.source {
    case .selected(let vector, let ranges) where ranges == selection.ranges:
      source = .difference(model, base: vector, baseIsFull: true, ranges)
    default: source = .difference(model, base: base.values, baseIsFull: false, selection.ranges)
    }
    return PayloadBlock(name, selection.tensors, selection.count, source)
  }

  /// Writes the values to their places in a full vector, as `selection.scatter` does.
  package func scatter(_ selection: ParameterSelection, into vector: inout [Float]) {
    guard case .selected(let whole, let ranges) = source, ranges == selection.ranges else {
      return selection.scatter(values, into: &vector)
    }
    for range in ranges { vector.replaceSubrange(range, with: whole[range]) }
  }

  /// Equal when a receiver reads the same.
  public static func == (a: PayloadBlock, b: PayloadBlock) -> Bool {
    a.name == b.name && a.tensors == b.tensors && a.values == b.values
  }
}

/// A block with its client's weight, as a term of a sum.
struct WeightedBlock {
  let block: PayloadBlock
  let weight: Float

  /// y ← y + Σ_k w_k·block_k, term after term; y ← 0 + Σ… with `fresh`.
  ///
  /// `y`: [count], as all blocks.
  ///
  /// - Complexity: O(count · terms); y and a base that terms share are read once.
  static func add(
    _ terms: [WeightedBlock], to y: UnsafeMutablePointer<Float>, count: Int, fresh: Bool
  ) {
    // Blocks of one method select the same tensors; should they not, each goes alone.
    let ranges = terms.lazy.compactMap(\.ranges).first
    guard terms.allSatisfy({ $0.ranges == nil || $0.ranges == ranges }) else {
      for (k, term) in terms.enumerated() {
        add([term], to: y, count: count, fresh: fresh && k == 0)
      }
      return
    }
    var places: [Place] = []
    places.reserveCapacity(terms.count)
    withPlaces(terms, &places) { places in
      guard let ranges else {
        let sums = places.map { $0.term(at: 0, range: 0) }
        return WeightedDifferenceSum.add(sums, to: y, count: count, fresh: fresh)
      }
      var start = 0
      for range in ranges {
        let sums = places.map { $0.term(at: start, range: range.lowerBound) }
        WeightedDifferenceSum.add(sums, to: y + start, count: range.count, fresh: fresh)
        start += range.count
      }
    }
  }

  /// Where the values lie in full vectors; nil for a buffer.
  private var ranges: [Range<Int>]? {
    switch block.source {
    case .values: nil
    case .selected(_, let ranges), .difference(_, _, _, let ranges): ranges
    }
  }

  /// The addresses of a block.
  private struct Place {
    let weight: Float
    let vector: UnsafePointer<Float>
    let vectorIsFull: Bool
    var base: UnsafePointer<Float>?
    var baseIsFull = false

    /// The elements from `start` of the buffer on, which lie at `full` of a full vector.
    func term(at start: Int, range full: Int) -> WeightedDifferenceSum.Term {
      WeightedDifferenceSum.Term(
        weight: weight, vector: vector + (vectorIsFull ? full : start),
        base: base.map { $0 + (baseIsFull ? full : start) })
    }
  }

  /// Lends the addresses of all terms.
  private static func withPlaces(
    _ terms: [WeightedBlock], _ places: inout [Place], _ body: ([Place]) -> Void
  ) {
    guard places.count < terms.count else { return body(places) }
    let term = terms[places.count]
    let (vector, isFull): ([Float], Bool)
    switch term.block.source {
    case .values(let values): (vector, isFull) = (values, false)
    case .selected(let values, _): (vector, isFull) = (values, true)
    case .difference(_, let values, let full, _): (vector, isFull) = (values, full)
    }
    vector.withUnsafeBufferPointer { pointer in
      guard let start = pointer.baseAddress else { return }
      guard case .difference(let model, _, _, _) = term.block.source else {
        places.append(Place(weight: term.weight, vector: start, vectorIsFull: isFull))
        return withPlaces(terms, &places, body)
      }
      model.withValues { values in
        places.append(
          Place(
            weight: term.weight, vector: values.baseAddress ?? start, vectorIsFull: true,
            base: start, baseIsFull: isFull))
        withPlaces(terms, &places, body)
      }
    }
  }
}
