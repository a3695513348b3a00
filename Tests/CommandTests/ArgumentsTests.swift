import Base
import Foundation
import Testing

@testable import fedsim

@Suite("The command line")
struct ArgumentsTests {
  let folder = TemporaryFolder()

  private func run(_ words: String) throws -> Program.Outcome {
    try Program.run(words.split(separator: " ").map(String.init), in: folder.path)
  }

  #if canImport(Glibc)
    @Test("the words come from the C library, not from /proc alone")
    func handed() { #expect(Main.handedWords == Array(CommandLine.arguments.dropFirst())) }
  #endif

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
      ("list models codecs", "E2005", nil), ("list modles", "E2006", "did you mean models ?"),
      ("explain nothing-like-this", "E2006", nil), ("data", "E2005", nil),
      ("data chekc x", "E2005", nil), ("help versoin", "E2001", "did you mean version ?"),
      ("--quiet", "E2001", nil), ("run x --example=1", "E2004", nil), ("doctor x", "E2005", nil),
      ("run x -z", "E2002", nil), ("--threads 2 explain x", "E2002", nil),
    ] as [(String, String, String?)])
  func wrong(words: String, code: String, hint: String?) throws {
    let outcome = try run(words)
    #expect(outcome.exit == 2, "\(outcome.text)")
    #expect(outcome.stdout.isEmpty, "\(outcome.text)")
    #expect(outcome.stderr.contains("more: fedsim explain \(code)"), "\(outcome.text)")
    if let hint { #expect(outcome.stderr.contains(hint), "\(outcome.text)") }
    #expect(MessageCatalogue.entry(code) != nil)
  }

  @Test(
    "every command has a page with two examples",
    arguments: [
      "run", "resume", "compare", "audit", "validate", "list", "explain", "data", "privacy",
      "doctor", "bench", "schema", "version",
    ])
  func help(command: String) throws {
    let outcome = try run("help \(command)")
    #expect(outcome.exit == 0)
    #expect(outcome.stdout.hasPrefix("usage: fedsim \(command)"), "\(outcome.text)")
    let examples = outcome.stdout.split(separator: "examples:").last ?? ""
    #expect(examples.split(separator: "\n").count { $0.contains("  fedsim ") } >= 2)
    #expect(try run("help").stdout.contains("\n  \(command)"))
  }

  @Test(
    "a file that cannot be read has exit code 4",
    arguments: [("/no/such/file", "E4001"), ("/", "E4002"), ("a\u{0}b", "E4001")])
  func unreadable(
    path: String, code: String
  ) {
    let failure = #expect(throws: Failure.self) { _ = try FileReader.bytes(of: path) }
    #expect(failure?.exit == .dataMissingOrCorrupt)
    #expect(failure?.code == code)
  }

  @Test(
    "fields, words and codes have pages",
    arguments: [
      "client.optimizer.learningRate", "learningRate", "dirichlet", "exponential", "resnet8",
      "cifar10", "E3112", "w3001", "$.federation.clients", "strategies[0].kind", "data",
    ])
  func pages(name: String) throws {
    let outcome = try run("explain \(name)")
    #expect(outcome.exit == 0, "\(outcome.text)")
    #expect(!outcome.stdout.isEmpty)
  }
}
