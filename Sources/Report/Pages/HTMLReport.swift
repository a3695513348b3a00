import Data
import Records

/// `report.html`: one file that needs nothing else, no script, no network.
package struct HTMLReport: Sendable {
  /// What is shown.
  package let input: ReportInput
  package let summary: Summary

  package init(_ input: ReportInput) {
    self.input = input
    summary = Summary(input.strategies, targets: input.targets)
  }

  private typealias Section = (title: String, write: @Sendable (HTMLReport, inout Markup) -> Void)

  /// The sections in the order of the page; what has nothing to show is left out.
  private static let sections: [Section] = [
    ("Results", { $0.writeResults(to: &$1) }),
    ("Which is better", { $0.writeComparisons(to: &$1) }),
    ("Cost to a target", { $0.writeTargets(to: &$1) }),
    ("Learning curves", { $0.writeCurves(to: &$1) }), ("Classes", { $0.writeClasses(to: &$1) }),
    ("Clients", { $0.writeClients(to: &$1) }),
    ("Accuracy against cost", { $0.writeCosts(to: &$1) }),
    ("Privacy", { $0.writePrivacy(to: &$1) }), ("Diagnostics", { $0.writeDiagnostics(to: &$1) }),
    ("Exact settings", { $0.writeSettings(to: &$1) }), ("Sources", { $0.writeReferences(to: &$1) }),
  ]

  /// The whole file.
  package var html: String {
    let written = Self.sections.map { section -> (title: String, text: String) in
      var body = Markup()
      section.write(self, &body)
      return (section.title, body.text)
    }.filter { !$0.text.isEmpty }
    return HTMLPage.text(title: input.title) { body in
      writeHeader(to: &body)
      writeContents(written.map(\.title), to: &body)
      body.inside("main") { main in
        for section in written {
          main.inside("section", [("id", Self.anchor(section.title))]) { out in
            out.element("h2", [], section.title)
            out.raw(section.text)
          }
        }
      }
    }
  }

  private static func anchor(_ title: String) -> String {
    title.lowercased().split(separator: " ").joined(separator: "-")
  }

  /// The way to the sections, within the page.
  private func writeContents(_ titles: [String], to body: inout Markup) {
    if titles.isEmpty { return }
    body.inside("nav", [("aria-label", "Sections")]) { nav in
      nav.inside("ul") { list in
        for title in titles {
          list.inside("li") { $0.element("a", [("href", "#" + Self.anchor(title))], title) }
        }
      }
    }
  }

  private func writeHeader(to body: inout Markup) {
    body.inside("header") { header in
      header.element("h1", [], input.title)
      header.inside("ul", [("class", "plain")]) { list in
        for line in input.conditions { list.element("li", [], line) }
        list.element("li", [], seedNote)
        if input.folders.count > 1 {
          list.element("li", [], "from \(input.folders.joined(separator: ", "))")
        }
      }
      if input.warnings.isEmpty { return }
      header.inside("div", [("class", "box warn"), ("role", "note")]) { box in
        box.element("strong", [], input.warnings.count == 1 ? "Warning" : "Warnings")
        box.inside("ul") { list in for warning in input.warnings { list.element("li", [], warning) }
        }
      }
    }
  }

  var mostSeeds: Int { summary.strategies.map(\.seeds.count).max() ?? 0 }

  private var seedNote: String {
    mostSeeds >= 2
      ? "\(mostSeeds) seeds; mean ± half-width of the 95 % interval (Student t)"
      : "single seed: no interval"
  }

  private func writeResults(to section: inout Markup) {
    section.inside("div", [("class", "scroll"), ("tabindex", "0")]) { box in
      HeadlineTable(summary).write(to: &box)
    }
    section.element("p", [("class", "note")], definitions)
  }

  private var definitions: String {
    let rule = input.strategies.lazy.flatMap(\.runs).compactMap { $0.lastGeneric?.shots?.rule }
      .first
    let groups =
      rule.map {
        "Head, middle and tail are groups of classes by training frequency (rule: \($0)); "
          + "a group's accuracy is the mean over its classes. "
      } ?? ""
    return groups + "Generic: one model for all, on the global test set. Personal: what each "
      + "client gets, on its local test; std, 10th percentile and worst are over clients, each "
      + "counting the same. Helped: share of clients better than when training alone. Cost: "
      + "encoded bytes of all messages of a run, in units of 10⁶ bytes."
  }

  private func writeCurves(to section: inout Markup) {
    let charts = [
      chart("Generic accuracy", "accuracy %", within: 0...100) {
        $0.generic.map { 100 * $0.accuracy }
      },
      chart("Personal accuracy", "mean over clients, accuracy %", within: 0...100) {
        $0.personal.map { 100 * $0.accuracy }
      },
      chart("Generic accuracy on tail classes", "accuracy %", within: 0...100) {
        ($0.generic?.shots?.tail).map { 100 * $0 }
      },
      chart("Calibration error of the generic model", "ECE %", within: 0...100) {
        ($0.generic?.ece).map { 100 * $0 }
      }, chart("Training loss", "cross-entropy per example", within: 0...1e300) { $0.train?.loss },
    ].filter { $0.series.contains { !$0.points.isEmpty } }
    if charts.isEmpty { return }
    if mostSeeds >= 2 { section.element("p", [("class", "note")], Self.bandNote) }
    section.inside("div", [("class", "grid")]) { grid in
      for chart in charts { chart.write(to: &grid) }
    }
  }

  /// What lines and bands are.
  static let bandNote =
    "Lines: mean over seeds. Shaded: its 95 % interval by Student's t at that evaluation, not "
    + "adjusted for being many; wide with few seeds, and cut where it leaves the figure."

  private func chart(
    _ title: String, _ yTitle: String, within bounds: ClosedRange<Double>,
    value: (RoundRecord) -> Double?
  ) -> SVGLineChart {
    SVGLineChart(
      title: title, yTitle: yTitle,
      series: input.strategies.enumerated().map { index, strategy in
        SVGLineChart.Series(
          label: strategy.label, index: index,
          points: SVGLineChart.points(strategy.runs, value: value))
      }, bounds: bounds)
  }

  private func writeClasses(to section: inout Markup) {
    let classes = input.classCounts.count
    let series = input.strategies.enumerated().compactMap { index, strategy in
      meanPerClass(strategy, classes: classes).map { (strategy.label, index, $0) }
    }
    guard classes > 0, !series.isEmpty else { return }
    section.element(
      "p", [("class", "note")],
      mostSeeds >= 2
        ? "Generic model at its last evaluation, mean over seeds."
        : "Generic model at its last evaluation.")
    SVGClassChart(
      classNames: input.classNames, counts: input.classCounts,
      groups: ShotGroups.cumulativeShare(input.classCounts), series: series
    ).write(to: &section)
  }

  private func meanPerClass(_ strategy: StrategyResult, classes: Int) -> [Double]? {
    let finals = strategy.runs.compactMap { $0.lastGeneric?.perClass }.filter {
      $0.count == classes
    }
    if finals.isEmpty { return nil }
    return (0..<classes).map { label in Metrics.mean(finals.map { $0[label] }) }
  }
}
