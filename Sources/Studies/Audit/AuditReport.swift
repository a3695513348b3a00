import Base
import Tensor

/// What an audit found.
package struct AuditReport: Sendable {
  package let name: String
  /// Identity of the resolved scenario.
  package let scenarioHash: String
  /// What was tried.
  package let settings: AuditSettings
  /// One entry per strategy and seed, in the order of the scenario.
  package let runs: [AuditedRun]
}

extension AuditReport {
  /// Claims of runs that what was found contradicts, a sentence each.
  package var contradictions: [String] {
    func words(_ run: AuditedRun, _ what: String, _ found: Double, _ claimed: Double) -> String {
      "\(run.strategy) seed \(run.seed), \(what): epsilon is at least "
        + "\(NumberText.fixed(found, 3)) with 95 % confidence, and \(NumberText.fixed(claimed, 3)) "
        + "is claimed"
    }
    return runs.flatMap { run in
      run.canaries.filter(\.isContradicted).map {
        words(run, "a canary of client \($0.client)", $0.found.epsilon, $0.claimed)
      }
        + run.oneRun.filter { $0.isContradicted && $0.isOwnClaim }.map { row in
          let whose = row.client.map { "client \($0)" } ?? "sums over clients"
          return words(run, "\(whose), \(row.mechanism)", row.score.epsilon, row.claimed)
        }
    }
  }

  /// Whether a claim was contradicted: the audit has failed.
  package var isFailed: Bool { !contradictions.isEmpty }

  /// What stands above everything else; empty when nothing has to.
  var headline: [String] {
    var lines: [String] = []
    if isFailed {
      lines.append("AUDIT FAILED: what was found contradicts a claimed epsilon")
      lines += contradictions
      let tried = runs.reduce(0) { $0 + $1.canaries.count + $1.oneRun.count }
      if tried >= 20 {
        lines.append(
          "each of the \(tried) rows holds with 95 % confidence: one in twenty may be above a true "
            + "claim by chance; look at other seeds")
      }
    }
    if settings.weaken > 1 {
      lines.append(
        "a drill: the noise was divided by \(JSON.number(settings.weaken).compact) and the claims "
          + "stayed; this audit " + (isFailed ? "sees such an error" : "DOES NOT see such an error")
      )
    }
    return lines
  }
}

/// One model and what it reveals.
package struct AuditedRun: Sendable {
  /// The strategy's label.
  package let strategy: String
  package let seed: UInt64
  /// Which model was attacked, in words; nil when there is none.
  package let model: String?
  /// What was not done, and why.
  package var notes: [String] = []
  /// One row per client whose mechanism was tried with a canary.
  package var canaries: [CanaryRow] = []
  /// One row per claim about a client's training, or about sums over clients.
  package var oneRun: [OneRunRow] = []
  /// One row per group of classes.
  package var membership: [MembershipRow] = []
  /// What was found of the labels of clients' work.
  package var labels: [LabelRow] = []
  /// One row per attack, batch and defence.
  package var inversion: [InversionRow] = []
  /// Originals and reconstructions, in the order of the images.
  package var pictures: [AuditPicture] = []
  /// C of the defences; nil without attacks on gradients.
  package var clip: Double?
}

/// Membership of a group of classes, every class with as many members as others.
package struct MembershipRow: Sendable {
  /// "loss", "lira" or "rmia".
  package var attack = "loss"
  /// "all", "head", "middle" or "tail".
  package let group: String
  package let score: MembershipScore
  /// Share of the members that the run's ε allows to be found at 0.1 % and 1 % false positives; nil
  /// where nothing is claimed.
  package var bounds: [Double?] = [nil, nil]
}

/// What an attack got out of gradients of one kind.
package struct InversionRow: Sendable {
  package let attack: AuditSettings.Attack
  /// Images per gradient.
  package let batch: Int
  /// What protected the gradients; nil for nothing.
  package let defence: GradientDefence?
  /// Images attacked.
  package let images: Int
  /// Share of the labels that were found.
  package let labels: Double
  /// Median PSNR of the reconstructions in decibels; nil where the attack gives no images.
  package var psnr: Double?
  /// Median structural similarity.
  package var ssim: Double?
  /// Share of images with a PSNR above 60 dB: equal for the eye, and nearly for the computer.
  package var exact: Double?
  /// Median of ‖found − true‖/‖true‖ of the features, where the attack gives features.
  package var featureError: Double?
}

/// A thumbnail.
package struct AuditPicture: Sendable {
  /// Images with the same number belong together; the first of them is the original.
  package let image: Int
  /// What made it, in words: "original", "cosine, σ = 0.01".
  package let title: String
  /// Its label, or what the attack took for it.
  package let label: Int
  /// How like the original; nil for that.
  package let score: ImageScore?
  /// The client whose image it is.
  package let client: Int
  let pixels: [UInt8]
  package let shape: FeatureShape
}

