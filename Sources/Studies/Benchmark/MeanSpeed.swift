import Base
import Federation
import Records
import Tensor

/// Workload w5: the weighted mean of many updates that lie in memory, as an aggregator that keeps
/// them all computes it.
package struct MeanSpeed: Sendable {
  /// Updates m.
  package let updates: Int
  /// Floats per update n.
  package let parameters: Int
  /// Threads that share the columns.
  package let threads: Int
  /// The timed repetitions.
  package let laps: [LoadMeter.Lap]
  /// 10⁹ bytes per second of a plain sum through memory, measured between the repetitions.
  package let readSpeeds: [Double]
  /// Largest |found − x₀·Σ wᵢ·(1 + i/m)| over the mean's largest magnitude, in double precision.
  package let error: Double
  /// See ``LoadMeter/peakMebibytes``.
  package let peakMebibytes: Double?
  package let mean: [Float]

  /// The updates and parameters of w5.
  package static let usual = (updates: 1000, parameters: 1_000_000)

  /// 10⁹ bytes of updates per second, each byte counted once; the median repetition.
  package var gigabytesPerSecond: Double {
    4 * Double(updates) * Double(parameters) / Metrics.median(laps.map(\.seconds)) / 1e9
  }

  package var read: Double { Metrics.median(readSpeeds) }

  /// Rounding of m additions, each at most half a unit in the last place of a partial sum.
  package var isRight: Bool { error <= Double(updates + 2) * 0x1p-24 * 2 }

  /// Makes updates xᵢ = (1 + i/m)·x₀ with x₀ standard normal and weights ∝ counts drawn from
  /// 10 … 99, then repeats the mean.
  ///
  /// Throws E2008 when memory cannot hold them.
  package init(
    updates: Int = usual.updates, parameters: Int = usual.parameters, threads: Int,
    repetitions: Int, warmup: Int = 1, seed: UInt64, readCount: Int = SpeedLimits.usualCount,
    available: Int? = nil
  ) throws(Failure) {
    LoadMeter.resetPeak()
    let limitBytes = 3 * 4 * readCount * threads
    try Workload.require(
      4 * (updates + 2) * parameters + limitBytes, available: available ?? LoadMeter.availableBytes,
      for: "w5")
    self.updates = updates
    self.parameters = parameters
    self.threads = threads
    let set = UpdateSet(updates: updates, parameters: parameters, threads: threads, seed: seed)
    let arrays = LimitArrays(threads: threads, count: readCount)
    var laps: [LoadMeter.Lap] = []
    var speeds: [Double] = []
    var meter = LoadMeter()
    for repetition in 0..<warmup + repetitions {
      // In turn, so that both meet the same neighbours.
      let read = arrays.bestRead(3)
      meter.begin()
      set.average()
      let lap = meter.lap()
      guard repetition >= warmup else { continue }
      laps.append(lap)
      speeds.append(read)
    }
    self.laps = laps
    readSpeeds = speeds
    error = set.relativeError
    mean = set.mean
    peakMebibytes = LoadMeter.peakMebibytes
  }
}

/// Updates in memory, and their mean.
final class UpdateSet: Sendable {
  private let memory: FloatArrays
  /// Where the mean goes; workers write columns of their own only.
  private let result: FloatArrays
  private let pool: WorkerPool
  private let base: [Float]
  /// wᵢ, which add up to 1.
  private let weights: [Float]

  init(updates: Int, parameters: Int, threads: Int, seed: UInt64) {
    var stream = RandomStream(seed: seed, .syntheticData)
    let base = (0..<parameters).map { _ in Float(stream.normal()) }
    let counts = (0..<updates).map { _ in 10 + stream.below(90) }
    let total = Double(counts.reduce(0, +))
    let memory = FloatArrays(updates, count: parameters, alignment: 64)
    self.base = base
    self.memory = memory
    pool = WorkerPool(workers: threads)
    pool.run(updates) { _, update in
      let factor = Self.factor(update, of: updates)
      let values = memory.writable(update)
      for i in 0..<parameters { (values + i).initialize(to: factor * base[i]) }
    } fold: { _, _ in
    }
    weights = counts.map { Float(Double($0) / total) }
    result = FloatArrays(1, count: parameters, alignment: 64)
    result.writable(0).initialize(repeating: 0, count: parameters)
  }

  var mean: [Float] {
    withExtendedLifetime(result) { Array(UnsafeBufferPointer(start: result[0], count: base.count)) }
  }

  private static func factor(_ update: Int, of updates: Int) -> Float {
    1 + Float(update) / Float(updates)
  }

  /// mean ← Σ wᵢ·xᵢ, a range of columns per thread.
  func average() {
    let threads = pool.workers
    // Whole cache lines, so that no line is written by two threads.
    let count = base.count
    let width = (count + 16 * threads - 1) / (16 * threads) * 16
    pool.run(threads) { [self] _, part in
      let columns = min(part * width, count)..<min((part + 1) * width, count)
      let terms = weights.indices.map {
        WeightedDifferenceSum.Term(weight: weights[$0], vector: memory[$0])
      }
      WeightedDifferenceSum.add(terms, to: result.writable(0), elements: columns, fresh: true)
    } fold: { _, _ in
    }
  }

  /// Largest deviation from the closed form x₀·Σ wᵢ·(1 + i/m), relative to the largest value.
  var relativeError: Double {
    let factor = weights.indices.reduce(0.0) {
      $0 + Double(weights[$1]) * Double(Self.factor($1, of: weights.count))
    }
    let mean = mean
    var largest = 0.0
    var worst = 0.0
    for i in base.indices {
      let expected = Double(base[i]) * factor
      largest = max(largest, abs(expected))
      worst = max(worst, abs(Double(mean[i]) - expected))
    }
    return largest > 0 ? worst / largest : worst
  }
}
