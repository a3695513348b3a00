import Dispatch
import Synchronization

/// Runs items on a fixed number of workers and hands their results over in item order.
///
/// Workers take items from one queue, so a slow item delays nobody. Results wait until all before
/// them are folded, so that what is folded, and in which order, depends on neither the number of
/// workers nor their speed. At most `window` results are alive at once: memory grows with workers,
/// not with items.
///
/// The caller is worker 0, and the only one that folds: what a fold changes never leaves the
/// caller's thread, so that it may be anything. Work runs on every thread and is `@Sendable`.
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

  /// Runs `work` for items 0 ..< count in parallel and `fold` for each result in item order.
  package func run<Result: Sendable>(
    _ count: Int, work: @escaping @Sendable (_ worker: Int, _ item: Int) -> Result,
    fold: (_ item: Int, _ result: Result) -> Void
  ) {
    run(count, work: work) { (first: Int, results: [Result]) in
      for offset in results.indices { fold(first + offset, results[offset]) }
    }
  }

  /// Runs `work` for items 0 ..< count in parallel and `foldBatch` for neighbouring results, up to
  /// `batch` at a time, in item order, on the caller's thread.
  ///
  /// Which results come together depends on the workers: the fold's outcome must not.
  package func run<Result: Sendable>(
    _ count: Int, work: @escaping @Sendable (_ worker: Int, _ item: Int) -> Result,
    foldBatch: (_ first: Int, _ results: [Result]) -> Void
  ) {
    let queue = WorkQueue<Result>(count: count, window: window)
    let others = DispatchGroup()
    for worker in 1..<max(1, min(workers, count)) {
      DispatchQueue.global(qos: .userInitiated).async(group: others) {
        while let item = queue.take(waits: true) { queue.put(item, work(worker, item)) }
      }
    }
    while !queue.isFolded {
      let folded = Self.fold(queue.next(), foldBatch)
      if folded > 0 {
        queue.release(folded)
      } else if let item = queue.take(waits: false) {
        queue.put(item, work(0, item))
      } else {
        queue.waitForResult()
      }
    }
    // Only that nobody is left inside `work` or its captures when this returns.
    others.wait()
  }

  /// Folds a batch and counts it.
  ///
  /// The results are gone when this returns: only then may others take their places.
  private static func fold<Result>(
    _ batch: (first: Int, results: [Result])?, _ foldBatch: (Int, [Result]) -> Void
  ) -> Int {
    guard let batch else { return 0 }
    foldBatch(batch.first, batch.results)
    return batch.results.count
  }

  /// The results of all items, in item order.
  package func map<Result: Sendable>(
    _ count: Int, _ work: @escaping @Sendable (_ worker: Int, _ item: Int) -> Result
  ) -> [Result] {
    var results: [Result] = []
    results.reserveCapacity(count)
    run(count, work: work) { _, result in results.append(result) }
    return results
  }
}

/// The items of one run, and the results that wait to be folded.
private final class WorkQueue<Result: Sendable>: Sendable {
  private struct Progress {
    /// Items that somebody works on or has done.
    var started = 0
    /// Items folded or being folded.
    var taken = 0
    /// Results from `taken` on that are there without a gap.
    var ready = 0
    /// The result of item i at [i mod window]: items alive are fewer than that apart.
    var waiting: [Result?]
    /// Whether the caller sleeps until there is something to fold.
    var callerSleeps = false

    /// Whether there is something to fold: a full batch, or what is left at the end of `count`.
    func isReady(_ count: Int) -> Bool {
      ready > 0 && (ready >= WorkerPool.batch || taken + ready == count)
    }
  }

  private let count: Int
  private let progress: Mutex<Progress>
  /// Results that may be alive besides those that are.
  ///
  /// A place is taken before an item, so the
  /// lowest item that is not folded always has one; the caller never waits for one. So no deadlock.
  private let places: DispatchSemaphore
  /// Wakes the caller; signalled once for each time that it sleeps.
  private let news = DispatchSemaphore(value: 0)

  init(count: Int, window: Int) {
    self.count = count
    progress = Mutex(Progress(waiting: [Result?](repeating: nil, count: window)))
    places = DispatchSemaphore(value: window)
  }

  /// Whether all items were given to the fold.
  var isFolded: Bool { progress.withLock { $0.taken == count } }

  /// The next item; nil when none is left, or, unless it waits, when too many results are alive.
  func take(waits: Bool) -> Int? {
    guard places.wait(timeout: waits ? .distantFuture : .now()) == .success else { return nil }
    let item = progress.withLock { progress -> Int? in
      guard progress.started < count else { return nil }
      progress.started += 1
      return progress.started - 1
    }
    if item == nil { places.signal() }
    return item
  }

  func put(_ item: Int, _ result: Result) {
    let wakes = progress.withLock { progress in
      let window = progress.waiting.count
      progress.waiting[item % window] = result
      while progress.ready < window,
        progress.waiting[(progress.taken + progress.ready) % window] != nil
      { progress.ready += 1 }
      let wakes = progress.callerSleeps && progress.isReady(count)
      if wakes { progress.callerSleeps = false }
      return wakes
    }
    if wakes { news.signal() }
  }

  /// The next results to fold, in order: a full batch, or what is left at the end.
  func next() -> (first: Int, results: [Result])? {
    progress.withLock { progress in
      guard progress.isReady(count) else { return nil }
      let first = progress.taken
      var results: [Result] = []
      results.reserveCapacity(WorkerPool.batch)
      while progress.ready > 0, results.count < WorkerPool.batch {
        let place = progress.taken % progress.waiting.count
        if let result = progress.waiting[place].take() { results.append(result) }
        progress.taken += 1
        progress.ready -= 1
      }
      return (first, results)
    }
  }

  /// Gives back the places of results that were folded.
  func release(_ results: Int) { for _ in 0..<results { places.signal() } }

  /// Until there is something to fold.
  ///
  /// For the caller when it can do nothing else: then items are left to others, who bring it.
  func waitForResult() {
    let sleeps = progress.withLock { progress in
      progress.callerSleeps = !progress.isReady(count)
      return progress.callerSleeps
    }
    if sleeps { news.wait() }
  }
}
