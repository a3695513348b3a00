import Base
import Records

/// The report's section on clients: how accuracy is spread over them, who fares worst, what the
/// federation is worth to them, and who holds what.
extension HTMLReport {
  func writeClients(to section: inout Markup) {
    if !input.clients.isEmpty {
      section.element("p", [("class", "note")], clientNote)
      section.inside("div", [("class", "grid")]) { grid in
        SVGStripChart(
          title: "Accuracy over clients", xTitle: "accuracy on the client's local test, %",
          series: input.clients.map { one in
            (one.label, input.index(one.label), one.scores.map { 100 * $0.accuracy })
          }, bounds: 0...100
        ).write(to: &grid)
        SVGStripChart(
          title: "What clients gain over training alone",
          xTitle: "points of accuracy; right of zero: better than alone",
          series: gains.map { ($0.label, input.index($0.label), $0.points) }, marking: 0
        ).write(to: &grid)
      }
      writeBenefit(to: &section)
      writeWorst(to: &section)
    }
    if input.clientClassCounts.isEmpty { return }
    SVGHeatmap(classNames: input.classNames, counts: input.clientClassCounts).write(to: &section)
  }

  private var clientNote: String {
    let many = input.clients.contains { $0.scores.count > SVGStripChart.mostPoints }
    return "At the last evaluation, every client under every seed. Box: quartiles and median; "
      + "whiskers: 10th and 90th percentile"
      + (many ? "; points are left out beyond \(SVGStripChart.mostPoints)." : "; points: clients.")
  }

  /// Points of accuracy over training alone, where that is known.
  private var gains: [(label: String, points: [Double])] {
    input.clients.compactMap { one in
      let points = one.scores.compactMap { score in score.alone.map { 100 * (score.accuracy - $0) }
      }
      return points.isEmpty ? nil : (one.label, points)
    }
  }

  private func writeBenefit(to section: inout Markup) {
    let gains = gains
    if gains.isEmpty { return }
    section.element("h3", [], "Benefit over training alone")
    PlainTable(
      titles: [
        "strategy", "better", "as good", "worse", "median gain", "10 % gain less than",
        "largest loss",
      ],
      rows: gains.map { one in
        let counts = WinTieLoss(one.points)
        let worst = min(0, one.points.min() ?? 0)
        return [
          one.label, "\(counts.wins)", "\(counts.ties)", "\(counts.losses)",
          NumberText.fixed(Metrics.median(one.points), 1, plus: true),
          NumberText.fixed(Metrics.percentile(one.points, 0.1), 1, plus: true),
          NumberText.fixed(worst, 1),
        ]
      }
    ).write(to: &section)
  }

  /// Clients named in the table of those who fare worst.
  private static let mostNamed = 10

  /// The clients with the lowest accuracy on average over strategies.
  private func writeWorst(to section: inout Markup) {
    struct Key: Hashable {
      let seed: UInt64
      let client: Int
    }
    var known: [Key: (images: Int?, accuracy: [String: Double])] = [:]
    for one in input.clients {
      for score in one.scores {
        let key = Key(seed: score.seed, client: score.client)
        known[key, default: (score.images, [:])].accuracy[one.label] = score.accuracy
      }
    }
    let ranked = known.map { key, value -> (key: Key, mean: Double) in
      let values = input.clients.compactMap { value.accuracy[$0.label] }
      return (key, Metrics.mean(values))
    }.sorted { ($0.mean, $0.key.seed, $0.key.client) < ($1.mean, $1.key.seed, $1.key.client) }
    guard ranked.count > 1 else { return }
    section.element("h3", [], "Clients that fare worst")
    PlainTable(
      titles: ["client", "seed", "images", "mean %"] + input.clients.map(\.label),
      rows: ranked.prefix(Self.mostNamed).map { key, mean in
        let one = known[key]
        return [
          "\(key.client)", "\(key.seed)", one?.images.map { "\($0)" } ?? "-",
          NumberText.percent(mean),
        ] + input.clients.map { NumberText.percent(one?.accuracy[$0.label]) }
      }
    ).write(to: &section)
    section.element(
      "p", [("class", "note")],
      "By the mean of their accuracy over strategies, in %; each seed has a partition of its own.")
  }
}
