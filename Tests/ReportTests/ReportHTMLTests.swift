import Base
import Fixtures
import Foundation
import Records
import Testing

@testable import Report

@Suite("HTML report")
struct ReportHTMLTests {
  /// To look at the sample: `FEDSIM_SAMPLE_REPORT=/tmp/sample swift test --filter ReportHTML`
  /// writes `/tmp/sample-10.html` and `/tmp/sample-100.html`.
  @Test("the sample can be written and looked at")
  func sample() throws {
    guard let prefix = getenv("FEDSIM_SAMPLE_REPORT") else { return }
    let path = String(cString: prefix)
    try AtomicFile.write(ReportSample.input().page.html, to: path + "-10.html")
    let hundred = (0..<100).map { max(5, 500 - $0 * 5 - $0 / 3) }
    try AtomicFile.write(
      ReportSample.input(seeds: [4], counts: hundred, clients: 80).page.html,
      to: path + "-100.html")
    try AtomicFile.write(
      SummaryTable(header: ["a"], summary: Summary(ReportSample.input().strategies)).text(
        width: 120)
        + SummaryTable(header: ["a"], summary: Summary(ReportSample.input().strategies)).text(
          width: 80), to: path + ".txt")
  }

  /// Named, so that a failing case is told by its name and not by ten thousand numbers.
  enum Case: String, CaseIterable {
    case threeSeeds, oneSeed, noRounds, oneRound, hundredClasses, balancedClasses, noStrategies
    case notFinite, enormous, constant, everything, everythingOnce, manyClients

    var html: String {
      switch self {
      case .threeSeeds: ReportSample.input().page.html
      case .oneSeed: ReportSample.input(seeds: [1]).page.html
      case .noRounds: ReportSample.input(rounds: 0).page.html
      case .oneRound: ReportSample.input(rounds: 1).page.html
      case .hundredClasses:
        ReportSample.input(counts: (0..<100).map { 500 - 4 * $0 }, clients: 90).page.html
      case .balancedClasses:
        ReportSample.input(counts: [Int](repeating: 500, count: 10)).page.html
      case .everything: ReportSample.whole().page.html
      case .everythingOnce: ReportSample.whole(seeds: [1], clients: 2).page.html
      case .manyClients: ReportSample.whole(clients: 1000).page.html
      case .notFinite: ReportSample.diverged(.nan).page.html
      case .enormous: ReportSample.diverged(1e300).page.html
      case .constant: ReportSample.diverged(1e7).page.html
      case .noStrategies: ReportInput(title: "empty", strategies: []).page.html
      }
    }
  }

  @Test("every tag is closed in order", arguments: Case.allCases)
  func balanced(_ name: Case) {
    #expect(TagBalance.problem(name.html) == nil)
  }

  @Test(
    "nothing outside the file is referred to, and its own script needs nothing",
    arguments: Case.allCases)
  func selfContained(_ name: Case) {
    let parts = name.html.components(
      separatedBy: "<script>\n\(PageScript.text)\n</script>\n</body>")
    #expect(parts.count == 2)
    for call in ["eval(", "fetch(", "import(", "XMLHttpRequest", "innerHTML", "on=\""] {
      #expect(!PageScript.text.contains(call), "\(call)")
    }
    // The name of SVG is no address that anything is read from.
    let html = parts.joined().replacingOccurrences(
      of: "xmlns=\"http://www.w3.org/2000/svg\"", with: "")
    for forbidden in ["http://", "https://", "<script", "src=", "url(", "@import", "<link"] {
      #expect(!html.contains(forbidden), "\(name): \(forbidden)")
    }
    // Links stay on the page, and lead somewhere.
    for link in html.split(separator: "href=\"").dropFirst() {
      let target = link.prefix { $0 != "\"" }
      #expect(target.hasPrefix("#"), "\(name): \(target)")
      #expect(html.contains("id=\"\(target.dropFirst())\""), "\(name): \(target)")
    }
  }

  @Test("text from outside is escaped")
  func escaped() {
    let html = ReportSample.input().page.html
    #expect(html.contains("<h1>first-light &lt;&amp;&quot;&gt; c10lt</h1>"))
    #expect(html.contains("first-light &lt;script&gt;"))
    #expect(html.contains("&amp;&amp; echo &lt;done&gt;"))
  }

  @Test("every figure has a role, a label, a title and a description", arguments: Case.allCases)
  func textAlternatives(_ name: Case) {
    let html = name.html
    let figures = html.split(separator: "<figure", omittingEmptySubsequences: false).dropFirst()
    for figure in figures {
      for part in ["role=\"img\"", "aria-label=\"", "<title>", "<desc>"] {
        #expect(figure.contains(part), "\(name): \(part)")
      }
    }
  }

  @Test("no coordinate is a dash or not a number", arguments: Case.allCases)
  func numbers(
    _ name: Case
  ) {
    let html = name.html
    for wrong in ["\"-\"", "nan", "inf\"", "M-L", "L- "] {
      #expect(!html.contains(wrong), "\(name): \(wrong)")
    }
  }

  @Test("a single seed has no interval, three have one")
  func intervals() {
    #expect(ReportSample.input(seeds: [1]).page.html.contains("single seed: no interval"))
    #expect(ReportSample.input().page.html.contains(" ± "))
  }

  @Test("bands are the interval of Student's t; a single seed has none")
  func bands() {
    let html = ReportSample.input().page.html
    #expect(html.contains("95 % interval by Student&#39;s t"))
    #expect(html.contains("class=\"band"))
    #expect(!ReportSample.input(seeds: [1]).page.html.contains("class=\"band"))
  }

  @Test("what is compared, who fares worst, what is gained and what models are like is shown")
  func sections() {
    let html = ReportSample.whole().page.html
    for part in [
      "<h2>Which is better</h2>", "<h3>generic.accuracy, %</h3>",
      "scaffold - fedavg, generic.accuracy: ",
      "3 seeds cannot reach p &lt; 0.25 by sign flips", "<h3>At what cost</h3>", "of fedavg&#39;s",
      "Accuracy over clients", "What clients gain over training alone",
      "<h3>Clients that fare worst</h3>", "Reliability: accuracy against confidence",
      "Classifier weight norms against class frequency", ">NC1<", "<h2>Sources</h2>",
      "What differs between the folders",
    ] { #expect(html.contains(part), "\(part)") }
    // Worst first: client 0 has 20 %, and each client two points more than the one before.
    let table = html.components(separatedBy: "Clients that fare worst").last ?? ""
    let rows = table.components(separatedBy: "<th scope=\"row\">").dropFirst().prefix(3)
    #expect(rows.map { String($0.prefix { $0 != "<" }) } == ["0", "0", "0"])
    // Beyond so many points only the boxes are drawn.
    #expect(html.contains("class=\"dots"))
    #expect(!ReportSample.whole(clients: 1000).page.html.contains("class=\"dots"))
  }

  @Test("a huge partition is cut, and the caption says so")
  func hugePartition() {
    let counts = [[Int]](repeating: [Int](repeating: 1, count: 1000), count: 500)
    let html = ReportInput(title: "x", strategies: [], clientClassCounts: counts).page.html
    #expect(html.contains("(the first 12 of 500 clients)"))
    #expect(html.utf8.count < 2_500_000)
  }

  @Test("the rule of head, middle and tail is named")
  func rule() {
    #expect(ReportSample.input().page.html.contains("cumulative-share 75/95"))
  }
}
