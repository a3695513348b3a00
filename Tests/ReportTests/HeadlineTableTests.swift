import Base
import Testing

@testable import Records
@testable import Report

@Suite("Headline table")
struct HeadlineTableTests {
  /// Two strategies with two seeds each: 40 and 50 %, 60 and 80 %.
  private static let summary = Summary(
    [("a_b", [0.4, 0.5]), ("x|y", [0.6, 0.8])].map { label, values in
      StrategyResult(
        label: label,
        runs: values.enumerated().map { seed, value in
          var record = RoundRecord(
            round: 1, sampled: [0], bytes: .init(up: 2_000_000, down: 0), time: .init(wall: 61),
            digest: "0")
          record.generic = .init(
            accuracy: value, loss: 1, balancedAccuracy: value, macroF1: value, perClass: [value],
            ece: 0.125)
          return StrategyRun(seed: UInt64(seed + 1), records: [record])
        })
    })

  @Test("LaTeX by hand: booktabs, special characters escaped, the best bold, the next underlined")
  func latex() {
    let expected = """
      % 100 % <x>
      % bold: the best of a column; underlined: the next best; numbers that are printed alike \
      share a place, and a column of equal numbers has none; higher is better; costs and \
      privacy are not judged
      % \\usepackage{booktabs}; then \\input this inside a table environment
      \\begin{tabular}{lrrrr}
      \\toprule
       & \\multicolumn{1}{c}{generic accuracy \\%} & \\multicolumn{3}{c}{cost per run} \\\\
      \\cmidrule(lr){2-2}\\cmidrule(lr){3-5}
      strategy & all & up MB & down MB & wall \\\\
      \\midrule
      a\\_b & \\underline{45.0} [40.0, 50.0] & 2.0 & 0 & 0:01:01 \\\\
      x\\textbar{}y & \\textbf{70.0} [60.0, 80.0] & 2.0 & 0 & 0:01:01 \\\\
      \\bottomrule
      \\end{tabular}

      """
    #expect(Table.headline(Self.summary).latex(notes: ["100 %\n<x>"]) == expected)
  }

  @Test("numbers that are printed alike share a place; what is not judged has none")
  func ranks() {
    let rows: [(String, Double?)] = [
      ("a", 0.5), ("b", 0.7004), ("c", 0.7001), ("d", nil), ("e", 0.6), ("f", .nan),
    ]
    func table(_ better: Heading.Better?) -> Table {
      Table(
        of: rows,
        columns: [
          .words("name") { $0.0 },
          Column("x", better: better) { .number($0.1, scale: 100) { NumberText.percent($0) } },
        ])
    }
    #expect(table(.higher).ranks(1) == [nil, 1, 1, nil, 2, nil])
    #expect(table(.lower).ranks(1) == [1, nil, nil, nil, 2, nil])
    #expect(table(nil).ranks(1) == [nil, nil, nil, nil, nil, nil])
    #expect(table(.higher).ranks(0) == [nil, nil, nil, nil, nil, nil])
    let alike = Table(
      of: [0.5, 0.50001],
      columns: [Column("x", better: .higher) { .number($0) { NumberText.percent($0) } }])
    #expect(alike.ranks(0) == [nil, nil])
  }

