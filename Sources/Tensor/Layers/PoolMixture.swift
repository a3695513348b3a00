/// Which entries of a pool adapt which examples, and the means over them.
///
/// Examples that share an adapter are a group: each for itself, or all of a batch.
package struct PoolMixture: Sendable {
  /// How entries are chosen.
  package enum Choice: Sendable {
    /// All, always.
    case everything
    /// Per example, the k indices that a match has written.
    case perExample
    /// The mean over a batch of its examples' choices.
    case perBatch
  }

  package let choice: Choice
  package let entries: Int
  package let matched: Int
  /// Slot of the chosen indices, [k] per example, as Int32 bit patterns.
  package let selection: Int
  /// Slot of how many examples of the batch chose each entry, [P] floats.
  package let counts: Int

  package func groups(_ batch: Int) -> Int { choice == .perExample ? batch : 1 }

  package func examples(_ group: Int, _ batch: Int) -> Range<Int> {
    choice == .perExample ? group..<group + 1 : 0..<batch
  }

  /// The indices that an example chose.
  package static func indices(_ slot: UnsafeMutablePointer<Float>, _ example: Int, _ matched: Int)
    -> UnsafeMutablePointer<Int32>
  { UnsafeMutableRawPointer(slot + example * matched).assumingMemoryBound(to: Int32.self) }

  /// Calls `body` with each entry of a group and its weight before division by `divisor`, in a
  /// fixed order: the best match first, or by index.
  @inline(__always) private func forEachEntry(
    _ pass: borrowing Pass, _ group: Int, _ body: (Int, Float) -> Void
  ) {
    switch choice {
    case .everything: for p in 0..<entries { body(p, 1) }
    case .perExample:
      let indices = Self.indices(pass.values[selection], group, matched)
      for j in 0..<matched { body(Int(indices[j]), 1) }
    case .perBatch:
      let counts = pass.values[counts]
      for p in 0..<entries where counts[p] > 0 { body(p, counts[p]) }
    }
  }

  private func divisor(_ batch: Int) -> Float {
    switch choice {
    case .everything: Float(entries)
    case .perExample: Float(matched)
    case .perBatch: Float(matched * batch)
    }
  }

  /// mean ← the group's mean of rows of a [P × width] matrix.
  ///
  /// Divided at the end, so that a mean of ones is one.
  package func mean(
    _ pass: borrowing Pass, _ group: Int, of rows: UnsafePointer<Float>, width: Int,
    into mean: UnsafeMutablePointer<Float>
  ) {
    mean.update(repeating: 0, count: width)
    forEachEntry(pass, group) { entry, weight in
      let row = rows + entry * width
      for c in 0..<width { mean[c] += weight * row[c] }
    }
    let divisor = divisor(pass.batch)
    for c in 0..<width { mean[c] /= divisor }
  }

  /// Adds the gradient with respect to the group's mean to the rows that it is a mean of.
  package func spread(
    _ pass: borrowing Pass, _ group: Int, _ gradient: UnsafePointer<Float>, width: Int,
    to rows: UnsafeMutablePointer<Float>
  ) {
    let divisor = divisor(pass.batch)
    forEachEntry(pass, group) { entry, weight in
      let row = rows + entry * width
      let share = weight / divisor
      for c in 0..<width { row[c] += share * gradient[c] }
    }
  }
}
