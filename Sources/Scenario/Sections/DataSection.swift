import Base
import Client
import Data

/// The section `data`.
extension ScenarioFields {
  static let data = Domain<DataSettings>.object(
    Part(
      "dataset", .union(dataset), .required, "The data set and where it is.",
      synonyms: ["name", "set", "data"]), resize, publicSet,
    Part(
      "longTail", .union(longTail), .optional,
      "How class sizes fall; left out, the training set stays as it is. Applied before the "
        + "partition, to what public and pre-training images leave.",
      synonyms: ["long_tail", "lt", "imbalance", "longtail"]
    ).ifGiven,
    Part(
      "partition", .union(partition),
      .derived("iid; natural for leaf") { from in
        ["kind": from.values["data.dataset.kind"]?.text == "leaf" ? "natural" : "iid"]
      }, "How training examples are spread over clients.",
      synonyms: ["split", "splitter", "heterogeneity"]),
    Part("test", .object(test), .value([:]), "What a client is tested on."),
    Part(
      "augment", augmentations,
      .derived("[\"crop4\", \"flip\"] for cifar10 and cifar100, else []") { from in
        let kind = from.values["data.dataset.kind"]?.text ?? ""
        return ["cifar10", "cifar100"].contains(kind) ? ["crop4", "flip"] : []
      }, "Random changes to training images: crop with 4 pixels of padding, mirror.",
      synonyms: ["augmentation", "augmentations", "transform", "transforms"]), styles,
    Part(
      "normalize", .choice(of: DataSettings.Normalization.self), .value("dataset"),
      "Per channel with mean and deviation of the training set, or pixels / 255.",
      synonyms: ["normalise", "normalization", "normalisation"])
  ) { dataset, resize, publicSet, longTail, partition, test, augment, styles, normalize in
    DataSettings(
      dataset: dataset, longTail: longTail, partition: partition, localTest: test, augment: augment,
      normalize: normalize, publicSet: publicSet, styles: styles, resize: resize)
  }

  static let augmentations = Domain<[DataSettings.Augmentation]>.list(
    of: .choice(
      of: DataSettings.Augmentation.self,
      synonyms: [
        "pad-crop-4": "crop4", "crop": "crop4", "random-crop": "crop4", "randomcrop": "crop4",
        "hflip": "flip", "mirror": "flip", "horizontal-flip": "flip",
      ]), counts: 0...2, unique: true)

  private static func path(_ summary: String) -> Part<String> {
    Part(
      "path", .text(.path), .required, summary,
      synonyms: ["root", "dir", "folder", "data_path", "dataDir", "file"])
  }

  private static let dataset = Cases<DataSettings.Dataset>(
    "kind",
    synonyms: [
      "cifar": "cifar10", "cifar-10": "cifar10", "cifar-100": "cifar100", "emnist": "mnist",
      "fmnist": "mnist", "fashion-mnist": "mnist", "femnist": "leaf", "shakespeare": "leaf",
      "numpy": "npy", "fake": "synthetic", "toy": "synthetic",
    ],
    [
      Case(
        "synthetic", "A built-in image problem (32x32x3), made in memory from a seed.",
        Part(
          "classes", .integer(2...1000), .value(10), "Number of classes.",
          synonyms: ["num_classes", "numClasses", "n_classes"]),
        Part(
          "trainPerClass", .integer(1...1_000_000), .value(500), unit: "images",
          "Training images per class.", synonyms: ["train", "train_size", "samples"]),
        Part(
          "testPerClass", .integer(1...1_000_000), .value(100), unit: "images",
          "Test images per class.", synonyms: ["test", "test_size"]),
        Part("seed", .seed, .value(0), "Which problem is made; the runs' seeds do not change it.")
      ) { .synthetic(classes: $0, trainPerClass: $1, testPerClass: $2, seed: $3) },
      Case("cifar10", "CIFAR-10, binary version.", path("Folder with data_batch_1.bin and others."))
      { .cifar10(path: $0) },
      Case(
        "cifar100", "CIFAR-100, binary version.", path("Folder with train.bin and test.bin."),
        Part(
          "labels", .words(["fine": false, "coarse": true]), .value("fine"),
          "100 fine classes or 20 coarse ones.")
      ) { .cifar100(path: $0, coarse: $1) },
      Case(
        "mnist", "IDX files, plain or .gz: MNIST, Fashion-MNIST, EMNIST.",
        path("Folder with train-images-idx3-ubyte and its three companions."),
        Part(
          "prefix", .text(.free), .value(""),
          "Stands before the file names, such as \"emnist-letters-\".")
      ) { .mnist(path: $0, prefix: $1) },
      Case("leaf", "LEAF JSON with natural clients.", path("Folder with train/ and test/.")) {
        .leaf(path: $0)
      },
      Case(
        "npy",
        "NumPy arrays of one's own: images, series or features.",
        path("Folder with x_train.npy, y_train.npy, x_test.npy, y_test.npy."),
        Part(
          "channels", .choice(of: ChannelPlace.self), .optional,
          "Where x has its channels; left out: first where the axis after N is 1 or 3 and the last "
            + "one is not, else last.", synonyms: ["layout", "data_format", "dataFormat"]
        ).ifGiven
      ) { .npy(path: $0, channels: $1) },
    ])

