import Foundation
import Testing

/// Modules stand in one order, and so do the folders of each of them.
@Suite("Architecture")
struct ArchitectureTests {
  /// Folders that need each other, though they should not.
  ///
  /// A cycle that is gone leaves this list, and none is added.
  private static let knownCycles: Set<Set<String>> = []

  /// The first words of the picture in docs/architecture.md: each module imports only those above.
  private func picture() throws -> [String] {
    let file = try #require(Repository.documents.first { $0.path == "docs/architecture.md" })
    let block = file.text.components(separatedBy: "```")
    try #require(block.count > 2, "no picture")
    return block[1].split(separator: "\n").compactMap { line in
      line.split(separator: " ").first.map(String.init)
    }
  }

  /// The modules that each module imports.
  private let imports = Repository.sources.reduce(into: [String: Set<String>]()) { known, file in
    known[file.module, default: []].formUnion(file.imports)
  }.mapValues { $0.intersection(Repository.sources.map(\.module)) }

  /// Targets of Package.swift below `Sources` in their order, with their dependencies.
  private func manifest() throws -> [(name: String, dependencies: Set<String>)] {
    let package = try #require(Repository.front.first { $0.name == "Package.swift" })
    let target =
      /\.(?:target|executableTarget)\(\s*name: "(\w+)",?(?:\s*dependencies: \[([^\]]*)\])?/
    return package.text.matches(of: target).compactMap { match in
      let name = String(match.output.1)
      guard imports[name] != nil else { return nil }
      let names = (match.output.2 ?? "").matches(of: /"(\w+)"/).map { String($0.output.1) }
      return (name, Set(names))
    }
  }

  @Test("the picture, the manifest and the folders of Sources name the same modules in one order")
  func order() throws {
    let picture = try picture()
    #expect(Set(picture) == Set(imports.keys))
    #expect(try manifest().map(\.name) == picture)
  }

  @Test("a module imports only those above it in the picture")
  func upwards() throws {
    let picture = try picture()
    for (place, module) in picture.enumerated() {
      let above = Set(picture[..<place])
      let found = try #require(imports[module])
      #expect(found.isSubset(of: above), "\(module) imports \(found.subtracting(above).sorted())")
    }
  }

