import Testing

@testable import Base
@testable import Codecs

@Suite("Codecs: error feedback")
struct ErrorFeedbackTests {
  private static let inputs: [[Float]] = [[1, -3, 2, 0.5], [1, 1, 2, 0.5], [0, 0, 0, 0]]

  /// What one message of the largest value leaves at the receiver.
  private func top(_ x: [Float], _ k: Int = 1) throws -> [Float] {
    var context = CodecContext(stream: RandomStream(seed: 1, .compression))
    let codec = SparseCodec(.top(.count(k)))
    return try CodecSpec.decode(try codec.encode(x, context: &context), count: x.count)
  }

  @Test("Error feedback sends −3, 4 and 2 and keeps 1")
  func errorFeedback() throws {
    var memory = ErrorMemory()
    var sent: [[Float]] = []
    for input in Self.inputs {
      let p = memory.corrected(input)
      sent.append(try top(p))
      memory.keep(corrected: p, decoded: sent[sent.count - 1])
    }
    #expect(sent == [[0, -3, 0, 0], [0, 0, 4, 0], [2, 0, 0, 0]])
    #expect(memory.error == [0, 1, 0, 1])
    #expect(memory.corrected([0, 0, 0, 0], scale: 0.5) == [0, 0.5, 0, 0.5])
  }

  @Test("EF21 sends −3, 4 and −1 and ends at 0")
  func estimates() throws {
    var client = EstimateMemory()
    var server = EstimateMemory()
    var sent: [[Float]] = []
    for input in Self.inputs {
      sent.append(try top(client.change(input)))
      client.absorb(sent[sent.count - 1])
      server.absorb(sent[sent.count - 1])
    }
    #expect(sent == [[0, -3, 0, 0], [0, 4, 0, 0], [0, -1, 0, 0]])
    #expect(client.estimate == [0, 0, 0, 0])
    #expect(server == client)
  }

  @Test("What was sent and what is kept is what came in")
  func conservation() throws {
    var stream = RandomStream(seed: 2, .test)
    var memory = ErrorMemory()
    var sum = [Double](repeating: 0, count: 50)
    for _ in 0..<40 {
      let u = (0..<50).map { _ in Float(stream.below(64)) - 32 }
      for i in u.indices { sum[i] += Double(u[i]) }
      let p = memory.corrected(u)
      let c = try top(p, 5)
      memory.keep(corrected: p, decoded: c)
      for i in c.indices { sum[i] -= Double(c[i]) }
    }
    // Whole numbers: no rounding.
    #expect(sum == memory.error.map(Double.init))
  }

  @Test("Momentum of estimates, and the step that theory allows")
  func smoothing() {
    var memory = EstimateMemory()
    #expect(memory.smoothed([4], eta: 0.25) == [4])
    #expect(memory.smoothed([8], eta: 0.25) == [5])
    // Without loss θ = 1 and β = 0: the step of gradient descent.
    #expect(EstimateMemory.step(contraction: 1, smoothness: 4, meanSmoothness: 9) == 0.25)
    // α = ¾: θ = ½, β = ½, √(β/θ) = 1.
    #expect(EstimateMemory.step(contraction: 0.75, smoothness: 1, meanSmoothness: 3) == 0.25)
  }

  @Test("Deep gradient compression: three steps by hand")
  func trace() throws {
    let rule = GradientAccumulator.Rule(momentum: 0.9)
    var memory = GradientAccumulator(count: 4)
    var sent: [(UInt32, Float)] = []
    for gradient in Self.inputs {
      memory.add(gradient, rule)
      let positions = try memory.largest(.count(1))
      for position in positions { sent.append((position, memory.waiting[Int(position)])) }
      memory.acknowledge(positions, rule)
    }
    #expect(sent.map(\.0) == [1, 2, 0])
    for (found, value) in zip(sent.map(\.1), [-3, 5.8, 4.61]) {
      #expect(abs(found - Float(value)) < 1e-5)
    }
    let last = [0, 1.9, 0, 2.305, 0, 0.9, 0, 0.855]
    for (found, value) in zip(memory.waiting + memory.momentum, last) {
      #expect(abs(found - Float(value)) < 1e-5)
    }
  }

