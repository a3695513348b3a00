import Base
import Tensor

extension DataSettings.Augmentation {
  /// Pixels of padding of the crop, as `crop4` says.
  private static let padding = 4

  /// What images of a shape lack for it to make sense; nil for nothing.
  ///
  /// A crop of a vector, or of an image of four pixels or less, replaces most of it by zeros; a
  /// mirrored column is itself.
  func need(_ shape: FeatureShape) -> String? {
    switch self {
    case .crop4 where min(shape.height, shape.width) <= Self.padding:
      "images of more than \(Self.padding) rows and columns"
    case .flip where shape.width == 1: "images of more than one column"
    default: nil
    }
  }

  /// Throws E3115 for the first that does not fit.
  ///
  /// `path`: where they stand in the scenario.
  package static func requireFit(
    _ list: [DataSettings.Augmentation], _ shape: FeatureShape, at path: String
  ) throws(Failure) {
    for step in list {
      guard let need = step.need(shape) else { continue }
      throw Failure(
        .scenarioInvalid, "E3115",
        "$.\(path): \"\(step.rawValue)\" needs \(need); these are \(shape)",
        hint: "leave \"\(step.rawValue)\" out")
    }
  }
}
