import Base
import Records

/// The report's last sections: what was set exactly, how to repeat it, and where methods come from.
extension HTMLReport {
  func writeSettings(to section: inout Markup) {
    if !input.command.isEmpty {
      section.element("p", [], "To repeat these runs:")
      section.inside("pre") { $0.element("code", [], input.command) }
    }
    if !input.differences.isEmpty {
      section.element("h3", [], "What differs between the folders")
      PlainTable(
        titles: ["setting"] + input.folders, rows: input.differences.map { [$0.path] + $0.values }
      ).write(to: &section)
    }
    if input.scenario.members?.isEmpty == false {
      section.inside("details") { details in
        let whose = input.folders.first.map { " of \($0)" } ?? ""
        details.element("summary", [], "Scenario with every default\(whose)")
        details.element("pre", [], input.scenario.pretty)
      }
    }
    section.inside("details") { details in
      details.element("summary", [], "Digests of the final state")
      writeDigests(to: &details)
    }
  }

  private func writeDigests(to out: inout Markup) {
    let rows = input.strategies.flatMap { strategy in
      strategy.runs.compactMap { run in
        run.records.last.map { [strategy.label, "\(run.seed)", "\($0.round)", $0.digest] }
      }
    }
    PlainTable(titles: ["strategy", "seed", "round", "digest"], rows: rows).write(to: &out)
  }

  func writeReferences(to section: inout Markup) {
    if input.references.isEmpty { return }
    section.inside("ul") { list in
      for reference in input.references {
        list.inside("li") { item in
          item.element("strong", [], reference.title + ":")
          item.element("span", [], reference.source)
        }
      }
    }
  }
}
