import Base
import Report
import Tensor

/// `audit.html`: one file that needs nothing else, no script, no network.
struct AuditPage {
  let report: AuditReport

  init(_ report: AuditReport) { self.report = report }

  var html: String {
    return HTMLPage.text(title: "Leakage audit of \(report.name)", style: "\n" + Self.style) {
      body in
      body.inside("header") { header in
        header.element("h1", [], "Leakage audit of \(report.name)")
        header.element("p", [("class", "note")], Self.scope)
      }
      body.inside("main") { main in
        writeCanaries(to: &main)
        writeMembership(to: &main)
        writeInversion(to: &main)
        for run in report.runs where !run.pictures.isEmpty { writePictures(run, to: &main) }
        writeNotes(to: &main)
        writeSettings(to: &main)
      }
    }
  }

  private static let scope =
    "What the models and gradients of this run tell a curious server about the clients' images. "
    + "An attack that fails proves nothing; one that works shows what has to be protected."

  private static let style = """
    table.flat thead tr:first-child th{color:inherit;text-align:right;
    border-bottom:1px solid var(--rule);padding-bottom:.35em}
    table.flat thead tr:first-child th:first-child{text-align:left}
    .shots{display:flex;flex-wrap:wrap;gap:14px;margin:0 0 22px}
    .shots figure{width:112px}
    .shots img{width:112px;height:auto;image-rendering:pixelated;display:block;
    border:1px solid var(--rule)}
    .shots figcaption{font-weight:400;font-size:.8rem;line-height:1.3;margin:.3em 0 0}

    """

  // MARK: - Canaries

  private func writeCanaries(to main: inout Markup) {
    guard report.runs.contains(where: { !$0.canaries.isEmpty }) else { return }
    section("Canaries", to: &main) { section in
      let titles = [
        "seed", "client", "batches", "trials", "claimed epsilon", "at least (95 %)", "verdict",
      ]
      table(["strategy"] + titles, to: &section) { body in
        for run in report.runs {
          for row in run.canaries {
            cells(
              run.strategy,
              [
                "\(run.seed)", "\(row.client)", "\(row.batches)", "\(row.trials)",
                row.claimed.isFinite ? NumberText.epsilon(row.claimed, 3) : "none",
                NumberText.epsilon(row.found.epsilon, 3), row.verdict,
              ], to: &body)
          }
        }
      }
      section.element(
        "p", [("class", "note")],
        "A canary is an example whose gradient is the clip norm on one parameter. Private training "
          + "runs with it and without it; how well both can be told apart gives an epsilon that "
          + "the mechanism exceeds with 95 % confidence. It must not be above the claim for as "
          + "many batches.")
    }
  }

  // MARK: - Membership

  private func writeMembership(to main: inout Markup) {
    guard report.runs.contains(where: { !$0.membership.isEmpty }) else { return }
    section("Membership", to: &main) { section in
      let titles = [
        "seed", "classes", "members", "AUC", "advantage", "best advantage", "found at 1 % FPR",
        "95 % interval",
      ]
      table(["strategy"] + titles, to: &section) { body in
        for run in report.runs {
          for row in run.membership {
            let score = row.score
            cells(
              run.strategy,
              [
                "\(run.seed)", row.group, "\(score.members)", NumberText.fixed(score.auc, 3),
                NumberText.fixed(score.advantage, 3), NumberText.fixed(score.bestAdvantage, 3),
                NumberText.percent(score.recall) + " %",
                NumberText.percent(score.recallInterval.lowerBound) + " to "
                  + NumberText.percent(score.recallInterval.upperBound) + " %",
              ], to: &body)
          }
        }
      }
      section.element(
        "p", [("class", "note")],
        "An image is called a member of the training data when its loss is low (Yeom et al. 2018)."
          + " AUC: probability that a member's loss is below that of another image; guessing gives "
          + "0.5. Advantage: true minus false positive rate with the members' mean loss as the "
          + "threshold, and with the best of all thresholds; guessing gives 0. Found at 1 % FPR: "
          + "share of the members that are found where at most 1 % of the others are taken for "
          + "members. Every class has as many members as others.")
    }
  }

  // MARK: - Gradients

