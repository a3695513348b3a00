import Base

/// Checks that a data set's files are what they should be before they are read.
package enum FileBytes {
  /// The content of a regular file that is not empty.
  ///
  /// `what` says what it should be, such as "CIFAR-10 images".
  package static func read(_ path: String, what: String, hint: String? = nil, growth: Int = 2)
    throws(Failure) -> [UInt8]
  {
    let bytes = try FileReader.bytes(of: path, what: what, hint: hint, growth: growth)
    guard !bytes.isEmpty else {
      throw DataFailure.wrongSize(path, "the file is empty; expected \(what)", hint: hint)
    }
    return bytes
  }

  /// Throws unless a folder is there.
  static func requireFolder(_ path: String, what: String, hint: String? = nil) throws(Failure) {
    switch FileKind(of: path) {
    case .folder: return
    case .missing: throw DataFailure.missing(path, "no such folder; expected \(what)", hint: hint)
    case .file, .other:
      throw DataFailure.wrongKind(path, "not a folder; expected \(what)", hint: hint)
    }
  }

  /// The last part of a path, without trailing slashes.
  static func lastPart(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}
