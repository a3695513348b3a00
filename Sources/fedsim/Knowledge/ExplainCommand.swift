import Aggregation
import Base
import Data
import Report
import Scenario

/// `fedsim explain`: a strategy, a word of the scenario or of a table, a field, a file or a code.
package enum ExplainCommand {
  /// A page: a title and headed paragraphs.
  package struct Page: Equatable {
    var name: String
    var kind: String
    var parts: [(head: String, lines: [String])]

    package static func == (a: Page, b: Page) -> Bool { a.json == b.json }

    var json: JSON {
      .object(
        [("schema", 1), ("status", "ok"), ("name", .string(name)), ("kind", .string(kind))]
          + parts.map { ($0.head, .array($0.lines.map { .string($0) })) })
    }

    var text: String {
      let blocks = parts.filter { !$0.lines.isEmpty }.map { part in
        "\(part.head)\n" + part.lines.map { "  \($0)" }.joined(separator: "\n")
      }
      return (["\(name)  (\(kind))"] + blocks).joined(separator: "\n\n")
    }
  }

  package static func run(_ invocation: Invocation) throws -> ExitCode {
    if invocation.operands.isEmpty, !invocation.has("markdown") {
      return introduce(invocation.format)
    }
    let name = try invocation.onlyOperand(
      "a strategy, model, data set, field, file, column, word or code")
    if invocation.has("markdown") {
      guard invocation.format == .text else {
        throw Failure(
          .wrongCommandLine, "E2004", "--markdown writes text, and --format json asks for JSON",
          hint: "leave one of them out; --format json has the same facts")
      }
      if name == "files" {
        Console.print(FileHelp.markdown)
        return .done
      }
      guard let type = StrategyRegistry[name.lowercased()] else {
        throw Failure(
          .wrongCommandLine, "E2006", "no strategy is called \"\(name)\"",
          hint: Suggestions.nearest(name, among: StrategyRegistry.infos.map(\.kind)).map {
            "did you mean \($0) ?"
          } ?? "--markdown is for files, and strategies; fedsim list strategies names them")
      }
      Console.print(StrategyPage(type).markdown)
      return .done
    }
    let pages = pages(name)
    guard let first = pages.first else {
      let near = Suggestions.nearest(name, among: names)
      throw Failure(
        .wrongCommandLine, "E2006", "nothing is called \"\(name)\"",
        hint: near.map { "did you mean \($0) ?" } ?? "fedsim list strategies gives some names")
    }
    switch invocation.format {
    case .text: Console.print(pages.map(\.text).joined(separator: "\n\n\n"))
    case .json:
      // Mostly one; a word such as "step" may be a profile and a schedule.
      if pages.count == 1 {
        Console.print(first.json)
      } else {
        Console.answer([("name", .string(name)), ("pages", .array(pages.map(\.json)))])
      }
    }
    return .done
  }

  /// What can be asked.
  private static func introduce(_ format: OutputFormat) -> ExitCode {
    let kinds = [
      ("a strategy", "fedsim explain fedloge"),
      ("a section or field", "fedsim explain client.work"),
      ("a word of the scenario", "fedsim explain dirichlet"),
      ("a code of a message", "fedsim explain E3105"),
      ("all strategies, models, ...", "fedsim list"),
    ]
    switch format {
    case .json: Console.answer([("asks", .array(kinds.map { .string($0.1) }))])
    case .text: Console.print(kinds)
    }
    return .done
  }

  private static var names: [String] {
    StrategyRegistry.infos.map(\.kind) + MessageCatalogue.entries.map(\.code)
      + ScenarioHelp.words.map(\.name) + ScenarioHelp.entries.map(\.path)
      + ScenarioHelp.entries.map(\.field.name) + FileHelp.files.map(\.name)
      + TableWords.all.map(\.name) + Preset.all.map(\.name)
  }

  /// Everything that has this name.
  package static func pages(_ name: String) -> [Page] {
    if let entry = MessageCatalogue.entry(name) {
      let isError = entry.code.hasPrefix("E")
      return [
        Page(
          name: entry.code, kind: isError ? "error" : "warning",
          parts: [
            ("title", [entry.title]), ("meaning", [entry.meaning]), ("remedy", [entry.remedy]),
          ])
      ]
    }
    if let preset = Preset.all.first(where: { $0.name == name }) { return [preset.page] }
    let files = FileHelp.pages(name)
    if !files.isEmpty { return files }
    let found = scenario(name) + heading(name)
    return found.isEmpty ? FileHelp.columns(name) : found
  }

  private static func scenario(_ name: String) -> [Page] {
    // A section, though a word of some tag may be spelt like it.
    if ScenarioHelp.entries.contains(where: { $0.path == name }) { return fields(name) }
    if let type = StrategyRegistry[name.lowercased()] { return [StrategyPage(type).page] }
    if let page = CodecPage.page(name) { return [page] }
    let words = ScenarioHelp.words.filter { $0.name == name }.map(page)
    return words.isEmpty ? fields(name) : words
  }

  /// A word that stands above a column of a table.
  private static func heading(_ name: String) -> [Page] {
    TableWords.meaning(name).map {
      [Page(name: name, kind: "word of tables", parts: [("meaning", [$0])])]
    } ?? []
  }

  private static func page(_ word: ScenarioHelp.Word) -> Page {
    let fields = ScenarioHelp.entries.filter { entry in
      // Those of the word, and those that come with every word.
      let isCommon = entry.kinds.isEmpty && entry.path == "\(word.section).\(entry.field.name)"
      return (entry.kinds.last == word.name || isCommon) && entry.path.hasPrefix(word.section + ".")
        && entry.field.name != word.tag
    }
    var page = Page(
      name: word.name, kind: word.section,
      parts: [
        ("summary", [word.summary]), ("fields", lines(fields, full: false)),
        ("scenario", ["\"\(word.section)\": { \"\(word.tag)\": \"\(word.name)\", ... }"]),
      ])
    if word.section == "model" { page.parts += ModelPage.parts(word.name) }
    if word.name == "npy" { page.parts.append(("files", NPYFolder.words)) }
    return page
  }
}

