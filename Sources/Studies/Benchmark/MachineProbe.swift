import Base
import Federation
import Scenario
import Tensor

/// Measurements of this machine for `doctor`: speed, and whether it repeats itself.
package struct MachineProbe: Sendable {
  /// GFLOP/s of one thread on a large matrix product.
  package let productOneThread: Double
  /// GFLOP/s of all threads, each on a product of its own.
  package let productAllThreads: Double
  /// Threads measured.
  package let threads: Int
  /// Whether training the same model with one thread and with several gives the same bits.
  package let isDeterministic: Bool

  /// Measures for about a second.
  package static func measure(threads: Int) throws(Failure) -> MachineProbe {
    let one = speed(threads: 1)
    let all = speed(threads: threads)
    return MachineProbe(
      productOneThread: one, productAllThreads: all, threads: threads,
      isDeterministic: try isDeterministic(threads: max(2, threads)))
  }

  /// Products of 768³, the best of several: other programs only ever slow a run down.
  private static func speed(threads: Int) -> Double {
    let side = 768
    let matrices = (0..<threads).map { thread in
      (0..<3).map { part in
        var stream = RandomStream(seed: 1, .test, client: thread, step: part)
        return (0..<side * side).map { _ in Float(stream.uniform()) - 0.5 }
      }
    }
    let pool = WorkerPool(workers: threads)
    var best = Double.infinity
    for _ in 0..<8 {
      let start = SystemClock.steady()
      _ = pool.map(threads) { _, thread -> Float in
        var c = matrices[thread][2]
        for _ in 0..<3 {
          c.withUnsafeMutableBufferPointer { buffer in
            guard let target = buffer.baseAddress else { return }
            BLAS.gemm(
              .normal, .normal, m: side, n: side, k: side, matrices[thread][0], matrices[thread][1],
              beta: 0, target)
          }
        }
        return c[0]
      }
      best = min(best, SystemClock.steady() - start)
    }
    return 3 * 2 * Double(side * side * side) * Double(threads) / best / 1e9
  }

  private static func isDeterministic(threads: Int) throws(Failure) -> Bool {
    let text = """
      {"fedsim": 1, "seeds": [1],
       "data": {"dataset": {"kind": "synthetic", "trainPerClass": 20, "testPerClass": 5},
                "augment": ["crop4", "flip"]},
       "federation": {"clients": 7, "rounds": 2}, "model": {"kind": "cnn", "width": 8},
       "client": {"batch": 8}, "strategies": [{"kind": "scaffold"}]}
      """
    let reading = ScenarioReader().read(bytes: Array(text.utf8), file: "self-test")
    guard let scenario = reading.scenario else {
      throw Failure(.internalError, "E1022", "the self-test's scenario is not valid")
    }
    let experiment = try Experiment(scenario)
    do {
      let first = try experiment.trial(threads: 1).digests
      return try experiment.trial(threads: threads).digests == first
    } catch { throw Failure(.internalError, "E1022", "the self-test failed: \(error)") }
  }
}
