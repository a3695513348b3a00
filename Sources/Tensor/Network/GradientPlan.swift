/// Where the gradients of feature maps lie: maps whose gradients are never alive at once share
/// memory, which is then still in the cache when it is written again.
struct GradientPlan: Sendable {
  /// Per slot, floats per example in front of its gradient; slots without one have 0.
  let offsets: [Int]
  /// Floats per example of all gradients together.
  let perExample: Int

  /// `steps`: those that run backward, in forward order.
  ///
  /// Time in a backward sweep: 0 is the loss, the last operation of the forward order is next.
  init(_ steps: [any Operation], _ slots: [Network.Slot], logits: Int, input: Int) {
    var lives = [logits: SlotPacking.Life(first: 0, last: 0)]
    for (index, step) in steps.enumerated().reversed() {
      let time = steps.count - index
      for slot in step.gradientSlots where slots[slot].hasGradient {
        lives[slot, default: .init(first: time, last: time)].include(time)
        // What is asked of a match comes from outside, like the loss.
        if step is PoolMatch { lives[slot]?.include(0) }
      }
    }
    // Whoever asked for the input's gradient reads it after the sweep.
    lives[input]?.include(steps.count + 1)
    let placed = SlotPacking.place(lives, slots)
    offsets = slots.indices.map { placed.offsets[$0] ?? 0 }
    perExample = placed.perExample
  }
}
