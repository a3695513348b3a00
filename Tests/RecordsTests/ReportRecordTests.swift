import Base
import Fixtures
import Testing

@testable import Records

@Suite("Round records and summaries")
struct ReportRecordTests {
  @Test("a run that did not finish counts in no mean beside runs that did")
  func counting() {
    func run(_ seed: UInt64, _ rounds: Int) -> StrategyRun {
      StrategyRun(
        seed: seed,
        records: (0..<rounds).map {
          RoundRecord(
            round: $0 + 1, sampled: [], bytes: .init(up: 1, down: 1), time: .init(wall: 0),
            digest: "")
        })
    }
    let all = StrategyResult(label: "a", runs: [run(1, 4), run(2, 3), run(3, 0)])
    #expect(all.counting(4, patience: nil).runs.map(\.seed) == [1])
    #expect(all.counting(3, patience: nil).runs.map(\.seed) == [1, 2])
    // Nothing finished: all of it is shown.
    #expect(all.counting(5, patience: nil) == all)
    let bytes = Summary([all.counting(4, patience: nil)]).strategies[0].statistics("bytes.up")
    #expect(bytes?.mean == 4 && bytes?.count == 1)
  }

  @Test("the keys come in a fixed order")
  func order() {
    #expect(
      SampleRecord.full.line
        == #"{"round":110,"sampled":[3,7,11],"bytes":{"up":88214,"down":3843120},"#
        + #""train":{"loss":2.913,"examples":4960,"steps":155},"generic":{"accuracy":0.1,"#
        + #""loss":0.30000000000000004,"balancedAccuracy":0.3333333333333333,"macroF1":5e-324,"#
        + #""perClass":[0.5,0.25],"shots":{"rule":"cumulative-share 75/95","head":0.412,"#
        + #""tail":0.058},"shotsAbsolute":{"rule":"absolute >100 / 20..100 / <20","head":1,"#
        + #""middle":0}},"personal":{"accuracy":0.4177,"model":"own","fairness":{"std":0.081,"#
        + #""p10":0.31,"worst":0.24,"worstDecile":0.25,"helped":0.85},"global":0.3,"#
        + #""perClass":[0.5,0.125],"shots":{"rule":"cumulative-share 75/95","head":0.5,"#
        + #""tail":0.125}},"time":{"wall":7.21,"virtual":188.4},"# + #""digest":"9d0f"}"#)
  }

  @Test("what was written reads back to the same bits")
  func roundTrip() throws {
    #expect(RoundRecord(try JSON(parsing: SampleRecord.full.line)) == SampleRecord.full)
  }

  @Test("parts without meaning are absent")
  func absent() throws {
    let record = RoundRecord(
      round: 0, sampled: [], bytes: .init(up: 0, down: 0), time: .init(wall: 0.5), digest: "a")
    #expect(
      record.line
        == #"{"round":0,"sampled":[],"bytes":{"up":0,"down":0},"time":{"wall":0.5},"digest":"a"}"#)
    #expect(RoundRecord(try JSON(parsing: record.line)) == record)
  }

  @Test("a number that is not finite is null and reads back as not a number")
  func notFinite()
    throws
  {
    var record = SampleRecord.full
    record.train?.loss = .infinity
    record.generic?.perClass = [.nan, 1]
    let line = record.line
    #expect(line.contains(#""loss":null"#))
    #expect(line.contains(#""perClass":[null,1]"#))
    let read = try #require(RoundRecord(try JSON(parsing: line)))
    #expect(read.train?.loss.isNaN == true)
    #expect(read.generic?.perClass[0].isNaN == true)
    #expect(read.line == line)
  }

