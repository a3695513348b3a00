import Records

/// What a sweep's front is over, as the file says.
package struct FrontSettings: Sendable {
  /// Metrics that shall be large; empty: accuracy.
  package var maximise: [ComparisonMetric] = []
  /// What stands for `maximise` when it is empty: the first that somebody has.
  package var usual = HeadlineMetric.compared
  /// Metrics that shall be small; empty: those costs that differ.
  package var minimise: [ComparisonMetric] = []
  /// The corner of the hypervolume by metric, as far as it is given.
  package var reference: [String: Double] = [:]
}

/// One number that a front is over.
package struct FrontObjective: Sendable {
  /// What is measured.
  package let metric: ComparisonMetric
  /// Whether larger is better.
  package let isMaximised: Bool
  /// The corner of the hypervolume in this objective; nil when no point has a finite value.
  package internal(set) var reference: Double?

  /// A value such that larger is better.
  func oriented(_ value: Double) -> Double { isMaximised ? value : -value }
}

/// The trials and strategies of a sweep that nothing else is better than in every objective.
///
/// A point is a strategy of a trial, its objectives are means over seeds, but for ε, of which it is
/// the largest. It is on the front when no other point is at least as good in all objectives and
/// better in one; equal points are on it
/// together. Without a guarantee ε is infinite. Points that lack an objective are left out.
package struct ParetoFront: Sendable {
  /// A strategy of a trial that ran to its end under all seeds.
  package struct Point: Sendable, Equatable {
    package let trial: Int
    package let label: String
    /// The objectives in their own units, in the order of `objectives`.
    package let values: [Double]
  }

  /// What the front is over: those to maximise first.
  package let objectives: [FrontObjective]
  /// Every point that has all objectives.
  package let points: [Point]
  /// The places in `points` of those on the front.
  package let front: [Int]
  /// How many strategies of finished trials lack an objective.
  package let leftOut: Int

  /// Finds the front.
  ///
  /// `candidates`: every strategy of every finished trial with its runs.
  ///
  /// O(n²) comparisons.
  init(_ candidates: [(trial: Int, label: String, runs: [StrategyRun])], _ settings: FrontSettings)
  {
    let maximised =
      settings.maximise.isEmpty ? Self.accuracy(candidates, settings.usual) : settings.maximise
    let isGiven = !settings.minimise.isEmpty
    let minimised =
      isGiven
      ? settings.minimise
      : ["privacy.epsilon.max", "bytes.up", "time.virtual"].compactMap(ComparisonMetric.init)
    var objectives =
      maximised.map { FrontObjective(metric: $0, isMaximised: true, reference: nil) }
      + minimised.map { FrontObjective(metric: $0, isMaximised: false, reference: nil) }
    let all = candidates.map { candidate in objectives.map { Self.mean($0.metric, candidate.runs) }
    }
    // Costs that nobody asked for count where they are known, and differ, between all that have an
    // accuracy.
    var chosen = Array(objectives.indices)
    if !isGiven {
      let judged = all.filter { row in row.prefix(maximised.count).allSatisfy { $0 != nil } }
      chosen = chosen.filter { column in
        if column < maximised.count { return true }
        let values = judged.map { $0[column] }
        return values.allSatisfy { $0 != nil } && Set(values.compactMap { $0 }).count > 1
      }
    }
    objectives = chosen.map { objectives[$0] }
    var points: [Point] = []
    for (candidate, row) in zip(candidates, all) {
      let values = chosen.compactMap { row[$0] }
      guard values.count == chosen.count else { continue }
      points.append(Point(trial: candidate.trial, label: candidate.label, values: values))
    }
    for column in objectives.indices {
      let values = points.map { $0.values[column] }.filter(\.isFinite)
      let worst = objectives[column].isMaximised ? values.min() : values.max()
      objectives[column].reference = settings.reference[objectives[column].metric.name] ?? worst
    }
    self.objectives = objectives
    self.points = points
    leftOut = candidates.count - points.count
    let oriented = points.map { point in zip(objectives, point.values).map { $0.oriented($1) } }
    front = oriented.indices.filter { index in
      !oriented.contains { rival in
        rival != oriented[index] && zip(rival, oriented[index]).allSatisfy { $0 >= $1 }
      }
    }
  }

  /// Whether a strategy of a trial is on the front.
  package func contains(_ trial: Int, _ label: String) -> Bool {
    front.contains { points[$0].trial == trial && points[$0].label == label }
  }

  /// The points that are best in an objective: all that share the best value.
  func winners(_ objective: Int) -> [Point] {
    let oriented = points.map { objectives[objective].oriented($0.values[objective]) }
    guard let best = oriented.max() else { return [] }
    return zip(points, oriented).filter { $0.1 == best }.map(\.0)
  }

  /// The volume that the front dominates, in the product of the objectives' units; nil without a
  /// reference.
  package var hypervolume: Double? {
    let reference = objectives.compactMap { objective in objective.reference.map(objective.oriented)
    }
    guard !objectives.isEmpty, reference.count == objectives.count else { return nil }
    let rows = front.map { index in zip(objectives, points[index].values).map { $0.oriented($1) } }
    return Hypervolume.volume(rows, reference: reference)
  }

  private static func accuracy(
    _ candidates: [(trial: Int, label: String, runs: [StrategyRun])], _ usual: [String]
  ) -> [ComparisonMetric] {
    let metrics = usual.compactMap(ComparisonMetric.init)
    let known = metrics.first { metric in candidates.contains { mean(metric, $0.runs) != nil } }
    return known.map { [$0] } ?? Array(metrics.prefix(1))
  }

  /// The mean over seeds, or the largest ε; nil when a seed lacks the metric.
  ///
  /// ε without a guarantee is infinite.
  static func mean(_ metric: ComparisonMetric, _ runs: [StrategyRun]) -> Double? {
    let isEpsilon = metric.name.hasPrefix("privacy.epsilon")
    var values: [Double] = []
    for run in runs {
      if isEpsilon {
        let privacy = run.lastPrivacy
        let value = privacy?.hasGuarantee ?? false ? metric.read(run) : nil
        values.append(value.map { $0.isNaN ? .infinity : $0 } ?? .infinity)
      } else if let value = metric.read(run), value.isFinite {
        values.append(value)
      } else {
        return nil
      }
    }
    return isEpsilon ? values.max() : values.isEmpty ? nil : Metrics.mean(values)
  }
}
