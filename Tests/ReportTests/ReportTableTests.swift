import Base
import Fixtures
import Records
import Report
import Testing

@Suite("Summary table")
struct ReportTableTests {
  static let header = [
    "fedloge-c100lt-if100     CIFAR-100-LT factor 100, Dirichlet 0.5, 40 clients (30 %), 200 rounds",
    String(repeating: "a-very-long-word-without-any-space-", count: 6),
  ]

  func table(width: Int, seeds: [UInt64] = [1, 2, 3], longLabel: Bool = false) -> String {
    var results = ReportSample.input(seeds: seeds, rounds: 10).strategies
    if longLabel { results[1].label = String(repeating: "fedprox-", count: 20) }
    return SummaryTable(header: Self.header, summary: Summary(results)).text(width: width)
  }

  @Test(
    "no line is wider than the terminal, nor than 120", arguments: [60, 72, 80, 99, 100, 120, 400],
    [false, true])
  func width(_ columns: Int, _ longLabel: Bool) {
    for line in table(width: columns, longLabel: longLabel).split(separator: "\n") {
      #expect(line.count <= min(columns, 120), "\(line)")
    }
  }

  @Test("a wide terminal has one table, a narrow one has two")
  func tables() {
    func headings(_ text: String) -> Int {
      text.split(separator: "\n").filter { $0.hasPrefix("strategy") }.count
    }
    #expect(headings(table(width: 120)) == 1)

    #expect(headings(table(width: 80)) == 2)
  }

  /// Six strategies whose labels differ at their ends alone, with every column there is.
  private func full(width: Int) throws -> [String] {
    var results = ReportSample.input().strategies
    results.append(results[1])
    for index in results.indices {
      results[index].label = "personalised-strategy-with-rate-0.0\(index)"
      for run in results[index].runs.indices {
        for round in results[index].runs[run].records.indices {
          results[index].runs[run].records[round].privacy = ReportTableTests.privacy
        }
      }
    }
    let comparisons = try Comparison.all(ComparedStrategy.finished(results, rounds: 100))
    let table = SummaryTable(
      header: Self.header, summary: Summary(results), comparisons: comparisons)
    return table.text(width: width).split(separator: "\n", omittingEmptySubsequences: false).map(
      String.init)
  }

  private static let privacy: RoundRecord.Privacy? = {
    let text = """
      {"round":1,"sampled":[],"bytes":{"up":0,"down":0},"time":{"wall":0},"digest":"",
      "privacy":{"epsilon":{"max":123.456,"median":7},"delta":1e-5,"accountant":"pld",
      "guarantee":true,"clip":1}}
      """
    return (try? JSON(parsing: text)).flatMap { RoundRecord($0) }?.privacy
  }()

  @Test("with all columns and long labels the lines still fit", arguments: [60, 80, 99, 120, 200])
  func allColumns(_ width: Int) throws {
    let lines = try full(width: width)
    for line in lines { #expect(line.count <= min(width, 120), "\(line)") }
    let text = lines.joined(separator: "\n")
    for title in ["head", "worst 10 %", "epsilon", "up MB", "down MB", "virtual", "wall"] {
      #expect(text.contains(title), "\(title)")
    }
    #expect(text.contains("123.46"))
    // 31.5 · 100 rounds · (strategy + 1) seconds.
    #expect(text.contains("0:52:30"))
    #expect(text.contains("separated"))
    // A table's rows can be told apart, however short their labels are.
    let headings = lines.indices.filter { lines[$0].hasPrefix("strategy ") }
    #expect(headings.count == (width <= 80 ? 3 : 2))
    for heading in headings {
      let rows = lines[(heading + 2)...].prefix(6)
      #expect(Set(rows.map { $0.prefix { $0 != " " } }).count == 6)
      #expect(Set(rows.map(\.count)).count == 1)
    }
  }

  @Test("what has no meaning is a dash")
  func dashes() throws {
    let line = try #require(
      table(width: 120).split(separator: "\n").first { $0.hasPrefix("local-only ") })
    #expect(line.split(separator: " ").filter { $0 == "-" }.count == 5)
  }

  @Test("one seed has no interval and says so")
  func singleSeed() {
    let text = table(width: 120, seeds: [1])
    #expect(text.contains("single seed: no interval"))
    #expect(!text.contains("±"))
    #expect(table(width: 120).contains(" ± "))
  }

  @Test("colour only when asked for")
  func colour() {
    var table = SummaryTable(header: [], summary: Summary(ReportSample.input().strategies))
    #expect(!table.text(width: 120).contains("\u{1B}"))
    table.colour = true
    #expect(table.text(width: 120).contains("\u{1B}[1m"))
  }

  @Test("a run ends with the sentences of the report, Holm's correction and all")
  func sentences() throws {
    func run(_ seed: UInt64, _ accuracy: Double, round: Int = 2) -> StrategyRun {
      var record = SampleRecord.full
      record.round = round
      record.generic?.accuracy = accuracy
      record.personal = nil
      return StrategyRun(seed: seed, records: [record])
    }
    let results = [
      StrategyResult(label: "b", runs: [run(1, 0.231), run(2, 0.240), run(3, 0.233)]),
      StrategyResult(label: "a", runs: [run(1, 0.248), run(2, 0.254), run(3, 0.248)]),
      StrategyResult(label: "c", runs: [run(1, 0.231), run(2, 0.241), run(3, 0.233)]),
      // Has not finished, and is not compared.
      StrategyResult(label: "d", runs: [run(1, 0.9, round: 1), run(2, 0.9, round: 1)]),
    ]
    let finished = ComparedStrategy.finished(results, rounds: 2)
    #expect(finished.map(\.label) == ["b", "a", "c"])
    let comparisons = try Comparison.all(finished)
    #expect(comparisons.map(\.metric.name) == ["generic.accuracy"])
    let said = comparisons[0].sentences
    #expect(
      said[0].hasPrefix("a - b, generic.accuracy: +1.53 points [+1.15, +1.91]: separated at 95 % "))
    #expect(said[0].contains("after Holm over 2 comparisons"))
    let table = SummaryTable(header: [], summary: Summary(results), comparisons: comparisons)
    let text = table.text(width: 120).split { $0.isWhitespace }.joined(separator: " ")
    for sentence in said { #expect(text.contains(sentence), "\(sentence)") }
  }

  @Test("nothing to show is no reason to stop")
  func empty() {
    #expect(SummaryTable(header: [], summary: Summary([])).text(width: 80).contains("strategy"))
  }
}
