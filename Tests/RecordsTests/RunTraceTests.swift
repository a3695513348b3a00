import Base
import Fixtures
import Records
import Testing

@Suite("The one reader of what a run wrote")
struct RunTraceTests {
  private var line: String {
    var record = SampleRecord.full
    record.round = 1
    return record.line
  }

  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test("a last line without its newline is not read, whole or not")
  func torn() throws {
    for tail in [String(line.prefix(40)), line, ""] {
      let read = try RunTrace.records(bytes(line + "\n" + tail), path: "r")
      #expect(read.map(\.round) == [1])
    }
    #expect(try RunTrace.records(bytes(line), path: "r").isEmpty)
    let header = "round,client,accuracy\n"
    for tail in ["1,1,0.5", "1,1", ""] {
      let scores = try RunTrace.scores(
        bytes(header + "1,0,0.25\n" + tail), path: "c", upTo: 9, clients: 2)
      #expect(scores == [1: [0: 0.25]])
    }
  }

  @Test("a broken line inside is told with its number")
  func broken() {
    let failure = #expect(throws: Failure.self) {
      try RunTrace.records(bytes(line + "\n{\n" + line + "\n"), path: "a/rounds.jsonl")
    }
    #expect(failure?.message == "a/rounds.jsonl, line 2: not a round record")
    for row in ["1,2,0.5", "x,0,0.5", "1,0", "1,0,0.5,7", "1,0,3"] {
      let failure = #expect(throws: Failure.self) {
        try RunTrace.scores(
          bytes("round,client,accuracy\n" + row + "\n"), path: "c", upTo: 9, clients: 2)
      }
      #expect(failure?.code == "E4124" && failure?.message.contains("line 2") == true, "\(row)")
    }
  }

  @Test("columns are found by their names, and one that lacks is named")
  func names() throws {
    let moved = "accuracy,round,loss,client\n0.5,3,1.25,1\n"
    #expect(
      try RunTrace.scores(bytes(moved), path: "c", upTo: 9, clients: 2) == [3: [1: 0.5]])
    let failure = #expect(throws: Failure.self) {
      try RunTrace.scores(bytes("round,client\n"), path: "c", upTo: 9, clients: 2)
    }
    #expect(failure?.message == "c, line 1: no column accuracy")
  }
}
