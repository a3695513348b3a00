import Aggregation
import Base
import Client
import Codecs
import Tensor
import Testing

/// Uploads of a few tensors, compressed round after round, against one value at a time.
@Suite("Compressed uploads")
struct UploadCompressorTests {
  private static let shapes = [[4, 5], [4], [3, 4], [3]]
  private static let count = 39

  private func problem() throws -> LearningProblem {
    let network = try SmallNetwork.build()
    return LearningProblem(
      network: network, clients: 3,
      settings: LocalSettings(
        work: .epochs(1), batch: 2, optimizer: OptimizerSpec(learningRate: 1)),
      initial: [Float](repeating: 0, count: network.layout.count), seed: 1)
  }

  private func compressor(_ settings: LinkCompression) throws -> UploadCompressor {
    var settings = settings
    settings.blocks = .all
    return UploadCompressor(BlockPlanner(settings, try problem()))
  }

  private func upload(_ values: [Float]) -> Payload {
    var payload = Payload.empty
    let tensors = Self.shapes.enumerated().map { NamedShape("t\($0)", $1) }
    payload.append("model", tensors, values: values)
    return payload
  }

  private func updates(_ rounds: Int) -> [[Float]] {
    var stream = RandomStream(seed: 5, .test)
    return (0..<rounds).map { _ in (0..<Self.count).map { _ in Float(stream.normal()) } }
  }

  private func stream(_ block: Int) -> RandomStream { RandomStream(seed: 6, .test, step: block) }

  /// The k largest magnitudes, ties by the lowest index.
  private func top(_ x: [Double], _ k: Int) -> Set<Int> {
    Set(x.indices.sorted { (abs(x[$1]), $0) < (abs(x[$0]), $1) }.prefix(k))
  }

  private func sparse(_ density: Double) -> CodecSpec {
    .sparse(SparseCodec(.top(.density(density))))
  }

  @Test("whole numbers beside real ones travel as they are; the real ones are encoded")
  func mixedBlock() throws {
    let tensors = [
      NamedShape("prototypes", [2, 3]), NamedShape("classes", [2], .int32),
      NamedShape("means", [4]), NamedShape("letters", [3], .uint8),
    ]
    let values: [Float] = [5, 0.1, -0.2, 0.3, -4, 0.4, 7, 9, 0.5, -3, 0.6, 0.7, 1, 2, 3]
    let reals = [0, 1, 2, 3, 4, 5, 8, 9, 10, 11]
    let compressor = try compressor(
      LinkCompression(sparse(0.2), memory: .errorFeedback(.update), grouping: .together))
    var memory = ClientMemory()
    var error = [Double](repeating: 0, count: reals.count)
    for round in 1...3 {
      var payload = Payload.empty
      payload.append("knowledge", tensors, values: values)
      let sent = try compressor.compress(payload, &memory, .init(round: round), stream: stream)
      let p = zip(reals, error).map { Double(values[$0]) + $1 }
      let kept = top(p, 2)
      error = p.indices.map { kept.contains($0) ? 0 : p[$0] }
      var expected = values
      for (index, place) in reals.enumerated() {
        expected[place] = kept.contains(index) ? Float(p[index]) : 0
      }
      #expect(sent.payload["knowledge"].elementsEqual(expected) { abs($0 - $1) < 1e-5 })
      let plain = sent.message.parts.filter { $0.entropy == nil }
      #expect(plain.map(\.name) == ["knowledge/classes", "knowledge/letters"])
      #expect(plain.map(\.coded) == [8, 3])
      #expect(sent.message.denseByteCount == 40 + 11)
      #expect(sent.message.byteCount < 51)
      #expect(memory[UploadCompressor.name("error", "knowledge")]?.count == reals.count)
    }
  }

  @Test("error feedback, its units and absent clients", arguments: [false, true])
  func errorFeedback(gradientUnits: Bool) throws {
    let compressor = try compressor(
      LinkCompression(
        sparse(0.1), memory: .errorFeedback(gradientUnits ? .gradient : .update),
        grouping: .together, fading: 0.5))
    var memory = ClientMemory()
    var error = [Double](repeating: 0, count: Self.count)
    // Two rounds are missed between the third and the fourth message; the rate halves then.
    let rounds = [1, 2, 3, 6, 7]
    let rates = [0.2, 0.2, 0.2, 0.1, 0.1]
    for (index, update) in updates(5).enumerated() {
      let facts = UploadCompressor.Facts(round: rounds[index], learningRate: rates[index])
      let sent = try compressor.compress(upload(update), &memory, facts, stream: stream)
      var carry = index == 3 ? 0.25 : 1
      if gradientUnits, index == 3 { carry *= 0.5 }
      let p = zip(update, error).map { Double($0) + carry * $1 }
      let kept = top(p, 4)
      let decoded = sent.payload["model"]
      for i in 0..<Self.count {
        #expect(abs(Double(decoded[i]) - (kept.contains(i) ? p[i] : 0)) < 1e-5)
        error[i] = kept.contains(i) ? 0 : p[i]
      }
      #expect(sent.quality.kept == 4 && sent.quality.values == Self.count)
      let waiting = sent.undelivered["compression.error/model"] ?? []
      #expect(zip(waiting, p).allSatisfy { abs(Double($0) - $1) < 1e-5 })
    }
  }

