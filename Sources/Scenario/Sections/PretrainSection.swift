import Aggregation
import Base
import Data

/// The section `model.pretrain`.
extension ScenarioFields {
  static let pretrain = Part(
    "pretrain", .object(pretraining), .optional,
    "Trains the network before the first round on images that no client has, once for all runs: "
      + "either a number of images or whole classes.",
    synonyms: ["pretraining", "pretrained", "warmStart", "warm_start"]
  ).ifGiven

  private static let pretraining = Part(
    Part(
      "images", .integer(1...1_000_000_000), .optional, unit: "images",
      "Training images to learn from, balanced over classes, held out before everything else.",
      synonyms: ["size", "samples", "n"], excludes: "classes"
    ).ifGiven,
    Part(
      "classes", .list(of: .integer(0...99_999), counts: 2...99_999, unique: true), .optional,
      "Classes to learn from instead: the clients' problem, training and test, is then the other "
        + "classes, relabelled 0, 1, ... in order; indices of a partition file and counts of a "
        + "long tail mean what is left.", synonyms: ["labels", "heldOutClasses"], excludes: "images"
    ).ifGiven,
    Part(
      "epochs", .integer(1...1_000_000), .value(30), unit: "epochs", "Passes over these images.",
      synonyms: ["pretrain_epochs", "E"]),
    Part(
      "batch", .integer(1...1_000_000), .value(128), unit: "examples", "Examples per step.",
      synonyms: ["batch_size", "batchSize", "bs", "B"]),
    Part(
      "optimizer", .union(optimizer), .value([:]),
      "The optimizer of pre-training; fields as in client.optimizer.",
      synonyms: ["optimiser", "opt"]),
    Part(
      "schedule", .union(schedule), .value(["kind": "cosine"]),
      "The learning rate over epochs; fields as in client.schedule, an epoch for a round.",
      synonyms: ["scheduler", "lr_scheduler", "lr_schedule"]),
    Part(
      "augment", augmentations, .derived("data.augment") { $0.values["data.augment"] ?? [] },
      "Random changes to these images; words as in data.augment.",
      synonyms: ["augmentation", "augmentations", "transform", "transforms"]),
    Part(
      "seed", .seed, .value(0),
      "Which images, initial weights and batches; one for all runs, whatever their seeds.")
  ) { images, classes, epochs, batch, optimizer, schedule, augment, seed in
    PretrainSettings(
      source: classes.map { .classes($0.sorted()) } ?? .images(images ?? 0), epochs: epochs,
      batch: batch, optimizer: optimizer, schedule: schedule, augment: augment, seed: seed)
  }
}

/// Checks of `model.pretrain`.
extension ScenarioChecks {
  mutating func checkPretrain() {
    guard lines["model.pretrain"] != nil else { return }
    let list = values["model.pretrain.classes"]?.elements?.compactMap(\.int)
    let isWrong = ["images", "classes"].contains { lines["model.pretrain.\($0)"] != nil }
    if !isWrong {
      error(
        "E3253", "model.pretrain", "found neither \"images\" nor \"classes\"; expected one of them",
        hint: "\"images\": 5000 holds that many out; \"classes\": [8, 9] takes whole classes")
    }
    checkOptimizer(at: "model.pretrain.optimizer")
    guard let list, let all = allClasses else { return }
    if let label = list.first(where: { $0 >= all }) {
      error(
        "E3254", "model.pretrain.classes",
        "found class \(label); the data set has classes 0 to \(all - 1)")
    } else if all - list.count < 2 {
      error(
        "E3254", "model.pretrain.classes",
        "found \(list.count) of \(all) classes, which leaves \(all - list.count) for the clients",
        hint: "leave at least two")
    }
  }

  /// Methods that freeze the network want one that has learnt something.
  mutating func checkTrainedNetwork(_ strategy: String, at path: String) {
    let isTrained = lines["model.pretrain"] != nil && values["\(path).pretrained"]?.truth != false
    guard let type = StrategyRegistry[strategy], type.needs.contains(.trainedNetwork), !isTrained,
      text("model.init.kind") != "file"
    else { return }
    warn(
      "W3030", path, "\(strategy) freezes the network, and nothing has trained it",
      hint: "add model.pretrain, or model.init with kind \"file\" and head \"fresh\"")
  }
}
