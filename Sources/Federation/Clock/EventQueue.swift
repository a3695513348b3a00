/// What happens when: a binary heap by time, then by the order of arrival in the queue.
///
/// Nothing else decides the order, so that equal times come out as they went in.
package struct EventQueue<Value> {
  /// Something at a time.
  package struct Entry {
    package let time: Double
    /// Ties are broken by the smaller number.
    package let sequence: Int
    package let value: Value
  }

  private var heap: [Entry] = []
  private var pushed = 0

  package init() {}

  package var count: Int { heap.count }
  package var isEmpty: Bool { heap.isEmpty }
  package var first: Entry? { heap.first }

  /// Adds an entry after all others of its time.
  package mutating func push(_ value: Value, at time: Double) {
    push(value, at: time, sequence: pushed)
  }

  /// Adds an entry whose place among those of its time is given: no two may have the same.
  ///
  /// - Complexity: O(log entries).
  package mutating func push(_ value: Value, at time: Double, sequence: Int) {
    precondition(!time.isNaN, "EventQueue: a time that is no number")
    pushed = max(pushed, sequence) + 1
    heap.append(Entry(time: time, sequence: sequence, value: value))
    var child = heap.count - 1
    while child > 0, isBefore(child, (child - 1) / 2) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// Takes the next entry out; nil when there is none.
  ///
  /// - Complexity: O(log entries).
  package mutating func pop() -> Entry? {
    guard let top = heap.first else { return nil }
    let last = heap.removeLast()
    guard !heap.isEmpty else { return top }
    heap[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if isBefore(child, least) { least = child }
      }
      if least == parent { return top }
      heap.swapAt(least, parent)
      parent = least
    }
  }

  private func isBefore(_ a: Int, _ b: Int) -> Bool {
    (heap[a].time, heap[a].sequence) < (heap[b].time, heap[b].sequence)
  }
}