  @Test("columns are chosen by their paths, in the order asked for; wrong ones are answered")
  func columns() throws {
    var style = ReportStyle()
    style.columns = ["bytes.up", "generic.ece", "generic.accuracy", "privacy.delta"]
    _ = try Table.headlineColumns(style)
    let table = Table.headline(Self.summary, style)
    #expect(
      table.headings.map(\.name) == [
        "strategy", "bytes.up", "generic.ece", "generic.accuracy", "privacy.delta",
      ])
    #expect(
      table.rows[0].map(\.whole) == ["a_b", "2.0", "12.5 [12.5, 12.5]", "45.0 [40.0, 50.0]", "-"])
    #expect(table.ranks(1) == [nil, nil])
    style.columns = ["generic.acuracy"]
    do throws(Failure) {
      _ = try Table.headlineColumns(style)
      Issue.record("an unknown column was taken")
    } catch {
      #expect(error.code == "E2012")
      #expect(error.hint == "did you mean generic.accuracy ?")
    }
  }

  @Test("what stands beside a mean is said, and is what was asked for")
  func spread() {
    let statistics = SeedStatistics([0.4, 0.5])
    func text(_ spread: Spread?, _ statistics: SeedStatistics) -> String {
      Cell.mean(statistics, scale: 100, spread: spread) { NumberText.percent($0) }.whole
    }
    // s/sqrt(2) = 0.05, t(0.975; 1) = 12.7062; s = 0.0707.
    #expect(text(nil, statistics) == "45.0 [40.0, 50.0]")
    #expect(text(.ci95, statistics) == "45.0 ± 63.5")
    #expect(text(.std, statistics) == "45.0 ± 7.1")
    #expect(text(nil, SeedStatistics([0.4])) == "40.0")
    #expect(text(nil, SeedStatistics([0.4, 0.5, 0.45])) == "45.0 ± 12.4")
    #expect(text(.range, SeedStatistics([0.4, 0.5, 0.45])) == "45.0 [40.0, 50.0]")
    #expect(Spread.note(nil, seeds: 2, least: 2) == "2 seeds; mean [least, largest] over seeds")
    #expect(
      Spread.note(.std, seeds: 3, least: 2) == "3 seeds; mean ± standard deviation over seeds")
    #expect(Spread.note(nil, seeds: 3, least: 2).hasSuffix("; of two seeds [least, largest]"))
    #expect(Spread.note(nil, seeds: 1, least: 0) == "single seed: no interval")
  }

  @Test("many, medium and few are the groups by number of images, everywhere")
  func shots() {
    var input = ReportSample.input()
    input.style.shots = .many
    let table = Table.headline(Summary(input.strategies), input.style)
    #expect(!table.headings.contains { ["head", "middle", "tail"].contains($0.title) })
    for strategy in input.strategies.indices {
      for run in input.strategies[strategy].runs.indices {
        for round in input.strategies[strategy].runs[run].records.indices {
          input.strategies[strategy].runs[run].records[round].generic?.shotsAbsolute =
            RoundRecord.Shots(
              rule: "absolute >100 / 20..100 / <20", head: 0.6, middle: 0.5, tail: 0.1)
        }
      }
    }
    let page = input.page
    let html = page.html
    for part in [
      "Many, medium and few", "absolute &gt;100", ">few</th>", "accuracy on few classes",
    ] {
      #expect(html.contains(part), "\(part)")
    }
    #expect(!html.contains("on tail classes") && !html.contains(">tail</th>"))
  }

  @Test("Markdown by hand: bars and underscores are escaped, numbers stand at the right")
  func markdown() {
    let expected = """
      first \\<b\\>

      | strategy | generic % all | up MB | down MB | wall |
      |---|---:|---:|---:|---:|
      | a\\_b | 45.0 \\[40.0, 50.0\\] | 2.0 | 0 | 0:01:01 |
      | x\\|y | 70.0 \\[60.0, 80.0\\] | 2.0 | 0 | 0:01:01 |

      """
    #expect(Table.headline(Self.summary).markdown(notes: ["first <b>"]) == expected)
  }

  @Test("every character that is a command in LaTeX is written as itself")
  func characters() {
    let all = Table.latex("\\&%$#_{}~^<>|\"±\u{1}")
    #expect(
      all == "\\textbackslash{}\\&\\%\\$\\#\\_\\{\\}\\textasciitilde{}\\textasciicircum{}"
        + "\\textless{}\\textgreater{}\\textbar{}''$\\pm$ ")
  }

  @Test("tidy rows have every headline metric with its seeds")
  func csv() {
    let lines = Self.summary.tidyCSV.split(separator: "\n").map(String.init)
    #expect(lines[0] == "strategy,metric,statistic,seed,value")
    for line in [
      "a_b,generic.accuracy,value,1,0.4", "a_b,generic.accuracy,value,2,0.5",
      "a_b,generic.accuracy,n,,2", "a_b,generic.accuracy,mean,,0.45", "x|y,generic.ece,std,,0",
      "x|y,bytes.up,mean,,2000000",
    ] { #expect(lines.contains(line), "\(line)") }
  }
}
