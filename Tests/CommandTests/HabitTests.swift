import Base
import Foundation
import Testing

@testable import fedsim

@Suite("Habits of other tools: shells, lists in overrides, runs that are there already")
struct HabitTests {
  let folder = TemporaryFolder()

  private func run(_ words: String) throws -> Program.Outcome {
    try Program.run(words.split(separator: " ").map(String.init), in: folder.path)
  }

  private func write(_ top: String = "") throws {
    try folder.write("s.json", ScenarioText.tiny(top: top, model: #"{ "kind": "logistic" }"#))
  }

  @Test("lists of strategies and seeds need no brackets")
  func lists() throws {
    try write()
    let outcome = try run("run s.json --set strategies=fedavg,ditto --set seeds=3,4 --out o -q")
    #expect(outcome.exit == 0, "\(outcome.text)")
    let resolved = try JSON(parsing: folder.text("o/scenario.resolved.json"))
    #expect(
      resolved["strategies"]?.elements?.compactMap { $0["kind"]?.text } == ["fedavg", "ditto"])
    #expect(resolved["seeds"]?.compact == "[3,4]")
    #expect(try run("validate s.json --set seeds=5").exit == 0)
    let wrong = try run("validate s.json --set strategies=fedavg,dito")
    #expect(wrong.exit == 3 && wrong.text.contains("$.strategies[1].kind"), "\(wrong.text)")
    #expect(wrong.text.contains("did you mean \"ditto\""))
    for value in ["seeds=1,x", "strategies=", "strategies=,", "seeds="] {
      #expect(try run("validate s.json --set \(value)").exit == 3, "\(value)")
    }
    let old = try run(#"validate s.json --set strategies=[{"kind":"fedprox"}]"#)
    #expect(old.exit == 0, "\(old.text)")
  }

  @Test("a scenario that has finished is shown, not run; --again runs it once more")
  func again() throws {
    try write()
    let first = try run("run s.json")
    #expect(first.exit == 0, "\(first.text)")
    let name = try #require(
      FileManager.default.contentsOfDirectory(atPath: folder.path + "/runs").first)
    let before = folder.tree("runs/\(name)/fedavg-s1")
    let second = try run("run s.json")
    #expect(second.exit == 0 && second.stderr.contains("--again"), "\(second.text)")
    #expect(folder.tree("runs/\(name)/fedavg-s1") == before)
    #expect(!folder.exists("runs/\(name)-2"))
    // The same table, on a terminal's stdout.
    #expect(second.stdout.contains("fedavg") && second.stdout.contains("report  runs/\(name)"))
    #expect(try run("run s.json --again -q").exit == 0)
    #expect(folder.exists("runs/\(name)-2"))
    // A folder that was named holds what it holds.
    #expect(try run("run s.json --out runs/\(name)").exit == 0)
    #expect(try run("run s.json --out runs/\(name) --again").exit == 9)
    #expect(try run("run s.json --set client.batch=3 --out runs/\(name)").exit == 9)
  }

  @Test("an unfinished run of the same scenario is named, and nothing of it is touched")
  func unfinished() throws {
    try write(#""limits": { "wallTime": "1 ms" },"#)
    #expect(try run("run s.json -q").exit == 6)
    let name = try #require(
      FileManager.default.contentsOfDirectory(atPath: folder.path + "/runs").first)
    let second = try run("run s.json")
    #expect(second.stderr.contains("fedsim resume runs/\(name)"), "\(second.text)")
    #expect(folder.exists("runs/\(name)-2"))
  }

  @Test("a scenario and a grid are a sweep")
  func grid() throws {
    try write()
    let outcome = try run("sweep s.json --grid client.batch=5,10 --set federation.rounds=1 -q")
    #expect(outcome.exit == 0, "\(outcome.text)")
    #expect(outcome.stdout.contains("2 of 2 runs done") && folder.exists("runs/s-sweep/trials.csv"))
    #expect(!folder.exists("runs/s-sweep/tuned.json"))
    let again = try run("sweep runs/s-sweep --format json").json()
    #expect(again["runs"]?["done"]?.int == 2)
    #expect(try run("sweep s.json").exit == 3)
    #expect(try run("sweep s.json --seeds 1").exit == 2)
    #expect(try run("sweep runs/s-sweep --grid client.batch=1").exit == 2)
  }

  @Test("watch writes the page, and ends when the runs have, or nobody runs them")
  func watch() throws {
    try write()
    #expect(try run("run s.json --out o -q").exit == 0)
    let done = try run("watch o --html live.html")
    #expect(done.exit == 0 && done.stderr.contains("all runs have ended"), "\(done.text)")
    #expect(!folder.text("live.html").contains("http-equiv=\"refresh\""))
    try write(#""limits": { "wallTime": "1 ms" },"#)
    #expect(try run("run s.json --out p -q").exit == 6)
    let idle = try run("watch p --every 1")
    #expect(idle.exit == 0 && idle.stderr.contains("fedsim resume p"), "\(idle.text)")
    #expect(folder.text("p/live.html").contains("http-equiv=\"refresh\" content=\"1\""))
    #expect(try run("watch nowhere").exit == 4)
    #expect(try run("watch o --every 0").exit == 2)
  }

  @Test(
    "completion knows every command and option; bash's works", arguments: ["bash", "zsh", "fish"])
  func completion(shell: String) throws {
    let script = try run("completion \(shell)")
    #expect(script.exit == 0 && script.stderr.isEmpty, "\(script.text)")
    for command in CommandName.allCases {
      #expect(script.stdout.contains(command.rawValue), "\(command)")
      for option in command.options.keys { #expect(script.stdout.contains(option), "\(option)") }
    }
    guard shell == "bash" else { return }
    try folder.write(
      "try.sh",
      script.stdout
        + "\nCOMP_WORDS=(fedsim compare --only); COMP_CWORD=2; _fedsim; echo \"${COMPREPLY[@]}\"")
    let bash = Process()
    let pipe = Pipe()
    bash.executableURL = URL(filePath: "/bin/bash")
    bash.arguments = [folder.path + "/try.sh"]
    bash.standardOutput = pipe
    try bash.run()
    let words = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    bash.waitUntilExit()
    #expect(words == "--only-changed\n")
  }

  @Test("the manual has every command; commands without a subject say what they know")
  func manual() throws {
    let page = try run("man").stdout
    for command in CommandName.allCases {
      #expect(page.contains(".SS fedsim \(command.rawValue)"), "\(command)")
    }
    #expect(!page.split(separator: "\n").contains { $0.hasPrefix("'") })
    #expect(try run("-V").stdout == run("version").stdout)
    #expect(try run("list").stdout.contains("fedsim list codecs"))
    #expect(try run("explain").stdout.contains("fedsim explain fedloge"))
    #expect(try run("help data check").stdout.contains("usage: fedsim data check"))
    #expect(try run("completion tcsh").exit == 2)
  }

  @Test("every strategy stands in exactly one group of the list")
  func groups() throws {
    let kinds = ListCommand.grouped.flatMap(\.kinds)
    #expect(Set(kinds).count == kinds.count)
    let items = try run("list strategies --format json").json()["items"]?.elements
    #expect(Set(items?.compactMap { $0["name"]?.text } ?? []) == Set(kinds))
    #expect(try run("list strategies").stdout.contains("long tails\n  ccvr"))
  }
}