  private func writeInversion(to main: inout Markup) {
    guard report.runs.contains(where: { !$0.inversion.isEmpty }) else { return }
    section("Gradients", to: &main) { section in
      let titles = [
        "seed", "attack", "images per gradient", "noise σ", "images", "labels found", "PSNR dB",
        "SSIM", "exact", "feature error",
      ]
      table(["strategy"] + titles, to: &section) { body in
        for run in report.runs {
          for row in run.inversion {
            cells(
              run.strategy,
              [
                "\(run.seed)", row.attack.rawValue, "\(row.batch)",
                row.defence.map { JSON.number($0.noise).compact } ?? "not clipped", "\(row.images)",
                NumberText.percent(row.labels, 0) + " %", NumberText.fixed(row.psnr, 1),
                NumberText.fixed(row.ssim, 3),
                row.exact.map { NumberText.percent($0, 0) + " %" } ?? "-",
                row.featureError.map { AuditWords.short($0) } ?? "-",
              ], to: &body)
          }
        }
      }
      section.element("p", [("class", "note")], definitions)
    }
  }

  private var definitions: String {
    "Each gradient is that of one step on one image, or on the mean of a few. Analytic: a dense "
      + "layer's rows over its bias's are what the layer read, the image itself where the layer is "
      + "the first; the classifier's bias tells the label. In a batch, the row that comes closest "
      + "to each image. Cosine (Geiping et al. 2020) and squares (Zhu et al. 2019): "
      + "\(report.settings.iterations) steps of descent to images of the same gradient. With "
      + "noise, gradients are first clipped to the norm C below, then N(0, σ²C²) is added to each "
      + "of their numbers. PSNR, SSIM and feature error (relative) are medians; exact is the share "
      + "of images above 60 dB. Equal images count as \(Int(clamping: ImageScore.largestPSNR)) dB."
  }

  // MARK: - Pictures

  private func writePictures(_ run: AuditedRun, to main: inout Markup) {
    section("Reconstructions: \(run.strategy), seed \(run.seed)", to: &main) { section in
      var rest = run.pictures[...]
      while let first = rest.first {
        let row = rest.prefix { $0.image == first.image }
        rest = rest.dropFirst(row.count)
        section.element(
          "p", [("class", "note")],
          "Image \(first.image + 1), client \(first.client), class \(first.label)")
        section.inside("div", [("class", "shots")]) { shots in
          for picture in row { write(picture, to: &shots) }
        }
      }
    }
  }

  private func write(_ picture: AuditPicture, to out: inout Markup) {
    let score = picture.score.map { "\(NumberText.fixed($0.psnr, 1)) dB" }
    let alternative =
      score.map {
        "\(picture.title) of image \(picture.image + 1): \($0), taken for class \(picture.label)"
      } ?? "image \(picture.image + 1) of client \(picture.client), class \(picture.label)"
    let file = PNG.encoded(
      picture.pixels, height: picture.shape.height, width: picture.shape.width,
      channels: picture.shape.channels)
    out.inside("figure") { figure in
      figure.shape(
        "img",
        [
          ("src", PNG.dataURI(file)), ("alt", alternative), ("width", "\(picture.shape.width)"),
          ("height", "\(picture.shape.height)"),
        ])
      figure.element("figcaption", [], picture.title + (score.map { ": \($0)" } ?? ""))
    }
  }

  // MARK: - The rest

  private func writeNotes(to main: inout Markup) {
    section("Models", to: &main) { section in
      table(["strategy", "seed", "model", "clipping norm C", "notes"], to: &section) { body in
        for run in report.runs {
          cells(
            run.strategy,
            [
              "\(run.seed)", run.model ?? "none", run.clip.map { AuditWords.short($0) } ?? "-",
              run.notes.isEmpty ? "-" : run.notes.joined(separator: "; "),
            ], to: &body)
        }
      }
    }
  }

  private func writeSettings(to main: inout Markup) {
    section("Exact settings", to: &main) { section in
      section.element("pre", [], report.settings.json.pretty)
      section.element("p", [("class", "note")], "Scenario \(report.scenarioHash).")
    }
  }

  private func section(_ title: String, to main: inout Markup, _ body: (inout Markup) -> Void) {
    main.inside("section") { section in
      section.element("h2", [], title)
      body(&section)
    }
  }

  private func table(_ titles: [String], to out: inout Markup, _ body: (inout Markup) -> Void) {
    out.inside("div", [("class", "scroll"), ("tabindex", "0")]) { box in
      // The style sheet's first row of a head is for groups of columns; here it is the only one.
      box.inside("table", [("class", "flat")]) { table in
        table.inside("thead") { head in
          head.inside("tr") { row in
            for title in titles { row.element("th", [("scope", "col")], title) }
          }
        }
        table.inside("tbody") { body(&$0) }
      }
    }
  }

  private func cells(_ head: String, _ texts: [String], to body: inout Markup) {
    body.inside("tr") { row in
      row.element("th", [("scope", "row")], head)
      for text in texts { row.element("td", [], text) }
    }
  }
}
