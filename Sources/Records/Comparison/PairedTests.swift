/// A strategy against the baseline: differences by seed, what tests say of them, and clients.
package struct PairedTests: Sendable {
  /// The differences strategy − baseline over the seeds that both have.
  package let difference: PairedDifference
  /// p of the paired t test; nil with one seed.
  package let studentP: Double?
  /// The sign-flip permutation test.
  package let signFlip: SignFlipTest
  /// Wilcoxon's signed-rank test.
  package let wilcoxon: WilcoxonTest
  /// How large the difference is beside its spread; nil with one seed or without a spread.
  package let effect: EffectSize?
  /// Seeds on which the strategy is better, as good, or worse.
  package let seeds: WinTieLoss
  /// The same over pairs of client and seed, by accuracy on local tests; nil when not measured, and
  /// where the metric is no measure of models.
  ///
  /// Clients of one run share a model and are not independent: this describes, it does not test.
  package let clients: WinTieLoss?
  /// p of the three tests after Holm's correction over all strategies of the comparison.
  package private(set) var holm = Holm()

  /// Adjusted p; nil where the test has none.
  package struct Holm: Sendable, Equatable {
    /// Of the paired t test, which decides in words.
    package var student: Double?
    /// Of the sign-flip test.
    package var signFlip: Double?
    /// Of Wilcoxon's test.
    package var wilcoxon: Double?
  }

  /// Whether the paired t test separates the two at 95 % after Holm; nil with one seed.
  package var isSeparated: Bool? { holm.student.map { $0 <= 0.05 } }

  /// Tests values by seed; nil when no seed is common.
  package init?(
    _ values: [UInt64: Double], minus baseline: [UInt64: Double], clients: [UInt64: [Int: Double]],
    minusClients other: [UInt64: [Int: Double]], margin: Double, metric: ComparisonMetric
  ) {
    difference = PairedDifference(values, minus: baseline)
    guard !difference.seeds.isEmpty else { return nil }
    studentP = difference.statistics.studentP
    signFlip = SignFlipTest(difference.differences)
    wilcoxon = WilcoxonTest(difference.differences)
    effect = EffectSize(difference.statistics)
    seeds = WinTieLoss(difference.differences, margin: margin, lowerIsBetter: metric.lowerIsBetter)
    var pairs: [Double] = []
    let isMeasure = metric.name.hasPrefix("generic.") || metric.name.hasPrefix("personal.")
    for seed in difference.seeds where isMeasure {
      guard let mine = clients[seed], let theirs = other[seed] else { continue }
      for (client, accuracy) in mine.sorted(by: { $0.key < $1.key }) {
        guard let reference = theirs[client], accuracy.isFinite, reference.isFinite else {
          continue
        }
        pairs.append(accuracy - reference)
      }
    }
    // The margin has the metric's unit, which is the clients' only where both are shares.
    self.clients =
      pairs.isEmpty ? nil : WinTieLoss(pairs, margin: metric.unit == .share ? margin : 0)
  }

  /// Fills in the adjusted p of all rows.
  package static func correct(_ rows: inout [Comparison.Row]) {
    let student = HolmCorrection.adjusted(rows.map { $0.versus?.studentP })
    let signFlip = HolmCorrection.adjusted(rows.map { $0.versus?.signFlip.p })
    let wilcoxon = HolmCorrection.adjusted(rows.map { $0.versus?.wilcoxon.p })
    for index in rows.indices {
      rows[index].versus?.holm = Holm(
        student: student[index], signFlip: signFlip[index], wilcoxon: wilcoxon[index])
    }
  }
}
