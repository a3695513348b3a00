import Base
import Report

extension AuditReport {
  /// What was found, as tables; those without rows are left out.
  var tables: [Table] {
    [oneRun, canaries, membership, labels, inversion].filter { !$0.rows.isEmpty }
  }

  /// The tables for a terminal.
  package func text(width: Int) -> String {
    var lines = headline + ["leakage audit of \(name)"]
    for table in tables {
      lines += ["", table.title] + table.lines(TerminalLayout(width: max(60, width), fixed: 2))
    }
    let notes = runs.flatMap { run in run.notes.map { "\(run.strategy) seed \(run.seed): \($0)" } }
    if !notes.isEmpty { lines += [""] + notes + [""] }
    return lines.joined(separator: "\n")
  }

  private func rows<Row>(_ read: (AuditedRun) -> [Row]) -> [(AuditedRun, Row)] {
    runs.flatMap { run in read(run).map { (run, $0) } }
  }

  private func names<Row>() -> [Column<(AuditedRun, Row)>] {
    [.words("strategy") { $0.0.strategy }, Column("seed") { .text("\($0.0.seed)") }]
  }

  private func share(_ value: Double?, _ decimals: Int) -> Cell {
    .number(value) { NumberText.percent($0, decimals) + " %" }
  }

  var canaries: Table {
    Table(
      "Canaries", of: rows(\.canaries),
      columns: names() + [
        Column("client") { .count($0.1.client) }, Column("batches") { .count($0.1.batches) },
        Column("trials") { .count($0.1.trials) },
        Column("claimed epsilon") { .epsilon($0.1.claimed) },
        Column("at least (95 %)") { .epsilon($0.1.found.epsilon) },
        .words("verdict") { $0.1.verdict },
      ],
      note: "A canary is an example whose gradient is the clip norm on one parameter. Private "
        + "training runs with it and without it; how well they can be distinguished gives an "
        + "epsilon that the mechanism exceeds with 95 % confidence. It must not be above the claim "
        + "for as many batches.")
  }

  var oneRun: Table {
    Table(
      "One run with canaries", of: rows(\.oneRun),
      columns: names() + [
        .words("mechanism") { $0.1.mechanism },
        Column("client") { $0.1.client.map(Cell.count) ?? .text("all") },
        Column("releases") { .count($0.1.releases) },
        Column("canaries") { .count($0.1.score.canaries) },
        .words("right guesses") { "\($0.1.score.correct) of \($0.1.score.guesses)" },
        Column("claimed epsilon") { .epsilon($0.1.claimed) },
        Column("at least (95 %)") { .epsilon($0.1.score.epsilon) },
        Column("if all were right") { .epsilon($0.1.score.most) },
        Column("estimate") { $0.1.score.estimate.map(Cell.epsilon) ?? .missing },
        .words("verdict") { $0.1.verdict },
      ],
      note: "Each canary joins the training data by a fair coin; then the mechanism runs once. "
        + "Canaries are records whose gradient, or clients whose update, is larger than the clip "
        + "allows, along a parameter of their own. From the noisy sums an attacker who knows all "
        + "else guesses who was in (Steinke et al. 2023): an epsilon that so many right guesses "
        + "contradict is no guarantee of the mechanism. It must not be above the claim. \"If all "
        + "were right\": no outcome could show more with so many guesses. Estimate: what the "
        + "distance of the scores suggests, without any confidence.")
  }

  var membership: Table {
    Table(
      "Membership", of: rows(\.membership),
      columns: names() + [
        .words("attack") { $0.1.attack }, .words("classes") { $0.1.group },
        Column("members") { .count($0.1.score.members) },
        Column("AUC") { .number($0.1.score.auc, 3) },
        Column("advantage") { .number($0.1.score.advantage, 3) },
        Column("best advantage") { .number($0.1.score.bestAdvantage, 3) },
        Column("found at 0.1 % FPR") { share($0.1.score.recall(at: 0.001), 1) },
        Column("found at 1 % FPR") { share($0.1.score.recall, 1) },
        Column("allowed at 1 %") { share($0.1.bounds[1], 1) },
        Column("95 % interval") { row in
          let (low, high) = (
            row.1.score.recallInterval.lowerBound, row.1.score.recallInterval.upperBound
          )
          return .text(NumberText.percent(low) + " to " + NumberText.percent(high) + " %")
        },
      ],
      note: "An image is called a member of the training data when its loss is low (Yeom et al. "
        + "2018). AUC: probability that a member's loss is below that of another image; guessing "
        + "gives 0.5. Advantage: true minus false positive rate with the members' mean loss as the "
        + "threshold, and with the best of all thresholds; guessing gives 0. Found at 1 % FPR: "
        + "share of the members that are found where at most 1 % of the others are taken for "
        + "members; allowed: the most that the run's epsilon leaves possible. LiRA (Carlini et al. "
        + "2022) and RMIA (Zarifzadeh et al. 2024) compare with \(settings.shadows) shadow runs on "
        + "half of the images. Every class has as many members as others.")
  }

  var labels: Table {
    Table(
      "Label counts", of: rows(\.labels),
      columns: names() + [
        .words("of") { $0.1.what }, Column("clients") { .count($0.1.clients) },
        Column("images") { .count($0.1.images) },
        Column("miscounted") { share($0.1.miscounted, 1) },
        Column("classes found") { share($0.1.recall, 1) },
        Column("of those there") { share($0.1.precision, 1) },
      ],
      note: "The gradient of the classifier's bias is the mean prediction minus the share of each "
        + "label, an identity; the mean prediction is guessed from images of nobody. Local "
        + "training is a pass of plain steps over a client's images, at most 20. Neither is "
        + "clipped or noised. Miscounted: half of the sum of all errors of counts, over all "
        + "images.")
  }

  var inversion: Table {
    Table(
      "Gradients", of: rows(\.inversion),
      columns: names() + [
        .words("attack") { $0.1.attack.rawValue },
        Column("images per gradient") { .count($0.1.batch) },
        Column("noise σ") {
          $0.1.defence.map { .number($0.noise, NumberText.plain) } ?? .text("not clipped")
        }, Column("images") { .count($0.1.images) },
        Column("labels found") { share($0.1.labels, 0) },
        Column("PSNR", unit: "dB") { .number($0.1.psnr, 1) },
        Column("SSIM") { .number($0.1.ssim, 3) }, Column("exact") { share($0.1.exact, 0) },
        Column("feature error") { .number($0.1.featureError, AuditWords.short) },
      ],
      note: "Each gradient is that of one step on one image, or on the mean of a few. Analytic: a "
        + "dense layer's rows over its bias's are what the layer read, the image itself where the "
        + "layer is the first; the classifier's bias reveals the label. In a batch, the row that "
        + "comes closest to each image. Cosine (Geiping et al. 2020) and squares (Zhu et al. "
        + "2019): \(settings.iterations) steps of descent to images of the same gradient. With "
        + "noise, gradients are first clipped to the norm C below, then N(0, σ²C²) is added to "
        + "each of their numbers. PSNR, SSIM and feature error (relative) are medians; exact is "
        + "the share of images above 60 dB. Equal images count as "
        + "\(Int(clamping: ImageScore.largestPSNR)) dB.")
  }

  var models: Table {
    Table(
      of: runs,
      columns: [
        .words("strategy") { $0.strategy }, Column("seed") { .text("\($0.seed)") },
        .words("model") { $0.model ?? "none" },
        Column("clipping norm C") { .number($0.clip, AuditWords.short) },
        .words("notes") { $0.notes.isEmpty ? "-" : $0.notes.joined(separator: "; ") },
      ])
  }
}
