import Base
import Federation
import Fixtures
import Records
import Report
import Testing

/// Runs that move nothing say so, and why.
@Suite("Runs that move nothing")
struct StillnessTests {
  private static let still: [(String, String, @Sendable (inout ScenarioText) -> Void)] = [
    (
      "poisson", "poisson sampling draws",
      {
        $0.federation = """
          { "clients": 3, "rounds": 3, "participation": 1e-9, "sampling": "poisson" }
          """
      }
    ),
    (
      "buffer", "waits for 1000 uploads",
      { $0.strategies = [ScenarioText.strategy("fedbuff", #""buffer": 1000"#)] }
    ),
    (
      "threshold", "codec",
      {
        $0.strategies = [
          """
          { "kind": "fedavg", "compression":
            { "uplink": { "kind": "threshold", "threshold": 1e9 } } }
          """
        ]
      }
    ), ("deadline", "late", { $0.system = #"{ "deadline": 1e-9, "network": { "latency": 1 } }"# }),
    (
      "personal", "poisson sampling draws",
      {
        $0.strategies = [ScenarioText.strategy("local-only")]
        $0.federation = """
          { "clients": 3, "rounds": 3, "participation": 1e-9, "sampling": "poisson" }
          """
      }
    ),
  ]

  @Test("the warning names the cause, in the result and in the folder", arguments: still.indices)
  func causes(index: Int) throws {
    let (name, cause, change) = Self.still[index]
    let fixture = try RunFixture(change)
    let result = try fixture.run("out")
    #expect(result.exit == .done)
    let remark = try #require(result.remarks.first, "\(name)")
    #expect(result.remarks.count == 1 && result.warnings.first == remark)
    #expect(remark.contains(cause), "\(remark)")
    #expect(remark.contains("W3080"))
    let folder = try RunFolder(fixture.folder.at("out"))
    #expect(folder.warnings.contains(remark))
    #expect(try RunReport([folder]).html.contains("W3080"))
  }

  @Test("a window that nobody is in: nobody was there")
  func trace() throws {
    let files = try ScratchFolder()
    let path = try files.write("t.csv", text: "client,from,to\n")
    let fixture = try RunFixture {
      $0.system = "{ \"availability\": { \"kind\": \"trace\", \"path\": \"\(path)\" } }"
    }
    let remark = try #require(try fixture.run("out").remarks.first)
    #expect(remark.contains("no client was there"))
  }

  @Test("an interruption and a resume do not lose it, and rounds before it do not hide it")
  func resumed() throws {
    let fixture = try RunFixture(Self.still[2].2)
    #expect(try fixture.run("out", stopAfter: 1).exit == .interrupted)
    let result = try fixture.run("out", continues: true)
    #expect(result.exit == .done && result.remarks.count == 1)
    #expect(result.remarks == (try fixture.run("whole").remarks))
    // Another resume of what is finished still knows it.
    #expect(try fixture.run("out", continues: true).remarks == result.remarks)
  }

  @Test("seeds with the same fate share a sentence; runs that move, or have no round, say nothing")
  func silence() throws {
    let both = try RunFixture {
      Self.still[0].2(&$0)
      $0.seeds = "[1, 2]"
    }
    let remarks = try both.run("out").remarks
    #expect(remarks.count == 1 && remarks[0].contains("seeds 1, 2"))
    for rounds in [0, 1] {
      let moving = try RunFixture {
        $0.federation = "{ \"clients\": 3, \"rounds\": \(rounds) }"
        $0.strategies = ["fedavg", "local-only", "fedper", "fedproto", "ccvr"].map {
          ScenarioText.registered($0)
        }
      }
      #expect(try moving.run("out").remarks.isEmpty)
    }
  }
}
