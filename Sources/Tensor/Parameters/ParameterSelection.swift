/// A tensor's name and shape.
public struct NamedShape: Sendable, Equatable {
  /// PyTorch's name of a parameter, or a name of the strategy's own.
  public let name: String
  /// Its shape.
  public let shape: [Int]
  /// How its values travel.
  public let element: Element

  /// Kinds of numbers in a message.
  public enum Element: String, Sendable {
    /// 32-bit floats.
    case float32 = "f32"
    /// Whole numbers in 0 ... 255.
    case uint8 = "u8"
    /// Whole numbers below 2²⁴ in magnitude, such as counts and labels.
    case int32 = "i32"

    /// Bytes of one.
    public var byteCount: Int { self == .uint8 ? 1 : 4 }
  }

  /// Bytes of all values.
  public var byteCount: Int { count * element.byteCount }

  /// Number of floats.
  public var count: Int {
    var product = 1
    for size in shape { product *= size }
    return product
  }

  /// A name with a shape.
  public init(_ name: String, _ shape: [Int], _ element: Element = .float32) {
    self.name = name
    self.shape = shape
    self.element = element
  }
}

/// Some of a network's tensors, as ordered disjoint ranges of the flat vector.
public struct ParameterSelection: Sendable, Equatable {
  /// One selected tensor.
  public struct Item: Sendable, Equatable {
    /// PyTorch's name.
    public let name: String
    /// PyTorch's shape.
    public let shape: [Int]
    /// Where it is in the full vector.
    public let range: Range<Int>
  }

  /// The tensors, in the order of the flat vector.
  public let items: [Item]
  /// Their names and shapes: one list for all messages that carry them.
  public let tensors: [NamedShape]
  /// The same places with neighbours joined.
  public let ranges: [Range<Int>]
  /// Floats selected.
  public let count: Int
  /// Floats in the full vector.
  public let fullCount: Int

  /// True when nothing is left out.
  public var isEverything: Bool { count == fullCount }

  /// The tensors of a layout that satisfy `included`.
  public init(_ layout: ParameterLayout, where included: (ParameterLayout.Entry) -> Bool) {
    items = layout.entries.filter(included).sorted { $0.range.lowerBound < $1.range.lowerBound }.map
    { Item(name: $0.name, shape: $0.shape, range: $0.range) }
    tensors = items.map { NamedShape($0.name, $0.shape) }
    var joined: [Range<Int>] = []
    for item in items {
      if let last = joined.last, last.upperBound == item.range.lowerBound {
        joined[joined.count - 1] = last.lowerBound..<item.range.upperBound
      } else {
        joined.append(item.range)
      }
    }
    ranges = joined
    count = items.map { $0.range.count }.reduce(0, +)
    fullCount = layout.count
  }

  /// Everything.
  public init(all layout: ParameterLayout) { self.init(layout) { _ in true } }

  /// The selected values, one tensor after the other; shares storage when everything is selected.
  public func gather(_ vector: [Float]) -> [Float] {
    precondition(vector.count == fullCount, "gather: [\(vector.count)] instead of [\(fullCount)]")
    if isEverything { return vector }
    var values: [Float] = []
    values.reserveCapacity(count)
    for range in ranges { values += vector[range] }
    return values
  }

  /// Writes gathered values back to their places in a full vector.
  public func scatter(_ values: [Float], into vector: inout [Float]) {
    precondition(
      values.count == count && vector.count == fullCount,
      "scatter: [\(values.count)] into [\(vector.count)]; expected [\(count)] and [\(fullCount)]")
    if isEverything {
      vector = values
      return
    }
    var start = 0
    for range in ranges {
      vector.replaceSubrange(range, with: values[start..<start + range.count])
      start += range.count
    }
  }
}

extension ParameterLayout {
  /// The names of the last `count` layers with weights, and of the norms among and after them.
  public func lastLayers(_ count: Int) -> Set<String> {
    let weighted = entries.indices.filter { entries[$0].role == .weight }
    guard count > 0, !weighted.isEmpty else { return [] }
    let first = weighted[max(0, weighted.count - count)]
    return Set(entries[first...].map(\.layer))
  }
}
