import Federation
import Testing

import fedsim

@Suite("The command line") struct ArgumentsTests {
  @Test(
    "a wrong command line has exit code 2, a code and a hint",
    arguments: [
      ("versoin", "E2001", "did you mean version ?"),
      ("run --exmple", "E2002", "did you mean --example ?"),
      ("validate x --thread 2", "E2002", nil), ("--zzz", "E2002", nil),
      ("run x --out", "E2003", "write --out VALUE"), ("list --format xml", "E2004", "text or json"),
      ("run x --threads 0", "E2004", nil), ("run x --threads 99999999999999999999", "E2004", nil),
      ("run x --seed -1", "E2004", nil), ("run", "E2005", nil), ("run a b", "E2005", nil),
      ("run x --example", "E2005", nil), ("validate", "E2005", nil), ("version x", "E2005", nil),
      ("list", "E2005", nil), ("list modles", "E2006", "did you mean models ?"),
      ("explain nothing-like-this", "E2006", nil), ("data", "E2005", nil),
      ("data chekc x", "E2005", nil), ("help versoin", "E2001", "did you mean version ?"),
      ("--quiet", "E2001", nil), ("run x --example=1", "E2004", nil), ("doctor x", "E2005", nil),
      ("run x -z", "E2002", nil), ("--threads 2 validate x", "E2002", nil),
    ] as [(String, String, String?)]
  )
  func wrong(words: String, code: String, hint: String?) throws {
    let failure = try #require(
      #expect(throws: Failure.self) {
        _ = try Command.run(try Arguments.parse(words.split(separator: " ").map(String.init)))
      }
    )
    #expect(failure.exit == .wrongCommandLine)
    #expect(failure.code == code)
    if let hint { #expect(failure.hint == hint) }
    #expect(MessageCatalogue.entry(failure.code) != nil)
  }

  @Test("the options of run are read wherever they stand")
  func runOptions() throws {
    let words = "--format json run --set a=1 s.json -o out --seed 4 --set=b=2 --threads 3 -q"
    let parsed = try Arguments.parse(words.split(separator: " ").map(String.init))
    let options = try RunOptions(parsed)
    #expect(options.source == .file("s.json"))
    #expect(options.out == "out")
    #expect(options.overrides == ["a=1", "b=2", "seeds=[4]"])
    #expect(options.threads == 3)
    #expect(options.format == .json)
    #expect(options.isQuiet)
  }

  @Test("after -- everything is an operand")
  func operandsOnly() throws {
    let options = try RunOptions(try Arguments.parse(["run", "--", "--odd.json"]))
    #expect(options.source == .file("--odd.json"))
  }

  @Test("every command has a page with two examples", arguments: CommandName.allCases)
  func help(command: CommandName) throws {
    #expect(command.examples.count >= 2)
    #expect(!command.summary.isEmpty)
    for example in command.examples {
      _ = try Arguments.parse(example.split(separator: " ").prefix { $0 != ">" }.map(String.init))
    }
  }

  @Test(
    "a file that cannot be read has exit code 4",
    arguments: [("/no/such/file", "E4001"), ("/", "E4002"), ("a\u{0}b", "E4001")]
  )
  func unreadable(path: String, code: String) {
    let failure = #expect(throws: Failure.self) { _ = try FileReader.bytes(of: path) }
    #expect(failure?.exit == .dataMissingOrCorrupt)
    #expect(failure?.code == code)
  }

  @Test(
    "fields, words and codes have pages",
    arguments: [
      "client.optimizer.learningRate", "learningRate", "dirichlet", "exponential", "resnet8",
      "cifar10", "E3112", "w3001", "$.federation.clients", "strategies[0].kind", "data",
    ]
  )
  func pages(name: String) {
    #expect(!ExplainCommand.pages(name).isEmpty)
  }
}
