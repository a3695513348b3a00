import Base
import Client

/// What is measured once of a finished run's generic model on the test set: `diagnostics.json`.
///
/// A part is nil where it has no meaning: weight norms and alignment without a linear classifier on
/// the features, the geometry of features where logits come from something else than features.
package struct ModelDiagnostics: Sendable, Equatable {
  /// The round after which it was measured.
  package var round: Int
  /// The state that was measured, as in `digest.txt`.
  package var digest: String
  /// Test images.
  package var images: Int
  /// Confidence against accuracy.
  package var calibration: CalibrationBins
  /// ‖w_c‖₂ of each class's row of the classifier; nil without a linear one.
  package var weightNorms: [Double]?
  /// The features' geometry; nil where it was not measured.
  package var collapse: Collapse?

  /// Neural collapse (Papyan, Han and Donoho 2020), as `ClassGeometry` defines it.
  package struct Collapse: Sendable, Equatable {
    /// Classes with test images.
    package var classes: Int
    /// d, the width of the features.
    package var width: Int
    /// NC1 = tr(Σ_W·Σ_B⁺)/C; nil when all class means are the same.
    package var withinClassVariability: Double?
    /// Standard deviation over pairs of classes of the cosine between their centred means.
    package var cosineDeviation: Double?
    /// Mean over pairs of |cosine + 1/(C − 1)|.
    package var cosineGap: Double?
    /// Standard deviation of the centred means' norms divided by their mean.
    package var normVariation: Double?
    /// ‖W/‖W‖ − M/‖M‖‖ of classifier and centred means; nil without a linear classifier.
    package var alignmentDistance: Double?
    /// Mean over classes of the cosine between classifier row and centred mean.
    package var alignmentCosine: Double?

    /// Nothing known but sizes.
    package init(classes: Int, width: Int) {
      self.classes = classes
      self.width = width
    }
  }

  package init(
    round: Int, digest: String, images: Int, calibration: CalibrationBins,
    weightNorms: [Double]? = nil, collapse: Collapse? = nil
  ) {
    self.round = round
    self.digest = digest
    self.images = images
    self.calibration = calibration
    self.weightNorms = weightNorms
    self.collapse = collapse
  }
}

extension ModelDiagnostics {
  /// The name of the file in a run's folder.
  package static let fileName = "diagnostics.json"

  package static let keys = Keys<Self>(
    { Self(round: 0, digest: "", images: 0, calibration: CalibrationBins()) },
    [
      Key("schema", .integer, "Version of this file: 1.") { _ in 1 },
      Key("model", .text, "Which model: generic.") { _ in "generic" },
      Key(\.round, "round", .count, "The round after which it was measured."),
      Key(\.digest, "digest", .text, "Digest of the state that was measured."),
      Key(\.images, "images", .count, "Test images."),
      Key(\.calibration, "calibration", Bins.form, ""),
      .group(
        "classifier",
        [
          Key(
            \.weightNorms, "weightNorms", .list(.measure), "‖w_c‖₂ of each class's row.",
            absent: "the classifier is not linear")
        ]),
      Key(
        \.collapse, "collapse", .object(Collapse.keys),
        "Neural collapse of the features (Papyan, Han and Donoho 2020).",
        absent: "logits do not come from features"),
    ])

  /// The file as a value; numbers that are not finite are null.
  package var json: JSON { Self.keys.json(self) }

  /// Reads a file; nil when it is none.
  package init?(_ json: JSON) {
    guard let read = Self.keys.read(json), read.images <= 1 << 40 else { return nil }
    self = read
  }

  /// Reads the file of a run's folder; nil without one.
  ///
  /// - Throws: E4101 when it is damaged (exit 4).
  package static func read(in folder: String) throws(Failure) -> ModelDiagnostics? {
    let path = FilePath.join(folder, fileName)
    guard let bytes = try FileReader.optional(path, what: "diagnostics of a model") else {
      return nil
    }
    // Earlier versions wrote no checksum.
    guard let json = try? JSON(parsing: bytes), json.isIntact ?? true,
      let read = ModelDiagnostics(json)
    else {
      throw Failure(
        .dataMissingOrCorrupt, "E4101", "\(path): these are no diagnostics of a model",
        hint: "remove the file; fedsim resume on the run folder writes it again")
    }
    return read
  }
}

/// Bins of confidence as lists.
private struct Bins {
  var error: Double?
  var counts: [Int] = []
  var correct: [Int] = []
  var confidence: [Double] = []

  static let form: Form<CalibrationBins> = Form.object(
    Keys<Self>(
      { Self() },
      [
        Key(
          "ece", .orNull(.number), unit: "share", "Expected calibration error; null: no images."
        ) { $0.error },
        Key(\.counts, "counts", .list(.count), "Images of each of 15 bins of confidence."),
        Key(\.correct, "correct", .list(.count), "Of these, classified correctly."),
        Key(\.confidence, "confidence", .list(.measure), "Sum of their confidences."),
      ])
  ).map { (bins: Bins) -> CalibrationBins? in
    // Their sums are taken.
    guard (bins.counts + bins.correct).allSatisfy({ $0 <= 1 << 40 }) else { return nil }
    return CalibrationBins(
      counts: bins.counts, correct: bins.correct, confidence: bins.confidence)
  } back: { (bins: CalibrationBins) -> Bins in
    Bins(
      error: bins.error, counts: bins.counts, correct: bins.correct, confidence: bins.confidence)
  }
}

extension ModelDiagnostics.Collapse {
  fileprivate static let keys = Keys<Self>(
    { Self(classes: 0, width: 0) },
    [
      Key(\.classes, "classes", .count, "Classes with test images."),
      Key(\.width, "width", .count, "Width of the features."),
      Key(
        \.withinClassVariability, "withinClassVariability", .number,
        "NC1 = tr(Σ_W·Σ_B⁺)/C.", absent: alike),
      Key(
        \.cosineDeviation, "cosineDeviation", .number,
        "Standard deviation over pairs of classes of the cosine between their centred means.",
        absent: alike),
      Key(
        \.cosineGap, "cosineGap", .number, "Mean over pairs of |cosine + 1/(C − 1)|.",
        absent: alike),
      Key(
        \.normVariation, "normVariation", .number,
        "Standard deviation of the centred means' norms divided by their mean.", absent: alike),
      Key(
        \.alignmentDistance, "alignmentDistance", .number,
        "‖W/‖W‖ − M/‖M‖‖ of classifier and centred means.", absent: nonlinear),
      Key(
        \.alignmentCosine, "alignmentCosine", .number,
        "Mean over classes of the cosine between classifier row and centred mean.",
        absent: nonlinear),
    ])

  private static let alike = "all class means are the same"
  private static let nonlinear = "the classifier is not linear"
}
