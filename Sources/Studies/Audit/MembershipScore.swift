import Base
import Records

/// How well the loss of a model separates images that it was trained on from others.
///
/// The attack: an image is called a member when its loss is below a threshold. 0.5, 0 and 1 % are
/// what guessing gives for `auc`, `advantage` and `recall`.
///
/// - Source: Yeom, Giacomelli, Fredrikson and Jha, CSF 2018, arXiv:1709.01604 (the test); Carlini
///   et al., IEEE S&P 2022, arXiv:2112.03570 (recall where false alarms are rare).
package struct MembershipScore: Sendable, Equatable {
  /// Members that were scored, and as many others.
  package let members: Int
  /// Images that are no members.
  package let others: Int
  /// P(a member's loss is below another's) + ½·P(equal), in [0, 1].
  package let auc: Double
  /// TPR − FPR of the paper's attacker, who knows the members' mean loss and takes it as the
  /// threshold; in [−1, 1].
  package let advantage: Double
  /// The largest TPR − FPR of any threshold: what an attacker with the best threshold gains.
  package let bestAdvantage: Double
  /// Share of the members that are found where at most `rate` of the others are called members.
  package let recall: Double
  /// Clopper–Pearson interval of `recall`, 95 %, for this threshold.
  package let recallInterval: ClosedRange<Double>
  /// The false-positive rate that `recall` allows.
  package let rate: Double
  /// The ROC curve: what every threshold finds and mistakes, from (0, 0) to (1, 1).
  package let curve: [Rates]

  /// Shares of the others that are called members, and of the members that are found.
  package struct Rates: Sendable, Equatable {
    package let mistaken: Double
    package let found: Double
  }

  /// Share of the members that are found where at most a share `rate` of the others is called
  /// members.
  package func recall(at rate: Double) -> Double {
    curve.last { $0.mistaken <= rate }?.found ?? 0
  }

  /// Scores losses, lower for those that look like members; nil when one list is empty.
  ///
  /// - Parameters:
  ///   - members: losses of training images.
  ///   - others: losses of images that were never trained on.
  ///   - rate: the false-positive rate allowed for `recall`, rounded down to whole images.
  /// - Complexity: O(n log n).
  package init?(members: [Double], others: [Double], rate: Double = 0.01) {
    guard !members.isEmpty, !others.isEmpty else { return nil }
    // A loss that is not a number looks like no member's.
    func ordered(_ losses: [Double]) -> [Double] {
      losses.map { $0.isFinite ? $0 : .greatestFiniteMagnitude }.sorted()
    }
    let inside = ordered(members)
    let outside = ordered(others)
    let (n, m) = (Double(inside.count), Double(outside.count))
    var (i, j) = (0, 0)
    var pairs = 0.0
    var best = 0.0
    var curve = [Rates(mistaken: 0, found: 0)]
    // Every distinct loss in turn: how many of both lists lie below it, and at it.
    while i < inside.count || j < outside.count {
      let value = min(
        i < inside.count ? inside[i] : .infinity, j < outside.count ? outside[j] : .infinity)
      let (startI, startJ) = (i, j)
      while i < inside.count, inside[i] == value { i += 1 }
      while j < outside.count, outside[j] == value { j += 1 }
      pairs += Double(j - startJ) * (Double(startI) + 0.5 * Double(i - startI))
      best = max(best, Double(i) / n - Double(j) / m)
      curve.append(Rates(mistaken: Double(j) / m, found: Double(i) / n))
    }
    self.members = inside.count
    self.others = outside.count
    auc = pairs / (n * m)
    bestAdvantage = best
    let mean = Metrics.mean(inside)
    advantage = Double(inside.count { $0 <= mean }) / n - Double(outside.count { $0 <= mean }) / m
    let allowed = min(outside.count - 1, Int(clamping: (rate * m).rounded(.down)))
    let found = inside.count { $0 < outside[allowed] }
    recall = Double(found) / n
    recallInterval = ClopperPearson.interval(found, of: inside.count)
    self.rate = rate
    self.curve = curve
  }
}
