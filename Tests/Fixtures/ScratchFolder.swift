import Base
import Foundation
import Testing

/// A folder of one test, removed with the last reference to it.
package final class ScratchFolder: Sendable {
  package let path: String

  package init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "fedsim-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path()
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a name in this folder.
  package func at(_ name: String) -> String { path + "/" + name }

  /// Writes a file and returns its path.
  @discardableResult
  package func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let url = URL(filePath: at(name))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return at(name)
  }

  /// Writes a text and returns its path.
  @discardableResult
  package func write(_ name: String, text: String) throws -> String {
    try write(name, Array(text.utf8))
  }

  /// Makes an empty folder.
  package func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: at(name), withIntermediateDirectories: true)
  }
}

/// Expects a failure with exit code 4, a code, and words in its message and hint.
package func expectDataFailure(
  _ code: String, _ words: [String], sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Void
) { expectFailure(.dataMissingOrCorrupt, code, words, sourceLocation: sourceLocation, body) }

/// Expects a failure with an exit code, a code, and words in its message and hint.
package func expectFailure(
  _ exit: ExitCode, _ code: String, _ words: [String] = [],
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
  let thrown = #expect(throws: Failure.self, sourceLocation: sourceLocation) { try body() }
  guard let thrown else { return }
  let text = thrown.message + " " + (thrown.hint ?? "")
  #expect(thrown.exit == exit, "\(text)", sourceLocation: sourceLocation)
  #expect(thrown.code == code, "\(text)", sourceLocation: sourceLocation)
  for word in words {
    #expect(text.contains(word), "\"\(word)\" in: \(text)", sourceLocation: sourceLocation)
  }
}

/// Removes a file.
package func removeFile(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }
