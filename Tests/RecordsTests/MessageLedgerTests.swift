import Aggregation
import Tensor
import Testing

@testable import Records

@Suite("The ledger of messages")
struct MessageLedgerTests {
  private func payload(_ blocks: [(String, [NamedShape])]) -> Payload {
    var payload = Payload.empty
    for (name, tensors) in blocks {
      let count = tensors.map(\.count).reduce(0, +)
      payload.append(name, tensors, values: [Float](repeating: 0, count: count))
    }
    return payload
  }

  @Test("lines are those of one row per message and tensor, in the order sent")
  func lines() {
    let model = [NamedShape("fc.weight", [3, 4]), NamedShape("fc.bias", [3])]
    let odd = [NamedShape("a \"name\", quoted", []), NamedShape("empty", [0, 2])]
    let messages: [(Int, MessageRow.Direction, [(String, [NamedShape])])] = [
      (12, .down, [("model", model)]), (12, .up, [("model", model), ("control", odd)]),
      (7, .down, [("model", model)]), (7, .up, []), (3, .up, [("control", odd)]),
      (1000, .up, [("model", model)]),
    ]
    var ledger = MessageLedger()
    var expected: [String] = []
    for (client, direction, blocks) in messages {
      let payload = payload(blocks)
      #expect(ledger.add(payload, direction, client: client) == payload.byteCount)
      for (block, tensors) in blocks {
        for tensor in tensors {
          expected.append(
            MessageRow(
              round: 5, client: client, direction: direction, tensor: block + "/" + tensor.name,
              dtype: "f32", shape: tensor.shape, denseBytes: 4 * tensor.count,
              codedBytes: 4 * tensor.count
            ).line)
        }
      }
    }
    let text = String(decoding: ledger.lines(round: 5), as: UTF8.self)
    #expect(text == expected.map { $0 + "\n" }.joined())
    #expect(MessageLedger().lines(round: 1).isEmpty)
  }
}
