import Base
import Fixtures
import Foundation
import Records
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@testable import Report

@Suite("Plots")
struct PlotTests {
  /// What every scale must hold.
  private static func check(_ scale: Scale, _ data: ClosedRange<Double>, _ words: String) {
    let values = scale.ticks.map(\.value)
    #expect(values.count >= 2, "\(words)")
    #expect(values.count <= 40, "\(words)")
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 < $1 }, "\(words): \(values)")
    let labels = scale.ticks.map(\.label)
    #expect(Set(labels).count == labels.count, "\(words): \(labels)")
    #expect(labels.allSatisfy { $0.count <= 12 }, "\(words): \(labels)")
    #expect(scale.range.lowerBound <= data.lowerBound, "\(words)")
    #expect(scale.range.upperBound >= data.upperBound, "\(words)")
    for value in values + [data.lowerBound, data.upperBound] {
      #expect((0...1).contains(scale.share(value)), "\(words): \(value)")
    }
  }

  @Test("the numbers of a figure: intervals along either axis, and what stands beside and below it")
  func numbers() {
    let one = Plot.Series("a, b", 0)
    let plot = Plot(
      title: "t", description: "d", x: Plot.Axis(names: ["u", "v"], slot: 20),
      y: Plot.Axis("y", .linear(0...1)),
      marks: [
        .interval(one, from: .init(2, 0.25), to: .init(2, 0.75)),
        .interval(one, from: .init(-1, 3), to: .init(4, 3)), .points(one, [.init(1, 0.1)]),
        .band(one, [(x: 1, low: 0, high: 0.5)]), .ends(["first", "second"]),
      ], foot: Plot.Foot(title: "images", bars: [(0.5, "12"), (1, "24")]))
    #expect(
      plot.csv.split(separator: "\n") == [
        "mark,series,x,y,low,high,words", #"interval,"a, b",2,,0.25,0.75,"#,
        #"interval,"a, b",,3,-1,4,"#, #"point,"a, b",1,0.1,,,"#, #"band,"a, b",1,,0,0.5,"#,
        "words,,,0,,,first", "words,,,1,,,second", "foot,,0,0.5,,,12", "foot,,1,1,,,24",
      ])
  }

  @Test("random numbers of any size: ticks rise, labels differ, the data lie inside")
  func random() {
    var stream = XXHash64(seed: 7)
    func next() -> Double {
      stream.update([1])
      return Double(stream.finish() >> 11) / 0x1p53
    }
    for trial in 0..<3000 {
      // Sizes from 1e-270 to 1e270; every fourth range is narrow beside its place.
      let size = pow(10, (next() - 0.5) * (trial % 2 == 0 ? 540 : 12))
      let low = (next() - 0.5) * size
      let high = trial % 4 == 3 ? low + abs(low) * pow(10, -12 * next()) : low + next() * size
      let count = 1 + trial % 8
      for isRounded in [true, false] {
        let scale = Scale.linear(low...high, count: count, isRounded: isRounded)
        Self.check(scale, low...high, "linear \(low)...\(high), \(count), \(isRounded)")
      }
      let positive = abs(low)...max(abs(low), abs(high))
      if positive.lowerBound > 1e-280 {
        let scale = Scale.logarithmic(positive, count: 3 + trial % 6)
        Self.check(scale, positive, "logarithmic \(positive)")
      }
    }
  }

  @Test("all equal, zero and enormous", arguments: [0, 1, -1, 0.7, 50, 1e-300, 1e300, -1e12, 1e7])
  func equal(_ value: Double) {
    let shown = min(max(value, -1e290), 1e290)
    Self.check(.linear(value...value), shown...shown, "\(value)")
    Self.check(.linear(value...value, isRounded: false), shown...shown, "\(value)")
  }

  @Test("equal results give an axis of differences around zero, in points")
  func noDifference() throws {
    func strategy(_ label: String) -> ComparedStrategy {
      ComparedStrategy(
        label: label,
        runs: Dictionary(
          uniqueKeysWithValues: [1, 2, 3].map { (seed: UInt64) in
            var record = SampleRecord.full
            record.generic?.accuracy = 0.25
            return (
              seed,
              RunFolder.Part(folder: "x", run: StrategyRun(seed: seed, records: [record]))
            )
          }))
    }
    var settings = Comparison.Settings()
    settings.metric = "generic.accuracy"
    let comparison = try Comparison([strategy("a"), strategy("b")], settings)
    let plot = try #require(Plot.differences(comparison) { _ in 0 })
    #expect(plot.x.scale.range == -1...1)
    #expect(plot.x.scale.ticks.map(\.label) == ["-1.0", "-0.5", "0.0", "0.5", "1.0"])
    #expect(plot.x.title.contains("points"))
  }

  @Test("what is not finite has a place of its own, and alone as well")
  func infinite() {
    let some = Plot.Axis("epsilon", costs: [2, .infinity, 8], ratio: 2)
    #expect(some.hasNone && some.scale.isLogarithmic)
    let all = Plot.Axis("epsilon", costs: [.infinity])
    #expect(all.hasNone && all.scale.ticks.count >= 2)
    #expect(!Plot.Axis("epsilon", costs: [2]).hasNone)
  }

  @Test("an axis of costs ends at a tick, also where all of them are equal")
  func equalCosts() {
    for costs in [[0.8883, 0.8883], [0.00000889, 0.00003373], [7]] {
      let scale = Plot.Axis("MB", costs: costs).scale
      #expect(scale.ticks.last?.value == scale.range.upperBound)
      #expect(scale.range.contains(costs[0]) && scale.ticks.count >= 2)
    }
  }

  @Test("low accuracies fill the figures of clients and classes")
  func lowAccuracies() throws {
    let series = Plot.Series("a", 0)
    let clients = try #require(Plot.spread("t", "accuracy %", [(series, [0.4, 1.2, 2.1])]))
    #expect(clients.x.scale.range.lowerBound == 0 && clients.x.scale.range.upperBound <= 4)
    let classes = try #require(
      Plot.classes([], [9, 5, 1], [(series: series, values: [0.04, .nan, 0.01])]))
    #expect(classes.y.scale.range == 0...4)
    for values in [[0.0, 0, 0], [Double](repeating: .nan, count: 3)] {
      let plot = try #require(Plot.classes([], [9, 5, 1], [(series: series, values: values)]))
      #expect(plot.y.scale.ticks.count >= 2)
    }
  }

  /// A figure of every kind, of twelve strategies with names that need escapes.
  private static let all: [Plot] = {
    let series = (0..<12).map { Plot.Series("strategy <\($0)> & \"others\"", $0) }
    var strategies = ReportSample.input().strategies
    for index in 5..<12 {
      strategies.append(strategies[index % 5])
      strategies[index].label = series[index].label
    }
    let counts = (0..<500).map { client in (0..<10).map { ($0 * client) % 7 } }
    let values = series.map { one in (one, (0..<10).map { Double($0 + one.index) / 22 }) }
    let points = series.map { one in (one, [Plot.Point(Double(one.index), 1), Plot.Point(3, 2)]) }
    return [
      Plot.curves("curves", "y", strategies) { $0.generic?.accuracy },
      Plot.spread("spread", "x", values, marked: 0), Plot.holdings([], counts),
      Plot.spread("one value", "x", [(series[0], [0.5])]),
      Plot.scatter("scatter", x: "x", y: "y", points, isJoined: true),
      Plot.classes([], ReportSample.counts, values),
    ].compactMap(\.self)
  }()

  @Test("a figure alone is XML, with its colours for light and dark in it")
  func alone() throws {
    #expect(Self.all.count == 6)
    for plot in Self.all {
      let parser = XMLParser(data: Data(plot.svg().utf8))
      #expect(parser.parse(), "\(plot.title): \(String(describing: parser.parserError))")
      #expect(plot.svg().hasPrefix("<svg xmlns="))
      #expect(plot.svg().contains("prefers-color-scheme:dark"))
      for wrong in ["nan", "inf\"", "\"-\""] {
        #expect(!plot.svg().contains(wrong), "\(plot.title)")
      }
    }
  }

  @Test("series differ without colour: no two of twelve have dash, marker and colour in common")
  func styles() {
    let looks = (0..<12).map { index -> String in
      let style = SeriesStyle(index: index)
      return "\(style.dash)|\(style.marker(0, 0))"
    }
    #expect(Set(looks.prefix(8)).count == 8)
    let whole = (0..<12).map { looks[$0] + SeriesStyle(index: $0).colour }
    #expect(Set(whole).count == 12)
  }
}