extension AuditReport {
  /// The content of `audit.json`.
  package var json: JSON { Self.keys.json(self) }

  package static let keys = Keys<Self>([
    Key("schema", .integer, "Version of this file: 1.") { _ in 1 },
    Key("name", .text, "The scenario's name.") { $0.name },
    Key("scenarioHash", .text, "Hash of the resolved scenario.") { $0.scenarioHash },
    Key("version", .text, "The program's version.") { _ in FedsimVersion.current },
    Key("failed", .flag, "Whether what was found contradicts a claimed ε.") { $0.isFailed },
    Key("contradictions", .list(.text), "Which, a sentence each.") { $0.contradictions },
    Key("settings", .object(AuditSettings.keys), "What was tried.") { $0.settings },
    Key("runs", .list(.object(AuditedRun.keys)), "A model each.") { $0.runs },
  ])
}

extension AuditSettings {
  package var json: JSON { Self.keys.json(self) }

  fileprivate static let keys = Keys<Self>([
    Key("attacks", .list(.text), "The attacks.") { $0.attacks.map(\.rawValue) },
    Key("model", .text, "Which models were attacked.") { $0.model.rawValue },
    Key("clients", .integer, "Clients whose gradients were attacked.") { $0.clients },
    Key("images", .integer, "Images of each attack on gradients.") { $0.images },
    Key("iterations", .integer, "Steps of descent of each.") { $0.iterations },
    Key("batches", .list(.integer), "Images per gradient.") { $0.batches },
    Key("totalVariation", .number, "Weight of smoothness.") { $0.totalVariation },
    Key("noises", .list(.number), "Noise multipliers of the defences.") { $0.noises },
    Key("clip", .orNull(.number), "Their clipping norm; null: the median of the gradients.") {
      .some($0.clip)
    }, Key("membersPerClass", .integer, "The most members of a class.") { $0.membersPerClass },
    Key("trials", .integer, "Trials with a canary, and as many without.") { $0.trials },
    Key("canaryBatches", .integer, "The most private batches of a trial.") { $0.canaryBatches },
    Key("canaries", .integer, "The most canaries of the one run.") { $0.canaries },
    Key("oneRunBatches", .integer, "The most noisy sums of that run.") { $0.oneRunBatches },
    Key("shadows", .integer, "Shadow runs of the membership attacks.") { $0.shadows },
    Key("weaken", .number, "What the noise was divided by while the claims stayed.") {
      $0.weaken
    },
  ])
}

extension AuditedRun {
  fileprivate static let keys = Keys<Self>([
    Key("strategy", .text, "The strategy's label.") { $0.strategy },
    Key("seed", .seed, "The seed.") { $0.seed },
    Key("model", .orNull(.text), "Which model was attacked; null: there is none.") {
      .some($0.model)
    }, Key("notes", .list(.text), "What was not done, and why.") { $0.notes },
    Key("canaries", .list(.object(CanaryRow.keys)), "A client each.") { $0.canaries },
    Key("oneRun", .list(.object(OneRunRow.keys)), "A claim about one run with canaries each.") {
      $0.oneRun
    },
    Key("membership", .list(.object(MembershipRow.keys)), "A group of classes each.") {
      $0.membership
    },
    Key("labelCounts", .list(.object(LabelRow.keys)), "One step, and local training.") {
      $0.labels
    },
    Key("clip", .orNull(.number), "C of the defences.") { .some($0.clip) },
    Key("inversion", .list(.object(InversionRow.keys)), "An attack and defence each.") {
      $0.inversion
    },
  ])
}

extension CanaryRow {
  fileprivate static let keys = Keys<Self>([
    Key("client", .integer, "The client.") { $0.client },
    Key("batches", .integer, "Private batches in a trial.") { $0.batches },
    Key("trials", .integer, "Trials with the canary, and as many without.") { $0.trials },
    Key("claimed", .number, "ε of a trial by the accountant; null: no limit.") { $0.claimed },
    Key("atLeast", .number, "ε that was found with the stated confidence.") { $0.found.epsilon },
    Key("delta", .number, "Its δ.") { $0.found.delta },
    Key("confidence", .number, "Its confidence.") { $0.found.confidence },
    Key("contradicted", .flag, "Whether what was found is above the claim.") {
      $0.isContradicted
    },
  ])
}

