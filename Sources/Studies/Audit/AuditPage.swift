import Base
import Report
import Tensor

extension AuditReport {
  /// `audit.html`.
  var page: Page {
    let title = "Leakage audit of \(name)"
    let scope =
      "What the models and gradients of this run reveal to a curious server about the clients' "
      + "images. An attack that fails proves nothing; one that works shows what has to be "
      + "protected."
    // The section has the table's title.
    let found = [
      (oneRun, nil), (canaries, nil), (membership, roc), (labels, nil),
      (inversion, likeness),
    ].map { table, plot in
      var table = table
      let title = table.title
      table.title = ""
      return Page.Section(title, [.table(table), .plots(plot.map { [$0] } ?? [])])
    }
    let pictures = runs.filter { !$0.pictures.isEmpty }.map { run in
      Page.Section("Reconstructions: \(run.strategy), seed \(run.seed)", Self.blocks(run.pictures))
    }
    var page = Page(
      title: title, lead: [scope],
      sections: found + pictures + [
        Page.Section("Models", [.table(models)]),
        Page.Section(
          "Exact settings", [.code(settings.json.pretty), .note("Scenario \(scenarioHash).")]),
      ])
    page.warnings = (title: headline.first ?? "", lines: Array(headline.dropFirst()))
    return page
  }

  private func name(_ run: AuditedRun) -> String {
    runs.count { $0.strategy == run.strategy } > 1
      ? "\(run.strategy), seed \(run.seed)" : run.strategy
  }

  /// The ROC curve of membership over all classes, a line for each model; nil without one.
  private var roc: Plot? {
    .scatter(
      "ROC of membership: found against mistaken", x: "others called members, %",
      y: "members found, %",
      runs.flatMap { run in
        run.membership.filter { $0.group == "all" }.map { (run, $0) }
      }.enumerated().map { index, one in
        let (run, row) = one
        let hasMore = run.membership.contains { $0.attack != "loss" }
        return (
          Plot.Series(hasMore ? "\(name(run)), \(row.attack)" : name(run), index),
          Self.shown(row.score.curve)
        )
      }, isJoined: true, square: 100, least: Self.leastShare,
      note: " Both axes are logarithmic and begin at \(Self.leastShare) %. On the dashed line an "
        + "attack is no better than guessing.")
  }

  /// Where the axes of a ROC curve begin, in percent.
  private static let leastShare = 0.05

  /// A curve in percent: few false alarms matter most, so steps are even in their logarithm.
  static func shown(_ curve: [MembershipScore.Rates]) -> [Plot.Point] {
    var points: [Plot.Point] = []
    for rates in curve {
      let point = Plot.Point(
        max(leastShare, 100 * rates.mistaken), max(leastShare, 100 * rates.found))
      // Thousands of thresholds look the same as a few hundred.
      if let last = points.last, point.x < 1.02 * last.x, point.y < 1.02 * last.y,
        rates.found < 1 || rates.mistaken < 1
      {
        continue
      }
      points.append(point)
    }
    return points
  }

  /// How like the originals each attack's reconstructions are; nil without one.
  private var likeness: Plot? {
    var rows: [(title: String, values: [Double])] = []
    for picture in runs.flatMap(\.pictures) {
      guard let score = picture.score?.psnr, score.isFinite else { continue }
      if let place = rows.firstIndex(where: { $0.title == picture.title }) {
        rows[place].values.append(score)
      } else {
        rows.append((picture.title, [score]))
      }
    }
    return .spread(
      "PSNR of the reconstructions shown", "PSNR, dB; right is more like the original",
      rows.enumerated().map { (Plot.Series($1.title, $0), $1.values) })
  }

  /// A row for each image: the original and what was made of it.
  private static func blocks(_ pictures: [AuditPicture]) -> [Page.Block] {
    var blocks: [Page.Block] = []
    var rest = pictures[...]
    while let first = rest.first {
      let row = rest.prefix { $0.image == first.image }
      rest = rest.dropFirst(row.count)
      blocks += [
        .note("Image \(first.image + 1), client \(first.client), class \(first.label)"),
        .pictures(row.map(\.figure)),
      ]
    }
    return blocks
  }
}

extension AuditPicture {
  fileprivate var figure: Page.Picture {
    let score = score.map { "\(NumberText.fixed($0.psnr, 1)) dB" }
    let file = PNG.encoded(
      pixels, height: shape.height, width: shape.width, channels: shape.channels)
    return Page.Picture(
      title: title + (score.map { ": \($0)" } ?? ""),
      words: score.map { "\(title) of image \(image + 1): \($0), taken for class \(label)" }
        ?? "image \(image + 1) of client \(client), class \(label)", source: PNG.dataURI(file),
      width: shape.width, height: shape.height)
  }
}
