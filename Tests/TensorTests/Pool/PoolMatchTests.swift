import Foundation
import Tensor
import TestSupport
import Testing

/// The choice of a pool's entries.
@Suite("Matching")
struct PoolMatchTests {
  private func fixture(_ pool: InstancePool = PoolFixture.pool) throws -> PoolFixture {
    try PoolFixture(PoolFixture.transformer, pool, input: PoolFixture.image)
  }

  @Test("The lengths of keys do not matter, to the bit for powers of two")
  func scaleInvariance()
    throws
  {
    var fixture = try fixture()
    let values = fixture.examples(6)
    let before = fixture.evaluate(values)
    fixture.change(where: { $0.role == .poolKey }) { index, value in
      // Entry p times 2^(p − 2).
      value * Float(sign: .plus, exponent: index / 12 - 2, significand: 1)
    }
    let powers = fixture.evaluate(values)
    #expect(powers.entries == before.entries && powers.matches == before.matches)
    #expect(powers.logits == before.logits)
    fixture.change(where: { $0.role == .poolKey }) { _, value in value * 3.3 }
    let others = fixture.evaluate(values)
    #expect(others.entries == before.entries && others.logits == before.logits)
    expectClose(others.matches, before.matches.map(Double.init), bound: 4 * Rounding.unit)
  }

  @Test("The length of the query does not matter")
  func queryScale() throws {
    // With γ and β of the last frozen norm scaled, q scales and its adapted twin is scaled back.
    var fixture = try fixture()
    let values = fixture.examples(6)
    let before = fixture.evaluate(values)
    fixture.change(where: { $0.name == "norm.weight" || $0.name == "norm.bias" }) { _, x in 4 * x }
    fixture.change(where: { $0.name == "pool.norm.scale" }) { _, value in value / 4 }
    let after = fixture.evaluate(values)
    #expect(after.entries == before.entries && after.matches == before.matches)
    #expect(after.logits == before.logits)
  }

  @Test("Renumbering the pool renumbers the choice and changes no prediction")
  func permutation()
    throws
  {
    var fixture = try fixture()
    let values = fixture.examples(6)
    let before = fixture.evaluate(values)
    let order = [3, 0, 4, 1, 2]  // new entry i is old entry order[i]
    let old = fixture.parameters
    for entry in fixture.network.layout.entries where entry.role.isTrained {
      let size = entry.range.count / 5
      for i in entry.range.indices {
        let index = i - entry.range.lowerBound
        fixture.parameters[i] =
          old[entry.range.lowerBound + order[index / size] * size + index % size]
      }
    }
    let after = fixture.evaluate(values)
    #expect(after.entries.map { Int32(order[Int($0)]) } == before.entries)
    #expect(after.logits == before.logits && after.matches == before.matches)
  }

  @Test("An example alone gives what it gives in a batch, unless adapters are batch-averaged")
  func batchInvariance() throws {
    let fixture = try fixture()
    let values = fixture.examples(6)
    let together = fixture.evaluate(values)
    let mixed = try self.fixture(InstancePool(poolSize: 5, matched: 2, batchAveraged: true))
    #expect(!mixed.network.examplesAreIndependent && fixture.network.examplesAreIndependent)
    let averaged = mixed.evaluate(values)
    #expect(Set(together.entries).count > 2, "one choice for all would hide the difference")
    var farthest: Float = 0
    for n in 0..<6 {
      let alone = Array(values[n * fixture.input.count..<(n + 1) * fixture.input.count])
      let single = fixture.evaluate(alone)
      #expect(single.entries == Array(together.entries[2 * n..<2 * n + 2]))
      expectClose(
        single.logits, together.logits[5 * n..<5 * n + 5].map(Double.init),
        bound: Rounding.forward(fixture.network, batch: 1))
      let other = mixed.evaluate(alone)
      // With one example per batch there is nothing to average.
      expectClose(
        other.logits, single.logits.map(Double.init),
        bound: Rounding.forward(fixture.network, batch: 1))
      for c in 0..<5 { farthest = max(farthest, abs(other.logits[c] - averaged.logits[5 * n + c])) }
    }
    #expect(farthest > 0.01)
  }

