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

  /// The file as a value; numbers that are not finite are null.
  package var json: JSON {
    .known([
      ("schema", 1), ("model", "generic"), ("round", .int(round)), ("digest", .string(digest)),
      ("images", .int(images)),
      (
        "calibration",
        .object([
          ("ece", calibration.error.map(JSON.number) ?? .null),
          ("counts", .array(calibration.counts.map(JSON.int))),
          ("correct", .array(calibration.correct.map(JSON.int))),
          ("confidence", .array(calibration.confidence.map(JSON.number))),
        ])
      ), ("classifier", weightNorms.map { ["weightNorms": .array($0.map(JSON.number))] }),
      ("collapse", collapse?.json),
    ])
  }

  /// Reads a file; nil when it is none.
  package init?(_ json: JSON) {
    guard let round = json["round"]?.count, let digest = json["digest"]?.text,
      let images = json["images"]?.count, let part = json["calibration"],
      let counts = part["counts"]?.elements?.compactMap(\.count),
      let correct = part["correct"]?.elements?.compactMap(\.count),
      let sums = part["confidence"]?.elements?.map({ $0.double ?? .nan }),
      (counts + correct + [images]).allSatisfy({ $0 <= 1 << 40 }),  // their sums are taken
      let calibration = CalibrationBins(counts: counts, correct: correct, confidence: sums)
    else { return nil }
    self.init(round: round, digest: digest, images: images, calibration: calibration)
    weightNorms = json["classifier"]?["weightNorms"]?.elements?.map { $0.double ?? .nan }
    collapse = json["collapse"].flatMap(Collapse.init)
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

extension ModelDiagnostics.Collapse {
  private static var keys: [(String, WritableKeyPath<Self, Double?>)] {
    [
      ("withinClassVariability", \.withinClassVariability), ("cosineDeviation", \.cosineDeviation),
      ("cosineGap", \.cosineGap), ("normVariation", \.normVariation),
      ("alignmentDistance", \.alignmentDistance), ("alignmentCosine", \.alignmentCosine),
    ]
  }

  fileprivate var json: JSON {
    .known(
      [("classes", .int(classes)), ("width", .int(width))]
        + Self.keys.map { ($0, self[keyPath: $1].map(JSON.number)) })
  }

  fileprivate init?(_ json: JSON) {
    guard let classes = json["classes"]?.count, let width = json["width"]?.count else { return nil }
    self.init(classes: classes, width: width)
    for (key, place) in Self.keys { self[keyPath: place] = json[key]?.double }
  }
}
