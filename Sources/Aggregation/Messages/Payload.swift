import Tensor

/// What travels between the server and one client, in one direction: blocks of named tensors.
///
/// The bytes of a message are those of its blocks; nothing else is ever sent.
public struct Payload: Sendable, Equatable {
  /// A tensor's name and shape.
  public typealias NamedShape = Tensor.NamedShape

  /// The blocks, in the order sent.
  public private(set) var blocks: [PayloadBlock]

  /// An empty message costs nothing.
  public static let empty = Payload(blocks: [])

  private init(blocks: [PayloadBlock]) { self.blocks = blocks }

  /// A message with one block of parameters: the selected tensors of a full vector, which is
  /// shared and not copied.
  public init(_ name: String, _ selection: ParameterSelection, of vector: [Float]) {
    precondition(
      vector.count == selection.fullCount,
      "Payload: [\(vector.count)] instead of [\(selection.fullCount)]")
    let source: PayloadBlock.Source =
      selection.isEverything ? .values(vector) : .selected(of: vector, selection.ranges)
    blocks = [PayloadBlock(name, selection.tensors, selection.count, source)]
  }

  /// Adds a block of parameters that are already gathered, [selection.count].
  public mutating func append(_ name: String, _ selection: ParameterSelection, gathered: [Float]) {
    precondition(
      gathered.count == selection.count,
      "Payload.append \(name): \(gathered.count) values for \(selection.count)")
    append(PayloadBlock(name, selection.tensors, selection.count, .values(gathered)))
  }

  /// Adds a block of tensors of any kind.
  public mutating func append(_ name: String, _ tensors: [NamedShape], values: [Float]) {
    var count = 0
    for tensor in tensors { count += tensor.count }
    precondition(
      count == values.count,
      "Payload.append \(name): \(values.count) values for \(tensors.map(\.shape))")
    append(PayloadBlock(name, tensors, count, .values(values)))
  }

  /// Adds a block that is the difference of a client's model and what it received, on the selected
  /// tensors; both are shared and not copied.
  ///
  /// `base`: the received block of the same tensors.
  public mutating func append(
    _ name: String, _ selection: ParameterSelection, of model: ParameterBuffer,
    minus base: PayloadBlock
  ) {
    precondition(
      model.count == selection.fullCount && base.count == selection.count,
      "Payload.append \(name): [\(model.count)] minus [\(base.count)] for [\(selection.fullCount)]")
    append(.difference(name, selection, of: model, minus: base))
  }

  private mutating func append(_ block: PayloadBlock) {
    precondition(
      !blocks.contains { $0.name == block.name }, "Payload.append: two blocks named \(block.name)")
    blocks.append(block)
  }

  /// The buffer of a block.
  ///
  /// Asking for a block that was not sent is a programmer's mistake.
  ///
  /// - Complexity: O(1) for a block of values, else O(values): ask once.
  public subscript(name: String) -> [Float] { block(name).values }

  /// A block that was sent.
  public func block(_ name: String) -> PayloadBlock {
    for block in blocks where block.name == name { return block }
    preconditionFailure("Payload: no block \(name) among \(blocks.map(\.name))")
  }

  /// Whether a block was sent.
  public func has(_ name: String) -> Bool { blocks.contains { $0.name == name } }

  /// The same message with one of its blocks alone.
  public func only(_ name: String) -> Payload { Payload(blocks: blocks.filter { $0.name == name }) }

  /// The same blocks with other values, [count] of each.
  public func replacing(_ values: [[Float]]) -> Payload {
    precondition(values.count == blocks.count, "Payload: \(values.count) of \(blocks.count) blocks")
    var copy = self
    for index in values.indices { copy.blocks[index].values = values[index] }
    return copy
  }

  /// The same message with values of its own: it holds neither a model nor what was received.
  public var materialised: Payload {
    var copy = self
    for index in copy.blocks.indices { copy.blocks[index].values = blocks[index].values }
    return copy
  }

  /// Bytes of all blocks.
  public var byteCount: Int {
    var total = 0
    for block in blocks { total += block.byteCount }
    return total
  }
}
