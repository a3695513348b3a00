import Records
import Report

/// `sweep.html`: one file that needs nothing else, no script, no network.
struct SweepPage {
  let results: SweepResults

  init(_ results: SweepResults) { self.results = results }

  var html: String {
    let sweep = results.sweep
    let runs = sweep.trials.reduce(0) { $0 + $1.runs.count }
    return HTMLPage.text(title: "Sweep \(sweep.name)", style: "\n" + Self.style) { body in
      body.inside("header") { header in
        header.element("h1", [], "Sweep \(sweep.name)")
        header.inside("ul", [("class", "plain")]) { list in
          list.element("li", [], "\(sweep.trials.count) trials of \(sweep.base)")
          list.element("li", [], "\(results.doneRuns) of \(runs) runs done")
          list.element("li", [], "seeds \(seeds)")
        }
      }
      body.inside("main") { main in
        writeFailures(to: &main)
        writeFront(to: &main)
        writeTrials(to: &main)
        writeNotes(to: &main)
      }
    }
  }

  private static let style = """
    table thead tr:first-child th{color:inherit;border-bottom:1px solid var(--rule)}
    tr.front td:first-child{font-weight:700}
    .mark.behind{fill-opacity:.35}

    """

  private var seeds: String {
    (results.sweep.trials.first?.runs ?? []).map { "\($0.seed)" }.joined(separator: ", ")
  }

  private func writeFailures(to main: inout Markup) {
    guard !results.failed.isEmpty else { return }
    main.inside("div", [("class", "box warn")]) { box in
      box.element("strong", [], "Runs that failed")
      box.inside("ul") { list in
        for (run, failure) in results.failed {
          list.element("li", [], "trial \(run.trial) seed \(run.seed): \(failure.message)")
        }
      }
    }
  }

  /// Accuracy against each cost of the front.
  private func writeFront(to main: inout Markup) {
    let objectives = results.front.objectives
    guard let best = objectives.indices.first(where: { objectives[$0].isMaximised }) else { return }
    let costs = objectives.indices.filter { !objectives[$0].isMaximised }
    guard !costs.isEmpty, !results.front.points.isEmpty else { return }
    main.element("h2", [], "Front")
    main.inside("div", [("class", "grid")]) { grid in
      for cost in costs { SVGFrontChart(results: results, x: cost, y: best).write(to: &grid) }
    }
    main.element(
      "p", [("class", "note")],
      "Means over seeds. Full marks are on the front over all objectives together, pale ones are "
        + "behind another point.")
  }

  private func writeTrials(to main: inout Markup) {
    guard !results.entries.isEmpty else { return }
    let columns = SweepTable(results).allColumns
    main.element("h2", [], "Trials")
    main.inside("div", [("class", "scroll")]) { scroll in
      scroll.inside("table") { table in
        table.inside("thead") { head in
          head.inside("tr") { row in for column in columns { row.element("th", [], column.title) } }
        }
        table.inside("tbody") { body in
          for index in columns.first?.cells.indices ?? 0..<0 {
            let isFront = columns[0].cells[index] == "*"
            body.inside("tr", isFront ? [("class", "front")] : []) { row in
              for column in columns { row.element("td", [], column.cells[index]) }
            }
          }
        }
      }
    }
    main.element(
      "p", [("class", "note")],
      "Best first; mean ± half-width of the 95 % interval over seeds; * is on the front.")
  }

  private func writeNotes(to main: inout Markup) {
    let sentences = SweepTable(results).sentences
    guard !sentences.isEmpty else { return }
    main.inside("ul") { list in for sentence in sentences { list.element("li", [], sentence) } }
  }
}

/// One objective of a sweep against another: a mark for every point.
struct SVGFrontChart {
  let results: SweepResults
  /// Places of the objectives.
  let x: Int
  let y: Int

  private static let width = 560.0
  private static let height = 340.0

