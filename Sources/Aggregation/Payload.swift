import Tensor

/// What travels between the server and one client, in one direction: blocks of named tensors.
///
/// The bytes of a message are those of its blocks; nothing else is ever sent.
public struct Payload: Sendable, Equatable {
  /// Tensors that belong together, one after the other in one flat buffer of 32-bit floats.
  public struct Block: Sendable, Equatable {
    /// What the block is, such as "model" or "control".
    public let name: String
    /// Names and shapes; their sizes add up to values.count.
    public let tensors: [NamedShape]
    /// The buffer that is sent, as the receiver reads it.
    public var values: [Float]

    /// Bytes of the buffer.
    public var byteCount: Int { values.count * MemoryLayout<Float>.size }
  }

  /// A tensor's name and shape.
  public struct NamedShape: Sendable, Equatable {
    /// PyTorch's name of a parameter, or a name of the strategy's own.
    public let name: String
    /// Its shape.
    public let shape: [Int]

    /// Number of floats.
    public var count: Int { shape.reduce(1, *) }

    /// A name with a shape.
    public init(_ name: String, _ shape: [Int]) {
      self.name = name
      self.shape = shape
    }
  }

  /// The blocks, in the order sent.
  public private(set) var blocks: [Block]

  /// An empty message costs nothing.
  public static let empty = Payload(blocks: [])

  private init(blocks: [Block]) { self.blocks = blocks }

  /// A message with one block of parameters: the selected tensors of a full vector.
  public init(_ name: String, _ selection: ParameterSelection, of vector: [Float]) {
    self = .empty
    append(name, selection, gathered: selection.gather(vector))
  }

  /// Adds a block of parameters that are already gathered, [selection.count].
  public mutating func append(
    _ name: String,
    _ selection: ParameterSelection,
    gathered: [Float]
  ) {
    append(name, selection.items.map { NamedShape($0.name, $0.shape) }, values: gathered)
  }

  /// Adds a block of tensors of any kind.
  public mutating func append(_ name: String, _ tensors: [NamedShape], values: [Float]) {
    precondition(
      tensors.map(\.count).reduce(0, +) == values.count,
      "Payload.append \(name): \(values.count) values for \(tensors.map(\.shape))"
    )
    precondition(!blocks.contains { $0.name == name }, "Payload.append: two blocks named \(name)")
    blocks.append(Block(name: name, tensors: tensors, values: values))
  }

  /// The buffer of a block.
  ///
  /// Asking for a block that was not sent is a programmer's mistake.
  public subscript(name: String) -> [Float] {
    guard let block = blocks.first(where: { $0.name == name }) else {
      preconditionFailure("Payload: no block \(name) among \(blocks.map(\.name))")
    }
    return block.values
  }

  /// Bytes of all blocks.
  public var byteCount: Int { blocks.map(\.byteCount).reduce(0, +) }
}
