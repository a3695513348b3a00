import Base
import Foundation
import Testing

@testable import fedsim

@Suite("Presets: scenarios of papers by name")
struct PresetTests {
  let folder = TemporaryFolder()

  private func run(_ words: String) throws -> Program.Outcome {
    try Program.run(words.split(separator: " ").map(String.init), in: folder.path)
  }

  private static let files = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "../../scenarios/papers").standardized

  @Test("they are the files of scenarios/papers, byte by byte")
  func texts() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.files.path).filter {
      $0.hasSuffix(".json")
    }.map { String($0.dropLast(5)) }.sorted()
    #expect(Preset.all.map(\.name) == names && names.count > 10)
    for preset in Preset.all {
      let file = Self.files.appending(path: preset.name + ".json")
      let text = try String(contentsOf: file, encoding: .utf8)
      #expect(preset.text == text, "\(preset.name): run make facts")
    }
  }

  @Test("each is valid, says what it is, what differs from its paper, and whether it was run")
  func valid() throws {
    for preset in Preset.all {
      let outcome = try run("validate --preset \(preset.name) --no-data")
      #expect(outcome.exit == 0, "\(outcome.text)")
      #expect(outcome.stderr.contains("deviations: \(preset.deviations)"), "\(preset.name)")
      for head in ["", "papers", "deviations", "results"] {
        let words = preset.remarks.first { $0.head == head }?.words ?? ""
        #expect(words.count > 10, "\(preset.name) \(head)")
      }
      let page = try run("explain \(preset.name)")
      #expect(page.stdout.contains("fedsim run --preset \(preset.name)"))
      #expect(page.stdout.contains(preset.deviations))
    }
    let list = try run("list presets --format json")
    #expect(try JSON(parsing: list.stdout)["items"]?.elements?.count == Preset.all.count)
  }

  @Test("one runs with other data, and its folder goes on like that of a file")
  func runs() throws {
    let data =
      #"data.dataset={"kind":"synthetic","classes":3,"trainPerClass":20,"testPerClass":4}"#
    let small = [
      data, "data.public.size=9", "data.partition.perClient=6", "federation.clients=3",
      "federation.rounds=2", "strategies=local-only,knfu", "seeds=1",
    ].map { "--set \($0)" }.joined(separator: " ")
    let outcome = try run("run --preset knfu-mnist-small \(small) --out o")
    #expect(outcome.exit == 0, "\(outcome.text)")
    #expect(outcome.stderr.contains("deviations: "))
    let command = try JSON(parsing: folder.text("o/environment.json"))["command"]?.text
    #expect(command?.hasPrefix("fedsim run --preset knfu-mnist-small --set") == true)
    #expect(try run("resume o").exit == 0)
    #expect(try run("verify o").exit == 0)
    #expect(try run("plan --preset knfu-mnist-small \(small) --probe 0").exit == 0)
  }

  @Test("what cannot be meant is refused, and missing data are said")
  func wrong() throws {
    let unknown = try run("run --preset fedloge-if100")
    #expect(unknown.exit == 2 && unknown.text.contains("did you mean fedloge-if"), "\(unknown)")
    #expect(try run("run --preset").exit == 2)
    #expect(try run("run --preset --example").exit == 2)
    #expect(try run("run s.json --preset fedloge-authors").exit == 2)
    let both = try run("run --example --preset fedloge-authors")
    #expect(both.exit == 2 && both.text.contains("two scenarios"), "\(both.text)")
    #expect(try run("validate --preset x y").exit == 2)
    #expect(try run("run --preset fedloge-authors").exit == 4)
  }
}
