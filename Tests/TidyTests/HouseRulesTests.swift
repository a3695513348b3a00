import Base
import Foundation
import Testing

@Suite("House rules")
struct HouseRulesTests {
  @Test("the walk finds the package")
  func walk() {
    #expect(Repository.sources.count > 100)
    #expect(Repository.tests.count > 30)
    #expect(Repository.strategies.count >= 8)
    #expect(Repository.scenarios.count >= 4)
    #expect(Repository.sources.contains { $0.imports.contains("COpenBLAS") })
  }

  @Test("no line is longer than 100 columns", arguments: Repository.sources + Repository.tests)
  func columns(file: Repository.File) {
    for (number, line) in file.lines.enumerated() where line.count > 100 {
      // A text that a test compares may stay whole.
      let start = line.drop { $0 == " " || $0 == "#" }
      if file.path.hasPrefix("Tests/"), start.hasPrefix("\"") { continue }
      Issue.record("\(file.path):\(number + 1) has \(line.count) columns")
    }
  }

  @Test("no file is longer than 800 lines", arguments: Repository.sources + Repository.tests)
  func length(file: Repository.File) { #expect(file.lines.count <= 801, "\(file.path)") }

  @Test(
    "no function of the engine is longer than 70 lines",
    arguments: Repository.sources.filter { $0.module == "Federation" })
  func functions(
    file: Repository.File
  ) {
    for (start, line) in file.lines.enumerated() {
      let code = line.drop { $0 == " " }
      let isStart = ["func ", "init("].contains { code.hasPrefix($0) || code.contains(" " + $0) }
      let head = file.lines[start...].prefix { !$0.isEmpty }
      guard isStart, !code.hasPrefix("//"), head.contains(where: { $0.hasSuffix("{") }) else {
        continue
      }
      let indentation = String(line.prefix { $0 == " " })
      let end = file.lines[start...].firstIndex { $0 == indentation + "}" } ?? start
      #expect(end - start < 70, "\(file.path):\(start + 1)")
    }
  }

  @Test(
    "a system module is imported in its one place",
    arguments: [
      ("COpenBLAS", ["Sources/Tensor/Kernels/BLAS.swift"]),
      ("CProcess", ["Sources/fedsim/Main.swift"]),
      ("Dispatch", ["Sources/Federation/Rounds/WorkerPool.swift"]), ("Foundation", []),
      ("FoundationEssentials", []), ("Glibc", ["Sources/Base/Machine/Platform.swift"]),
      ("Darwin", ["Sources/Base/Machine/Platform.swift"]),
    ])
  func onePlace(module: String, places: [String]) {
    let found = Repository.sources.filter { $0.imports.contains(module) }.map(\.path)
    #expect(found == places)
  }

  @Test("what computes opens no file", arguments: Repository.sources)
  func files(
    file: Repository.File
  ) {
    let computing = [
      "Tensor", "Codecs", "Accounting", "Client", "Aggregation", "Scenario", "Federation", "Report",
    ]
    guard computing.contains(file.module) else { return }
    for call in ["open(", "fopen(", "opendir(", "stat(", "creat(", "mkdir(", "unlink("] {
      #expect(!callsFree(call, in: file), "\(file.path) calls \(call)…)")
    }
  }

  /// Whether the text has the call as a free function, not as the end of a longer name.
  private func callsFree(_ call: String, in file: Repository.File) -> Bool {
    var rest = file.text[...]
    while let range = rest.range(of: call) {
      let before = rest[..<range.lowerBound].last
      if !(before.map { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." } ?? false) {
        return true
      }
      rest = rest[range.upperBound...]
    }
    return false
  }

  @Test("no shortcut is left in the sources", arguments: Repository.sources)
  func shortcuts(
    file: Repository.File
  ) {
    for word in ["fatalError(", "try!", "as!", "TODO", "FIXME", "XXX:", "print(\"DEBUG"] {
      #expect(!file.text.contains(word), "\(file.path) has \(word)")
    }
  }

  @Test(
    "nothing tells how it was made",
    arguments: Repository.sources + Repository.tests + Repository.documents + Repository.scenarios
      + Repository.front)
  func noMaking(file: Repository.File) {
    if file.name == "HouseRulesTests.swift" { return }
    // Whole words of prose: in code, a variable may well be called session.
    let isCode = [".swift", ".c", ".h"].contains { file.name.hasSuffix($0) }
    let prose = file.lines.map { line in
      guard isCode else { return line }
      return line.firstRange(of: "//").map { line[$0.upperBound...] } ?? ""
    }.joined(separator: "\n")
    let words = Set(prose.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init))
    for word in ["session", "sessions", "helper", "helpers"] {
      #expect(!words.contains(word), "\(file.path) speaks of a \(word)")
    }
    for text in ["issue #", "shared/"] {
      #expect(!file.text.lowercased().contains(text), "\(file.path) has \(text)")
    }
  }
}
