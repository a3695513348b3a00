/// Places where a network can be cut in two, and its parts.
extension Network {
  /// A place between two layers: everything after it sees nothing else of the layers before it.
  public struct Cut: Sendable, Equatable {
    /// The last layer or block before it, such as "layer1.0".
    public let name: String
    /// Size of one example's representation there.
    public let shape: FeatureShape
    let slot: Int
    /// How much of the network is before it.
    package let slots: Int
    package let operations: Int
    package let tensors: Int
  }

  /// The layers from a cut to the logits as a network of their own; its input is the
  /// representation at the cut, channels last.
  ///
  /// Names, shapes and order of its tensors are the whole network's: `after(cut).gather` of a full
  /// vector is its parameter vector.
  public func head(from cut: Cut) -> Network {
    guard let makeHead else { preconditionFailure("Network.head: this is a head") }
    return makeHead(cut)
  }

  /// The tensors of the layers before a cut.
  public func before(_ cut: Cut) -> ParameterSelection {
    let names = Set(layout.entries.prefix(cut.tensors).map(\.name))
    return ParameterSelection(layout) { names.contains($0.name) }
  }

  /// The tensors of the layers after a cut.
  public func after(_ cut: Cut) -> ParameterSelection {
    let names = Set(layout.entries.dropFirst(cut.tensors).map(\.name))
    return ParameterSelection(layout) { names.contains($0.name) }
  }
}

extension Workspace {
  /// The representations of the last forward pass at a cut, [capacity × cut.shape.count].
  public func representations(_ cut: Network.Cut) -> UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(slotBuffer(cut.slot, count: capacity * cut.shape.count))
  }
}

extension NetworkBuilder {
  /// Marks that a block of layers is complete, and returns its result.
  ///
  /// Nothing after the cut may read a map from before it, except this one.
  package mutating func cut(_ name: String, _ x: Map) -> Map {
    note(
      Network.Cut(
        name: name, shape: x.shape, slot: x.slot, slots: slotCount, operations: operationCount,
        tensors: tensorCount))
    return x
  }
}