  @Test("With k = P all inputs share one adapter, which is that of a pool without keys")
  func everything() throws {
    let all = try fixture(InstancePool(poolSize: 5, matched: 5))
    let keyless = try fixture(InstancePool(poolSize: 5, matched: 5, keys: false))
    #expect(keyless.network.layout["pool.keys"] == nil)
    var parameters = keyless.parameters
    for entry in keyless.network.layout.entries {
      let source = try #require(all.network.layout[entry.name])
      parameters.replaceSubrange(entry.range, with: all.parameters[source.range])
    }
    let values = all.examples(6)
    let (a, b) = (all.evaluate(values), keyless.evaluate(values, parameters))
    expectClose(a.logits, b.logits.map(Double.init), bound: Rounding.forward(all.network, batch: 6))
    #expect(b.matches.isEmpty && b.entries.isEmpty)
    for n in 0..<6 { #expect(a.entries[5 * n..<5 * n + 5].sorted() == [0, 1, 2, 3, 4]) }
  }

  @Test("At equal cosines the lower index wins; keys of length 0 match nothing and break nothing")
  func ties() throws {
    var fixture = try fixture(InstancePool(poolSize: 5, matched: 3))
    let first = Array(try #require(fixture.network.layout["pool.keys"]).range.prefix(12))
    let key = first.map { fixture.parameters[$0] }
    fixture.change(where: { $0.role == .poolKey }) { index, _ in key[index % 12] }
    let values = fixture.examples(2)
    #expect(fixture.evaluate(values).entries == [0, 1, 2, 0, 1, 2])
    fixture.change(where: { $0.role == .poolKey }) { _, _ in 0 }
    let result = fixture.evaluate(values)
    #expect(result.entries == [0, 1, 2, 0, 1, 2] && result.matches == [0, 0])
    #expect(result.logits.allSatisfy { $0.isFinite })
    let check = GradientCheck(
      fixture.network, batch: 2, parameters: fixture.parameters, matchWeight: 0)
    #expect(check.gradient.allSatisfy { $0.isFinite })
    // Whatever is not a number still chooses entries that exist, each once.
    fixture.change(where: { $0.role == .poolKey }) { index, _ in index < 24 ? .nan : 1 }
    for n in 0..<2 {
      let chosen = fixture.evaluate(values).entries[3 * n..<3 * n + 3]
      #expect(Set(chosen).count == 3 && chosen.allSatisfy { (0..<5).contains($0) })
    }
  }

  @Test("A matching loss λ(1 − r) lies within λ(1 ∓ k), and a key along q has cosine 1")
  func bounds() throws {
    var fixture = try fixture()
    let values = fixture.examples(8)
    for r in fixture.evaluate(values).matches { #expect(abs(r) <= 2) }
    // The frozen network's features of the first example become every key.
    let workspace = Workspace(fixture.base, capacity: 1, training: false)
    workspace.load(fixture.trained)
    workspace.fill(Array(values.prefix(fixture.input.count)))
    fixture.base.forward(workspace, batch: 1, training: false)
    let q = Array(workspace.features)
    fixture.change(where: { $0.role == .poolKey }) { index, _ in q[index % 12] }
    let best = try #require(fixture.evaluate(values).matches.first)
    expectClose(best, 2, ulps: 4)
    fixture.change(where: { $0.role == .poolKey }) { index, _ in -q[index % 12] }
    let worst = try #require(fixture.evaluate(values).matches.first)
    expectClose(worst, -2, ulps: 4)
  }

  @Test("Inputs of two kinds choose different entries, which the usage counts")
  func usage() throws {
    let fixture = try fixture(InstancePool(poolSize: 8, matched: 2))
    let result = fixture.evaluate(fixture.examples(40))
    var usage = PoolUsage(poolSize: 8)
    usage.add(result.entries)
    #expect(usage.counts.reduce(0, +) == 80)
    let sets = (0..<40).map { Set(result.entries[2 * $0..<2 * $0 + 2]) }
    #expect(Set(sets).count > 3)
    #expect(usage.entropy > 0 && usage.entropy <= log(8.0))
    var even = PoolUsage(poolSize: 4)
    even.add([0, 1, 2, 3, 3, 2, 1, 0])
    #expect(abs(even.entropy - log(4.0)) < 1e-12)
    var collapsed = PoolUsage(poolSize: 4)
    #expect(collapsed.entropy == 0)
    collapsed.add([2, 2, 2, 9, -1])
    #expect(collapsed.entropy == 0 && collapsed.counts == [0, 0, 3, 0])
  }
}
