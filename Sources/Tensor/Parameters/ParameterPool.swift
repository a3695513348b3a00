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

  private struct State: Sendable {
    var spares: [ParameterMemory] = []
    var allocated = 0
    var peak = 0
  }

  private let state = Mutex(State())

  /// A pool of vectors of `count` floats that keeps at most `limit` unused ones.
  public init(count: Int, limit: Int) {
    self.count = count
    self.limit = limit
  }

  /// Vectors that have memory now, in use or kept.
  public var allocated: Int { state.withLock { $0.allocated } }

  /// Most vectors that ever had memory at once.
  public var peak: Int { state.withLock { $0.peak } }

  /// A vector of any content; the last one given back comes first, as it is still in a cache.
  public func take() -> OwnParameters {
    let spare = state.withLock { state -> ParameterMemory? in
      if let last = state.spares.popLast() { return last }
      state.allocated += 1
      state.peak = max(state.peak, state.allocated)
      return nil
    }
    let memory = spare ?? ParameterMemory(count: count)
    return OwnParameters(ParameterBuffer(memory, of: self))
  }

  fileprivate func give(_ memory: ParameterMemory) {
    state.withLock { state in
      if state.spares.count < limit {
        state.spares.append(memory)
      } else {
        state.allocated -= 1  // freed with the caller's reference
      }
    }
  }
}

/// The memory of one vector, which it owns.
private final class ParameterMemory: @unchecked Sendable {
  // @unchecked: numbers are written through the one `OwnParameters` that has this memory, and never
  // again once others may read it; the pool hands it on only when nobody has it any more.
  let start: UnsafeMutablePointer<Float>

  init(count: Int) {
    // Kernels read whole vectors, so up to 15 floats beyond a matrix.
    let bytes = (count + 16) * MemoryLayout<Float>.stride
    start = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64).bindMemory(
      to: Float.self, capacity: count + 16)
  }

  deinit { UnsafeMutableRawPointer(start).deallocate() }
}

/// One parameter vector, [count], aligned to a cache line, for whoever wants to read it.
///
/// Its memory goes back to the pool with the last reference, so a vector that anybody still reads
/// is never handed out again.
public final class ParameterBuffer: Sendable {
  private let memory: ParameterMemory
  private let pool: ParameterPool

  fileprivate init(_ memory: ParameterMemory, of pool: ParameterPool) {
    self.memory = memory
    self.pool = pool
  }

  deinit { pool.give(memory) }

  /// Floats.
  public var count: Int { pool.count }

  /// Lends the values.
  public func withValues<Result, Problem: Error>(
    _ body: (UnsafeBufferPointer<Float>) throws(Problem) -> Result
  ) throws(Problem) -> Result {
    try withExtendedLifetime(self) { () throws(Problem) in
      try body(UnsafeBufferPointer(start: memory.start, count: count))
    }
  }

  fileprivate var start: UnsafeMutablePointer<Float> { memory.start }

  /// Another vector of the same pool.
  fileprivate func another() -> OwnParameters { pool.take() }
}

/// A parameter vector and the right to write it, which ends when it is shared.
///
/// There is one of these for a vector, and before it writes again it has to take other memory.
public struct OwnParameters: ~Copyable {
  private var buffer: ParameterBuffer
  /// Whether others may read the vector, which then stays as it is.
  private(set) var isShared = false

  fileprivate init(_ buffer: ParameterBuffer) { self.buffer = buffer }

  /// Floats.
  public var count: Int { buffer.count }

  /// Where the values lie, for as long as this has them.
  var readable: UnsafePointer<Float> { UnsafePointer(buffer.start) }

  /// The same for writing; not when the vector is shared.
  var writable: UnsafeMutablePointer<Float> {
    precondition(!isShared, "OwnParameters: others read this vector")
    return buffer.start
  }

  /// The vector for others, which stays as it is from now on.
  public mutating func share() -> ParameterBuffer {
    isShared = true
    return buffer
  }

  /// Other memory of any content, if the vector is shared.
  mutating func leaveShared() { if isShared { self = buffer.another() } }

  /// Other memory with the same values, if the vector is shared.
  mutating func copyShared() {
    guard isShared else { return }
    let shared = buffer
    self = shared.another()
    writable.update(from: shared.start, count: shared.count)
  }
}
