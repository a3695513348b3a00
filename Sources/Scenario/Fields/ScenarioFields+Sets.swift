import Base
import Data

/// Fields that take images away from the clients or change them, and models of groups of clients.
extension ScenarioFields {
  package static let publicSet = Field(
    "public",
    .object([
      Field(
        "size", .integer(1...1_000_000_000), .required, unit: "images",
        "Number of public images T.",
        synonyms: ["images", "n", "samples", "transfer_size", "count"]),
      Field(
        "classes", .choice(["balanced"]), .value("balanced"),
        "How classes are spread: T / C each, what is over to the lowest labels."),
    ]), .optional,
    "Training images that everybody may look at and nobody holds, for methods that exchange "
      + "predictions. Held out before the long tail and the partition, whose n_max is then the "
      + "smallest class that is left; with a partition file, drawn from what it does not list.",
    synonyms: ["publicData", "public_set", "transferSet", "transfer_set", "proxy", "publicSet"])

  package static let styles = Field(
    "styles",
    .object([
      Field(
        "kinds",
        .list(
          of: .choice(
            of: ImageStyle.self,
            synonyms: [
              "none": "plain", "identity": "plain", "rot90": "rotate90", "rotate": "rotate90",
              "rot180": "rotate180", "inverse": "invert", "negative": "invert", "grey": "grayscale",
              "gray": "grayscale", "greyscale": "grayscale", "smooth": "blur", "hflip": "flip",
              "mirror": "flip",
            ]), counts: 1...ImageStyle.allCases.count, unique: true), .required,
        "The styles that occur: plain, rotate90, rotate180 (turned), invert (colours reflected), "
          + "grayscale (luminance), blur (3x3 mean), flip (mirrored).",
        synonyms: ["styles", "list", "transforms"]),
      Field(
        "perClient", .integer(1...ImageStyle.allCases.count),
        .derived("every style listed") { from in
          .int(max(1, from.values["data.styles.kinds"]?.elements?.count ?? 1))
        }, unit: "styles", "Different styles of a client, m; each of its images has one of them.",
        synonyms: ["per_client", "m"]),
    ]), .optional,
    "Known changes to whole images, so that a client's own images differ from each other. Test "
      + "images have any of the styles listed; public and pre-training images stay plain.",
    synonyms: ["style", "domains", "featureShift", "feature_shift"])

  package static let dirichletPrior = Variant(
    "dirichlet-prior",
    "For each client q ~ Dir(alpha) over classes, and exactly perClient images in these shares, "
      + "one client after the other; what is left is not used.",
    [
      alpha,
      Field(
        "perClient", .integer(1...1_000_000_000), .optional, unit: "images",
        "Images of a client K; left out, images / clients, rounded down.",
        synonyms: ["K", "images", "samples", "samples_per_client"]),
      Field(
        "minPerClass", .integer(0...1_000_000_000), .value(1), unit: "images",
        "Every client gets at least this many of each class that still has images.",
        synonyms: ["min_per_class", "least_per_class"]),
    ])

  // MARK: models

  package static let pretrain = Field(
    "pretrain",
    .object([
      Field(
        "images", .integer(1...1_000_000_000), .optional, unit: "images",
        "Training images to learn from, balanced over classes, held out before everything else.",
        synonyms: ["size", "samples", "n"], excludes: "classes"),
      Field(
        "classes", .list(of: .integer(0...99_999), counts: 2...99_999, unique: true), .optional,
        "Classes to learn from instead: the clients' problem, training and test, is then the other "
          + "classes, relabelled 0, 1, ... in order; indices of a partition file and counts of a "
          + "long tail mean what is left.", synonyms: ["labels", "heldOutClasses"],
        excludes: "images"),
      Field(
        "epochs", .integer(1...1_000_000), .value(30), unit: "epochs", "Passes over these images.",
        synonyms: ["pretrain_epochs", "E"]),
      Field(
        "batch", .integer(1...1_000_000), .value(128), unit: "examples", "Examples per step.",
        synonyms: ["batch_size", "batchSize", "bs", "B"]),
      Field(
        "optimizer", .union(optimizer.union), .value([:]),
        "The optimizer of pre-training; fields as in client.optimizer.",
        synonyms: ["optimiser", "opt"]),
      Field(
        "schedule", .union(schedule.union), .value(["kind": "cosine"]),
        "The learning rate over epochs; fields as in client.schedule, an epoch for a round.",
        synonyms: ["scheduler", "lr_scheduler", "lr_schedule"]),
      Field(
        "augment",
        .list(
          of: .choice(of: DataSettings.Augmentation.self, synonyms: augmentations), counts: 0...2,
          unique: true), .derived("data.augment") { $0.values["data.augment"] ?? [] },
        "Random changes to these images; words as in data.augment.",
        synonyms: ["augmentation", "augmentations", "transform", "transforms"]),
      Field(
        "seed", .integer(0...largestSeed), .value(0),
        "Which images, initial weights and batches; one for all runs, whatever their seeds."),
    ]), .optional,
    "Trains the network before the first round on images that no client has, once for all runs: "
      + "either a number of images or whole classes.",
    synonyms: ["pretraining", "pretrained", "warmStart", "warm_start"])

  package static let clientModels = Field(
    "clientModels",
    .list(
      of: .object([
        Field(
          "share", .number(above: 0, to: 1), .required,
          "Share of the clients, which are taken in order; all shares add up to 1.",
          synonyms: ["fraction", "part", "weight"]),
        Field(
          "model", .union(model.union), .value([:]),
          "The network of these clients; fields as in model.",
          synonyms: ["network", "net"]),
      ]), counts: 1...1000, unique: false), .optional,
    "Groups of clients with networks of their own, for methods that do not exchange weights; "
      + "model stays the server's.",
    synonyms: ["client_models", "modelGroups", "heterogeneousModels", "models"])
}

extension Union {
  /// The same choice with one more field, whatever is chosen.
  func adding(_ field: Field) -> Union {
    Union(
      tag, default: initial, shorthand: shorthand, synonyms: synonyms, common: common + [field],
      variants)
  }
}
