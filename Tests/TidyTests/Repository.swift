import Foundation
import Testing

/// The files of this package, as they lie on the disk.
enum Repository {
  /// A text file.
  struct File: CustomTestStringConvertible, Sendable {
    /// Below the package's folder, such as "Sources/Tensor/Kernels/BLAS.swift".
    let path: String
    let text: String

    var testDescription: String { path }
    /// The last part of the path.
    var name: String { String(path.split(separator: "/").last ?? "") }
    /// The folder below `Sources` or `Tests`.
    var module: String { String(path.split(separator: "/").dropFirst().first ?? "") }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// Modules that the file imports.
    var imports: [String] {
      lines.compactMap { line in
        let words = line.split(separator: " ")
        guard let at = words.firstIndex(of: "import"), at + 1 < words.count,
          words[..<at].allSatisfy({ $0.hasPrefix("@") || $0 == "public" || $0 == "private" })
        else { return nil }
        return String(words[at + 1].prefix { $0 != "." })
      }
    }
  }

  private static let experiments = files(below: "scenarios", ending: [".json"])

  private static func isSweep(_ file: File) -> Bool { file.text.contains("\"kind\": \"sweep\"") }

  /// The package's folder.
  static let root: URL = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// All files below a folder whose names end in one of some ways, sorted by path.
  static func files(below folder: String, ending: [String]) -> [File] {
    let start = root.appending(path: folder)
    let names =
      FileManager.default.enumerator(atPath: start.path(percentEncoded: false))?.compactMap {
        $0 as? String
      } ?? []
    return names.filter { name in ending.contains { name.hasSuffix($0) } }.sorted().map { name in
      let data = FileManager.default.contents(
        atPath: start.appending(path: name).path(percentEncoded: false))
      return File(path: "\(folder)/\(name)", text: String(decoding: data ?? Data(), as: UTF8.self))
    }
  }

  static let sources = files(below: "Sources", ending: [".swift", ".c", ".h"])
  static let tests = files(below: "Tests", ending: [".swift", ".py"])
  static let documents = files(below: "docs", ending: [".md"])
  static let scenarios = experiments.filter { !isSweep($0) }
  static let sweeps = experiments.filter(isSweep)
  /// The methods, one file each; what belongs to one and has no room there is `Name+Part.swift`.
  static let strategies = files(below: "Sources/Aggregation/Strategies", ending: [".swift"]).filter
  { !$0.name.contains("+") }

  /// Files at the top of the package that people read.
  static let front: [File] = ["Package.swift", "Makefile", "README.md", "CONTRIBUTING.md"]
    .compactMap { name in
      let path = root.appending(path: name).path(percentEncoded: false)
      return FileManager.default.contents(atPath: path).map {
        File(path: name, text: String(decoding: $0, as: UTF8.self))
      }
    }
}
