import Base
import Records

/// A report over run folders, in all its forms, from their files alone.
package struct RunReport: Sendable {
  /// What is shown.
  package let input: ReportInput
  private let summary: Summary

  /// The name of the page in a run folder.
  package static let fileName = "report.html"

  /// Reads everything that a report shows.
  ///
  /// - Parameters:
  ///   - folders: found to be alike; one or several.
  ///   - settings: what is compared.
  ///   - style: how numbers are shown.
  /// - Throws: E4102 when nothing was measured yet (exit 4), and what `ReportReader` throws.
  package init(
    _ folders: [RunFolder], _ settings: Comparison.Settings = Comparison.Settings(),
    style: ReportStyle = ReportStyle()
  ) throws(Failure) {
    input = try ReportReader(folders).input(settings, style: style)
    summary = Summary(input.strategies, targets: input.targets)
    guard !input.strategies.isEmpty else {
      throw Failure(
        .dataMissingOrCorrupt, "E4102", "no round has been run yet, so there is nothing to report",
        hint: folders.first { $0.isOpen }.map { "continue with: fedsim resume \($0.path)" })
    }
  }

  package var html: String { input.page.html }
  /// The headline table as a LaTeX `tabular`.
  package var latex: String { headline.latex(notes: notes) }
  package var markdown: String { headline.markdown(notes: notes) }
  private var headline: Table { Table.headline(summary, input.style).renamed(input.name) }
  /// The headline table as tidy rows at full precision.
  package var csv: String { summary.tidyCSV }

  /// Writes the page of a run folder into it: the same that `fedsim report` writes, because it is
  /// made from the same files.
  package static func writePage(of folder: String) throws(Failure) {
    let input = try ReportReader([try RunFolder(folder)]).input(
      Comparison.Settings(), style: ReportStyle())
    try AtomicFile.write(input.page.html, to: FilePath.join(folder, fileName))
  }

  /// Writes the page into a folder, and the tables into `tables/` below it when asked to.
  package func write(to folder: String, tables: Bool) throws(Failure) {
    try AtomicFile.write(html, to: FilePath.join(folder, Self.fileName))
    guard tables else { return }
    let path = FilePath.join(folder, "tables")
    try FilePath.makeFolder(path)
    try AtomicFile.write(latex, to: FilePath.join(path, "headline.tex"))
    try AtomicFile.write(markdown, to: FilePath.join(path, "headline.md"))
  }

  private var notes: [String] {
    [input.title] + input.conditions
      + [summary.seedNote(input.style.spread), input.shotNote]
      .filter { !$0.isEmpty }
  }
}

extension ReportInput {
  /// What is shown, as a page.
  package var page: Page { ReportPage(self).page }
}

extension FilePage {
  /// The files of reports.
  package static let report = [Summary.headlinePage, Plot.page]
}