  private static let resize = Part(
    "resize",
    .object(
      Part(
        "height", .integer(1...4096), .required, unit: "pixels", "Rows of an image.",
        synonyms: ["size", "side", "h"]),
      Part(
        "width", .integer(1...4096),
        .derived("height") { $0.values["data.resize.height"] ?? 1 }, unit: "pixels",
        "Columns of an image.", synonyms: ["w"]), make: DataSettings.Resize.init), .optional,
    "The size that all images get after they are read, before styles and augmentation: bilinear, "
      + "as PyTorch's interpolate with antialias. Left out, images stay as they are.",
    synonyms: ["size", "image_size", "imageSize", "img_size", "input_size"]
  ).ifGiven

  private static let publicSet = Part(
    "public",
    .object(
      Part(
        "size", .integer(1...1_000_000_000), .required, unit: "images",
        "Number of public images T.",
        synonyms: ["images", "n", "samples", "transfer_size", "count"]),
      Part(
        "classes", .words(["balanced": ()]), .value("balanced"),
        "How classes are spread: T / C each, what is over to the lowest labels.")
    ) { size, _ in DataSettings.PublicSet(size: size) }, .optional,
    "Training images that everybody may look at and nobody holds, for methods that exchange "
      + "predictions. Held out before the long tail and the partition, whose n_max is then the "
      + "smallest class that is left; with a partition file, drawn from what it does not list.",
    synonyms: ["publicData", "public_set", "transferSet", "transfer_set", "proxy", "publicSet"]
  ).ifGiven

  // MARK: long tail

  private static let longTail = Cases<DataSettings.LongTail>(
    "profile", default: "exponential",
    synonyms: ["exp": "exponential", "power": "pareto", "list": "explicit", "counts": "explicit"],
    [
      Case(
        "exponential", "n_i = floor(n_max · factor^(−i/(C−1))): CIFAR-LT (Cao et al. 2019).",
        factor, cap
      ) { DataSettings.LongTail(profile: .exponential(factor: $0), maxPerClass: $1) },
      Case(
        "step", "The first half of the classes keeps n_max, the others n_max / factor.", factor, cap
      ) { DataSettings.LongTail(profile: .step(factor: $0), maxPerClass: $1) },
      Case("pareto", "Sizes fall as a power law from n_max to n_max / factor.", factor, cap) {
        DataSettings.LongTail(profile: .pareto(factor: $0), maxPerClass: $1)
      },
      Case(
        "explicit", "One size per class.",
        Part(
          "counts", .list(of: .integer(0...1_000_000_000), counts: 2...100_000, unique: false),
          .required, unit: "images", "Training images of each class, in label order.",
          synonyms: ["sizes", "list", "n"]), cap
      ) { DataSettings.LongTail(profile: .explicit(counts: $0), maxPerClass: $1) },
    ])

  private static let factor = Part<Double>(
    "factor", .number(NumberRange(1, 1e9, offersInverse: true)), .required,
    "Imbalance factor: largest class / smallest class.",
    synonyms: ["IF", "imb_factor", "imbalance_factor", "imbalance", "ratio", "imbalanceFactor"])

  private static let cap = Part(
    "maxPerClass", .integer(1...1_000_000_000), .optional, unit: "images",
    "Caps the largest class; left out, the size of the smallest full class, without the images of "
      + "data.public and model.pretrain.", synonyms: ["max", "n_max", "img_max"]
  ).ifGiven

  // MARK: partition

