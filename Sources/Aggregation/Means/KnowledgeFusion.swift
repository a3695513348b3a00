import Base

/// Whose knowledge serves whom, and how much: the server's rule of KnFu, without any state.
///
/// ```
/// P_n[c]  estimated class distribution of client n;  P̃_n = (P_n + ε)/(1 + C·ε)
/// d_nm    = KL(P̃_n ‖ P̃_m), large when m lacks classes that n owns;  d_nn = 0
/// w_nm    = exp(−β·d_nm) / Σ_j exp(−β·d_nj)
/// K̄_n    = Σ_m w_nm·F_m
/// ```
///
/// The paper (Seyedmohammadi et al. 2024, arXiv:2403.11892) names the steps and β; the formulas
/// are this program's reading of it.
package struct KnowledgeFusion: Sendable, Equatable {
  /// How a client's class distribution is estimated.
  package enum Estimate: String, Sendable, CaseIterable {
    /// (1/T)·Σ_x F_n[x]: what a classifier predicts on average over balanced images is the prior
    /// that it was trained on.
    case meanSoftLabel
    /// The share of images that it puts into each class.
    case argmaxHistogram
    /// The client's true label counts, which it then tells: an oracle, for comparisons.
    case labelHistogram
  }

  /// How far two distributions are apart.
  package enum Measure: String, Sendable, CaseIterable {
    /// KL(p ‖ q).
    case kl
    /// KL(p ‖ q) + KL(q ‖ p).
    case jeffreys
    /// ½·KL(p ‖ m) + ½·KL(q ‖ m), m = (p + q)/2: at most log 2.
    case jensenShannon = "jensen-shannon"
  }

  /// β ≥ 0, sharpness.
  package var beta = 10.0
  /// ε > 0, added to each class.
  package var smoothing = 1e-3
  package var measure = Measure.kl
  /// Whether a client's own knowledge is in its mixture.
  package var includesSelf = true
  /// How many clients are mixed at most, oneself among them; 0 for all.
  package var topK = 0
  /// Weights below this become 0, all but a row's largest; in [0, 1].
  package var minWeight = 0.0
  /// Whether weights are multiplied by the clients' shares p_m.
  package var usesShares = false

  /// A rule with the defaults.
  package init() {}

  /// The class distribution that predictions show, [C].
  ///
  /// `predictions`: F, probabilities [T × C], T ≥ 1.
  package static func distribution(_ predictions: [Float], classes: Int, histogram: Bool = false)
    -> [Double]
  {
    var sum = [Double](repeating: 0, count: classes)
    let rows = predictions.count / classes
    for row in 0..<rows {
      let first = row * classes
      if histogram {
        var winner = 0
        for c in 1..<classes where predictions[first + c] > predictions[first + winner] {
          winner = c
        }
        sum[winner] += 1
      } else {
        for c in 0..<classes { sum[c] += Double(predictions[first + c]) }
      }
    }
    return sum.map { $0 / Double(rows) }
  }

  /// P̃.
  package func smoothed(_ distribution: [Double]) -> [Double] {
    let total = 1 + Double(distribution.count) * smoothing
    return distribution.map { ($0 + smoothing) / total }
  }

  /// d of two smoothed distributions, ≥ 0.
  package func distance(_ p: [Double], _ q: [Double]) -> Double {
    switch measure {
    case .kl: return Self.divergence(p, q)
    case .jeffreys: return Self.divergence(p, q) + Self.divergence(q, p)
    case .jensenShannon:
      let mean = zip(p, q).map { ($0 + $1) / 2 }
      return (Self.divergence(p, mean) + Self.divergence(q, mean)) / 2
    }
  }

  /// Σ p·log(p/q); rounding never makes it negative.
  private static func divergence(_ p: [Double], _ q: [Double]) -> Double {
    var sum = 0.0
    for c in p.indices { sum += p[c] * log(p[c] / q[c]) }
    return max(0, sum)
  }

  /// w, [N × N]: row n says whose knowledge client n gets; ≥ 0, each row's sum 1.
  ///
  /// `distributions`: P of each client. `shares`: p_m of each client, for `usesShares`.
  ///
  /// A client alone gets its own knowledge, whatever `includesSelf` says.
  ///
  /// - Complexity: O(N²·C + N²·log N).
  package func weights(_ distributions: [[Double]], shares: [Double]) -> [[Double]] {
    let smooth = distributions.map(smoothed)
    return smooth.indices.map { n in
      let others = smooth.indices.filter { includesSelf || $0 != n }
      var row = [Double](repeating: 0, count: smooth.count)
      guard !others.isEmpty else {
        row[n] = 1
        return row
      }
      let distances = others.map { $0 == n ? 0 : distance(smooth[n], smooth[$0]) }
      // The nearest one's exponent is 0, so that no row vanishes however large β is.
      let nearest = distances.min() ?? 0
      for (m, d) in zip(others, distances) {
        row[m] = exp(-beta * (d - nearest)) * (usesShares ? shares[m] : 1)
      }
      Self.normalise(&row)
      thin(&row)
      return row
    }
  }

  /// Zeroes all but the `topK` largest weights and those below `minWeight`.
  private func thin(_ row: inout [Double]) {
    let order = row.indices.sorted { (-row[$0], $0) < (-row[$1], $1) }
    if topK > 0, topK < row.count {
      for m in order[topK...] { row[m] = 0 }
      Self.normalise(&row)
    }
    if minWeight > 0 {
      for m in order.dropFirst() where row[m] < minWeight { row[m] = 0 }
      Self.normalise(&row)
    }
  }

  private static func normalise(_ row: inout [Double]) {
    let sum = row.reduce(0, +)
    for m in row.indices { row[m] /= sum }
  }

  /// K̄ = Σ_m w_m·F_m, summed in double precision in the order of the clients.
  ///
  /// `knowledge`: F of each client, all of one size; `weights`: a row of w.
  ///
  /// - Complexity: O(clients with a weight · T·C).
  package static func fuse(_ knowledge: [[Float]], _ weights: [Double]) -> [Float] {
    var sum = [Double](repeating: 0, count: knowledge.first?.count ?? 0)
    for (predictions, weight) in zip(knowledge, weights) where weight > 0 {
      for i in sum.indices { sum[i] += weight * Double(predictions[i]) }
    }
    return sum.map { Float($0) }
  }

  /// 1/Σ_m w_m², how many clients a row mixes: from 1 to N.
  package static func effectiveCount(_ row: [Double]) -> Double {
    1 / row.reduce(0) { $0 + $1 * $1 }
  }
}
