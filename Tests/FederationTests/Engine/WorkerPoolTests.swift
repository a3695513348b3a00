import Base
import Federation
import Synchronization
import Testing

@Suite("Workers")
struct WorkerPoolTests {
  /// Keeps a worker busy or asleep for a while that depends on the item alone.
  private static func dawdle(_ item: Int) {
    var stream = RandomStream(seed: 5, .test, step: item)
    if stream.below(4) == 0 { usleep(UInt32(stream.below(400))) }
  }

  @Test(
    "results are folded in item order, few at a time, whatever the number of workers",
    arguments: [1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 3, 500])
  func order(_ workers: Int, _ count: Int) {
    let pool = WorkerPool(workers: workers)
    let alive = Atomic<Int>(0)
    let most = Atomic<Int>(0)
    let badWorkers = Atomic<Int>(0)
    var folded: [Int] = []
    pool.run(count) { worker, item in
      let now = alive.wrappingAdd(1, ordering: .relaxed).newValue
      most.max(now, ordering: .relaxed)
      if worker < 0 || worker >= workers { badWorkers.wrappingAdd(1, ordering: .relaxed) }
      Self.dawdle(item)
      return item * item
    } fold: { item, result in
      alive.wrappingSubtract(1, ordering: .relaxed)
      #expect(result == item * item)
      folded.append(item)
    }
    #expect(folded == Array(0..<count))
    #expect(badWorkers.load(ordering: .relaxed) == 0)
    #expect(most.load(ordering: .relaxed) <= 4 * workers)
    #expect(pool.window <= 4 * workers)
  }

  @Test("a first item slower than all others delays the folding, not the order or the memory")
  func slowFirst() {
    let alive = Atomic<Int>(0)
    let most = Atomic<Int>(0)
    var folded: [Int] = []
    WorkerPool(workers: 2).run(200) { _, item in
      let now = alive.wrappingAdd(1, ordering: .relaxed).newValue
      most.max(now, ordering: .relaxed)
      if item == 0 { usleep(30_000) }
      return item
    } fold: { _, result in
      alive.wrappingSubtract(1, ordering: .relaxed)
      folded.append(result)
    }
    #expect(folded == Array(0..<200))
    #expect(most.load(ordering: .relaxed) <= 8)
  }

  @Test("no two items run on one worker at once")
  func exclusive() {
    let workers = 4
    let busy = Mutex([Bool](repeating: false, count: workers))
    let clashes = Atomic<Int>(0)
    _ = WorkerPool(workers: workers).map(300) { worker, item in
      let wasBusy = busy.withLock { flags in
        defer { flags[worker] = true }
        return flags[worker]
      }
      if wasBusy { clashes.wrappingAdd(1, ordering: .relaxed) }
      Self.dawdle(item)
      busy.withLock { $0[worker] = false }
    }
    #expect(clashes.load(ordering: .relaxed) == 0)
  }

  @Test(
    "batches are neighbours in item order, never empty, folded by one worker at a time",
    arguments: [1, 2, 3, 8], [0, 1, 3, 4, 5, 301])
  func batches(_ workers: Int, _ count: Int) {
    let alive = Atomic<Int>(0)
    let most = Atomic<Int>(0)
    let folding = Atomic<Int>(0)
    var folded: [Int] = []
    WorkerPool(workers: workers).run(count) { _, item -> Int in
      most.max(alive.wrappingAdd(1, ordering: .relaxed).newValue, ordering: .relaxed)
      Self.dawdle(item)
      return 3 * item
    } foldBatch: { first, results in
      #expect(folding.wrappingAdd(1, ordering: .relaxed).newValue == 1)
      Self.dawdle(first)
      #expect(first == folded.count)
      #expect((1...WorkerPool.batch).contains(results.count))
      folded += results
      alive.wrappingSubtract(results.count, ordering: .relaxed)
      folding.wrappingSubtract(1, ordering: .relaxed)
    }
    #expect(folded == (0..<count).map { 3 * $0 })
    #expect(most.load(ordering: .relaxed) <= 4 * workers)
  }

  @Test("map gives the results of all items in order")
  func map() {
    let squares = WorkerPool(workers: 3).map(50) { _, item -> Int in
      Self.dawdle(item)
      return item * item
    }
    #expect(squares == (0..<50).map { $0 * $0 })
  }
}
