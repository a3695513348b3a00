import Synchronization

/// Recycled memory for parameter vectors of one length.
///
/// Large blocks are returned to the system when they are freed, and cost a page fault every 4 KB
/// when they are asked for again; a pool keeps them. What is alive is bounded by who holds buffers,
/// not by the pool.
public final class ParameterPool: Sendable {
  /// Floats of a vector.
  public let count: Int
  /// Vectors kept for the next taker; more are freed.
  public let limit: Int

  /// An address that travels between threads under the lock.
  private struct Block: @unchecked Sendable {
    let start: UnsafeMutablePointer<Float>
  }

  private struct State: Sendable {
    var spares: [Block] = []
    var allocated = 0
    var peak = 0
  }

  private let state = Mutex(State())

  /// A pool of vectors of `count` floats that keeps at most `limit` unused ones.
  public init(count: Int, limit: Int) {
    self.count = count
    self.limit = limit
  }

  deinit {
    for block in state.withLock({ $0.spares }) { block.start.deallocate() }
  }

  /// Vectors that have memory now, in use or kept.
  public var allocated: Int { state.withLock { $0.allocated } }

  /// Most vectors that ever had memory at once.
  public var peak: Int { state.withLock { $0.peak } }

  /// A vector of any content; the last one given back comes first, as it is still in a cache.
  public func take() -> ParameterBuffer {
    let block = state.withLock { state -> Block in
      if let last = state.spares.popLast() { return last }
      state.allocated += 1
      state.peak = max(state.peak, state.allocated)
      // Kernels read whole vectors, so up to 15 floats beyond a matrix.
      let bytes = (count + 16) * MemoryLayout<Float>.stride
      let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      let start = memory.bindMemory(to: Float.self, capacity: count + 16)
      return Block(start: start)
    }
    return ParameterBuffer(start: block.start, pool: self)
  }

  fileprivate func give(_ start: UnsafeMutablePointer<Float>) {
    let block = Block(start: start)
    let surplus = state.withLock { state -> Block? in
      if state.spares.count < limit {
        state.spares.append(block)
        return nil
      }
      state.allocated -= 1
      return block
    }
    surplus?.start.deallocate()
  }
}

/// One parameter vector, [count], aligned to a cache line.
///
/// Its memory goes back to the pool with the last reference, so a vector that anybody still reads
/// is never handed out again.
public final class ParameterBuffer: @unchecked Sendable {
  // @unchecked: written by one workspace only, and never again once it is shared.
  package let start: UnsafeMutablePointer<Float>
  private let pool: ParameterPool

  fileprivate init(start: UnsafeMutablePointer<Float>, pool: ParameterPool) {
    self.start = start
    self.pool = pool
  }

  deinit { pool.give(start) }

  /// Floats.
  public var count: Int { pool.count }
  /// The values.
  public var values: UnsafeBufferPointer<Float> { UnsafeBufferPointer(start: start, count: count) }

  /// Another vector of the same pool.
  func another() -> ParameterBuffer { pool.take() }
}
