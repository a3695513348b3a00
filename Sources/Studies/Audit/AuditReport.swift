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
  /// One row per group of classes.
  package var membership: [MembershipRow] = []
  /// One row per attack, batch and defence.
  package var inversion: [InversionRow] = []
  /// Originals and reconstructions, in the order of the images.
  package var pictures: [AuditPicture] = []
  /// C of the defences; nil without attacks on gradients.
  package var clip: Double?
}

/// Membership of a group of classes, every class with as many members as others.
package struct MembershipRow: Sendable {
  /// "all", "head", "middle" or "tail".
  package let group: String
  package let score: MembershipScore
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
  package var json: JSON {
    [
      "schema": 1, "name": .string(name), "scenarioHash": .string(scenarioHash),
      "version": .string(FedsimVersion.current), "settings": settings.json,
      "runs": .array(runs.map(\.json)),
    ]
  }
}

extension AuditSettings {
  package var json: JSON {
    [
      "attacks": .array(attacks.map { .string($0.rawValue) }), "model": .string(model.rawValue),
      "clients": .int(clients), "images": .int(images), "iterations": .int(iterations),
      "batches": .array(batches.map { .int($0) }), "totalVariation": .number(totalVariation),
      "noises": .array(noises.map { .number($0) }), "clip": clip.map { .number($0) } ?? .null,
      "membersPerClass": .int(membersPerClass), "trials": .int(trials),
      "canaryBatches": .int(canaryBatches),
    ]
  }
}

extension AuditedRun {
  package var json: JSON {
    [
      "strategy": .string(strategy), "seed": .int(Int(clamping: seed)),
      "model": model.map { .string($0) } ?? .null, "notes": .array(notes.map { .string($0) }),
      "canaries": .array(canaries.map(\.json)), "membership": .array(membership.map(\.json)),
      "clip": clip.map { .number($0) } ?? .null, "inversion": .array(inversion.map(\.json)),
    ]
  }
}

extension CanaryRow {
  package var json: JSON {
    [
      "client": .int(client), "batches": .int(batches), "trials": .int(trials),
      "claimed": .number(claimed), "atLeast": .number(found.epsilon), "delta": .number(found.delta),
      "confidence": .number(found.confidence), "contradicted": .bool(isContradicted),
    ]
  }
}

extension MembershipRow {
  package var json: JSON {
    [
      "group": .string(group), "members": .int(score.members), "others": .int(score.others),
      "auc": .number(score.auc), "advantage": .number(score.advantage),
      "bestAdvantage": .number(score.bestAdvantage),
      "recall": [
        "falsePositiveRate": .number(score.rate), "value": .number(score.recall),
        "low": .number(score.recallInterval.lowerBound),
        "high": .number(score.recallInterval.upperBound),
      ],
    ]
  }
}

extension InversionRow {
  package var json: JSON {
    func value(_ number: Double?) -> JSON { number.map { .number($0) } ?? .null }
    return [
      "attack": .string(attack.rawValue), "batch": .int(batch), "clip": value(defence?.clip),
      "noise": value(defence?.noise), "images": .int(images), "labels": .number(labels),
      "psnr": value(psnr), "ssim": value(ssim), "exact": value(exact),
      "featureError": value(featureError),
    ]
  }
}
