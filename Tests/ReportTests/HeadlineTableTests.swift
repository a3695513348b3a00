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

  // 0.05 is half of the distance of 0.4 and 0.5: s/sqrt(2) = 0.05, t(0.975; 1) = 12.7062.
  @Test("LaTeX by hand: no package, special characters escaped, groups under their headings")
  func latex() {
    let expected = """
      % 100 % <x>
      % plain tabular: no package is needed; \\input it inside a table environment
      \\begin{tabular}{l|r|rrr}
      \\hline
       & \\multicolumn{1}{c|}{generic accuracy \\%} & \\multicolumn{3}{c}{cost per run} \\\\
      strategy & all & up MB & down MB & wall \\\\
      \\hline
      a\\_b & 45.0 $\\pm$ 63.5 & 2.0 & 0 & 0:01:01 \\\\
      x\\textbar{}y & 70.0 $\\pm$ 127.1 & 2.0 & 0 & 0:01:01 \\\\
      \\hline
      \\end{tabular}

      """
    #expect(Table.headline(Self.summary).latex(notes: ["100 %\n<x>"]) == expected)
  }

  @Test("Markdown by hand: bars and underscores are escaped, numbers stand at the right")
  func markdown() {
    let expected = """
      first \\<b\\>

      | strategy | generic % all | up MB | down MB | wall |
      |---|---:|---:|---:|---:|
      | a\\_b | 45.0 ± 63.5 | 2.0 | 0 | 0:01:01 |
      | x\\|y | 70.0 ± 127.1 | 2.0 | 0 | 0:01:01 |

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
