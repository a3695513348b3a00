import Tensor
import TestSupport
import Testing

/// A pool's operations against the interpreter in double precision and its central differences.
@Suite("Gradients of adapted networks")
struct PoolGradientTests {
  private func check(_ fixture: PoolFixture, batch: Int = 3, perTensor: Int = 6) {
    let check = GradientCheck(
      fixture.network, batch: batch, parameters: fixture.parameters, matchWeight: 0.3)
    check.checkForward()
    check.checkCoordinates(perTensor: perTensor)
    check.checkDirections()
  }

  @Test("every kind of network", arguments: PoolFixture.specs)
  func kinds(spec: ModelSpec) throws {
    check(try PoolFixture(spec, PoolFixture.pool, input: PoolFixture.image))
  }

  @Test("LeNet-5 on its images")
  func leNet() throws {
    let input = FeatureShape(height: 28, width: 28, channels: 1)
    check(try PoolFixture(ModelSpec(kind: .lenet5, width: 3), PoolFixture.pool, input: input))
  }

  @Test(
    "every choice of entries",
    arguments: [
      InstancePool(poolSize: 1, matched: 1), .single, InstancePool(poolSize: 4, matched: 4),
      InstancePool(poolSize: 3, matched: 3, keys: false), InstancePool(poolSize: 6, matched: 1),
      InstancePool(poolSize: 6, matched: 3, batchAveraged: true),
      InstancePool(poolSize: 3, matched: 3, batchAveraged: true),
    ], [PoolFixture.transformer, ModelSpec(kind: .resnet8, width: 4, norm: .group(groups: 2))])
  func choices(pool: InstancePool, spec: ModelSpec) throws {
    check(try PoolFixture(spec, pool, input: PoolFixture.image), batch: 4)
  }

  @Test("With accumulate, gradients of two batches add up", arguments: [false, true])
  func accumulate(batchAveraged: Bool) throws {
    let pool = InstancePool(poolSize: 5, matched: 2, batchAveraged: batchAveraged)
    let fixture = try PoolFixture(PoolFixture.transformer, pool, input: PoolFixture.image)
    let network = fixture.network
    let workspace = Workspace(network, capacity: 3, training: true)
    workspace.load(fixture.parameters)
    for i in workspace.matchesGradient.indices { workspace.matchesGradient[i] = -0.1 }
    func run(_ seed: UInt64, accumulate: Bool) -> [Float] {
      workspace.fill(fixture.examples(3, seed: seed), [0, 3, 4])
      network.forward(workspace, batch: 3, training: true)
      workspace.takeLoss(network, batch: 3)
      network.backward(workspace, batch: 3, accumulate: accumulate)
      return Array(workspace.gradient)
    }
    let (first, second) = (run(1, accumulate: false), run(2, accumulate: false))
    _ = run(1, accumulate: false)
    let sum = run(2, accumulate: true)
    expectClose(
      sum, zip(first, second).map { Double($0) + Double($1) },
      bound: Rounding.backward(network, batch: 3), "sum")
  }

  @Test("Entries that nobody took get exactly nothing; frozen tensors have no gradient at all")
  func unselected() throws {
    let fixture = try PoolFixture(
      PoolFixture.transformer, InstancePool(poolSize: 8, matched: 2), input: PoolFixture.image)
    let check = GradientCheck(
      fixture.network, batch: 2, parameters: fixture.parameters, matchWeight: 0.1)
    let taken = Set(check.workspace.matchedEntries.map(Int.init))
    #expect(taken.count >= 2 && taken.count < 8)
    let layout = fixture.network.layout
    #expect(check.gradient.count == layout.trainedCount)
    for entry in layout.entries where entry.role.isTrained {
      let size = entry.range.count / 8
      for p in 0..<8 {
        let part = check.gradient[entry.range].dropFirst(p * size).prefix(size)
        if taken.contains(p) {
          #expect(part.contains { $0 != 0 }, "\(entry.name)[\(p)]")
        } else {
          #expect(part.allSatisfy { $0 == 0 }, "\(entry.name)[\(p)]")
        }
      }
    }
    for entry in layout.entries where !entry.role.isTrained {
      #expect(entry.role == .frozen && entry.range.lowerBound >= layout.movingCount)
    }
    #expect(check.workspace.currentParameters == fixture.parameters)
  }

  @Test("Keys learn from r alone, everything else from the loss of the logits alone")
  func separation() throws {
    let fixture = try PoolFixture(
      PoolFixture.transformer, PoolFixture.pool, input: PoolFixture.image)
    func gradient(_ weight: Double) -> [Float] {
      GradientCheck(fixture.network, batch: 3, parameters: fixture.parameters, matchWeight: weight)
        .gradient
    }
    let (without, with) = (gradient(0), gradient(0.5))
    let keys = try #require(fixture.network.layout["pool.keys"]).range
    #expect(without[keys].allSatisfy { $0 == 0 } && with[keys].contains { $0 != 0 })
    for i in without.indices where !keys.contains(i) { #expect(without[i] == with[i]) }
  }

  @Test("Steps along the keys' gradient raise the mean matched cosine")
  func keysLearn() throws {
    var fixture = try PoolFixture(
      PoolFixture.transformer, PoolFixture.pool, input: PoolFixture.image)
    let keys = try #require(fixture.network.layout["pool.keys"]).range
    let values = fixture.examples(6)
    func mean(_ matches: [Float]) -> Float { matches.reduce(0, +) / 6 }
    let before = mean(fixture.evaluate(values).matches)
    let workspace = Workspace(fixture.network, capacity: 6, training: true)
    for _ in 0..<20 {
      workspace.load(fixture.parameters)
      workspace.fill(values, [0, 1, 2, 3, 4, 0])
      fixture.network.forward(workspace, batch: 6, training: true)
      workspace.takeLoss(fixture.network, batch: 6)
      for i in 0..<6 { workspace.matchesGradient[i] = -1 / 6 }
      fixture.network.backward(workspace, batch: 6)
      for i in keys { fixture.parameters[i] -= 0.001 * workspace.gradient[i] }
    }
    let after = mean(fixture.evaluate(values).matches)
    #expect(after > before + 0.1, "\(before) → \(after)")
  }
}
