import Base
import Records

/// The report's section on which strategy is better, by how much, how sure, and at what cost.
extension HTMLReport {
  func writeComparisons(to section: inout Markup) {
    if input.comparisons.isEmpty { return }
    section.element(
      "p", [("class", "note")],
      "Strategies against one that is fixed before anything is read, on the seeds that both have: "
        + "under one seed all have the same split, initial weights, cohorts and batches. "
        + "Difference: strategy - baseline with its 95 % interval (paired t, not adjusted). Seeds "
        + "and clients: wins/ties/losses; clients of one run share a model, so they describe and "
        + "do not test. t Holm: p of the paired t test after Holm's correction; it decides "
        + "\"separated\". Sign flip: exact permutation p, and the least it could be with so many "
        + "seeds. ~: approximate. In figures an arrow says that an interval goes on.")
    for comparison in input.comparisons { write(comparison, to: &section) }
    writeSpent(input.comparisons[0].baseline, to: &section)
  }

  private func write(_ comparison: Comparison, to section: inout Markup) {
    let metric = comparison.metric
    let unit = metric.unitText.isEmpty ? "" : ", \(metric.unitText)"
    section.element("h3", [], "\(metric.name)\(unit)")
    // A strategy without any value has its sentence already.
    let silent = comparison.rows.filter(\.values.isEmpty).map { "left out: \($0.label) has no " }
    let lines =
      comparison.budgetLines + comparison.sentences
      + comparison.leftOut.filter { line in !silent.contains { line.hasPrefix($0) } }
    section.inside("div", [("class", "box")]) { box in
      box.inside("ul") { list in for line in lines { list.element("li", [], line) } }
    }
    let columns = ComparisonTable(comparison, folders: []).columns
    PlainTable(
      titles: ["strategy"] + columns.map(\.title),
      rows: comparison.rows.enumerated().map { index, row in
        [row.label] + columns.map { $0.cells[index] }
      }
    ).write(to: &section)
    section.inside("div", [("class", "grid")]) { grid in
      SVGIntervalChart(
        comparison: comparison, indices: comparison.rows.map { input.index($0.label) }
      ).write(to: &grid)
    }
  }

  /// What every strategy spent, beside the baseline.
  private func writeSpent(_ baseline: String, to section: inout Markup) {
    let metrics = ["bytes.total", "train.flops", "time.virtual"].compactMap { ComparisonMetric($0) }
    let titles = ["bytes.total": "MB", "train.flops": "TFLOP", "time.virtual": "simulated s"]
    let means = input.strategies.map { strategy in
      metrics.map { metric in SeedStatistics(strategy.runs.compactMap(metric.read)) }
    }
    let known = metrics.indices.filter { place in means.contains { $0[place].count > 0 } }
    guard !known.isEmpty else { return }
    let reference = means[input.index(baseline)]
    section.element("h3", [], "At what cost")
    PlainTable(
      titles: ["strategy"]
        + known.flatMap { place -> [String] in
          let title = titles[metrics[place].name] ?? metrics[place].name
          return [title, "of \(baseline)'s"]
        },
      rows: input.strategies.enumerated().map { index, strategy in
        [strategy.label]
          + known.flatMap { place -> [String] in
            let (own, other) = (means[index][place], reference[place])
            let all = means.map { $0[place].mean }
            let text = metrics[place].text(
              own.count > 0 ? own.mean : nil, metrics[place].decimals(all))
            let isKnown = own.count > 0 && other.count > 0 && other.mean > 0
            return [text, isKnown ? "× \(NumberText.fixed(own.mean / other.mean, 2))" : "-"]
          }
      }
    ).write(to: &section)
    section.element(
      "p", [("class", "note")],
      "Means over seeds of whole runs: encoded bytes both ways and before the first round, "
        + "floating-point operations of all clients' training, and the federation's clock where it "
        + "has one. The table of results has the wall time of this machine.")
  }
}