  @Test(
    "anything else is no record",
    arguments: [
      "{}", "[]", #"{"round":1}"#,
      #"{"round":1.5,"sampled":[],"bytes":{"up":0,"down":0},"time":{"wall":0},"digest":"a"}"#,
      #"{"round":1,"sampled":["x"],"bytes":{"up":0,"down":0},"time":{"wall":0},"digest":"a"}"#,
    ])
  func wrong(_ text: String) throws { #expect(RoundRecord(try JSON(parsing: text)) == nil) }

  @Test("rows have as many fields as their header")
  func rows() {
    var client = ClientRow(
      round: 5, client: 3, trainCount: 210, testCount: 99.5, accuracy: 0.25, loss: nil,
      accuracyAlone: .nan)
    (client.strategy, client.seed) = ("fedavg", 7)
    #expect(client.line == "5,3,210,99.5,0.25,,,,fedavg,7,")
    client.epsilon = 0.5
    #expect(client.line.hasSuffix(",fedavg,7,0.5"))
    let message = MessageRow(
      round: 1, client: 0, direction: .up, tensor: "a,\"b\"", dtype: "F32", shape: [32, 3, 3, 3],
      denseBytes: 3456, codedBytes: 120)
    #expect(message.line == "1,0,up,\"a,\"\"b\"\"\",F32,32x3x3x3,3456,120,")
    var plain = message
    plain.tensor = "a"
    let classes = ClassRow.rows(
      round: 2, model: "generic", perClass: [0.5, .nan], trainCounts: [90, 10])
    #expect(classes.map(\.line) == ["2,generic,0,head,90,0.5", "2,generic,1,middle,10,"])
    for (header, line) in [
      (ClientRow.table.header, client.line), (ClassRow.table.header, classes[0].line),
      (MessageRow.table.header, MessageRow.table.line(plain)),
    ] { #expect(header.split(separator: ",").count == line.filter { $0 == "," }.count + 1) }
    #expect(DigestRow("12 9d0f") == DigestRow(round: 12, digest: "9d0f"))
    #expect(CSV.leadingInteger(client.line) == 5)
    #expect(CSV.leadingInteger(ClientRow.table.header) == nil)
  }

  @Test("a file of clients that an earlier version began keeps its columns")
  func earlierColumns() {
    var row = ClientRow(round: 5, client: 3, trainCount: 2, testCount: 1, accuracy: 0.25)
    (row.strategy, row.seed) = ("fedavg", 7)
    let header = "round,client,train_count,test_count,accuracy,loss,accuracy_alone,global_accuracy"
    let width = ClientRow.width(of: Array((header + "\n5,2,2,1,0.5,,,\n").utf8))
    #expect(width == 8)
    #expect(ClientRow.table.line(row, first: width) == "5,3,2,1,0.25,,,")
    for start in [ClientRow.table.header, "", "round,other"] {
      #expect(ClientRow.width(of: Array(start.utf8)) == ClientRow.table.columns.count, "\(start)")
    }
  }

  @Test(
    "what a client's ε is: its own, that of all, none without a guarantee",
    arguments: [
      (#"{"clients":[{"client":1,"rdp":3,"pld":2},{"client":2,"rdp":4}]}"#, true, [0, 2, 4]),
      ("{}", true, [9, 9, 9]), (#"{"clients":[{"client":1,"pld":2}]}"#, false, [nil, nil, nil]),
    ] as [(String, Bool, [Double?])])
  func epsilons(line: String, hasGuarantee: Bool, expected: [Double?]) throws {
    let record = RoundRecord.Privacy(
      epsilonMax: 9, epsilonMedian: 3, delta: 0.1, accountant: "pld", hasGuarantee: hasGuarantee,
      clip: 1, stopped: [])
    let epsilons = ClientEpsilons(record, try JSON(parsing: line))
    #expect((0..<3).map { epsilons[$0] } == expected)
    #expect(ClientEpsilons(nil, nil)[0] == nil)
  }

  @Test("the summary has totals of bytes and the last evaluation of accuracies")
  func summary()
    throws
  {
    var second = SampleRecord.full
    second.round = 111
    second.generic = nil
    let summary = Summary([
      StrategyResult(
        label: "a", runs: [StrategyRun(seed: 7, records: [SampleRecord.full, second])])
    ])
    let json = summary.json(name: "x", digests: ["a": [7: "9d0f"]])
    let metrics = try #require(json["strategies"]?.elements?.first?["metrics"])
    #expect(metrics["bytes.up"]?["mean"]?.int == 2 * 88_214)
    #expect(metrics["generic.accuracy"]?["values"]?.elements?.first?.double == 0.1)
    #expect(metrics["generic.shots.middle"] == nil)
    #expect(metrics["generic.accuracy"]?["halfWidth"] == nil)
    #expect(json["strategies"]?.elements?.first?["seeds"]?.compact == "[7]")
  }

  @Test("results are tidy: one number a row, none without meaning")
  func results() {
    let csv = ResultsTable.csv([
      StrategyResult(label: "a,b", runs: [StrategyRun(seed: 7, records: [SampleRecord.full])])
    ])
    #expect(csv.hasPrefix("strategy,seed,round,metric,value\n"))
    #expect(csv.contains("\n\"a,b\",7,110,generic.shots.tail,0.058\n"))
    #expect(!csv.contains("middle,\n"))
    #expect(csv.contains("7,110,personal.fairness.p10,0.31\n"))
  }
}
