import Base
import Data

extension ScenarioFields {
  /// The section `data`.
  package static let data: [Field] = [
    Field(
      "dataset", .union(dataset), .required, "The data set and where it lies.",
      synonyms: ["name", "set", "data"]), publicSet,
    Field(
      "longTail", .union(longTail), .optional,
      "How class sizes fall; left out, the training set stays as it is. Applied before the "
        + "partition, to what public and pre-training images leave.",
      synonyms: ["long_tail", "lt", "imbalance", "longtail"]),
    Field(
      "partition", .union(partition),
      .derived("iid; natural for leaf") { from in
        ["kind": from.values["data.dataset.kind"]?.text == "leaf" ? "natural" : "iid"]
      }, "How training examples are spread over clients.",
      synonyms: ["split", "splitter", "heterogeneity"]),
    Field("test", .object(test), .value([:]), "What a client is tested on."),
    Field(
      "augment",
      .list(
        of: .choice(of: DataSettings.Augmentation.self, synonyms: augmentations), counts: 0...2,
        unique: true),
      .derived("[\"crop4\", \"flip\"] for cifar10 and cifar100, else []") { from in
        let kind = from.values["data.dataset.kind"]?.text ?? ""
        return ["cifar10", "cifar100"].contains(kind) ? ["crop4", "flip"] : []
      }, "Random changes to training images: crop with 4 pixels of padding, mirror.",
      synonyms: ["augmentation", "augmentations", "transform", "transforms"]), styles,
    Field(
      "normalize", .choice(of: DataSettings.Normalization.self), .value("dataset"),
      "Per channel with mean and deviation of the training set, or pixels / 255.",
      synonyms: ["normalise", "normalization", "normalisation"]),
  ]

  static let augmentations = [
    "pad-crop-4": "crop4", "crop": "crop4", "random-crop": "crop4", "randomcrop": "crop4",
    "hflip": "flip", "mirror": "flip", "horizontal-flip": "flip",
  ]

  private static func path(_ summary: String) -> Field {
    Field(
      "path", .text(.path), .required, summary,
      synonyms: ["root", "dir", "folder", "data_path", "dataDir", "file"])
  }

  package static let dataset = Union(
    "kind",
    synonyms: [
      "cifar": "cifar10", "cifar-10": "cifar10", "cifar-100": "cifar100", "emnist": "mnist",
      "fmnist": "mnist", "fashion-mnist": "mnist", "femnist": "leaf", "shakespeare": "leaf",
      "numpy": "npy", "fake": "synthetic", "toy": "synthetic",
    ],
    [
      Variant(
        "synthetic", "A built-in image problem (32x32x3), made in memory from a seed.",
        [
          Field(
            "classes", .integer(2...1000), .value(10), "Number of classes.",
            synonyms: ["num_classes", "numClasses", "n_classes"]),
          Field(
            "trainPerClass", .integer(1...1_000_000), .value(500), unit: "images",
            "Training images per class.", synonyms: ["train", "train_size", "samples"]),
          Field(
            "testPerClass", .integer(1...1_000_000), .value(100), unit: "images",
            "Test images per class.", synonyms: ["test", "test_size"]),
          Field(
            "seed", .integer(0...largestSeed), .value(0),
            "Which problem is made; the runs' seeds do not change it."),
        ]),
      Variant(
        "cifar10", "CIFAR-10, binary version.", [path("Folder with data_batch_1.bin and others.")]),
      Variant(
        "cifar100", "CIFAR-100, binary version.",
        [
          path("Folder with train.bin and test.bin."),
          Field(
            "labels", .choice(["fine", "coarse"]), .value("fine"),
            "100 fine classes or 20 coarse ones."),
        ]),
      Variant(
        "mnist", "IDX files, plain or .gz: MNIST, Fashion-MNIST, EMNIST.",
        [
          path("Folder with train-images-idx3-ubyte and its three companions."),
          Field(
            "prefix", .text(.free), .value(""),
            "Stands before the file names, such as \"emnist-letters-\"."),
        ]),
      Variant("leaf", "LEAF JSON with natural clients.", [path("Folder with train/ and test/.")]),
      Variant(
        "npy", "NumPy arrays.", [path("Folder with x_train.npy, y_train.npy, x_test.npy, ...")]),
    ])

  // MARK: long tail

  private static let cap = Field(
    "maxPerClass", .integer(1...1_000_000_000), .optional, unit: "images",
    "Caps the largest class; left out, the size of the smallest full class, without the images of "
      + "data.public and model.pretrain.", synonyms: ["max", "n_max", "img_max"])

  private static let factor = Field(
    "factor", .number(NumberRange(1, 1e9, offersInverse: true)), .required,
    "Imbalance factor: largest class / smallest class.",
    synonyms: ["IF", "imb_factor", "imbalance_factor", "imbalance", "ratio", "imbalanceFactor"])