  private static let partition = Cases<DataSettings.Partition>(
    "kind",
    synonyms: [
      "dir": "dirichlet", "noniid": "dirichlet", "noniid-labeldir": "dirichlet-cut",
      "lda": "dirichlet", "pathological": "shards", "shard": "shards", "pat": "shards",
      "uniform": "iid", "homogeneous": "iid", "balanced": "dirichlet-balanced",
      "quantity-skew": "quantity", "client-prior": "dirichlet-prior", "user": "natural",
      "users": "natural",
    ],
    [
      Case("iid", "Shuffled and dealt out evenly.", .iid),
      Case(
        "dirichlet",
        "For each class p ~ Dir(alpha), each image goes to a client drawn from p; sizes are free.",
        alpha, minimum(0)
      ) { .dirichlet(alpha: $0, minPerClient: $1) },
      Case(
        "dirichlet-cut",
        "For each class p ~ Dir(alpha), full clients drop out, the class is cut at cumulated p.",
        alpha, minimum(10)
      ) { .dirichletCut(alpha: $0, minPerClient: $1) },
      Case("dirichlet-balanced", "Dirichlet class mixes, equal sizes (differ by at most 1).", alpha)
      { .dirichletBalanced(alpha: $0) },
      Case(
        "dirichlet-prior",
        "For each client q ~ Dir(alpha) over classes, and exactly perClient images in these "
          + "shares, one client after the other; what is left is not used.", alpha,
        Part(
          "perClient", .integer(1...1_000_000_000), .optional, unit: "images",
          "Images of a client K; left out, images / clients, rounded down.",
          synonyms: ["K", "images", "samples", "samples_per_client"]
        ).ifGiven,
        Part(
          "minPerClass", .integer(0...1_000_000_000), .value(1), unit: "images",
          "Every client gets at least this many of each class that still has images.",
          synonyms: ["min_per_class", "least_per_class"])
      ) { .dirichletPrior(alpha: $0, perClient: $1, minPerClass: $2) },
      Case(
        "shards", "Sorted by label, cut into clients x perClient shards, dealt at random.",
        Part(
          "perClient", .integer(1...100_000), .value(2), unit: "shards", "Shards of a client.",
          synonyms: ["shards", "shards_per_client", "n_shards", "classes_per_client"])
      ) { .shards(perClient: $0) },
      Case("quantity", "Class mixes alike, sizes skewed.", minimum(1), Part(inner: quantityLaw)) {
        .quantity($1, minPerClient: $0)
      },
      Case(
        "file", "A split made elsewhere: {\"clients\": [[index, ...], ...]}.",
        path("The JSON file, as in a run folder's split/partition.json.")
      ) { .file(path: $0) }, Case("natural", "The users of a LEAF data set.", .natural),
    ])

  private static let alpha = Part<Double>(
    "alpha", .number(above: 0, to: 1e6), .required,
    "Concentration of the Dirichlet distribution; small is skewed. Usual: 0.1 to 1.",
    synonyms: ["beta", "concentration", "alpha_dirichlet", "partition_alpha", "dir_alpha"])

  private static func minimum(_ value: Int) -> Part<Int> {
    Part(
      "minPerClient", .integer(0...1_000_000_000), .value(.int(value)), unit: "images",
      "Every client gets at least this many.",
      synonyms: ["min_size", "min_require_size", "minSize", "least_samples"])
  }

  private static let quantityLaw = Cases<DataSettings.QuantityLaw>(
    "distribution", default: "log-normal",
    synonyms: ["lognormal": "log-normal", "powerlaw": "power-law", "zipf": "power-law"],
    [
      Case(
        "log-normal", "Sizes ∝ exp(sigma · N(0,1)).",
        Part(
          "sigma", .number(from: 0, to: 10), .value(1), "Spread of the logarithm of sizes.",
          synonyms: ["std", "s"])
      ) { .logNormal(sigma: $0) },
      Case(
        "power-law", "Sizes ∝ rank^(−exponent).",
        Part(
          "exponent", .number(from: 0, to: 10), .value(1), "How fast sizes fall.",
          synonyms: ["a", "power"])
      ) { .powerLaw(exponent: $0) },
    ])

  // MARK: tests and styles

  private static let test = Part(
    Part(
      "local", .choice(of: DataSettings.LocalTest.Policy.self), .value("prior-weighted"),
      "Local test policy: the balanced test set weighted by the client's class mix, test images "
        + "drawn to match it, or a part of the client's own data.",
      synonyms: ["policy", "personal"]),
    Part(
      "perClass", .integer(1...1_000_000), .value(100), unit: "images",
      "Test images per class used by prior-weighted."),
    Part(
      "holdoutShare", .openShare, .value(0.2),
      "Share of a client's examples kept for testing by holdout.",
      synonyms: ["holdout", "test_fraction", "test_ratio"]),
    Part(
      "mask", .flag, .optional,
      "Whether predictions in a local test are among the classes that the test has; personal "
        + "accuracy is then never lower.", synonyms: ["classMask", "class_mask"]
    ).ifGiven
  ) {
    DataSettings.LocalTest(policy: $0, perClass: $1, holdoutShare: $2, isMasked: $3 ?? false)
  }

  private static let styles = Part(
    "styles",
    .object(
      Part(
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
      Part(
        "perClient", .integer(1...ImageStyle.allCases.count),
        .derived("every style listed") { from in
          .int(max(1, from.values["data.styles.kinds"]?.elements?.count ?? 1))
        }, unit: "styles", "Different styles of a client, m; each of its images has one of them.",
        synonyms: ["per_client", "m"]), make: DataSettings.Styles.init), .optional,
    "Known changes to whole images, so that a client's own images differ from each other. Test "
      + "images have any of the styles listed; public and pre-training images stay plain.",
    synonyms: ["style", "domains", "featureShift", "feature_shift"]
  ).ifGiven
}

extension AugmentationPlan {
  /// The plan of the words in a scenario.
  package init(_ steps: [DataSettings.Augmentation]) {
    self.init(cropPadding: steps.contains(.crop4) ? 4 : 0, flips: steps.contains(.flip))
  }
}
