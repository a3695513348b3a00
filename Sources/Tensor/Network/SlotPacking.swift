/// Places for slots in memory that they share: two lie apart when they are alive at once.
enum SlotPacking {
  /// The first and last time that a slot is written or read.
  struct Life {
    var first: Int
    var last: Int

    /// Alive at this time too.
    mutating func include(_ time: Int) {
      first = min(first, time)
      last = max(last, time)
    }
  }

  /// Floats per example in front of each slot, and of all together; every slot starts on a vector
  /// of sixteen.
  ///
  /// - Complexity: O(slots²).
  static func place(_ lives: [Int: Life], _ slots: [Network.Slot]) -> (
    offsets: [Int: Int], perExample: Int
  ) {
    var offsets: [Int: Int] = [:]
    var placed: [(slot: Int, range: Range<Int>)] = []
    for (slot, life) in lives.sorted(by: { ($0.value.first, $0.key) < ($1.value.first, $1.key) }) {
      let size = (slots[slot].perExample + 15) / 16 * 16
      let neighbours = placed.filter { entry in
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
    return (offsets, placed.map(\.range.upperBound).max() ?? 0)
  }
}

/// Where the feature maps lie that no backward pass reads: those of the pass that asks a frozen
/// network for its features.
///
/// They share memory; all other maps have their own.
struct ValuePlan: Sendable {
  /// Floats per example in front of each slot that shares.
  let offsets: [Int: Int]
  /// Floats per example of all that share.
  let perExample: Int

  /// `backward`: indices of the steps that run backward.
  ///
  /// `kept`: slots that are read from outside.
  init(_ steps: [any Operation], backward: [Int], _ slots: [Network.Slot], kept: Set<Int>) {
    guard steps.contains(where: { $0 is PoolMatch }) else {
      (offsets, perExample) = ([:], 0)
      return
    }
    let trained = Set(backward)
    var excluded = kept
    for index in backward {
      let step = steps[index]
      excluded.formUnion([step.input, step.output] + step.gradientSlots + step.ownSlots)
    }
    var lives: [Int: SlotPacking.Life] = [:]
    for (time, step) in steps.enumerated() where !trained.contains(time) {
      for slot in Set([step.input, step.output] + step.gradientSlots + step.ownSlots)
      where !excluded.contains(slot) && slots[slot].fixed == 0 {
        lives[slot, default: .init(first: time, last: time)].include(time)
      }
    }
    (offsets, perExample) = SlotPacking.place(lives, slots)
  }
}