  package static let longTail = Union(
    "profile", default: "exponential",
    synonyms: ["exp": "exponential", "power": "pareto", "list": "explicit", "counts": "explicit"],
    [
      Variant(
        "exponential", "n_i = floor(n_max · factor^(−i/(C−1))): CIFAR-LT (Cao et al. 2019).",
        [factor, cap]),
      Variant(
        "step", "The first half of the classes keeps n_max, the others n_max / factor.",
        [factor, cap]),
      Variant("pareto", "Sizes fall as a power law from n_max to n_max / factor.", [factor, cap]),
      Variant(
        "explicit", "One size per class.",
        [
          Field(
            "counts", .list(of: .integer(0...1_000_000_000), counts: 2...100_000, unique: false),
            .required, unit: "images", "Training images of each class, in label order.",
            synonyms: ["sizes", "list", "n"]), cap,
        ]),
    ])

  // MARK: partition

  static let alpha = Field(
    "alpha", .number(above: 0, to: 1e6), .required,
    "Concentration of the Dirichlet distribution; small is skewed. Usual: 0.1 to 1.",
    synonyms: ["beta", "concentration", "alpha_dirichlet", "partition_alpha", "dir_alpha"])

  private static func minimum(_ value: Int) -> Field {
    Field(
      "minPerClient", .integer(0...1_000_000_000), .value(.int(value)), unit: "images",
      "Every client gets at least this many.",
      synonyms: ["min_size", "min_require_size", "minSize", "least_samples"])
  }

  package static let partition = Union(
    "kind",
    synonyms: [
      "dir": "dirichlet", "noniid": "dirichlet", "noniid-labeldir": "dirichlet-cut",
      "lda": "dirichlet", "pathological": "shards", "shard": "shards", "pat": "shards",
      "uniform": "iid", "homogeneous": "iid", "balanced": "dirichlet-balanced",
      "quantity-skew": "quantity", "client-prior": "dirichlet-prior", "user": "natural",
      "users": "natural",
    ],
    [
      Variant("iid", "Shuffled and dealt out evenly."),
      Variant(
        "dirichlet",
        "For each class p ~ Dir(alpha), each image goes to a client drawn from p; sizes are free.",
        [alpha, minimum(0)]),
      Variant(
        "dirichlet-cut",
        "For each class p ~ Dir(alpha), full clients drop out, the class is cut at cumulated p.",
        [alpha, minimum(10)]),
      Variant(
        "dirichlet-balanced", "Dirichlet class mixes, equal sizes (differ by at most 1).", [alpha]),
      dirichletPrior,
      Variant(
        "shards", "Sorted by label, cut into clients x perClient shards, dealt at random.",
        [
          Field(
            "perClient", .integer(1...100_000), .value(2), unit: "shards", "Shards of a client.",
            synonyms: ["shards", "shards_per_client", "n_shards", "classes_per_client"])
        ]),
      Variant(
        "quantity", "Class mixes alike, sizes skewed.", [minimum(1)],
        inner: Union(
          "distribution", default: "log-normal",
          synonyms: ["lognormal": "log-normal", "powerlaw": "power-law", "zipf": "power-law"],
          [
            Variant(
              "log-normal", "Sizes ∝ exp(sigma · N(0,1)).",
              [
                Field(
                  "sigma", .number(from: 0, to: 10), .value(1), "Spread of the logarithm of sizes.",
                  synonyms: ["std", "s"])
              ]),
            Variant(
              "power-law", "Sizes ∝ rank^(−exponent).",
              [
                Field(
                  "exponent", .number(from: 0, to: 10), .value(1), "How fast sizes fall.",
                  synonyms: ["a", "power"])
              ]),
          ])),
      Variant(
        "file", "A split made elsewhere: {\"clients\": [[index, ...], ...]}.",
        [path("The JSON file, as in a run folder's split/partition.json.")]),
      Variant("natural", "The users of a LEAF data set."),
    ])

  private static let test: [Field] = [
    Field(
      "local", .choice(of: DataSettings.LocalTest.Policy.self), .value("prior-weighted"),
      "Local test policy: the balanced test set weighted by the client's class mix, test images "
        + "drawn to match it, or a part of the client's own data.",
      synonyms: ["policy", "personal"]),
    Field(
      "perClass", .integer(1...1_000_000), .value(100), unit: "images",
      "Test images per class used by prior-weighted."),
    Field(
      "holdoutShare", .number(NumberRange(0, 1, exclusiveMinimum: true, exclusiveMaximum: true)),
      .value(0.2), "Share of a client's examples kept for testing by holdout.",
      synonyms: ["holdout", "test_fraction", "test_ratio"]),
  ]
}
