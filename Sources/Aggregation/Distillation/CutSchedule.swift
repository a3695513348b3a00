/// Which cut a round uses: s(t) = 𝒮[min(⌊t/T⌋, m − 1)] for t from 0.
package struct CutSchedule: Sendable, Equatable {
  /// The orders of a dropping set.
  package enum Order: String, CaseIterable {
    /// From the deepest cut to the shallowest.
    case deepFirst = "d2s"
    /// The other way round.
    case shallowFirst = "s2d"
    /// The deepest cut for good.
    case never
  }

  /// 𝒮 in the order of use, cut numbers from 1; 0 is no exchange.
  package let cuts: [Int]
  /// T ≥ 1, rounds per cut.
  package let every: Int

  /// A schedule.
  ///
  /// - Parameters:
  ///   - set: cut numbers in any order; empty for all of 1 ... `available`.
  ///   - available: cuts of the network.
  ///   - order: in which they are used.
  ///   - every: T; 0 for ⌊R/m⌋, at least 1.
  ///   - rounds: R.
  package init(_ set: [Int], available: Int, order: Order, every: Int, rounds: Int) {
    var cuts = (set.isEmpty ? Array(1...max(1, available)) : set).sorted()
    if order != .shallowFirst { cuts.reverse() }
    if order == .never { cuts = Array(cuts.prefix(1)) }
    self.cuts = cuts
    self.every = every > 0 ? every : max(1, rounds / cuts.count)
  }

  /// The cut of a round, from 1; rounds before the first have its cut.
  package func cut(round: Int) -> Int { cuts[min(max(0, round - 1) / every, cuts.count - 1)] }
}
