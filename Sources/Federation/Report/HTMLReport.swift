import Tensor

/// `report.html`: one file that needs nothing else, no script, no network.
public struct HTMLReport: Sendable {
  /// What is shown.
  public let input: ReportInput
  let summary: Summary

  /// A report of `input`.
  public init(_ input: ReportInput) {
    self.input = input
    summary = Summary(input.strategies, targets: input.targets)
  }

  /// The whole file.
  public var html: String {
    var out = Markup()
    out.raw("<!DOCTYPE html>\n")
    out.inside("html", [("lang", "en")]) { page in
      page.inside("head") { head in
        head.raw("<meta charset=\"utf-8\">\n")
        head.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        head.element("title", [], "\(input.title) - fedsim")
        head.raw("<style>\n\(HTMLStyle.sheet)</style>\n")
      }
      page.inside("body") { body in
        writeHeader(to: &body)
        body.inside("main") { main in
          writeResults(to: &main)
          writeTargets(to: &main)
          writeCurves(to: &main)
          writeCosts(to: &main)
          writePrivacy(to: &main)
          writeClasses(to: &main)
          writeClients(to: &main)
          writeSettings(to: &main)
        }
      }
    }
    return out.text
  }

  private func writeHeader(to body: inout Markup) {
    body.inside("header") { header in
      header.element("h1", [], input.title)
      header.inside("ul", [("class", "plain")]) { list in
        for line in input.conditions { list.element("li", [], line) }
        list.element("li", [], seedNote)
      }
      if input.warnings.isEmpty { return }
      header.inside("div", [("class", "box warn"), ("role", "note")]) { box in
        box.element("strong", [], input.warnings.count == 1 ? "Warning" : "Warnings")
        box.inside("ul") { list in
          for warning in input.warnings { list.element("li", [], warning) }
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

  private func writeResults(to main: inout Markup) {
    section("Results", to: &main) { section in
      section.inside("div", [("class", "scroll"), ("tabindex", "0")]) { box in
        HTMLTable(summary: summary).write(to: &box)
      }
      let sentences = SummarySentence.all(summary)
      if !sentences.isEmpty {
        section.inside("div", [("class", "box")]) { box in
          box.inside("ul") { list in
            for sentence in sentences { list.element("li", [], sentence.text) }
          }
        }
      }
      section.element("p", [("class", "note")], definitions)
    }
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

  private func writeCurves(to main: inout Markup) {
    let charts = [
      chart("Generic accuracy", "accuracy %") { $0.generic.map { 100 * $0.accuracy } },
      chart("Personal accuracy", "mean over clients, accuracy %") {
        $0.personal.map { 100 * $0.accuracy }
      },
      chart("Generic accuracy on tail classes", "accuracy %") {
        ($0.generic?.shots?.tail).map { 100 * $0 }
      },
      chart("Training loss", "cross-entropy per example") { $0.train?.loss },
    ].filter { $0.series.contains { !$0.points.isEmpty } }
    if charts.isEmpty { return }
    section("Learning curves", to: &main) { section in
      if mostSeeds >= 2 {
        section.element(
          "p",
          [("class", "note")],
          "Lines: mean over seeds. Shaded: from the lowest to the highest seed."
        )
      }
      section.inside("div", [("class", "grid")]) { grid in
        for chart in charts { chart.write(to: &grid) }
      }
    }
  }

  private func chart(
    _ title: String,
    _ yTitle: String,
    value: (RoundRecord) -> Double?
  ) -> SVGLineChart {
    SVGLineChart(
      title: title,
      yTitle: yTitle,
      series: input.strategies.enumerated().map { index, strategy in
        SVGLineChart.Series(
          label: strategy.label,
          index: index,
          points: SVGLineChart.points(strategy.runs, value: value)
        )
      }
    )
  }

  private func writeClasses(to main: inout Markup) {
    let classes = input.classCounts.count
    let series = input.strategies.enumerated().compactMap { index, strategy in
      meanPerClass(strategy, classes: classes).map { (strategy.label, index, $0) }
    }
    guard classes > 0, !series.isEmpty else { return }
    section("Classes", to: &main) { section in
      section.element(
        "p",
        [("class", "note")],
        mostSeeds >= 2
          ? "Generic model at its last evaluation, mean over seeds."
          : "Generic model at its last evaluation."
      )
      SVGClassChart(
        classNames: input.classNames,
        counts: input.classCounts,
        groups: ShotGroups.cumulativeShare(input.classCounts),
        series: series
      ).write(to: &section)
    }
  }

  private func meanPerClass(_ strategy: StrategyResult, classes: Int) -> [Double]? {
    let finals = strategy.runs.compactMap { $0.lastGeneric?.perClass }
      .filter { $0.count == classes }
    if finals.isEmpty { return nil }
    return (0..<classes).map { label in Metrics.mean(finals.map { $0[label] }) }
  }

  private func writeClients(to main: inout Markup) {
    if input.clientClassCounts.isEmpty { return }
    section("Clients", to: &main) { section in
      SVGHeatmap(classNames: input.classNames, counts: input.clientClassCounts)
        .write(to: &section)
    }
  }

  private func writeSettings(to main: inout Markup) {
    section("Exact settings", to: &main) { section in
      if !input.command.isEmpty {
        section.element("p", [], "To repeat these runs:")
        section.inside("pre") { $0.element("code", [], input.command) }
      }
      if input.scenario.members?.isEmpty == false {
        section.inside("details") { details in
          details.element("summary", [], "Scenario with every default")
          details.element("pre", [], input.scenario.pretty)
        }
      }
      section.inside("details") { details in
        details.element("summary", [], "Digests of the final state")
        details.inside("div", [("class", "scroll")]) { writeDigests(to: &$0) }
      }
    }
  }

  private func writeDigests(to out: inout Markup) {
    out.inside("table") { table in
      table.inside("thead") { head in
        head.inside("tr") { row in
          for title in ["strategy", "seed", "round", "digest"] {
            row.element("th", [("scope", "col")], title)
          }
        }
      }
      table.inside("tbody") { body in
        for strategy in input.strategies {
          for run in strategy.runs {
            guard let last = run.records.last else { continue }
            body.inside("tr") { row in
              row.element("td", [], strategy.label)
              row.element("td", [], "\(run.seed)")
              row.element("td", [], "\(last.round)")
              row.inside("td") { $0.element("code", [], last.digest) }
            }
          }
        }
      }
    }
  }

  private func section(
    _ title: String,
    to main: inout Markup,
    _ body: (inout Markup) -> Void
  ) {
    main.inside("section") { section in
      section.element("h2", [], title)
      body(&section)
    }
  }
}
