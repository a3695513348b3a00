import Base
import Federation
import Records

/// The report's section on privacy: what it cost, what it did, accuracy against ε, and how ε is
/// spread over clients.
extension HTMLReport {
  func writePrivacy(to section: inout Markup) {
    let protected = input.strategies.filter { $0.runs.contains { $0.lastPrivacy != nil } }
    if protected.isEmpty { return }
    table(protected).write(to: &section)
    section.element(
      "p", [("class", "note")],
      "Epsilon: the largest over clients and seeds at the end of the run, by privacy loss "
        + "distributions, add/remove neighbours unless stated; none: no guarantee. Clipped: "
        + "share of gradients or messages that were scaled down. Noise: expected norm of the "
        + "noise divided by the norm of the sum it was added to, in the last round.")
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

  private func table(_ strategies: [StrategyResult]) -> PlainTable {
    func text(_ epsilon: Double?) -> String {
      guard let epsilon, epsilon.isFinite else { return "none" }
      return NumberText.epsilon(epsilon, 3)
    }
    func mean(_ values: [Double]) -> String {
      values.isEmpty ? "-" : NumberText.fixed(Metrics.mean(values), 2)
    }
    return PlainTable(
      titles: [
        "strategy", "epsilon", "median", "delta", "guarantee", "clip", "clipped %",
        "noise / signal",
      ],
      rows: strategies.compactMap { strategy in
        let ends = strategy.runs.compactMap(\.lastPrivacy)
        guard let last = ends.last else { return nil }
        return [
          strategy.label, text(ends.map(\.epsilonMax).max()), text(ends.map(\.epsilonMedian).max()),
          "\(last.delta)", ends.allSatisfy(\.hasGuarantee) ? "yes" : "none",
          NumberText.fixed(last.clip, 3), mean(ends.compactMap(\.clipped).map { 100 * $0 }),
          mean(ends.compactMap(\.noiseToSignal)),
        ]
      })
  }

  /// ε over clients, where clients differ.
  private func writeHistograms(to out: inout Markup) {
    let spread = input.clientEpsilons.filter { Set($0.epsilons).count > 1 }
    if spread.isEmpty { return }
    out.element("h3", [], "Epsilon over clients")
    PlainTable(
      titles: ["strategy", "min", "10 %", "median", "90 %", "max", "clients"],
      rows: spread.map { one in
        let sorted = one.epsilons.sorted()
        let quantiles = [0, 0.1, 0.5, 0.9, 1].map { share in
          let nearest = sorted[Int(clamping: (Double(sorted.count - 1) * share).rounded())]
          let value = share == 0.5 ? EpsilonTable.median(ofSorted: sorted) : nearest
          return NumberText.epsilon(value, 3)
        }
        return [one.label] + quantiles + ["\(sorted.count)"]
      }
    ).write(to: &out)
    out.element(
      "p", [("class", "note")],
      "Clients of all seeds together, by the accountant of the last round.")
  }
}
