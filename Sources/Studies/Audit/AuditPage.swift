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
      (oneRun, nil), (canaries, nil), (membership, roc), (inversion, likeness),
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
      runs.enumerated().map { index, run in
        let curve = run.membership.first { $0.group == "all" }?.score.curve ?? []
        // A curve of thousands of thresholds looks the same with two hundred.
        let step = max(1, curve.count / 200)
        let shown = curve.indices.filter { $0 % step == 0 || $0 == curve.count - 1 }
        return (
          Plot.Series(name(run), index),
          shown.map { Plot.Point(100 * curve[$0].mistaken, 100 * curve[$0].found) }
        )
      }, isJoined: true, square: 100,
      note: " On the dashed line an attack is no better than guessing.")
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
