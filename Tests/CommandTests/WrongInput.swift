import Base
import Testing

/// A mistake that a user can make, and what the program must say of it.
struct WrongInput: CustomTestStringConvertible, Sendable {
  let testDescription: String
  /// The exit code.
  let exit: Int32
  /// What must be said: a JSON path or a file's name, what was found, what may help.
  let says: [String]
  let scenario: String
  /// Makes the files that the scenario names.
  let prepare: @Sendable (TemporaryFolder) throws -> Void

  init(
    _ description: String, _ exit: Int32, _ says: [String], _ scenario: String,
    _ prepare: @escaping @Sendable (TemporaryFolder) throws -> Void = { _ in }
  ) {
    testDescription = description
    self.exit = exit
    self.says = says
    self.scenario = scenario
    self.prepare = prepare
  }
}

@Suite("Wrong input")
struct WrongInputTests {
  private func check(_ input: WrongInput) throws {
    let folder = TemporaryFolder()
    try input.prepare(folder)
    try folder.write("s.json", input.scenario)
    let before = folder.tree(".")
    let outcome = try Program.run(["run", "s.json", "--out", "o"], in: folder.path, limit: 60)
    #expect(outcome.signal == 0, "ended by a signal: \(outcome.text)")
    #expect(outcome.exit == input.exit, "\(outcome.text)")
    #expect(outcome.stdout.isEmpty, "\(outcome.text)")
    for part in input.says + ["more: fedsim explain "] {
      let isSaid = part.split(separator: "|").contains { outcome.stderr.contains($0) }
      #expect(isSaid, "\"\(part)\" in \(outcome.text)")
    }
    #expect(!folder.exists("o"), "nothing is half written")
    #expect(folder.tree(".") == before)
    let json = try Program.run(
      ["run", "s.json", "--out", "o", "--format", "json"], in: folder.path, limit: 60)
    #expect(json.exit == input.exit)
    #expect(json.stderr.isEmpty)
    #expect(try json.json()["exit"]?.int == Int(input.exit))
  }

  @Test("a wrong scenario is refused with its path and advice", arguments: wrongScenarios)
  func scenario(input: WrongInput) throws {
    try check(input)
    let folder = TemporaryFolder()
    try folder.write("s.json", input.scenario)
    let outcome = try Program.run(["validate", "s.json"], in: folder.path)
    #expect(outcome.exit == input.exit, "validate says the same: \(outcome.text)")
    for part in input.says { #expect(outcome.stderr.contains(part), "\(outcome.text)") }
  }

  @Test("a scenario that does not fit its data is refused", arguments: misfits)
  func misfit(
    input: WrongInput
  ) throws { try check(input) }

  @Test("a broken data file is refused with its name", arguments: brokenData)
  func data(
    input: WrongInput
  ) throws { try check(input) }

  @Test("a broken partition or weight file is refused with its name", arguments: brokenCompanions)
  func companions(input: WrongInput) throws { try check(input) }

  @Test("a scenario that is no file is refused with its name")
  func notAFile() throws {
    let folder = TemporaryFolder()
    try folder.write("d/x", "")
    for (name, words) in [("d", "a folder"), ("missing.json", "no such file"), ("d/x/y", "d/x/y")] {
      for command in ["run", "validate"] {
        let outcome = try Program.run([command, name], in: folder.path)
        #expect(outcome.exit == 4, "\(outcome.text)")
        #expect(outcome.stderr.contains(name) && outcome.stderr.contains(words))
      }
    }
    #expect(!folder.exists("runs"))
  }
}
