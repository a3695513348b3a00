import Base
import Client
import Records

/// What accuracy does not show: privacy, calibration, the classifier's norms, the geometry of the
/// features.
extension ReportPage {
  var privacy: [Page.Block] {
    let protected = input.strategies.filter { $0.runs.contains { $0.lastPrivacy != nil } }
    if protected.isEmpty { return [] }
    let plots = [
      Plot.privacy("Generic accuracy against epsilon", input.strategies, input.style.spread) {
        $0.lastGeneric?.accuracy
      },
      Plot.privacy("Personal accuracy against epsilon", input.strategies, input.style.spread) {
        $0.lastPersonal?.accuracy
      },
    ].compactMap(\.self)
    // Methods at several ε have a line each; else every strategy has a mark.
    let figures = input.privacyUtility.map {
      $0.blocks("\(input.protection) Conditions: \(input.conditions.joined(separator: "; ")).")
    }
    return [.table(spent(protected))] + (figures ?? [.plots(plots)]) + [.table(epsilons)]
  }

  private func spent(_ strategies: [StrategyResult]) -> Table {
    func text(_ values: [Double]) -> Cell { .epsilon(values.max() ?? .infinity) }
    func mean(_ values: [Double]) -> Cell {
      .number(values.isEmpty ? nil : Metrics.mean(values), 2)
    }
    let totals = Dictionary(
      uniqueKeysWithValues: strategies.map { ($0.label, SpentPrivacy($0.runs)) })
    let rows = strategies.map { ($0.label, $0.runs.compactMap(\.lastPrivacy)) }
    return Table(
      of: rows,
      columns: [
        .words("strategy") { $0.0 },
        Column("epsilon") { (totals[$0.0] ?? nil).map(Cell.epsilon) ?? .missing },
        Column("median") { text($0.1.compactMap(\.epsilonMedian)) },
        Column("delta") { .number($0.1.last?.delta) { "\($0)" } },
        Column("guarantee") { .text($0.1.allSatisfy(\.hasGuarantee) ? "yes" : "none") },
        Column("clip") { .number($0.1.last?.clip, 3) },
        Column("clipped", unit: "%") { mean($0.1.compactMap(\.clipped).map { 100 * $0 }) },
        Column("noise / signal") { mean($0.1.compactMap(\.noiseToSignal)) },
      ],
      note: "Epsilon: the largest over clients and seeds at the end of the run, by privacy loss "
        + "distributions (<=: an upper bound by Rényi divergences, where a run has not reached an "
        + "evaluation since), add/remove neighbours unless stated; none: no guarantee. Clipped: "
        + "share of gradients or messages that were scaled down. Noise: expected norm of the "
        + "noise divided by the norm of the sum it was added to, in the last round.")
  }

  /// ε over clients, where clients differ.
  private var epsilons: Table {
    let spread = input.clientEpsilons.filter { Set($0.epsilons).count > 1 }.map {
      ($0.label, $0.epsilons.sorted())
    }
    func at(_ title: String, _ share: Double) -> Column<(String, [Double])> {
      Column(title) { _, sorted in
        let nearest = sorted[Int(clamping: (Double(sorted.count - 1) * share).rounded())]
        let value = share == 0.5 ? Metrics.median(ofSorted: sorted) ?? nearest : nearest
        return .epsilon(value)
      }
    }
    return Table(
      "Epsilon over clients", of: spread,
      columns: [
        .words("strategy") { $0.0 }, at("min", 0), at("10 %", 0.1), at("median", 0.5),
        at("90 %", 0.9), at("max", 1), Column("clients") { .count($0.1.count) },
      ], note: "Clients of all seeds together, by the accountant of the last round.")
  }

  var diagnostics: [Page.Block] {
    if input.diagnostics.isEmpty { return [] }
    let hasSeeds = input.diagnostics.contains { $0.models.count >= 2 }
    return [
      .note(
        "The generic model at the end of each run, on the whole test set"
          + (hasSeeds ? "; means over seeds." : ".")),
      .plots([reliability, norms].compactMap(\.self)), .table(numbers),
    ]
  }

  /// Accuracy over confidence, the bins of all seeds together.
  private var reliability: Plot? {
    .scatter(
      "Reliability: accuracy against confidence", x: "confidence (mean of the bin), %",
      y: "accuracy %",
      input.diagnostics.map { one in
        var sum = CalibrationBins()
        for model in one.models { sum.add(model.calibration) }
        let points = (0..<CalibrationBins.bins).compactMap { bin -> Plot.Point? in
          guard sum.counts[bin] > 0, sum.confidence[bin].isFinite else { return nil }
          let n = Double(sum.counts[bin])
          return Plot.Point(100 * sum.confidence[bin] / n, 100 * Double(sum.correct[bin]) / n)
        }
        return (series(one.label), points)
      }, isJoined: true, square: 100,
      note: " On the dashed line confidence is accuracy; below it, models are too sure.")
  }

  /// ‖w_c‖ over the class's training images.
  private var norms: Plot? {
    .scatter(
      "Classifier weight norms against class frequency", x: "training images of the class",
      y: "norm of the class's weights, divided by the mean over classes",
      input.diagnostics.map { one in (series(one.label), meanNorms(one)) })
  }

  /// Mean over seeds of each class's norm beside the classes' mean.
  private func meanNorms(_ one: ReportInput.StrategyDiagnostics) -> [Plot.Point] {
    let counts = input.classCounts
    let relative = one.models.compactMap(\.weightNorms).compactMap { norms -> [Double]? in
      let mean = Metrics.mean(norms)
      guard norms.count == counts.count, mean > 0, mean.isFinite else { return nil }
      return norms.map { $0 / mean }
    }
    if relative.isEmpty { return [] }
    return counts.indices.map { label in
      Plot.Point(Double(counts[label]), Metrics.mean(relative.map { $0[label] }))
    }
  }

  private var numbers: Table {
    func column(
      _ title: String, unit: String = "", _ decimals: Int = 3,
      _ read: @escaping (ModelDiagnostics) -> Double?
    ) -> Column<ReportInput.StrategyDiagnostics> {
      Column(title, unit: unit, isOptional: true) { one in
        .mean(SeedStatistics(one.models.compactMap(read))) { NumberText.fixed($0, decimals) }
      }
    }
    return Table(
      of: input.diagnostics,
      columns: [
        .words("strategy") { $0.label },
        column("ECE", unit: "%", 2) { $0.calibration.error.map { 100 * $0 } },
        column("NC1") { $0.collapse?.withinClassVariability },
        column("std of cosines") { $0.collapse?.cosineDeviation },
        column("gap of cosines") { $0.collapse?.cosineGap },
        column("spread of norms") { $0.collapse?.normVariation },
        column("|W - M|") { $0.collapse?.alignmentDistance },
        column("cos(W, M)") { $0.collapse?.alignmentCosine },
      ],
      note: """
        ECE: \(CalibrationBins.bins) bins of equal width over the largest probability. Neural \
        collapse, all classes counting alike: NC1 = tr(S_W S_B⁺)/C, scatter within classes beside \
        that between them; cosines between centred class means, and their mean gap to -1/(C-1), \
        where full collapse puts them; spread of their norms: std / mean; |W - M|: distance of the \
        classifier from the centred means, both of unit Frobenius norm (0: aligned); cos(W, M): \
        mean cosine of a class's weights and its mean. A dash: it has no meaning for this \
        classifier.
        """)
  }
}
