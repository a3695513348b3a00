/// Where the gradients of feature maps lie: maps whose gradients are never alive at once share
/// memory, which is then still in the cache when it is written again.
struct GradientPlan: Sendable {
  /// Per slot, floats per example in front of its gradient; slots without one have 0.
  let offsets: [Int]
  /// Floats per example of all gradients together.
  let perExample: Int

  /// Time in a backward sweep: 0 is the loss, the last operation of the forward order is next.
  private struct Life {
    var first: Int
    var last: Int
  }

  /// `steps`: those that run backward, in forward order.
  ///
  /// - Complexity: O(slots²).
  init(_ steps: [any Operation], _ slots: [Network.Slot], logits: Int) {
    var lives: [Int: Life] = [logits: Life(first: 0, last: 0)]
    for (index, step) in steps.enumerated().reversed() {
      let time = steps.count - index
      for slot in step.gradientSlots where slots[slot].hasGradient {
        var life = lives[slot] ?? Life(first: time, last: time)
        // What is asked of a match comes from outside, like the loss.
        if step is PoolMatch { life.first = 0 }
        life.last = time
        lives[slot] = life
      }
    }
    var offsets = [Int](repeating: 0, count: slots.count)
    var placed: [(slot: Int, range: Range<Int>)] = []
    for (slot, life) in lives.sorted(by: { ($0.value.first, $0.key) < ($1.value.first, $1.key) }) {
      let size = (slots[slot].perExample + 15) / 16 * 16
      let neighbours =
        placed.filter { entry in
          guard let other = lives[entry.slot] else { return false }
          return other.first <= life.last && life.first <= other.last
        }.map(\.range).sorted { $0.lowerBound < $1.lowerBound }
      var start = 0
      for range in neighbours where range.lowerBound < start + size {
        start = max(start, range.upperBound)
      }
      offsets[slot] = start
      placed.append((slot, start..<start + size))
    }
    self.offsets = offsets
    perExample = placed.map(\.range.upperBound).max() ?? 0
  }
}
