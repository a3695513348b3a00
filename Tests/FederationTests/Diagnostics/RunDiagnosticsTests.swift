import Base
import Federation
import Fixtures
import Records
import Report
import Tensor
import Testing

@Suite("Diagnostics of a run")
struct RunDiagnosticsTests {
  private static let kinds = ["fedavg", "fedetf", "fedins", "fedper", "local-only"]

  private static func fixture(_ change: (inout ScenarioText) -> Void = { _ in }) throws
    -> RunFixture
  {
    try RunFixture {
      $0.seeds = "[1, 2]"
      $0.strategies = kinds.map { ScenarioText.registered($0) }
      change(&$0)
    }
  }

  private func json(_ fixture: RunFixture, _ run: String) throws -> JSON {
    try JSON(parsing: fixture.bytes("\(run)/diagnostics.json"))
  }

  @Test("each classifier has what means something for it; without a generic model there is nothing")
  func parts() throws {
    let fixture = try Self.fixture()
    try fixture.run("out")
    let linear = try json(fixture, "out/fedavg-s1")
    let within = try #require(linear["collapse"]?["withinClassVariability"]?.double)
    #expect(within > 0)
    #expect(linear["collapse"]?["alignmentDistance"]?.double != nil)
    #expect(linear["collapse"]?["width"]?.int == 6)
    // An equiangular frame: features have a geometry, rows have no norm that counts.
    let frame = try json(fixture, "out/fedetf-s1")
    #expect(frame["collapse"]?["withinClassVariability"] != nil)
    #expect(frame["collapse"]?["alignmentDistance"] == nil)
    #expect(frame["classifier"] == nil)
    // A pool of adapters: logits are not made of features alone.
    let pool = try json(fixture, "out/fedins-s1")
    #expect(pool["calibration"]?["ece"]?.double != nil)
    #expect(pool["collapse"] == nil)
    #expect(pool["classifier"] == nil)
    for kind in ["fedper", "local-only"] {
      #expect(!fixture.exists("out/\(kind)-s1/diagnostics.json"))
    }
  }

  @Test("numbers are those of the last evaluation and of the final model's file")
  func values()
    throws
  {
    let fixture = try Self.fixture { $0.strategies = [ScenarioText.registered("fedavg")] }
    try fixture.run("out")
    for seed in 1...2 {
      let run = "out/fedavg-s\(seed)"
      let found = try json(fixture, run)
      let last = try #require(try fixture.rounds(run).last)
      #expect(found["round"]?.int == last["round"]?.int)
      #expect(found["digest"] == last["digest"])
      let images = try #require(found["images"]?.int)
      let ece = try #require(found["calibration"]?["ece"]?.double)
      let recorded = try #require(last["generic"]?["ece"]?.double)
      // The same confidences, perhaps added in another order: n roundings of sums up to n, over n.
      #expect(abs(ece - recorded) <= Double(images) * .ulpOfOne)
      let right = found["calibration"]?["correct"]?.elements?.compactMap(\.int).reduce(0, +)
      let accuracy = try #require(last["generic"]?["accuracy"]?.double)
      #expect(right == Int((accuracy * Double(images)).rounded()))

      let file = try Safetensors(decoding: fixture.bytes("\(run)/final/generic.safetensors"))
      let norms = try #require(found["classifier"]?["weightNorms"]?.elements).compactMap(\.double)
      let name = fixture.experiment.network.classifier + ".weight"
      let weight = try #require(file[name])
      #expect(norms.count == weight.shape[0])
      let values = weight.values
      for (row, norm) in norms.enumerated() {
        let width = weight.shape[1]
        let squares = values[row * width..<(row + 1) * width].reduce(0.0) {
          $0 + Double($1) * Double($1)
        }
        #expect(abs(norm - squares.squareRoot()) <= 8 * .ulpOfOne * norm)
      }
    }
  }

  @Test("the same bits for any number of threads, and when a finished run is continued")
  func determinism() throws {
    let fixture = try Self.fixture()
    try fixture.run("one", threads: 1)
    try fixture.run("three", threads: 3)
    try fixture.folder.write("one/fedavg-s2/diagnostics.json", text: "")
    try fixture.run("one", continues: true)
    for kind in ["fedavg", "fedetf", "fedins"] {
      for seed in 1...2 {
        let file = "\(kind)-s\(seed)/diagnostics.json"
        #expect(try fixture.bytes("one/" + file) == fixture.bytes("three/" + file), "\(file)")
      }
    }
  }

  @Test("evaluation.diagnostics switches it off, and changes nothing else")
  func off() throws {
    let on = try Self.fixture()
    let off = try Self.fixture { $0.evaluation = #"{ "every": 1, "diagnostics": false }"# }
    try on.run("out")
    try off.run("out")
    #expect(!off.exists("out/fedavg-s1/diagnostics.json"))
    #expect(try on.bytes("out/fedavg-s1/digest.txt") == off.bytes("out/fedavg-s1/digest.txt"))
    let page = String(decoding: try off.bytes("out/report.html"), as: UTF8.self)
    #expect(!page.contains("<h2>Diagnostics</h2>"))
  }

  @Test("the page of an interrupted run is read back from its files, and says what is missing")
  func interrupted() throws {
    let fixture = try Self.fixture()
    try fixture.run("cut", stopAfter: 5)
    let page = String(decoding: try fixture.bytes("cut/report.html"), as: UTF8.self)
    let read = try RunReport([try RunFolder(fixture.folder.at("cut"))])
    #expect(read.html == page)
    #expect(page.contains("has not finished: it is shown as after round 1 of 2"))
    try fixture.run("cut", continues: true)
    let whole = String(decoding: try fixture.bytes("cut/report.html"), as: UTF8.self)
    #expect(try RunReport([try RunFolder(fixture.folder.at("cut"))]).html == whole)
    #expect(!whole.contains("has not finished"))
  }
}
