/// The report's section on privacy: what it cost, what it did, accuracy against ε, and how ε is
/// spread over clients.
extension HTMLReport {
  func writePrivacy(to main: inout Markup) {
    let protected = input.strategies.filter { $0.runs.contains { $0.lastPrivacy != nil } }
    if protected.isEmpty { return }
    main.inside("section") { section in
      section.element("h2", [], "Privacy")
      section.inside("div", [("class", "scroll"), ("tabindex", "0")]) { box in
        writeTable(protected, to: &box)
      }
      section.element(
        "p",
        [("class", "note")],
        "Epsilon: the largest over clients and seeds at the end of the run, by privacy loss "
          + "distributions, add/remove neighbours unless stated; none: no guarantee. Clipped: "
          + "share of gradients or messages that were scaled down. Noise: expected norm of the "
          + "noise divided by the norm of the sum it was added to, in the last round."
      )
      section.inside("div", [("class", "grid")]) { grid in
        SVGPrivacyChart(
          title: "Generic accuracy against epsilon",
          points: SVGPrivacyChart.points(input.strategies) { $0.lastGeneric?.accuracy }
        ).write(to: &grid)
        SVGPrivacyChart(
          title: "Personal accuracy against epsilon",
          points: SVGPrivacyChart.points(input.strategies) { $0.lastPersonal?.accuracy }
        ).write(to: &grid)
      }
      writeHistograms(to: &section)
    }
  }

  private func writeTable(_ strategies: [StrategyResult], to out: inout Markup) {
    let titles = [
      "strategy", "epsilon", "median", "delta", "guarantee", "clip", "clipped %", "noise / signal",
    ]
    out.inside("table") { table in
      table.inside("thead") { head in
        head.inside("tr") { row in
          for title in titles { row.element("th", [("scope", "col")], title) }
        }
      }
      table.inside("tbody") { body in
        for strategy in strategies {
          let ends = strategy.runs.compactMap(\.lastPrivacy)
          guard let last = ends.last else { continue }
          func text(_ epsilon: Double?) -> String {
            guard let epsilon, epsilon.isFinite else { return "none" }
            return NumberText.fixed(epsilon, 3)
          }
          func mean(_ values: [Double]) -> String {
            values.isEmpty ? "-" : NumberText.fixed(Metrics.mean(values), 2)
          }
          body.inside("tr") { row in
            row.element("th", [("scope", "row")], strategy.label)
            row.element("td", [], text(ends.map(\.epsilonMax).max()))
            row.element("td", [], text(ends.map(\.epsilonMedian).max()))
            row.element("td", [], "\(last.delta)")
            row.element("td", [], ends.allSatisfy(\.hasGuarantee) ? "yes" : "none")
            row.element("td", [], NumberText.fixed(last.clip, 3))
            row.element("td", [], mean(ends.compactMap(\.clipped).map { 100 * $0 }))
            row.element("td", [], mean(ends.compactMap(\.noiseToSignal)))
          }
        }
      }
    }
  }

  /// ε over clients, where clients differ.
  private func writeHistograms(to out: inout Markup) {
    let spread = input.clientEpsilons.filter { Set($0.epsilons).count > 1 }
    if spread.isEmpty { return }
    out.element("h3", [], "Epsilon over clients")
    out.inside("div", [("class", "scroll"), ("tabindex", "0")]) { box in
      box.inside("table") { table in
        table.inside("thead") { head in
          head.inside("tr") { row in
            for title in ["strategy", "min", "10 %", "median", "90 %", "max", "clients"] {
              row.element("th", [("scope", "col")], title)
            }
          }
        }
        table.inside("tbody") { body in
          for one in spread {
            let sorted = one.epsilons.sorted()
            func quantile(_ share: Double) -> String {
              NumberText.fixed(sorted[Int((Double(sorted.count - 1) * share).rounded())], 3)
            }
            body.inside("tr") { row in
              row.element("th", [("scope", "row")], one.label)
              for share in [0, 0.1, 0.5, 0.9, 1] { row.element("td", [], quantile(share)) }
              row.element("td", [], "\(sorted.count)")
            }
          }
        }
      }
    }
    out.element(
      "p",
      [("class", "note")],
      "By Rényi divergences, clients of all seeds together."
    )
  }
}