  @Test("Against one value at a time, all variants", arguments: [false, true], [false, true])
  func reference(isNesterov: Bool, masks: Bool) throws {
    let d = 30
    var rule = GradientAccumulator.Rule(momentum: 0.5, isNesterov: isNesterov, clip: 3, clients: 4)
    rule.masksMomentum = masks
    var memory = GradientAccumulator(count: d)
    var u = [Double](repeating: 0, count: d)
    var v = u
    var stream = RandomStream(seed: 3, .test)
    for _ in 0..<20 {
      let g = (0..<d).map { _ in Float(stream.normal()) }
      memory.add(g, rule)
      let length = g.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      for i in 0..<d {
        let clipped = Double(g[i]) * min(1, 3 / 2 / length)
        if isNesterov {
          u[i] = 0.5 * (u[i] + clipped)
          v[i] += u[i] + clipped
        } else {
          u[i] = 0.5 * u[i] + clipped
          v[i] += u[i]
        }
      }
      let sent = try memory.largest(.count(3))
      let slow = v.indices.sorted { (abs(v[$1]), $0) < (abs(v[$0]), $1) }.prefix(3).sorted()
      #expect(sent.map(Int.init) == slow)
      memory.acknowledge(sent, rule)
      for i in slow {
        v[i] = 0
        if masks { u[i] = 0 }
      }
      // Few dozens of roundings of values of about 1.
      for i in 0..<d {
        #expect(abs(Double(memory.waiting[i]) - v[i]) < 1e-5)
        #expect(abs(Double(memory.momentum[i]) - u[i]) < 1e-5)
      }
    }
  }

  @Test("At density 1 it is SGD with momentum, exactly")
  func dense() throws {
    var memory = GradientAccumulator(count: 3)
    var rule = GradientAccumulator.Rule(momentum: 0.9)
    rule.masksMomentum = false
    var velocity: [Float] = [0, 0, 0]
    var stream = RandomStream(seed: 4, .test)
    for _ in 0..<10 {
      let g = (0..<3).map { _ in Float(stream.normal()) }
      memory.add(g, rule)
      for i in 0..<3 { velocity[i] = 0.9 * velocity[i] + g[i] }
      #expect(memory.waiting == velocity)
      memory.acknowledge(try memory.largest(.density(1)), rule)
    }
    memory.fade(0.5, rounds: 2)
    #expect(memory.momentum == velocity.map { $0 * 0.25 })
  }

  @Test("Densities warm up")
  func warmUp() {
    let five = DensityWarmUp.geometric(epochs: 5)
    let geometric = (0..<7).map { five.density(epoch: $0, last: 0.001) }
    let expected = [0.316, 0.1, 0.0316, 0.01, 0.00316, 0.001, 0.001]
    for (found, value) in zip(geometric, expected) { #expect(abs(found / value - 1) < 0.01) }
    let quarters = (0..<5).map { DensityWarmUp.quarters.density(epoch: $0, last: 0.001) }
    #expect(quarters == [0.25, 0.0625, 0.015625, 0.00390625, 0.001])
    let list = DensityWarmUp.list([0.25, 0.063])
    #expect((0..<3).map { list.density(epoch: $0, last: 0.001) } == [0.25, 0.063, 0.001])
  }

  @Test("A sampled threshold finds nearly the largest, never too many")
  func sampled() throws {
    var stream = RandomStream(seed: 5, .test)
    let x = (0..<50_000).map { _ in Float(stream.normal()) }
    for density in [0.001, 0.01, 0.1] {
      let wanted = KeptAmount.density(density).of(x.count)
      let found = try SampledSelection.positions(x, density: density, stream: &stream)
      #expect(found == found.sorted() && Set(found).count == found.count)
      #expect(found.count <= wanted && Double(found.count) >= 0.8 * Double(wanted))
      // What may be cut off is the end of the list: all that is sent is among the 1.3·k largest.
      let limit = try TopKSelection.positions(x, count: Int(1.3 * Double(wanted)) + 1)
      #expect(Set(found).isSubset(of: Set(limit)))
    }
    let few: [Float] = [1, -5, 3]
    #expect(try SampledSelection.positions(few, density: 0.01, stream: &stream) == [1])
    #expect(try SampledSelection.positions([], density: 0.01, stream: &stream) == [])
  }
}
