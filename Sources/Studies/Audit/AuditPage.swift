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
    let found = [canaries, membership, inversion].map { table in
      var table = table
      let title = table.title
      table.title = ""
      return Page.Section(title, [.table(table)])
    }
    let pictures = runs.filter { !$0.pictures.isEmpty }.map { run in
      Page.Section("Reconstructions: \(run.strategy), seed \(run.seed)", Self.blocks(run.pictures))
    }
    return Page(
      title: title, lead: [scope],
      sections: found + pictures + [
        Page.Section("Models", [.table(models)]),
        Page.Section(
          "Exact settings", [.code(settings.json.pretty), .note("Scenario \(scenarioHash).")]),
      ])
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
