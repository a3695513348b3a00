import Aggregation
import Data
import Tensor

/// The messages of one round, counted tensor by tensor.
///
/// Clients of a method send the same tensors over and over: what a message is made of is kept once,
/// and a client's message is a few words. Lines are made when the file is written.
package struct MessageLedger: Sendable {
  /// What messages of one kind are made of.
  private struct Kind: Sendable {
    var blocks: [Part]
    var bytes: Int
    /// What an encoded message was made of; `blocks` is empty then.
    var coded: CodedMessage?
  }

  private struct Part: Sendable, Equatable {
    var name: String
    var tensors: [NamedShape]
  }

  private struct Message: Sendable {
    var client: Int
    var direction: MessageRow.Direction
    var kind: Int
  }

  private var kinds: [Kind] = []
  private var messages: [Message] = []

  package init() {}

  /// Room for the messages of so many clients.
  package mutating func reserve(clients: Int) { messages.reserveCapacity(2 * clients) }

  /// Adds a message and returns its bytes; an empty one leaves no line.
  @discardableResult package mutating func add(
    _ payload: Payload, _ direction: MessageRow.Direction, client: Int
  ) -> Int {
    if payload.blocks.isEmpty { return 0 }
    let kind = kind(of: payload)
    messages.append(Message(client: client, direction: direction, kind: kind))
    return kinds[kind].bytes
  }

  /// Adds a message that was encoded and returns its bytes; an empty one leaves no line.
  @discardableResult package mutating func add(
    _ message: CodedMessage, _ direction: MessageRow.Direction, client: Int
  ) -> Int {
    if message.parts.isEmpty { return 0 }
    let bytes = message.byteCount
    // Lengths of most codes differ from client to client; a broadcast is one and the same.
    if let last = kinds.indices.last(where: { kinds[$0].coded == message }) {
      messages.append(Message(client: client, direction: direction, kind: last))
      return bytes
    }
    messages.append(Message(client: client, direction: direction, kind: kinds.count))
    kinds.append(Kind(blocks: [], bytes: bytes, coded: message))
    return bytes
  }

  /// The kind of a message: comparing lists that are one and the same takes O(blocks).
  private mutating func kind(of payload: Payload) -> Int {
    for (index, kind) in kinds.enumerated() where kind.blocks.count == payload.blocks.count {
      let isSame = kind.blocks.indices.allSatisfy {
        kind.blocks[$0].name == payload.blocks[$0].name
          && kind.blocks[$0].tensors == payload.blocks[$0].tensors
      }
      if isSame { return index }
    }
    let blocks = payload.blocks.map { Part(name: $0.name, tensors: $0.tensors) }
    kinds.append(Kind(blocks: blocks, bytes: payload.byteCount))
    return kinds.count - 1
  }

  /// What plain messages of a direction were made of, block by block.
  package func tensors(_ direction: MessageRow.Direction) -> [(block: String, tensor: NamedShape)] {
    kinds.indices.flatMap { index in
      let isSent = messages.contains { $0.kind == index && $0.direction == direction }
      return isSent
        ? kinds[index].blocks.flatMap { part in part.tensors.map { (part.name, $0) } } : []
    }
  }

  /// The lines of `messages.csv` as bytes, one per message and tensor, in the order added.
  package func lines(round: Int) -> [UInt8] {
    // The end of a line is the same for all clients.
    let ends = [MessageRow.Direction.down, .up].map { direction in
      kinds.map { kind in
        let plain = kind.blocks.flatMap { block in
          block.tensors.map { Self.end(direction, block.name, $0) }
        }
        let coded = kind.coded?.parts.map { Self.end(direction, $0) } ?? []
        return (plain + coded).map { Array(($0 + "\n").utf8) }
      }
    }
    let start = Array("\(round),".utf8)
    var bytes: [UInt8] = []
    for message in messages {
      let client = "\(message.client),"
      for end in ends[message.direction == .down ? 0 : 1][message.kind] {
        bytes += start
        bytes += client.utf8
        bytes += end
      }
    }
    return bytes
  }

  /// A row's text after round and client.
  private static func end(_ direction: MessageRow.Direction, _ block: String, _ tensor: NamedShape)
    -> String
  {
    let row = MessageRow(
      round: 0, client: 0, direction: direction, tensor: block + "/" + tensor.name,
      dtype: tensor.element.rawValue, shape: tensor.shape, denseBytes: tensor.byteCount,
      codedBytes: tensor.byteCount)
    return String(row.line.dropFirst("0,0,".count))
  }

  private static func end(_ direction: MessageRow.Direction, _ part: CodedMessage.Part) -> String {
    let row = MessageRow(
      round: 0, client: 0, direction: direction, tensor: part.name, dtype: part.element.rawValue,
      shape: part.shape, denseBytes: part.dense, codedBytes: part.coded, entropyBytes: part.entropy)
    return String(row.line.dropFirst("0,0,".count))
  }
}
