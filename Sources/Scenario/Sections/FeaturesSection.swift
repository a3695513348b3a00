import Base
import Data

/// The section `model.features`.
extension ScenarioFields {
  static let features = Part(
    "features", .union(sources), .optional,
    "What the network sees in place of images: features that no other image decides, made once.",
    synonyms: ["embedding", "embeddings", "featureExtractor"]
  ).ifGiven

  private static let sources = Cases(
    "kind", synonyms: ["scatter": "scattering", "scatternet": "scattering", "file": "npy"],
    [
      Case(
        "scattering",
        "A scattering transform, J = 2 and L = 8 (Bruna and Mallat 2013, arXiv:1203.1513; under "
          + "privacy Tramer and Boneh 2021, arXiv:2011.11660).",
        Part(
          "orders", .integer(1...2), .value(2),
          "1: 17 channels for each colour; 2: 81 of them, a quarter of the side each way."), groups,
        standardise
      ) { FeatureSettings(source: .scattering(orders: $0), groups: $1, standardisation: $2) },
      Case(
        "npy", "Arrays of features that another program made.",
        Part(
          "path", .text(.path), .required,
          "Folder with train.npy and test.npy: [N, F] or [N, H, W, C] in the data set's order."),
        groups, standardise
      ) { FeatureSettings(source: .npy(path: $0), groups: $1, standardisation: $2) },
    ])

  private static let groups = Part(
    "groups", .integer(1...1_000_000), .optional,
    "Groups of channels that are normalised over each image's own values; left out: none.",
    synonyms: ["norm", "groupNorm", "num_groups"]
  ).ifGiven

  private static let standardise = Part(
    "standardise",
    .object(
      Part(
        "noiseMultiplier", .number(above: 0, to: 1e6), .value(8),
        "Deviation of the noise on a client's two sums, divided by their clips; what the release "
          + "costs stands in every epsilon.", synonyms: ["sigma", "noise_multiplier", "bn_noise"]),
      Part(
        "clipMeans", .number(above: 0, to: 1e30), .required,
        "Clip of a record's means over space. A constant, not a statistic of the data."),
      Part(
        "clipSquares", .number(above: 0, to: 1e30), .required,
        "Clip of a record's mean squares over space. A constant, not a statistic of the data."),
      make: FeatureSettings.Standardisation.init), .optional,
    "Channels are standardised by means and deviations from noisy sums that clients release once.",
    synonyms: ["standardize", "dataNorm", "data_norm"]
  ).ifGiven
}

/// Checks of `model.features`.
extension ScenarioChecks {
  mutating func checkFeatures() {
    guard lines["model.features"] != nil else { return }
    if values["data.augment"]?.elements?.isEmpty == false {
      error(
        "E3266", "data.augment",
        "model.features are made once, of images as they are: nothing is changed at random",
        hint: "say \"data\": { \"augment\": [] }")
    }
    if text("data.normalize") == "dataset" {
      error(
        "E3266", "data.normalize",
        "features are as they are; statistics of the training set would be released without noise",
        hint: "say \"data\": { \"normalize\": \"none\" }; model.features.standardise has noise")
    }
    if lines["data.styles"] != nil {
      error(
        "E3266", "data.styles", "model.features are made of images without styles",
        hint: "leave one of the two out")
    }
    checkStandardisation()
  }

  /// Who protects what clients release of their features.
  private mutating func checkStandardisation() {
    guard lines["model.features.standardise"] != nil else { return }
    let own = values.keys.filter { $0.hasPrefix("strategies[") && $0.hasSuffix("].privacy.unit") }
    for path in ["privacy.unit"] + own.sorted() {
      let section = path.dropLast(".unit".count)
      if text(path) == "client" {
        error(
          "E3266", path,
          "model.features.standardise releases sums of each client, which \"client\" hides whole",
          hint: "take model.features.groups in its place")
      } else if text("\(section).mechanism") == "dice-sgd" {
        error(
          "E3266", "\(section).mechanism",
          "no argument for DiceSGD's epsilon covers a release before the first round",
          hint: "take dp-sgd, or model.features.groups in place of standardise")
      }
    }
  }
}
