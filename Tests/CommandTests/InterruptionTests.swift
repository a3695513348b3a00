import Foundation
import Testing

@Suite("Stopping and going on")
struct InterruptionTests {
  let folder = TemporaryFolder()

  /// A run of forty rounds that nobody stops, for all tests to compare with.
  ///
  /// Without a name of its own, its scenario is named after its file.
  private static let uninterrupted: TemporaryFolder? = {
    let folder = TemporaryFolder()
    try? folder.write("s.json", ScenarioText.long(rounds: 40))
    let outcome = try? Program.run(["run", "s.json", "--quiet", "--out", "a"], in: folder.path)
    return outcome?.exit == 0 ? folder : nil
  }()

  /// Files of a run whose bytes must not depend on stops.
  private let files = [
    "digest.txt", "classes.csv", "clients.csv", "messages.csv", "checkpoints/last.safetensors",
    "checkpoints/last.json",
  ]

  /// `rounds.jsonl` without what a clock wrote.
  private func rounds(_ folder: TemporaryFolder, _ run: String) -> [String] {
    folder.text("\(run)/rounds.jsonl").split(separator: "\n").map { line in
      var text = String(line)
      while let time = text.range(of: #""time":{"#),
        let end = text.range(of: "}", range: time.upperBound..<text.endIndex)
      { text.removeSubrange(time.lowerBound..<end.upperBound) }
      return text
    }
  }

  private func start(
    _ arguments: [String], stop signals: [Int32] = [], atLine lines: Int = 5,
    of file: String = "b/scaffold-s1/digest.txt"
  ) throws -> Program.Outcome {
    try Program.run(
      arguments, in: folder.path,
      interrupt: signals.isEmpty
        ? nil : Program.Interrupt(signals: signals, file: folder.at(file), lines: lines))
  }

  /// Folder `b` holds the same as the run that nobody stopped.
  private func expectSame() throws {
    let whole = try #require(Self.uninterrupted)
    for run in ["scaffold-s1", "fedper-s1"] {
      #expect(rounds(whole, "a/\(run)").count == 40)
      #expect(rounds(whole, "a/\(run)") == rounds(folder, "b/\(run)"), "\(run)/rounds.jsonl")
      for file in files {
        let expected = try #require(whole.bytes("a/\(run)/\(file)"), "\(file)")
        #expect(folder.bytes("b/\(run)/\(file)") == expected, "\(run)/\(file)")
      }
      // Its times differ, and take as many bytes.
      let events = "\(run)/tensorboard/events.out.tfevents.0.fedsim"
      let expected = try #require(whole.bytes("a/\(events)"))
      #expect(folder.bytes("b/\(events)")?.count == expected.count)
    }
    let model = "scaffold-s1/final/generic.safetensors"
    #expect(folder.bytes("b/\(model)") == whole.bytes("a/\(model)"))
  }

  @Test(
    "a stopped run has its exit code and a checkpoint; resumed, it is as if it had never stopped",
    arguments: [
      (SIGINT, 130, "scaffold"), (SIGTERM, 143, "scaffold"), (SIGINT, 130, "fedper"),
      (SIGKILL, nil, "scaffold"), (SIGKILL, nil, "fedper"),
    ] as [(Int32, Int32?, String)])
  func resumed(signal: Int32, exit: Int32?, during run: String)
    throws
  {
    try folder.write("s.json", ScenarioText.long(rounds: 40))
    let stopped = try start(
      ["run", "s.json", "--out", "b"], stop: [signal], of: "b/\(run)-s1/digest.txt")
    #expect(stopped.exit == exit, "\(stopped.text)")
    if exit == nil {
      #expect(stopped.signal == SIGKILL)
    } else {
      #expect(folder.exists("b/\(run)-s1/checkpoints/last.json"))
      #expect(stopped.stderr.contains("checkpoint written"), "\(stopped.text)")
      #expect(stopped.stderr.contains("fedsim resume b"), "\(stopped.text)")
      #expect(folder.exists("b/summary.json"))
    }
    let done = folder.text("b/\(run)-s1/digest.txt").split(separator: "\n").count
    #expect(done < 41, "the run was over before it was stopped")
    let resumed = try start(["resume", "b", "--threads", "3"])
    #expect(resumed.exit == 0, "\(resumed.text)")
    try expectSame()
  }

  @Test("a resumed run can be stopped again")
  func stoppedTwice() throws {
    try folder.write("s.json", ScenarioText.long(rounds: 40))
    #expect(try start(["run", "s.json", "--out", "b"], stop: [SIGINT], atLine: 4).exit == 130)
    #expect(try start(["resume", "b"], stop: [SIGINT], atLine: 15).exit == 130)
    #expect(try start(["resume", "b"]).exit == 0)
    try expectSame()
  }

  @Test("the second signal ends a run at once, and what it left can be resumed")
  func twice() throws {
    // A round of this run takes many seconds: the exit cannot be that of a finished round.
    try folder.write(
      "s.json",
      ScenarioText.tiny(
        dataset: #"{ "kind": "synthetic", "trainPerClass": 2000, "testPerClass": 5 }"#,
        federation: "\"clients\": 2, \"rounds\": 2", model: #"{ "kind": "resnet8", "width": 64 }"#))
    let outcome = try start(
      ["run", "s.json", "--out", "b", "--threads", "1"], stop: [SIGINT, SIGINT], atLine: 1,
      of: "b/fedavg-s1/digest.txt")
    #expect(outcome.exit == 130, "\(outcome.text)")
    #expect(!outcome.stderr.contains("checkpoint written"), "\(outcome.text)")
    #expect(folder.text("b/fedavg-s1/rounds.jsonl").isEmpty)
  }

  @Test("a folder in use cannot be resumed by a second process")
  func inUse() async throws {
    try folder.write("s.json", ScenarioText.long(rounds: 400))
    let first = Task.detached { [folder] in
      try Program.run(
        ["run", "s.json", "--out", "b"], in: folder.path,
        interrupt: Program.Interrupt(signals: [SIGINT], file: folder.at("go"), lines: 1))
    }
    // Sleeping gives the thread away, which the first process is started on.
    while !folder.exists("b/scaffold-s1/digest.txt") { try await Task.sleep(for: .milliseconds(5)) }
    let second = try start(["resume", "b"])
    try folder.write("go", "\n")
    #expect(try await first.value.exit == 130)
    #expect(second.exit == 9, "\(second.text)")
    #expect(second.stderr.contains("in use"), "\(second.text)")
  }
}