extension OneRunRow {
  fileprivate static let keys = Keys<Self>([
    Key("mechanism", .text, "The mechanism, and for DiceSGD its accounting.") { $0.mechanism },
    Key("client", .orNull(.integer), "Whose training; null: sums over clients.") {
      .some($0.client)
    },
    Key("releases", .integer, "Noisy sums, or messages of a client.") { $0.releases },
    Key("canaries", .integer, "Canaries.") { $0.score.canaries },
    Key("included", .integer, "Those that were in.") { $0.score.included },
    Key("guesses", .integer, "Guesses, fixed before scores were looked at.") {
      $0.score.guesses
    }, Key("correct", .integer, "Those that were right.") { $0.score.correct },
    Key("claimed", .number, "ε of these releases by the accountant; null: no limit.") {
      $0.claimed
    },
    Key("label", .orNull(.text), "What stands beside it; null: nothing has to.") {
      .some($0.label)
    },
    Key("isOwnClaim", .flag, "Whether the run claims it, or another accounting would.") {
      $0.isOwnClaim
    },
    Key("atLeast", .number, "ε that was found, with 95 % confidence.") { $0.score.epsilon },
    Key("delta", .number, "Its δ.") { $0.score.delta },
    Key("atMostProvable", .number, "ε that would be found if all guesses were right.") {
      $0.score.most
    },
    Key("gaussian", .number, "ε of the largest μ-GDP that is contradicted: that hypothesis alone.")
    {
      $0.score.gaussianEpsilon
    },
    Key("estimate", .orNull(.number), "ε of a Gaussian with the scores' distance; no guarantee.") {
      .some($0.score.estimate)
    },
    Key("contradicted", .flag, "Whether what was found is above the claim.") {
      $0.isContradicted
    },
  ])
}

extension MembershipRow {
  fileprivate static let keys = Keys<Self>([
    Key("attack", .text, "loss, lira or rmia.") { $0.attack },
    Key("group", .text, "all, head, middle or tail.") { $0.group },
    Key("members", .integer, "Training images that were scored.") { $0.score.members },
    Key("others", .integer, "Other images.") { $0.score.others },
    Key("auc", .number, "Probability that a member's loss is below another's.") { $0.score.auc },
    Key("advantage", .number, "True minus false positive rate at the members' mean loss.") {
      $0.score.advantage
    },
    Key("bestAdvantage", .number, "The largest of any threshold.") { $0.score.bestAdvantage },
    .group(
      "recall",
      [
        Key("falsePositiveRate", .number, "The rate of false alarms that is allowed.") {
          $0.score.rate
        },
        Key("value", .number, unit: "share", "Members that are found then.") { $0.score.recall },
        Key("low", .number, unit: "share", "Lower end of its 95 % interval.") {
          $0.score.recallInterval.lowerBound
        },
        Key("high", .number, unit: "share", "Upper end.") {
          $0.score.recallInterval.upperBound
        },
        Key("allowed", .orNull(.number), unit: "share", "What ε allows; null: nothing is claimed.")
        {
          .some($0.bounds[1])
        },
      ]),
    .group(
      "rare",
      [
        Key("falsePositiveRate", .number, "A rate of false alarms of 0.1 %.") { _ in 0.001 },
        Key("value", .number, unit: "share", "Members that are found then.") {
          $0.score.recall(at: 0.001)
        },
        Key("allowed", .orNull(.number), unit: "share", "What ε allows; null: nothing is claimed.")
        {
          .some($0.bounds[0])
        },
      ]),
  ])
}

extension LabelRow {
  fileprivate static let keys = Keys<Self>([
    Key("what", .text, "one step or local training.") { $0.what },
    Key("clients", .integer, "Clients that were attacked.") { $0.clients },
    Key("images", .integer, "Images whose labels were counted.") { $0.images },
    Key("miscounted", .number, unit: "share", "Images whose label was miscounted.") {
      $0.miscounted
    },
    Key("precision", .number, unit: "share", "Classes found that were there.") { $0.precision },
    Key("recall", .number, unit: "share", "Classes there that were found.") { $0.recall },
  ])
}

extension InversionRow {
  fileprivate static let keys = Keys<Self>([
    Key("attack", .text, "analytic, cosine or squares.") { $0.attack.rawValue },
    Key("batch", .integer, "Images per gradient.") { $0.batch },
    Key("clip", .orNull(.number), "Clipping norm; null: not clipped.") {
      .some($0.defence?.clip)
    },
    Key("noise", .orNull(.number), "Noise multiplier; null: none.") { .some($0.defence?.noise) },
    Key("images", .integer, "Images attacked.") { $0.images },
    Key("labels", .number, unit: "share", "Labels that were found.") { $0.labels },
    Key("psnr", .orNull(.number), unit: "dB", "Median PSNR of the reconstructions.") {
      .some($0.psnr)
    }, Key("ssim", .orNull(.number), "Median structural similarity.") { .some($0.ssim) },
    Key("exact", .orNull(.number), unit: "share", "Images with a PSNR above 60 dB.") {
      .some($0.exact)
    },
    Key("featureError", .orNull(.number), "Median relative error of features.") {
      .some($0.featureError)
    },
  ])
}
