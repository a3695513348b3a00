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

  /// Most results folded together; at most the window of one worker.
  package static let batch = 4

  /// Results that wait, and how far the fold has come; all under the lock.
  private struct Progress<Result> {
    /// Items folded or being folded.
    var taken = 0
    /// Results from `taken` on that are there without a gap.
    var ready = 0
    /// Whether a worker is folding.
    var isFolding = false
    /// The result of item i at [i mod window]: items alive are fewer than that apart.
    var waiting: [Result?]

    mutating func put(_ item: Int, _ result: consuming Result) {
      waiting[item % waiting.count] = result
      while ready < waiting.count, waiting[(taken + ready) % waiting.count] != nil { ready += 1 }
    }

    /// The next results to fold, in order: a full batch, or what is left at the end of `count`.
    mutating func next(of count: Int) -> (first: Int, results: [Result])? {
      let isLast = taken + ready == count
      guard !isFolding, ready > 0, ready >= WorkerPool.batch || isLast else { return nil }
      let first = taken
      var results: [Result] = []
      results.reserveCapacity(WorkerPool.batch)
      while ready > 0, results.count < WorkerPool.batch {
        if let result = waiting[taken % waiting.count].take() { results.append(result) }
        taken += 1
        ready -= 1
      }
      isFolding = true
      return (first, results)
    }
  }

  /// Runs `work` for items 0 ..< count in parallel and `fold` for each result in item order.
  ///
  /// `fold` is called by one worker at a time, while the others go on.
  package func run<Result>(
    _ count: Int,
    work: (_ worker: Int, _ item: Int) -> Result,
    fold: (_ item: Int, _ result: Result) -> Void
  ) {
    run(count, work: work) { (first: Int, results: [Result]) in
      for offset in results.indices { fold(first + offset, results[offset]) }
    }
  }

  /// Runs `work` for items 0 ..< count in parallel and `foldBatch` for neighbouring results, up to
  /// `batch` at a time, in item order.
  ///
  /// Which results come together depends on the workers: the fold's outcome must not. `foldBatch`
  /// is called by one worker at a time, while the others go on.
  package func run<Result>(
    _ count: Int,
    work: (_ worker: Int, _ item: Int) -> Result,
    foldBatch: (_ first: Int, _ results: [Result]) -> Void
  ) {
    let next = Atomic<Int>(0)
    let places = DispatchSemaphore(value: window)
    let lock = DispatchSemaphore(value: 1)
    // Shared with the workers below: `progress` only between lock.wait and lock.signal, `foldBatch`
    // only by the worker that set `isFolding`, `work` with a worker number of its own.
    nonisolated(unsafe) var progress = Progress<Result>(
      waiting: [Result?](repeating: nil, count: window)
    )
    nonisolated(unsafe) let work = work
    nonisolated(unsafe) let foldBatch = foldBatch
    DispatchQueue.concurrentPerform(iterations: min(workers, count)) { worker in
      while true {
        // Places are taken before items, so the lowest unfolded item always has one. If all places
        // are taken and nobody works or folds, a window of neighbours is ready: a batch, which
        // whoever brought the last of them has folded. So no deadlock.
        places.wait()
        let item = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard item < count else {
          places.signal()
          return
        }
        let result = work(worker, item)
        lock.wait()
        progress.put(item, result)
        while let batch = progress.next(of: count) {
          lock.signal()
          let size = batch.results.count
          foldBatch(batch.first, batch.results)
          lock.wait()
          progress.isFolding = false
          lock.signal()
          // Only now: a worker that this wakes may take our core, and can fold in our place.
          for _ in 0..<size { places.signal() }
          lock.wait()
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
