import Dispatch
import Synchronization

/// Runs items on a fixed number of workers and hands their results over in item order.
///
/// Workers take items from one queue, so a slow item delays nobody; results wait until all before
/// them are folded, so that what is folded, and in which order, depends on neither the number of
/// workers nor their speed. At most `window` results are alive at once: memory grows with workers,
/// not with items.
package struct WorkerPool: Sendable {
  /// Number of workers W ≥ 1; item functions get a worker number in 0 ..< W.
  package let workers: Int

  /// A pool of W ≥ 1 workers.
  package init(workers: Int) {
    precondition(workers > 0, "WorkerPool: \(workers) workers")
    self.workers = workers
  }

  /// Results alive at once: some slack, so that one slow item does not stop the others.
  package var window: Int { 4 * workers }

  private struct Progress<Result> {
    var folded = 0
    var waiting: [Int: Result] = [:]
  }

  /// Runs `work` for items 0 ..< count in parallel and `fold` for each result in item order.
  ///
  /// `fold` is called by one worker at a time; it must be quick, as others may wait for it.
  package func run<Result>(
    _ count: Int,
    work: (_ worker: Int, _ item: Int) -> Result,
    fold: (_ item: Int, _ result: Result) -> Void
  ) {
    let next = Atomic<Int>(0)
    let places = DispatchSemaphore(value: window)
    let lock = DispatchSemaphore(value: 1)
    // Shared with the workers below: `progress` and `fold` only between lock.wait and lock.signal,
    // `work` with a worker number of its own.
    nonisolated(unsafe) var progress = Progress<Result>()
    nonisolated(unsafe) let work = work
    nonisolated(unsafe) let fold = fold
    DispatchQueue.concurrentPerform(iterations: min(workers, count)) { worker in
      while true {
        // Places are taken before items, so the lowest unfolded item always has one: no deadlock.
        places.wait()
        let item = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard item < count else {
          places.signal()
          return
        }
        let result = work(worker, item)
        lock.wait()
        progress.waiting[item] = result
        while let ready = progress.waiting.removeValue(forKey: progress.folded) {
          fold(progress.folded, ready)
          progress.folded += 1
          places.signal()
        }
        lock.signal()
      }
    }
  }

  /// The results of all items, in item order.
  package func map<Result>(_ count: Int, _ work: (_ worker: Int, _ item: Int) -> Result) -> [Result]
  {
    var results: [Result] = []
    results.reserveCapacity(count)
    run(count, work: work) { _, result in results.append(result) }
    return results
  }
}