  @Test("each code is declared once, in a module that throws it or in one above")
  func codes() throws {
    let picture = try picture()
    var declared: [String: String] = [:]
    for file in Repository.sources where file.name.hasSuffix("Messages.swift") {
      for match in file.text.matches(of: /Entry\(\s*"([EW][0-9]{4})"/) {
        let code = String(match.output.1)
        #expect(declared[code] == nil, "\(code) is declared twice")
        declared[code] = file.module
      }
    }
    var thrown = Set<String>()
    for file in Repository.sources where !file.name.hasSuffix("Messages.swift") {
      let above = picture.prefix { $0 != file.module } + [file.module]
      for match in file.text.matches(of: /"([EW][0-9]{4})"/) {
        let code = String(match.output.1)
        let home = try #require(declared[code], "\(file.path): \(code) has no page")
        #expect(above.contains(home), "\(file.path) throws \(code) of \(home)")
        if home == file.module { thrown.insert(code) }
      }
    }
    #expect(thrown.count > 180, "the walk has lost its way")
    // Notes without a code in their text, which have a page nevertheless.
    let silent: Set = ["E1000", "W3080", "W4001", "W4002"]
    #expect(Set(declared.keys).subtracting(thrown) == silent)
  }

  @Test("what the manifest lets a module import is what it imports")
  func dependencies() throws {
    for (name, dependencies) in try manifest() { #expect(dependencies == imports[name], "\(name)") }
  }

  @Test("no module is larger than 12,000 lines")
  func size() {
    var lines: [String: Int] = [:]
    for file in Repository.sources { lines[file.module, default: 0] += file.lines.count - 1 }
    for (module, count) in lines { #expect(count <= 12_000, "\(module) has \(count) lines") }
  }

  @Test("folders of a module form no cycle")
  func folders() {
    let edges = TypeReferences(Repository.sources).folderEdges
    #expect(edges.count > 30, "the walk has lost its way")
    #expect(Self.cycles(edges.mapValues { Set($0.keys) }) == Self.knownCycles, "\(edges)")
  }

  @Test("a cycle is found, and a path is none")
  func sample() {
    let edges: [String: Set<String>] = ["a": ["b", "d"], "b": ["c"], "c": ["a"], "d": ["e"]]
    #expect(Self.cycles(edges) == [["a", "b", "c"]])
  }

  /// Groups of names that reach each other.
  private static func cycles(_ edges: [String: Set<String>]) -> Set<Set<String>> {
    let reached = edges.mapValues { first in
      var (seen, open) = (first, Array(first))
      while let next = open.popLast() {
        for further in edges[next] ?? [] where seen.insert(further).inserted {
          open.append(further)
        }
      }
      return seen
    }
    let own = reached.compactMap { name, others -> Set<String>? in
      others.contains(name) ? others.filter { reached[$0]?.contains(name) == true } : nil
    }
    return Set(own)
  }
}

/// Which files speak of which types, as far as names alone tell.
private struct TypeReferences {
  /// Folders of one module by folder, with a name that shows why.
  private(set) var folderEdges: [String: [String: String]] = [:]

  init(_ files: [Repository.File]) {
    let swift = files.filter { $0.name.hasSuffix(".swift") }.map { ($0, Self.code($0.text)) }
    var owners: [String: Set<String>] = [:]
    var nested: Set<String> = []
    let declaration =
      /(?m)^(\s*)(?:[@\w()]+ +)*(?:struct|enum|class|protocol|actor|typealias) +(\w+)/
    for (file, code) in swift {
      for line in code.split(separator: "\n") {
        guard let match = String(line).firstMatch(of: declaration) else { continue }
        if match.output.1.isEmpty {
          owners[String(match.output.2), default: []].insert(file.path)
        } else {
          nested.insert(String(match.output.2))
        }
      }
    }
    // A name that several types have tells nothing.
    let unique = owners.filter { $0.value.count == 1 && !nested.contains($0.key) }.compactMapValues(
      \.first)
    for (file, code) in swift {
      let own = Self.folder(file.path)
      for word in Set(code.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init)) {
        guard let owner = unique[word], case let other = Self.folder(owner), other != own,
          Self.module(other) == Self.module(own)
        else { continue }
        folderEdges[own, default: [:]][other] = "\(file.name): \(word)"
      }
    }
  }

  /// "Federation/Clock" of a file's path.
  private static func folder(_ path: String) -> String {
    path.split(separator: "/").dropFirst().dropLast().joined(separator: "/")
  }

  private static func module(_ folder: String) -> Substring { folder.prefix { $0 != "/" } }

  /// The text without comments and what stands in quotes.
  private static func code(_ text: String) -> String {
    var isInText = false
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
      let pieces = line.components(separatedBy: "\"\"\"")
      if pieces.count == 2 {
        isInText.toggle()
        return isInText ? plain(pieces[0]) : plain(pieces[1])
      }
      return isInText ? "" : plain(String(line))
    }.joined(separator: "\n")
  }

  /// A line without its comment and its quoted parts; expressions inside of them are kept.
  private static func plain(_ line: String) -> String {
    var out = ""
    var quotes: [Int] = []
    var depth = 0
    var rest = line[...]
    while let first = rest.first {
      let isQuoted = quotes.last == depth
      if isQuoted, rest.hasPrefix("\\(") {
        depth += 1
        rest = rest.dropFirst(2)
        out += " "
        continue
      }
      if isQuoted, first == "\\" {
        rest = rest.dropFirst(2)
        continue
      }
      if first == "\"" {
        if isQuoted { quotes.removeLast() } else { quotes.append(depth) }
        out += " "
      } else if isQuoted {
        // Left out.
      } else if rest.hasPrefix("//") {
        break
      } else {
        if first == "(", !quotes.isEmpty { depth += 1 }
        if first == ")", !quotes.isEmpty { depth -= 1 }
        out.append(first)
      }
      rest = rest.dropFirst()
    }
    return out
  }
}
