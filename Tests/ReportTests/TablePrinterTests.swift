import Base
import Fixtures
import Foundation
import Records
import Testing

@testable import Report

@Suite("One table, five printers")
struct TablePrinterTests {
  private struct Row {
    let name: String
    let statistics: SeedStatistics
    let count: Int
  }

  /// A column of every kind: words, a mean with its interval, a count, a unit, one that nobody has.
  private static let table: Table = {
    let accuracy = ColumnGroup(title: "accuracy %", short: "accuracy %")
    let rows = [
      Row(name: "first", statistics: SeedStatistics([0.25, 0.35, 0.3]), count: 7),
      Row(name: "second", statistics: SeedStatistics([0.5]), count: 12),
    ]
    return Table(
      "a title", of: rows,
      columns: [
        .words("strategy") { $0.name },
        Column("mean", in: accuracy) {
          .mean($0.statistics, scale: 100) { NumberText.percent($0) }
        },
        Column("clients") { .count($0.count) },
        Column("sent", unit: "MB", note: "Sent: both ways.") { .number(Double($0.count), 1) },
        Column("never", isOptional: true) { _ in .missing },
      ])
  }()

  private static let printed: [String] = {
    var html = Markup()
    table.write(to: &html)
    let terminal = table.lines(TerminalLayout(width: 120)).joined(separator: "\n")
    return [terminal, table.markdown(), table.latex(), html.text]
  }()

  @Test("words and values are the same in all of them")
  func same() throws {
    for text in Self.printed {
      let plain = text.replacingOccurrences(of: "$\\pm$", with: "±")
        .replacingOccurrences(of: "\\%", with: "%")
      for word in ["strategy", "accuracy %", "mean", "clients", "sent MB", "first", "second"] {
        #expect(plain.contains(word), "\(word) in \(text)")
      }
      for value in ["30.0 ± 12.4", "50.0", "7.0", "12.0"] {
        #expect(plain.contains(value), "\(value) in \(text)")
      }
      #expect(!plain.contains("never"))
    }
    let lines = Self.table.csv.split(separator: "\n")
    let csv = lines.map { $0.split(separator: ",").map(String.init) }
    #expect(csv[0] == ["strategy", "accuracy % mean", "accuracy % mean ±", "clients", "sent MB"])
    #expect(abs((Double(csv[1][1]) ?? 0) - 30) < 1e-9)
    #expect(abs((Double(csv[1][2]) ?? 0) - 12.42) < 0.01)
    #expect(Self.table.csv.contains("\nsecond,50,,12,12\n"))
    #expect(Self.table.note == "Sent: both ways.")
  }

  @Test("the headline table has the same columns in every file, and all of them in the terminal's")
  func headline() {
    let table = Table.headline(Summary(ReportSample.input().strategies))
    let markdown = table.markdown()
    let latex = table.latex()
    let terminal = table.lines(TerminalLayout(width: 120)).joined(separator: "\n")
    for heading in table.headings {
      #expect(markdown.contains(heading.lone), "\(heading.lone)")
      #expect(latex.contains(Table.latex(heading.words)), "\(heading.words)")
      #expect(table.csv.contains(heading.lone), "\(heading.lone)")
      if !heading.isDetail { #expect(terminal.contains(heading.words), "\(heading.words)") }
    }
  }

  @Test("what does not fit is continued with the rows' names, or left out")
  func narrow() {
    let lines = Self.table.lines(TerminalLayout(width: 20))
    #expect(lines.filter { $0.hasPrefix("strategy") }.count > 1)
    let cut = Self.table.lines(TerminalLayout(width: 20, fixed: 0, overflow: .leftOut))
    #expect(cut.allSatisfy { $0.count <= 20 })
  }

  @Test("a table without rows has headings in files, and is not on a page")
  func empty() {
    let table = Table(of: [Int](), columns: [Column("a") { .count($0) }])
    var html = Markup()
    table.write(to: &html)
    #expect(html.text.isEmpty)
    #expect(table.csv == "a\n")
    #expect(table.lines(TerminalLayout(width: 80)) == ["a", "-"])
  }

  @Test("On pages only names get the width of names, a number or mark in front does not")
  func firstColumn() {
    func html(_ column: Column<Int>) -> String {
      var out = Markup()
      Table(of: [7], columns: [column]).write(to: &out)
      return out.text
    }
    #expect(html(.words("strategy") { "\($0)" }).contains("<th scope=\"row\" class=\"name\">7"))
    #expect(html(Column("trial") { .count($0) }).contains("<th scope=\"row\">7"))
  }

  @Test("Rows that are printed one by one keep the columns of those before")
  func oneByOne() {
    let columns: [Column<(String, Int)>] = [
      .words("name", room: 6) { $0.0 }, Column("count", room: 7) { .count($0.1) },
    ]
    let first = Table(of: [("a", 1)], columns: columns).lines(.whole)
    let second = Table(of: [("longer", 1_234_567)], columns: columns).lines(.whole)
    #expect(first == ["name      count", "------  -------", "a             1"])
    #expect(second[0...1] == first[0...1])
    #expect(second[2] == "longer  1234567")
  }

  @Test("Names with what belongs to them stand in two columns without headings")
  func terms() {
    let terms = Table.terms([("a name", "its words"), ("b", "")])
    #expect(terms.lines(.list) == ["a name  its words", "b"])
    #expect(Table.terms([("b", "words")], room: 8).lines(.list) == ["b         words"])
  }
}