/// Pages of fields: what stands in several places alike is shown once, with all of its places.
extension ExplainCommand {
  /// The pages of a field: by full path, else by its last words.
  static func fields(_ name: String) -> [Page] {
    let wanted = ScenarioHelp.plainPath(name)
    let all = ScenarioHelp.entries
    var found = all.filter { ScenarioHelp.plainPath($0.path) == wanted }
    if found.isEmpty {
      found = all.filter { ScenarioHelp.plainPath($0.path).hasSuffix("." + wanted) }
    }
    var paths: [String] = []
    for entry in found where !paths.contains(entry.path) { paths.append(entry.path) }
    var pages: [(page: Page, places: [String], synonyms: [String])] = []
    for path in paths {
      let here = found.filter { $0.path == path }
      let page = page(path, here)
      let synonyms = unique(here.flatMap(\.field.synonyms))
      if let same = pages.firstIndex(where: { $0.page.parts.elementsEqual(page.parts, by: ==) }) {
        pages[same].places.append(path)
        pages[same].synonyms = unique(pages[same].synonyms + synonyms)
      } else {
        pages.append((page, [path], synonyms))
      }
    }
    if pages.count > mostMeanings { return [index(name, pages.map { ($0.places, $0.page) })] }
    return pages.map { page, places, synonyms in
      var page = page
      if places.count > 1 { page.parts.insert(("stands at", places), at: 0) }
      let others = synonyms.joined(separator: ", ")
      page.parts.append(("others call it", others.isEmpty ? [] : [others]))
      return page
    }
  }

  /// A name with more meanings than these has a list of its places instead of a page for each.
  private static let mostMeanings = 6

  private static func index(_ name: String, _ fields: [(places: [String], page: Page)]) -> Page {
    let lines = fields.map { places, page in
      let values = page.parts.first { $0.head == "values" }?.lines.first ?? ""
      return "\(places.joined(separator: ", "))  \(values)"
    }
    return Page(
      name: name, kind: "field",
      parts: [
        ("stands at", lines), ("more", ["fedsim explain PATH says what the values mean"]),
      ])
  }

  private static func page(_ path: String, _ here: [FieldIndex.Entry]) -> Page {
    // The words of a tag are apart by two spaces: a line for each.
    let meanings = unique(here.flatMap { $0.field.summary.split(separator: "  ").map(String.init) })
    let inside = ScenarioHelp.entries.filter { entry in
      entry.path.hasPrefix(path + ".") && !entry.path.dropFirst(path.count + 1).contains(".")
    }
    return Page(
      name: path, kind: "field",
      parts: [
        ("meaning", meanings), ("values", lines(here, full: true)),
        ("fields", lines(inside, full: false)),
      ])
  }

  /// Fields in a line each: name, kinds, what is legal, default, unit.
  ///
  /// Those that differ in their kinds alone share a line.
  static func lines(_ entries: [FieldIndex.Entry], full: Bool) -> [String] {
    var order: [[String]] = []
    var kinds: [[String]: [[String]]] = [:]
    for entry in entries {
      let field = entry.field
      var text = [full ? "" : field.name, field.type.allowed, "default: \(field.presence.words)"]
      if let unit = field.unit { text.append("unit: \(unit)") }
      if kinds[text] == nil { order.append(text) }
      kinds[text, default: []].append(entry.kinds)
    }
    return order.map { text in
      let under = under(kinds[text] ?? [])
      let parts = [text[0], under.isEmpty ? "" : "[\(under)]"] + text.dropFirst()
      return parts.filter { !$0.isEmpty }.joined(separator: "  ")
    }
  }

  /// Chains of words of tags in one text: "a, b / x, y" for each of a and b with each of x and y.
  private static func under(_ chains: [[String]]) -> String {
    guard let length = chains.first?.count, length > 0 else { return "" }
    if chains.allSatisfy({ $0.count == length }) {
      let columns = (0..<length).map { place in unique(chains.map { $0[place] }) }
      if columns.reduce(1, { $0 * $1.count }) == unique(chains).count {
        return chain(columns.map(words))
      }
    }
    // No product of lists: those with the same words after the first belong together.
    let tails = unique(chains.map { Array($0.dropFirst()) })
    return tails.map { tail in
      let heads = unique(chains.filter { Array($0.dropFirst()) == tail }.compactMap(\.first))
      return chain([words(heads)] + tail)
    }.joined(separator: "; ")
  }

  /// Words of tags, outermost first; what every strategy has is no matter of strategies.
  private static func chain(_ columns: [String]) -> String {
    columns.drop { $0 == everyStrategy && columns.count > 1 }.joined(separator: " / ")
  }

  private static let everyStrategy = "every strategy"

  private static func words(_ list: [String]) -> String {
    list == StrategyRegistry.infos.map(\.kind) ? everyStrategy : list.joined(separator: ", ")
  }

  private static func unique<Value: Equatable>(_ list: [Value]) -> [Value] {
    list.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}