  @Test("deep gradient compression by tensor, with dense biases that keep their momentum")
  func deepGradient() throws {
    let rule = GradientAccumulator.Rule(momentum: 0.5, clip: 8)
    let compressor = try compressor(
      LinkCompression(
        sparse(0.2), memory: .deepGradient(.init(rule, warmUp: .list([0.5]), stage: 2)),
        denseVectors: true))
    var memory = ClientMemory()
    var u = [Double](repeating: 0, count: Self.count)
    var v = u
    for (index, update) in updates(5).enumerated() {
      let facts = UploadCompressor.Facts(round: index + 1, learningRate: 0.25, steps: 2, senders: 4)
      let sent = try compressor.compress(upload(update), &memory, facts, stream: stream)
      let norm = update.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      let factor = min(1, 8 * 0.5 / 2 / norm)
      for i in 0..<Self.count {
        u[i] = 0.5 * u[i] + factor * Double(update[i])
        v[i] += u[i]
      }
      let density = index < 2 ? 0.5 : 0.2
      let decoded = sent.payload["model"]
      var start = 0
      for shape in Self.shapes {
        let range = start..<start + shape.reduce(1, *)
        start = range.upperBound
        let part = range.map { v[$0] }
        let isDense = shape.count == 1
        let k = isDense ? part.count : Int((density * Double(part.count)).rounded(.up))
        let kept = top(part, k)
        for (place, i) in range.enumerated() {
          #expect(abs(Double(decoded[i]) - (kept.contains(place) ? v[i] : 0)) < 1e-5)
          guard kept.contains(place) else { continue }
          v[i] = 0
          if !isDense { u[i] = 0 }
        }
      }
    }
    let momentum = memory["compression.momentum/model"] ?? []
    #expect(zip(momentum, u).allSatisfy { abs(Double($0) - $1) < 1e-5 })
    let waiting = memory["compression.waiting/model"] ?? []
    #expect(zip(waiting, v).allSatisfy { abs(Double($0) - $1) < 1e-5 })
  }

  @Test("EF21 sends changes of an estimate, with momentum")
  func estimates() throws {
    let compressor = try compressor(
      LinkCompression(sparse(0.1), memory: .estimates(eta: 0.25), grouping: .together))
    var memory = ClientMemory()
    var h = [Double](repeating: 0, count: Self.count)
    var smooth = h
    for (index, update) in updates(4).enumerated() {
      let facts = UploadCompressor.Facts(round: index + 1)
      let sent = try compressor.compress(upload(update), &memory, facts, stream: stream)
      for i in 0..<Self.count {
        smooth[i] = index == 0 ? Double(update[i]) : 0.75 * smooth[i] + 0.25 * Double(update[i])
      }
      let change = zip(smooth, h).map { $0 - $1 }
      let before = sent.undelivered["compression.estimate/model"] ?? []
      #expect(index == 0 || zip(before, h).allSatisfy { abs(Double($0) - $1) < 1e-5 })
      for i in top(change, 4) { h[i] += change[i] }
      let known = memory["compression.estimate/model"] ?? []
      #expect(zip(known, h).allSatisfy { abs(Double($0) - $1) < 1e-5 })
      #expect(sent.message.byteCount < 60)
    }
  }

  @Test("parts of a message add up to its buffers, and name tensors")
  func message() throws {
    let settings = LinkCompression(.integer(IntegerCodec()), denseBelow: 4)
    var memory = ClientMemory()
    let update = updates(1)[0]
    let sent = try compressor(settings).compress(
      upload(update), &memory, .init(round: 1), stream: stream)
    #expect(memory.isEmpty)
    #expect(
      sent.message.parts.map(\.name) == [
        "model/frame", "model/t0", "model/t1", "model/t2", "model/t3",
      ])
    // Codec, flags, d, chunk in two bytes, one scale, a byte per value; the last one is dense.
    #expect(sent.message.parts.map(\.coded) == [7, 9 + 20, 9 + 4, 9 + 12, 3 + 12])
    #expect(sent.message.denseByteCount == 4 * Self.count)
    #expect(sent.message.entropy <= Double(sent.message.byteCount))
  }

  @Test("numbers that are none are refused, and nothing is remembered of them")
  func nonFinite()
    throws
  {
    let compressor = try compressor(LinkCompression(sparse(0.1), memory: .errorFeedback(.update)))
    var memory = ClientMemory()
    var update = updates(1)[0]
    update[7] = .nan
    let error = #expect(throws: FrameError.self) {
      try compressor.compress(upload(update), &memory, .init(round: 1), stream: stream)
    }
    #expect(error?.reason == .nonFinite)
    #expect(memory.isEmpty)
  }

  @Test("groups of parameters have codecs of their own, in a network's names")
  func groups() throws {
    let network = try SmallNetwork.build()
    let settings = LinkCompression(
      .sign(SignCodec()), denseVectors: true, overrides: [.init(.head, .dense(.bfloat16))])
    let planner = BlockPlanner(settings, try problem())
    let selection = ParameterSelection(all: network.layout)
    let plan = try planner.plan(selection.tensors, round: 1)
    for (item, group) in zip(selection.items, plan.groups) {
      let isHead = network.layout.entries.contains {
        $0.name == item.name && $0.layer == network.classifier
      }
      let expected: CodecSpec =
        isHead ? .dense(.bfloat16) : item.shape.count < 2 ? .dense(.float32) : .sign(SignCodec())
      #expect(group.codec == expected)
    }
    #expect(plan.groups.contains { $0.codec == .dense(.bfloat16) })
  }
}