  /// The figure; points without a finite cost stand at the right edge, under "none".
  func write(to out: inout Markup) {
    let front = results.front
    let (across, up) = (front.objectives[x].metric, front.objectives[y].metric)
    let scaled = front.points.map { ($0.values[x] / across.scale, $0.values[y] / up.scale) }
    let finite = scaled.map(\.0).filter(\.isFinite)
    guard let low = scaled.map(\.1).min(), let high = scaled.map(\.1).max() else { return }
    let frame = SVGFrame(left: 46, right: Self.width - 22, top: 40, bottom: Self.height - 48)
    let vertical = SVGScale(
      (low < 0.6 * high ? min(0, low) : low)...high, from: frame.bottom, to: frame.top, count: 5,
      rounded: true)
    let hasNone = finite.count < scaled.count
    let edge = hasNone ? frame.right - (frame.right - frame.left) / 9 : frame.right
    let horizontal = scale(finite, frame.left, edge)
    let title = "\(up.name) against \(across.name)"
    let unit = across.unitText.isEmpty ? "" : " \(across.unitText)"
    out.inside("figure") { figure in
      figure.element("figcaption", [], title)
      figure.inside(
        "svg",
        [
          ("viewBox", "0 0 \(coordinate(Self.width)) \(coordinate(Self.height))"), ("role", "img"),
          ("aria-label", "\(title). \(words(across, up))"),
        ]
      ) { svg in
        frame.drawVertical(vertical, title: "\(up.name) \(up.unitText)", to: &svg)
        frame.drawHorizontal(horizontal, title: across.name + unit, to: &svg)
        let none = (edge + frame.right) / 2 + 8
        if hasNone {
          svg.element(
            "text",
            [
              ("x", coordinate(none)), ("y", coordinate(frame.bottom + 18)),
              ("text-anchor", "middle"),
            ], "none")
        }
        for (index, place) in scaled.enumerated() {
          let px = place.0.isFinite ? horizontal.position(place.0) : none
          draw(front.points[index], index, px, vertical.position(place.1), to: &svg)
        }
      }
      SVGStyle.legend(labels.enumerated().map { ($1, $0) }, to: &figure)
    }
  }

  /// Equal ratios where all costs are positive and far apart, else equal steps.
  private func scale(_ values: [Double], _ left: Double, _ right: Double) -> SVGScale {
    guard let least = values.min(), let most = values.max() else {
      return SVGScale(0...1, from: left, to: right, count: 5, rounded: true)
    }
    if least > 0, most / least >= 4 {
      // A little room, so that no mark lies on an axis.
      let range = least / 1.15...most * 1.15
      return SVGScale(logarithmic: range, from: left, to: right, count: 6)
    }
    return SVGScale(least...most, from: left, to: right, count: 6, rounded: true)
  }

  private func draw(
    _ point: ParetoFront.Point, _ index: Int, _ x: Double, _ y: Double, to out: inout Markup
  ) {
    let style = SVGStyle(index: labels.firstIndex(of: point.label) ?? 0)
    let isFront = results.front.front.contains(index)
    let trial = results.sweep.trials.first { $0.number == point.trial }
    let words = trial?.words(results.sweep.paths) ?? ""
    out.inside(
      "path",
      [
        ("class", "mark \(style.colour)\(isFront ? "" : " behind")"),
        ("d", style.marker(x, y, size: isFront ? 5 : 4)),
      ]
    ) { mark in mark.element("title", [], "trial \(point.trial) \(point.label) \(words)") }
  }

  /// The strategies in their order.
  private var labels: [String] {
    var seen: [String] = []
    for point in results.front.points where !seen.contains(point.label) { seen.append(point.label) }
    return seen
  }

  /// The points of the front in words.
  private func words(_ across: ComparisonMetric, _ up: ComparisonMetric) -> String {
    let front = results.sortedFront.prefix(20).map { point -> String in
      let cost = point.values[x]
      let value = cost.isFinite ? across.text(cost, across.decimals([cost])) : "none"
      let accuracy = up.text(point.values[y], up.decimals([point.values[y]]))
      return "trial \(point.trial) \(point.label): \(accuracy) at \(value)"
    }
    return "On the front: " + front.joined(separator: "; ") + "."
  }
}
