import Foundation
import Testing

@Suite("Streams that go away")
struct StreamTests {
  let folder = TemporaryFolder()

  @Test(
    "no closed or broken stream stops a run or changes its files",
    arguments: [
      (.brokenPipe, .file), (.file, .brokenPipe), (.brokenPipe, .brokenPipe), (.closed, .file),
      (.file, .closed), (.closed, .closed),
    ] as [(Program.Stream, Program.Stream)])
  func gone(
    stdout: Program.Stream, stderr: Program.Stream
  ) throws {
    try folder.write("s.json", ScenarioText.tiny())
    let quiet = try Program.run(["run", "s.json", "--out", "a"], in: folder.path)
    #expect(quiet.exit == 0, "\(quiet.text)")
    let outcome = try Program.run(
      ["run", "s.json", "--out", "b"], in: folder.path, stdout: stdout, stderr: stderr)
    #expect(outcome.signal == 0)
    #expect(outcome.exit == 0, "\(outcome.text)")
    let (a, b) = (folder.tree("a"), folder.tree("b"))
    #expect(Set(a.keys) == Set(b.keys))
    for (name, bytes) in a
    where !["environment.json", "fedavg-s1/rounds.jsonl", "fedavg-s1/tables.json"].contains(name)
      && !["summary.json", "results.csv", "report.html"].contains(name)
    {
      if name.contains("tfevents") {
        // Times differ, and take as many bytes.
        #expect(b[name]?.count == bytes.count)
      } else {
        #expect(b[name] == bytes, "\(name)")
      }
    }
    #expect(b[".lock"] == [], "nothing is printed into a file")
  }

  @Test(
    "short commands end quietly when nobody reads",
    arguments: ["schema", "help", "list strategies", "explain fedavg", "versoin"])
  func unread(
    words: String
  ) throws {
    let outcome = try Program.run(
      words.split(separator: " ").map(String.init), in: folder.path, stdout: .brokenPipe,
      stderr: .brokenPipe)
    #expect(outcome.signal == 0)
    #expect(outcome.exit == (words == "versoin" ? 2 : 0))
  }
}
