import Base
import Foundation
import Records
import Testing

@testable import Report

@Suite("Figures for papers")
struct PrintTests {
  private static let figures = ReportSample.whole().page.figures

  @Test("a PDF has a right table of its objects and a right length of its content")
  func structure() throws {
    for width in [nil, PrintWidth.single, .double] {
      for (name, plot) in Self.figures {
        let bytes = plot.pdf(width: width)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasPrefix("%PDF-1.4\n") && text.hasSuffix("%%EOF\n"), "\(name)")
        let start = try #require(text.range(of: "startxref\n"))
        let place = try #require(Int(text[start.upperBound...].prefix { $0.isNumber }))
        #expect(String(decoding: bytes[place...].prefix(4), as: UTF8.self) == "xref")
        let rows =
          text[start.lowerBound...].isEmpty ? [] : text.components(separatedBy: " 00000 n ")
        for (index, row) in rows.dropLast().enumerated() {
          let offset = try #require(Int(row.suffix(10)))
          let object = "\(index + 1) 0 obj"
          #expect(
            String(decoding: bytes[offset...].prefix(object.utf8.count), as: UTF8.self) == object)
        }
        let length = try #require(text.range(of: "/Length "))
        let count = try #require(Int(text[length.upperBound...].prefix { $0.isNumber }))
        let stream = try #require(text.range(of: "stream\n"))
        let end = try #require(text.range(of: "endstream"))
        #expect(text[stream.upperBound..<end.lowerBound].utf8.count == count)
        // Every state that is saved is restored, and every text ended.
        let words = text[stream.upperBound..<end.lowerBound].split { $0 == " " || $0 == "\n" }
        #expect(words.count { $0 == "q" } == words.count { $0 == "Q" })
        #expect(words.count { $0 == "BT" } == words.count { $0 == "ET" })
        #expect(!text.contains("nan") && !text.contains("inf"))
      }
    }
  }

  @Test("a figure in print is as wide as asked, with text of eight points, and light")
  func widths() throws {
    for (name, plot) in Self.figures {
      for (width, points) in [(PrintWidth.single, 3.35 * 72), (.double, 6.9 * 72)] {
        let text = String(decoding: plot.pdf(width: width), as: UTF8.self)
        let box = try #require(text.range(of: "/MediaBox [0 0 "))
        let found = try #require(Double(text[box.upperBound...].prefix { $0 != " " }))
        // Coordinates have one digit after the point.
        #expect(abs(found - points) < 0.1, "\(name)")
        let svg = plot.svg(width: width)
        #expect(!svg.contains("@media"), "\(name)")
        #expect(svg.contains("in\""), "\(name)")
      }
    }
  }

  @Test("letters that Helvetica lacks come from Symbol, or stand raised; others are questions")
  func letters() {
    let plot = Plot(
      title: "t", description: "d", x: Plot.Axis("ε ± (a) 10⁶ ☃", .linear(0...1)),
      y: Plot.Axis("y", .linear(0...1)), marks: [])
    let text = String(decoding: plot.pdf(), as: UTF8.self)
    for part in ["(e) Tj", "( \\261 \\(a\\) 10) Tj", "3.96 Ts (6) Tj", "( ?) Tj"] {
      #expect(text.contains(part), "\(part)")
    }
  }

  @Test("figures have the names of the methods, in the numbers too; labels of one's own stay")
  func names() {
    var input = ReportSample.whole()
    input.names = ["fedavg": "FedAvg", "scaffold": "SCAFFOLD"]
    for (name, plot) in input.page.figures where !plot.legend.isEmpty {
      let renamed = plot.renamed(input.name)
      #expect(!renamed.legend.contains { $0.label == "fedavg" }, "\(name)")
      #expect(renamed.legend.map(\.index) == plot.legend.map(\.index))
      #expect(!renamed.csv.contains(",fedavg,"), "\(name)")
    }
    #expect(input.name("fedavg epsilon 2") == "FedAvg epsilon 2")
    #expect(input.name("fedavg@runs/a") == "FedAvg@runs/a")
    #expect(input.name("fedavgm") == "fedavgm")
  }

  @Test("more series than six have no bands, and the page says so")
  func bands() {
    var input = ReportSample.input()
    func bands(_ input: ReportInput) -> Int {
      input.page.figures.reduce(0) { sum, figure in
        sum + figure.plot.marks.count { if case .band = $0 { true } else { false } }
      }
    }
    #expect(bands(input) > 0)
    for index in 0..<7 {
      var one = input.strategies[0]
      one.label = "more \(index)"
      input.strategies.append(one)
    }
    #expect(bands(input) == 0)
    #expect(input.page.html.contains("bands of more than 6 strategies would hide each other"))
  }

  // MARK: - Privacy and utility

  private static func runs(_ accuracies: [Double], epsilon: Double?) -> [StrategyRun] {
    accuracies.enumerated().map { index, accuracy in
      var record = RoundRecord(
        round: 1, sampled: [], bytes: RoundRecord.Bytes(up: 0, down: 0),
        time: RoundRecord.Time(wall: 0), digest: "")
      record.generic = RoundRecord.Generic(
        accuracy: accuracy, loss: 1, balancedAccuracy: accuracy, macroF1: accuracy, perClass: [])
      record.privacy = epsilon.map {
        RoundRecord.Privacy(
          epsilonMax: $0, epsilonMedian: $0, delta: 1e-5, accountant: "pld", hasGuarantee: true,
          clipped: nil, norm: nil, noiseToSignal: nil, clip: 1, error: nil, stopped: [])
      }
      return StrategyRun(seed: UInt64(index + 1), records: [record])
    }
  }

  @Test("methods over ε: a line each, ticks at what was run, none last, differences by seed")
  func privacyUtility() throws {
    typealias Group = PrivacyUtility.Group
    let groups = [
      Group(method: "a", target: 2, runs: Self.runs([0.3, 0.32, 0.31], epsilon: 1.999)),
      Group(method: "a", target: nil, runs: Self.runs([0.6, 0.62, 0.61], epsilon: nil)),
      Group(method: "b", target: 2, runs: Self.runs([0.4, 0.42, 0.415], epsilon: 1.998)),
      Group(method: "b", target: 8, runs: Self.runs([0.5, 0.5, 0.5], epsilon: 7.9)),
    ]
    #expect(groups.map(\.epsilon) == [2, .infinity, 2, 8])
    let study = try #require(PrivacyUtility(groups))
    let plot = study.plot
    #expect(plot.x.scale.ticks.map(\.label) == ["2", "8"])
    #expect(plot.x.hasNone)
    let lines = plot.marks.compactMap { mark -> [Double]? in
      if case .line(_, let points) = mark { points.map(\.x) } else { nil }
    }
    #expect(lines == [[2, .infinity], [2, 8]])
    let tables = study.blocks().compactMap { block -> Table? in
      if case .table(let table) = block { table } else { nil }
    }
    #expect(tables.count == 3)
    #expect(tables[0].headings.map(\.title) == ["strategy", "2", "8", "none"])
    #expect(tables[0].rows[0].map(\.isMissing) == [false, false, true, false])
    // Two differences in each table; 10, 10 and 10.5 points apart, and 30 exactly.
    #expect(tables[1].rows[0][1].text == "+10.2" && tables[1].rows[0][1].interval.hasSuffix("] *"))
    #expect(tables[1].rows[0][2].isMissing)
    #expect(tables[2].rows[0][1].text == "-30.0")
    #expect(PrivacyUtility([groups[0]]) == nil)
    #expect(PrivacyUtility([]) == nil)
  }
}
