import Tensor
import TestSupport
import Testing

extension ParameterPool {
  /// A vector that can only be read.
  fileprivate func shared() -> ParameterBuffer {
    var own = take()
    return own.share()
  }
}

extension ParameterBuffer {
  fileprivate var address: UInt { withValues { UInt(bitPattern: $0.baseAddress) } }
}

@Suite("Recycled parameter vectors")
struct ParameterPoolTests {
  @Test("memory comes back with the last reference, is used again, and a surplus is freed")
  func recycling() {
    let pool = ParameterPool(count: 100, limit: 2)
    var held: [ParameterBuffer] = (0..<4).map { _ in pool.shared() }
    #expect(Set(held.map(\.address)).count == 4)
    #expect(held.allSatisfy { $0.address % 64 == 0 })
    let second = held[1]
    held.removeAll()
    // Three came back, two are kept, one is still held.
    #expect(pool.allocated == 3)
    #expect(pool.peak == 4)
    let taken = (pool.shared(), pool.shared())
    #expect(pool.allocated == 3)
    #expect(taken.0.address != second.address)
    #expect(taken.1.address != second.address)
    #expect(second.count == 100)
  }

  private static func workspace(_ pool: ParameterPool? = nil) throws -> (Network, Workspace) {
    let network = try NetworkRecipe.build(
      "conv c 4 3 1 1 1; batch n; relu; dense d 3 1",
      input: FeatureShape(height: 2, width: 2, channels: 1))
    return (network, Workspace(network, capacity: 2, training: true, pool: pool))
  }

  @Test("shared parameters stay as they were, whatever the workspace does next")
  func sharing()
    throws
  {
    let (network, space) = try Self.workspace()
    let count = network.layout.count
    let first = (0..<count).map { Float($0) + 1 }
    space.load(first)
    let shared = space.shareParameters()
    #expect(shared.address == UInt(bitPattern: space.parameters.baseAddress))
    space.load([Float](repeating: 7, count: count))
    #expect(shared.withValues { Array($0) } == first)
    #expect(space.currentParameters == [Float](repeating: 7, count: count))
  }

  @Test("training after sharing goes on from the same parameters in other memory")
  func trainingAfterSharing() throws {
    let (network, space) = try Self.workspace()
    let first = (0..<network.layout.count).map { 1 + Float($0 % 5) / 10 }
    space.load(first)
    let shared = space.shareParameters()
    network.forward(space, batch: 2, training: false)
    #expect(shared.address == UInt(bitPattern: space.parameters.baseAddress))
    network.forward(space, batch: 2, training: true)
    // Batch norm has moved its running statistics, and nothing else.
    let trained = network.layout.trainedCount
    #expect(shared.withValues { Array($0) } == first)
    #expect(space.currentParameters.prefix(trained) == first.prefix(trained))
    #expect(space.currentParameters != first)
  }

  @Test("writing after sharing takes other memory first")
  func writingAfterSharing() throws {
    let (network, space) = try Self.workspace()
    let first = (0..<network.layout.count).map { Float($0) }
    space.load(first)
    let shared = space.shareParameters()
    space.mutableParameters[0] = 9
    #expect(shared.withValues { Array($0) } == first)
    #expect(space.currentParameters == [9] + first.dropFirst())
    let other = space.mutableParameters.baseAddress
    space.mutableParameters[1] = 8
    #expect(space.mutableParameters.baseAddress == other, "copied once")
  }

  @Test("workspaces of one pool use each other's vectors once nobody reads them")
  func commonPool()
    throws
  {
    let network = try Self.workspace().0
    let pool = ParameterPool(count: network.layout.count, limit: 4)
    let spaces = try (0..<2).map { _ in try Self.workspace(pool).1 }
    let values = [Float](repeating: 0, count: network.layout.count)
    for round in 0..<10 {
      let uploads = spaces.map { $0.shareParameters() }
      for space in spaces { space.load(values) }
      #expect(uploads.count == 2)
      #expect(pool.allocated <= 4, "round \(round)")
    }
    #expect(pool.peak == 4)
  }
}
