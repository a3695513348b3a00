import Base

/// Records that exist for an audit alone: their gradients are made up, and join private steps like
/// those of any other example.
///
/// A record's gradient has the same number on each of a few parameters, ‖g‖ = `norm`, and is 0
/// elsewhere. No two records have a parameter in common, so that what each one did can be read from
/// the released sums: the score of record i is Σ_t ⟨v_t, g_i/‖g_i‖⟩ over all noisy sums v_t.
///
/// - Source: Nasr et al., S&P 2021, arXiv:2101.04535 (made-up gradients); Steinke, Nasr and
///   Jagielski 2023, arXiv:2305.08846 (many of them in one run).
package struct PlantedCanaries: Sendable {
  /// The parameters of each record; under clipping by layer, those of one record lie in different
  /// layers.
  package let places: [[Int]]
  /// ‖g‖ of every record before any clip, > 0.
  package let norm: Double
  /// Whether each record is in the training data.
  package let included: [Bool]
  /// Σ of the released sums along each record's gradient, in units of gradients; whether a record
  /// was there is nothing that this depends on.
  package private(set) var scores: [Double]
  /// Records in the current batch, ascending.
  private(set) var joined: [Int] = []

  /// Records that have joined nothing yet.
  ///
  /// - Parameters:
  ///   - places: one entry per record, none of them empty.
  ///   - norm: ‖g‖ > 0.
  ///   - included: one entry per record.
  package init(places: [[Int]], norm: Double, included: [Bool]) {
    precondition(
      places.count == included.count && norm > 0 && places.allSatisfy { !$0.isEmpty },
      "PlantedCanaries: \(places.count) records of norm \(norm), \(included.count) coins")
    self.places = places
    self.norm = norm
    self.included = included
    scores = [Double](repeating: 0, count: places.count)
  }

  /// Each record that is there joins a batch with probability `rate`, as every example does.
  mutating func draw(from stream: inout RandomStream, rate: Double) {
    joined = included.indices.filter { included[$0] && stream.uniform() < rate }
  }

  /// Reads a released sum.
  ///
  /// - Parameters:
  ///   - released: the sum with its noise, divided by `batch`.
  ///   - batch: B̂.
  mutating func read(_ released: [Float], batch: Int) {
    for record in places.indices {
      var sum = 0.0
      for place in places[record] { sum += Double(released[place]) }
      scores[record] += sum * Double(batch) / Double(places[record].count).squareRoot()
    }
  }
}

extension ExamplePrivacy {
  /// What a step keeps of each number of a canary's gradient, and what error feedback gets of it:
  /// the factors of an example with such a gradient.
  ///
  /// - Parameters:
  ///   - canaries: all have the same norm and as many parameters.
  ///   - parts: layers and heads that are clipped one by one.
  /// - Returns: both factors, of which the second is 0 without error feedback.
  func factors(_ canaries: PlantedCanaries, parts: Int) -> (kept: Double, rest: Double) {
    let norm = canaries.norm
    if clipping == .perLayer {
      let share = norm / Double(canaries.places.first?.count ?? 1).squareRoot()
      return (factor(norm: share, bound: clip / Double(parts).squareRoot()), 0)
    }
    let cap = errorFeedback?.cap.map { min(1, $0 / norm) } ?? 1
    let kept = cap * factor(norm: norm * cap, bound: clip)
    return (kept, errorFeedback == nil ? 0 : cap - kept)
  }
}
