extension HTMLReport {
  /// The table of targets; nothing when none was asked for.
  func writeTargets(to section: inout Markup) {
    let table = TargetTable(summary)
    if table.parts.isEmpty { return }
    for part in table.parts {
      section.element("h3", [], part.title)
      PlainTable(
        titles: ["strategy"] + part.columns.map(\.title),
        rows: table.labels.enumerated().map { index, label in
          [label] + part.columns.map { $0.cells[index] }
        }
      ).write(to: &section)
    }
    section.element(
      "p", [("class", "note")],
      TargetTable.note
        + ". Setup: bytes in both directions before the first round. A dash: not reached by any "
        + "seed, or not known.")
  }
}
