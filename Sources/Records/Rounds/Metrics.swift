import Base
import Data

extension ShotGroups {
  /// Groups by cumulative share; nil when all classes are equally frequent: then no class is rarer
  /// than another.
  package static func cumulativeShare(_ counts: [Int]) -> ShotGroups? {
    guard let first = counts.first, counts.contains(where: { $0 != first }) else { return nil }
    return ShotGroups(.cumulative, classCounts: counts)
  }

  /// Groups by the number of training images.
  package static func absolute(_ counts: [Int]) -> ShotGroups {
    ShotGroups(.absolute, classCounts: counts)
  }

  /// Mean of the per-class accuracies of each group; classes without test images are left out.
  package func accuracies(_ perClass: [Double]) -> RoundRecord.Shots {
    precondition(
      perClass.count == groups.count,
      "ShotGroups.accuracies: \(perClass.count) accuracies, \(groups.count) classes")
    func mean(_ wanted: Group) -> Double? {
      let members = zip(groups, perClass).filter { $0.0 == wanted && !$0.1.isNaN }.map(\.1)
      return members.isEmpty ? nil : Metrics.mean(members)
    }
    return RoundRecord.Shots(
      rule: rule.rawValue, head: mean(.head), middle: mean(.middle), tail: mean(.tail))
  }
}

/// The measures of models and clients.
package enum Metrics {
  /// The arithmetic mean, summed in order; NaN of nothing.
  package static func mean(_ values: [Double]) -> Double {
    values.reduce(0, +) / Double(values.count)
  }

  /// Every measure of a generic model.
  ///
  /// - Parameters:
  ///   - confusion: predictions on the test set.
  ///   - lossSum: sum of the cross-entropies of all test images.
  ///   - trainCounts: training images per class, [C]; they define head, middle and tail.
  ///   - ece: expected calibration error; nil when not known.
  /// - Returns: the measures for a round record.
  package static func generic(
    _ confusion: ConfusionMatrix, lossSum: Double, trainCounts: [Int], ece: Double? = nil
  ) -> RoundRecord.Generic {
    let recalls = confusion.recalls
    return RoundRecord.Generic(
      accuracy: confusion.accuracy, loss: lossSum / Double(confusion.total),
      balancedAccuracy: confusion.balancedAccuracy, macroF1: confusion.macroF1, perClass: recalls,
      shots: ShotGroups.cumulativeShare(trainCounts)?.accuracies(recalls),
      shotsAbsolute: ShotGroups.absolute(trainCounts).accuracies(recalls), ece: ece)
  }

  /// Personal accuracy over clients, each counting the same.
  ///
  /// - Parameters:
  ///   - accuracies: one per client; NaN for a client that has no local test, which is left out.
  ///   - model: whose model was tested.
  ///   - alone: accuracy of each client when it trains alone, in the same order; nil when unknown.
  ///   - perClass: of each client, accuracy by class, NaN for classes that it does not hold; or
  ///     nothing for clients without a test.
  ///   - global: of each client, accuracy with all classes counting alike; nil where unknown.
  ///   - trainCounts: pooled training images per class, [C]; they define head, middle and tail.
  /// - Returns: nil when no client has a local test.
  package static func personal(
    _ accuracies: [Double], model: RoundRecord.Personal.Model, alone: [Double]? = nil,
    perClass: [[Double]] = [], global: [Double?] = [], trainCounts: [Int] = []
  ) -> RoundRecord.Personal? {
    let known = accuracies.filter { !$0.isNaN }
    guard let worst = known.min() else { return nil }
    let mean = mean(known)
    let variance = Self.mean(known.map { ($0 - mean) * ($0 - mean) })
    let tenth = max(1, Int(clamping: (Double(known.count) / 10).rounded(.up)))
    var personal = RoundRecord.Personal(
      accuracy: mean, model: model,
      fairness: RoundRecord.Fairness(
        std: variance.squareRoot(), p10: percentile(known, 0.1), worst: worst,
        worstDecile: Self.mean(Array(known.sorted().prefix(tenth))),
        helped: alone.flatMap { helped(accuracies, alone: $0) }))
    let seen = global.compactMap { $0 }
    if !seen.isEmpty { personal.global = Self.mean(seen) }
    let measured = perClass.filter { !$0.isEmpty }
    guard !measured.isEmpty, trainCounts.count == measured[0].count else { return personal }
    personal.perClass = trainCounts.indices.map { c in
      Self.mean(measured.map { $0[c] }.filter { !$0.isNaN })
    }
    personal.shots = ShotGroups.cumulativeShare(trainCounts)?.accuracies(personal.perClass)
    return personal
  }

  /// Share of clients strictly better than their reference; pairs with a NaN are left out, nil
  /// when none remains.
  package static func helped(_ accuracies: [Double], alone: [Double]) -> Double? {
    precondition(
      accuracies.count == alone.count,
      "Metrics.helped: \(accuracies.count) accuracies, \(alone.count) references")
    let pairs = zip(accuracies, alone).filter { !$0.0.isNaN && !$0.1.isNaN }
    if pairs.isEmpty { return nil }
    return Double(pairs.filter { $0.0 > $0.1 }.count) / Double(pairs.count)
  }

  /// The `share` quantile with linear interpolation between order statistics.
  ///
  /// As NumPy's default: position share·(n − 1) in the sorted values. NaN of nothing.
  package static func percentile(_ values: [Double], _ share: Double) -> Double {
    let sorted = values.sorted()
    guard let last = sorted.last else { return .nan }
    let position = share * Double(sorted.count - 1)
    let below = Int(clamping: position.rounded(.down))
    guard below + 1 < sorted.count else { return last }
    return sorted[below] + (position - Double(below)) * (sorted[below + 1] - sorted[below])
  }

  /// The median of ascending numbers, which may be infinite; nil of none.
  package static func median(ofSorted values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let (low, high) = (values[(values.count - 1) / 2], values[values.count / 2])
    return low == high ? low : low + (high - low) / 2
  }

  /// The middle value, or the mean of the two in the middle; NaN of nothing.
  package static func median(_ values: [Double]) -> Double { percentile(values, 0.5) }
}
