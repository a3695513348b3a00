import Aggregation
import Base
import Scenario

/// `fedsim explain`: a strategy, a word of the scenario, a field, or a code.
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
    let name = try invocation.onlyOperand("a strategy, model, data set, partition, field or code")
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
        Console.print(
          JSON.object([
            ("schema", 1), ("status", "ok"), ("name", .string(name)),
            ("pages", .array(pages.map(\.json))),
          ]))
      }
    }
    return .done
  }

  private static var names: [String] {
    StrategyRegistry.cards.map(\.kind) + MessageCatalogue.entries.map(\.code)
      + ScenarioHelp.words.map(\.name) + ScenarioHelp.entries.map(\.path)
      + ScenarioHelp.entries.map(\.field.name)
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
    // A section, though a word of some tag may be spelt like it.
    if ScenarioHelp.entries.contains(where: { $0.path == name }) { return fields(name) }
    if let card = StrategyRegistry.cards.first(where: { $0.kind == name.lowercased() }) {
      return [page(card)]
    }
    if let page = CodecPage.page(name) { return [page] }
    let words = ScenarioHelp.words.filter { $0.name == name }.map(page)
    return words.isEmpty ? fields(name) : words
  }

  package static func page(_ card: StrategyCard) -> Page {
    let fields = card.fields.map { field in
      "\(field.name)  (\(field.symbol))  default \(field.initial.json.compact)  \(field.summary)"
        + (field.isInferred ? "  [inferred: the paper's value is not known]" : "")
    }
    let parts: [(StrategyCard.Parts, String)] = [
      (.loss, "loss (default \(card.defaultLoss))"), (.serverOptimizer, "serverOptimizer"),
      (.groups, "private"), (.postHoc, "postHoc"),
    ]
    let composes = parts.filter { card.composes.contains($0.0) }.map(\.1)
    return Page(
      name: card.kind, kind: "strategy",
      parts: [
        ("title", [card.title]), ("summary", [card.summary]), ("source", [card.source]),
        ("equations", card.equations), ("messages", card.messages), ("memory", [card.memory]),
        ("privacy", privacy(card.kind)), ("fields", fields), ("composes with", composes),
        ("notes", card.notes), ("deviations", card.deviations),
      ])
  }

  /// What noise in training steps covers of a method's uploads, and what not.
  private static func privacy(_ kind: String) -> [String] {
    guard let type = StrategyRegistry[kind] else { return [] }
    if type.population == .pooled { return ["one site: nothing is sent"] }
    if type.releases.isEmpty { return ["nothing is sent"] }
    return type.releases.map { release in
      switch release.origin {
      case .training: "\(release.block): made by training steps, which DP-SGD covers"
      case .size: "\(release.block): tells the client's number of examples, taken as public"
      case .examples(let what): "\(release.block): \(what): no guarantee at example level"
      }
    }
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
    return page
  }
}
