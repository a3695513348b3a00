import Base
import Federation
import Tensor

/// What this machine can do at most, measured in plain Swift by this build.
package struct SpeedLimits: Sendable, Equatable {
  /// Threads measured at once.
  package let threads: Int
  /// Multiply-adds in registers, GFLOP/s of all threads together.
  package let multiplyAdd: Double
  /// Sum of an array per thread, 10⁹ bytes per second of all threads together: in order or as eight
  /// streams side by side, whichever is faster.
  package let read: Double
  /// Copy of an array per thread; reads and writes both count.
  package let copy: Double
  /// z ← x + 3·y per thread; reads and writes all count.
  package let triad: Double
  /// Floats of each array.
  package let arrayCount: Int

  /// Floats per array: 128 MiB, larger than any last-level cache has for a thread.
  package static let usualCount = 32 << 20

  /// The best of several runs each: other programs only ever slow a run down.
  ///
  /// `count`: floats per array; less where memory is short.
  package static func measure(threads: Int, count: Int = usualCount, runs: Int = 7) -> SpeedLimits {
    let arrays = LimitArrays(threads: threads, count: count)
    return SpeedLimits(
      threads: threads, multiplyAdd: multiplyAdds(threads: threads, runs: runs),
      read: arrays.bestRead(runs), copy: arrays.best(runs, streams: 2) { arrays.copy($0) },
      triad: arrays.best(runs, streams: 3) { arrays.triad($0) }, arrayCount: arrays.count)
  }

  /// GFLOP/s; each run takes about a tenth of a second.
  private static func multiplyAdds(threads: Int, runs: Int) -> Double {
    let pool = WorkerPool(workers: threads)
    let operands = [Float](repeating: 0.999_999_9, count: 16) + [Float](repeating: 1e-9, count: 16)
    func seconds(_ turns: Int) -> Double {
      let start = LoadMeter.now
      let sums = pool.map(threads) { _, _ in SpeedLoops.multiplyAdds(turns: turns, operands) }
      let time = LoadMeter.now - start
      // Reads the sums, so that nothing is left out; they are finite.
      return sums.contains(.infinity) ? .infinity : time
    }
    let trial = 1 << 20
    let turns = max(1, Int(clamping: 0.1 / seconds(trial) * Double(trial)))
    let best = (0..<runs).map { _ in seconds(turns) }.min() ?? .infinity
    return Double(threads) * Double(turns) * Double(SpeedLoops.flopsPerTurn) / best / 1e9
  }
}

/// Three arrays per thread, each written first by a worker.
final class LimitArrays: Sendable {
  /// Arrays 3i, 3i + 1 and 3i + 2 are those of item i.
  private let memory: FloatArrays
  private let pool: WorkerPool
  private let threads: Int
  let count: Int

  init(threads: Int, count wanted: Int) {
    // At most half of what is free.
    let fitting = LoadMeter.availableBytes / (2 * 3 * 4 * threads)
    let stride = SpeedLoops.stride
    let count = max(stride, min(wanted, fitting) / stride * stride)
    self.count = count
    self.threads = threads
    pool = WorkerPool(workers: threads)
    let memory = FloatArrays(3 * threads, count: count, alignment: 4096)
    self.memory = memory
    pool.run(threads) { _, item in
      for part in 0..<3 {
        memory.writable(3 * item + part).initialize(repeating: Float(part), count: count)
      }
    } fold: { _, _ in
    }
  }

  /// The faster of both ways to read.
  func bestRead(_ runs: Int) -> Double {
    max(
      best(runs, streams: 1) { [self] in SpeedLoops.read(memory[3 * $0], count: count) },
      best(runs, streams: 1) { [self] in SpeedLoops.readInOrder(memory[3 * $0], count: count) })
  }

  func copy(_ item: Int) -> Float {
    SpeedLoops.copy(memory[3 * item], to: memory.writable(3 * item + 2), count: count)
    return 0
  }

  func triad(_ item: Int) -> Float {
    SpeedLoops.triad(
      memory[3 * item], memory[3 * item + 1], to: memory.writable(3 * item + 2), count: count)
    return 0
  }

  /// 10⁹ bytes per second of all threads, each running `body` on its own arrays.
  func once(streams: Int, _ body: @escaping @Sendable (Int) -> Float) -> Double {
    let start = LoadMeter.now
    let sums = pool.map(threads) { _, item in body(item) }
    let seconds = LoadMeter.now - start
    // Reads the sums, so that nothing is left out.
    guard !sums.contains(.infinity) else { return 0 }
    return Double(4 * count * streams * threads) / seconds / 1e9
  }

  /// The best of several runs.
  func best(_ runs: Int, streams: Int, _ body: @escaping @Sendable (Int) -> Float) -> Double {
    (0..<runs).map { _ in once(streams: streams, body) }.max() ?? 0
  }
}
