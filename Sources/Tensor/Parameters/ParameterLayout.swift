/// Names, shapes and places of all parameters of a network in one flat vector.
///
/// A model's state is one `[Float]`: first everything that a gradient trains, then the running
/// statistics of batch norm, then what is frozen. Aggregation is then an axpy, clipping a norm, a
/// checkpoint a write.
public struct ParameterLayout: Sendable, Equatable {
  /// What a tensor is to its layer.
  public enum Role: String, Sendable {
    case weight, bias, normScale, normShift, runningMean, runningVariance
    /// What multiplies a convolution's standardised weights.
    case weightGain
    /// What multiplies all logits of a cosine classifier.
    case logitScale
    /// A transformer's class token and its tokens' positions.
    case classToken, positions
    /// Scales, shifts and keys of a pool's adapters.
    case poolScale, poolShift, poolKey
    /// Anything of a network that stays as it is while adapters are trained.
    case frozen

    /// Whether a gradient trains it; running statistics only follow the data.
    public var isTrained: Bool { ![.runningMean, .runningVariance, .frozen].contains(self) }
    /// Whether it belongs to a normalisation layer.
    public var isNorm: Bool {
      [.normScale, .normShift, .runningMean, .runningVariance].contains(self)
    }
  }

  /// How the values of a tensor lie in the flat vector, compared with PyTorch's row-major order.
  public enum Order: Sendable, Equatable {
    /// The same.
    case asShaped
    /// A convolution's [out, in, kh, kw] is as [kh][kw][in][out]: output channels are the
    /// vector lanes of a channels-last convolution.
    case kernelFirst
    /// A dense layer after a feature map: columns (c, y, x) lie as (y, x, c), so that flattening
    /// a channels-last map moves nothing.
    case channelsLastColumns(FeatureShape)
  }

  /// One named tensor.
  public struct Entry: Sendable, Equatable {
    /// PyTorch's name, such as "layer1.0.conv1.weight".
    public let name: String
    /// PyTorch's shape, such as [out, in, kh, kw].
    public let shape: [Int]
    /// Where it is in the flat vector.
    public let range: Range<Int>
    /// What it is to its layer.
    public let role: Role
    /// How its values lie.
    public let order: Order
    /// Inputs that one output sums over; 0 for norms.
    public let fanIn: Int
    /// Outputs that one input feeds; 0 for norms.
    public let fanOut: Int

    /// The name up to its last dot: the layer that owns it.
    public var layer: String { name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name }
  }

  /// All tensors in PyTorch's order of `state_dict()`.
  public let entries: [Entry]
  /// Floats in all.
  public let count: Int
  /// Floats that a gradient trains: the prefix 0 ..< trainedCount.
  public let trainedCount: Int
  /// Floats that change in training: the prefix 0 ..< movingCount; after it all is frozen.
  public let movingCount: Int

  /// Places tensors: trained ones first, frozen ones last, each kind in the order given.
  package init(_ tensors: [Declaration]) {
    var next = 0
    var ranges = [Range<Int>](repeating: 0..<0, count: tensors.count)
    func place(_ belongs: (Role) -> Bool) {
      for (index, tensor) in tensors.enumerated() where belongs(tensor.role) {
        let size = tensor.shape.reduce(1, *)
        ranges[index] = next..<next + size
        next += size
      }
    }
    place { $0.isTrained }
    trainedCount = next
    place { !$0.isTrained && $0 != .frozen }
    movingCount = next
    place { $0 == .frozen }
    entries = zip(tensors, ranges).map { tensor, range in
      Entry(
        name: tensor.name, shape: tensor.shape, range: range, role: tensor.role,
        order: tensor.order, fanIn: tensor.fanIn, fanOut: tensor.fanOut)
    }
    count = next
  }

  /// A tensor that a layer asks for.
  package struct Declaration {
    package let name: String
    package let shape: [Int]
    package let role: Role
    package var order = Order.asShaped
    package var fanIn = 0
    var fanOut = 0

    /// The same as part of a network that stays as it is.
    package var frozen: Declaration {
      Declaration(
        name: name, shape: shape, role: .frozen, order: order, fanIn: fanIn, fanOut: fanOut)
    }
  }

  /// The entry of a name, or nil.
  public subscript(name: String) -> Entry? { entries.first { $0.name == name } }

  /// The tensor's values in PyTorch's order; O(size).
  public func exported(_ entry: Entry, from vector: [Float]) -> [Float] {
    precondition(vector.count == count, "exported: vector is [\(vector.count)], not [\(count)]")
    var values = [Float](repeating: 0, count: entry.range.count)
    entry.forEachElement { torch, flat in values[torch] = vector[flat] }
    return values
  }

  /// Writes the tensor's values, given in PyTorch's order, to their places; O(size).
  public func place(_ values: [Float], _ entry: Entry, into vector: inout [Float]) {
    precondition(
      values.count == entry.range.count && vector.count == count,
      "place \(entry.name): \(values.count) values for \(entry.range.count) places")
    entry.forEachElement { torch, flat in vector[flat] = values[torch] }
  }
}

extension ParameterLayout.Entry {
  /// Calls `body` with (index in PyTorch's order, index in the flat vector), in PyTorch's order.
  func forEachElement(_ body: (Int, Int) -> Void) {
    let start = range.lowerBound
    switch order {
    case .asShaped: for index in 0..<range.count { body(index, start + index) }
    case .kernelFirst:
      let (outputs, inputs, positions) = (shape[0], shape[1], shape[2] * shape[3])
      var torch = 0
      for o in 0..<outputs {
        for i in 0..<inputs {
          for p in 0..<positions {
            body(torch, start + (p * inputs + i) * outputs + o)
            torch += 1
          }
        }
      }
    case .channelsLastColumns(let map):
      var torch = 0
      for row in 0..<shape[0] {
        let rowStart = start + row * map.count
        for c in 0..<map.channels {
          for p in 0..<map.positions {
            body(torch, rowStart + p * map.channels + c)
            torch += 1
          }
        }
      }
    }
  }
}
