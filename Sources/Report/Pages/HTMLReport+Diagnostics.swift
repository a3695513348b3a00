import Base
import Client
import Records

/// The report's section on what lies behind accuracy: calibration, the classifier's norms, and the
/// geometry of the features.
extension HTMLReport {
  func writeDiagnostics(to section: inout Markup) {
    if input.diagnostics.isEmpty { return }
    section.element(
      "p", [("class", "note")],
      "The generic model at the end of each run, on the whole test set"
        + (mostSeeds >= 2 ? "; means over seeds." : "."))
    section.inside("div", [("class", "grid")]) { grid in
      reliability.write(to: &grid)
      norms.write(to: &grid)
    }
    writeNumbers(to: &section)
  }

  /// Accuracy over confidence, the bins of all seeds together.
  private var reliability: SVGScatterChart {
    SVGScatterChart(
      title: "Reliability: accuracy against confidence", xTitle: "confidence (mean of the bin), %",
      yTitle: "accuracy %",
      series: input.diagnostics.map { one in
        var sum = CalibrationBins()
        for model in one.models { sum.add(model.calibration) }
        let points = (0..<CalibrationBins.bins).compactMap { bin -> (x: Double, y: Double)? in
          guard sum.counts[bin] > 0, sum.confidence[bin].isFinite else { return nil }
          let n = Double(sum.counts[bin])
          return (100 * sum.confidence[bin] / n, 100 * Double(sum.correct[bin]) / n)
        }
        return SVGScatterChart.Series(
          label: one.label, index: input.index(one.label), points: points)
      }, isJoined: true, square: 100,
      note: " On the dashed line confidence is accuracy; below it, models are too sure.")
  }

  /// ‖w_c‖ over the class's training images.
  private var norms: SVGScatterChart {
    SVGScatterChart(
      title: "Classifier weight norms against class frequency",
      xTitle: "training images of the class",
      yTitle: "norm of the class's weights, divided by the mean over classes",
      series: input.diagnostics.map { one in
        SVGScatterChart.Series(
          label: one.label, index: input.index(one.label), points: meanNorms(one))
      })
  }

  /// Mean over seeds of each class's norm beside the classes' mean.
  private func meanNorms(_ one: ReportInput.StrategyDiagnostics) -> [(x: Double, y: Double)] {
    let counts = input.classCounts
    let relative = one.models.compactMap(\.weightNorms).compactMap { norms -> [Double]? in
      let mean = Metrics.mean(norms)
      guard norms.count == counts.count, mean > 0, mean.isFinite else { return nil }
      return norms.map { $0 / mean }
    }
    if relative.isEmpty { return [] }
    return counts.indices.map { label in
      (Double(counts[label]), Metrics.mean(relative.map { $0[label] }))
    }
  }

  private func writeNumbers(to section: inout Markup) {
    typealias Read = (ModelDiagnostics) -> Double?
    let columns: [(title: String, decimals: Int, read: Read)] = [
      ("ECE %", 2, { $0.calibration.error.map { 100 * $0 } }),
      ("NC1", 3, { $0.collapse?.withinClassVariability }),
      ("std of cosines", 3, { $0.collapse?.cosineDeviation }),
      ("gap of cosines", 3, { $0.collapse?.cosineGap }),
      ("spread of norms", 3, { $0.collapse?.normVariation }),
      ("|W - M|", 3, { $0.collapse?.alignmentDistance }),
      ("cos(W, M)", 3, { $0.collapse?.alignmentCosine }),
    ]
    let shown = columns.filter { column in
      input.diagnostics.contains { $0.models.contains { column.read($0) != nil } }
    }
    PlainTable(
      titles: ["strategy"] + shown.map(\.title),
      rows: input.diagnostics.map { one in
        [one.label]
          + shown.map { column in
            let statistics = SeedStatistics(one.models.compactMap(column.read))
            guard statistics.count > 0 else { return "-" }
            let mean = NumberText.fixed(statistics.mean, column.decimals)
            return statistics.halfWidth.map { "\(mean) ± \(NumberText.fixed($0, column.decimals))" }
              ?? mean
          }
      }
    ).write(to: &section)
    section.element("p", [("class", "note")], Self.diagnosticNote)
  }

  private static let diagnosticNote = """
    ECE: \(CalibrationBins.bins) bins of equal width over the largest probability. Neural \
    collapse, all classes counting alike: NC1 = tr(S_W S_B⁺)/C, scatter within classes beside that \
    between them; cosines between centred class means, and their mean gap to -1/(C-1), where \
    full collapse puts them; spread of their norms: std / mean; |W - M|: distance of the \
    classifier from the centred means, both of unit Frobenius norm (0: aligned); cos(W, M): mean \
    cosine of a class's weights and its mean. A dash: it has no meaning for this classifier.
    """
}
