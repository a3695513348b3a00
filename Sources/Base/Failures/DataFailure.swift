/// The ways in which a data file can be wrong; each has one code that `fedsim explain` knows.
package enum DataFailure {
  /// E4001: nothing is there, or it may not be read.
  package static func missing(_ path: String, _ what: String, hint: String? = nil) -> Failure {
    Failure(.dataMissingOrCorrupt, "E4001", "\(path): \(what)", hint: hint)
  }

  /// E4002: a folder where a file is expected, a file where a folder is, or something else.
  package static func wrongKind(_ path: String, _ what: String, hint: String? = nil) -> Failure {
    Failure(.dataMissingOrCorrupt, "E4002", "\(path): \(what)", hint: hint)
  }

  /// E4003: the size does not fit: empty, cut, or too long.
  package static func wrongSize(
    _ path: String, _ what: String, hint: String? = nil, isTooLong: Bool = false
  ) -> Failure {
    let likely =
      isTooLong
      ? "the file has more than its header says: it was written twice, or something was appended"
      : "the file may be cut; copy or download it again"
    return Failure(.dataMissingOrCorrupt, "E4003", "\(path): \(what)", hint: hint ?? likely)
  }

  /// E4004: a label outside its range.
  package static func label(_ path: String, _ what: String, hint: String? = nil) -> Failure {
    Failure(.dataMissingOrCorrupt, "E4004", "\(path): \(what)", hint: hint)
  }

  /// E4005: two things that must agree do not.
  package static func inconsistent(_ path: String, _ what: String, hint: String? = nil) -> Failure {
    Failure(.dataMissingOrCorrupt, "E4005", "\(path): \(what)", hint: hint)
  }

  /// E4006: the content is not of the expected format.
  package static func malformed(_ path: String, _ what: String, hint: String? = nil) -> Failure {
    Failure(.dataMissingOrCorrupt, "E4006", "\(path): \(what)", hint: hint)
  }

  /// E4007: the file cannot be decompressed.
  package static func compressed(_ path: String, _ what: String, hint: String? = nil) -> Failure {
    Failure(.dataMissingOrCorrupt, "E4007", "\(path): \(what)", hint: hint)
  }

  /// E4008: a valid file of a form that is not read, such as big-endian numbers.
  package static func unsupported(_ path: String, _ what: String, hint: String? = nil) -> Failure {
    Failure(.dataMissingOrCorrupt, "E4008", "\(path): \(what)", hint: hint)
  }

  /// E4009: a pixel or feature that is not a finite number.
  package static func notFinite(_ path: String, _ what: String, hint: String? = nil) -> Failure {
    Failure(.dataMissingOrCorrupt, "E4009", "\(path): \(what)", hint: hint)
  }

  /// E4012: axes that cannot be meant.
  package static func axes(_ path: String, _ what: String, hint: String) -> Failure {
    Failure(.dataMissingOrCorrupt, "E4012", "\(path): \(what)", hint: hint)
  }

  /// Throws E4013 for labels so large that there cannot be so many classes: memory grows with their
  /// square, and one wrong label would take all of it.
  ///
  /// Up to `plausibleClasses` are believed, whatever the number of images.
  package static func requirePlausible(classes: Int, images: Int, _ path: String) throws(Failure) {
    guard classes > plausibleClasses, classes > images else { return }
    throw Failure(
      .dataMissingOrCorrupt, "E4013",
      "\(path): the largest label is \(classes - 1), which makes \(classes) classes of \(images) "
        + "training images",
      hint: "labels count from 0 without gaps: numpy.unique(y, return_inverse=True)[1]")
  }

  /// More classes than this must have an image each.
  static let plausibleClasses = 1000

  /// More classes than this in a label file is taken for corruption: memory grows with them.
  package static let maximumClasses = 100_000
}
