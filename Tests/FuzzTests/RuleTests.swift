import Foundation
import Fuzzing
import Testing

/// Programs that break one rule each, in place of `fedsim`.
@Suite("The rules of fuzzing", .enabled(if: FileManager.default.fileExists(atPath: "/bin/sh")))
struct RuleTests {
  /// A folder with a shell script in place of the program.
  private struct Fake {
    let folder = TryFolder()
    let target: Target

    init(_ script: String) {
      folder.write(InputFile("program", script + "\n"))
      var target = Target(program: "/bin/sh", seconds: 60)
      target.leading = [folder.path + "/program"]
      self.target = target
    }

    func trial() -> Trial { Trial(target: target, shelf: Shelf(target: target)) }
  }

  private func tried(_ steps: [Step], _ files: [InputFile] = []) -> FuzzCase {
    var tried = FuzzCase(.scenarios, seed: 1, number: 0)
    (tried.steps, tried.files) = (steps, files)
    return tried
  }

  @Test(
    "each is seen to be broken",
    arguments: [
      ("kill -SEGV $$", "signal"), ("echo no >&2; exit 1", "exit-1"), ("exit 77", "exit-code"),
      ("exit 3", "silent"), ("echo text; exit 3", "silent"), ("printf 'a\\033[31m'", "escape"),
    ])
  func broken(script: String, oracle: String) {
    let fake = Fake(script)
    #expect(fake.trial().run(tried([Step("validate", "s.json")]))?.oracle == oracle)
  }

  @Test(
    "what keeps them is no finding",
    arguments: [
      "exit 0", "echo no >&2; exit 4", "echo '{}' ; exit 0", "echo 'round 3 differs'; exit 7",
    ])
  func kept(script: String) {
    let fake = Fake(script)
    #expect(fake.trial().run(tried([Step("verify", "o")])) == nil)
  }

  @Test("with --format json stdout is one object, or the exit says why not")
  func json() {
    func oracle(_ script: String, _ step: Step) -> String? {
      let fake = Fake(script)
      return fake.trial().run(tried([step]))?.oracle
    }
    let words = Step("list", "codecs", "--format", "json")
    #expect(oracle("echo '{}'", words) == nil)
    #expect(oracle("echo '{} {}'", words) == "json")
    #expect(oracle("echo no >&2; exit 2", words) == "json")
    var full = words
    full.isStdoutFull = true
    #expect(oracle("echo '{}' || true", full) == "full")
    #expect(oracle("echo '{}' || exit 4", full) == nil)
  }

  @Test("what one command accepts, another must not refuse")
  func agreement() {
    let fake = Fake("test $1 = run || exit 0; echo no >&2; exit $3")
    var scenario = tried([Step("validate", "s.json"), Step("run", "s.json", "3")])
    #expect(fake.trial().run(scenario) == nil)
    scenario.mustRunWhenValid = true
    #expect(fake.trial().run(scenario)?.oracle == "validate")
    var data = tried([Step("data", "check", "d"), Step("run", "s.json", "4")])
    data.mustReadWhenChecked = true
    #expect(fake.trial().run(data)?.oracle == "data-check")
  }

  @Test("a finding is made as small as it can be")
  func minimised() throws {
    // Crashes on a momentum below client, if the word --fast is there.
    let fake = Fake("grep -q momentum s.json && test \"$2\" = --fast && kill -SEGV $$; exit 0")
    let text = """
      { "a": 1, "client": { "batch": 3, "optimizer": { "momentum": [1, 2] } }, "b": [[]] }
      """
    let whole = tried(
      [Step("version"), Step("run", "--fast", "s.json", "--out", "o")],
      [InputFile("s.json", text), InputFile("other", "x")])
    let finding = try #require(fake.trial().run(whole))
    var minimiser = Minimiser(fake.trial(), signature: finding.signature)
    let small = minimiser.minimised(whole)
    #expect(small.steps == [Step("run", "--fast")])
    #expect(small.files.map(\.path) == ["s.json"])
    let left = String(decoding: small.files.first?.bytes ?? [], as: UTF8.self)
    #expect(left.filter { !$0.isWhitespace } == #"{"client":{"optimizer":{"momentum":[]}}}"#)
  }

  @Test("damages change what they name, and nothing else")
  func damages() {
    func changed(_ damage: Damage, _ text: String) -> String {
      String(decoding: damage.changed(Array(text.utf8)), as: UTF8.self)
    }
    let table = "a,1\nb,2.5e-3\nc,-4\n"
    #expect(changed(.dropLine("", 1), table) == "a,1\nc,-4\n")
    #expect(changed(.repeatLine("", 4), table) == "a,1\nb,2.5e-3\nb,2.5e-3\nc,-4\n")
    #expect(changed(.swapLines("", 2), table) == "c,-4\nb,2.5e-3\na,1\n")
    #expect(changed(.number("", 1, 0, "x"), table) == "a,1\nb,x\nc,-4\n")
    #expect(changed(.number("", 2, 5, "7"), table) == "a,1\nb,2.5e-3\nc,7\n")
    #expect(changed(.number("", 0, 0, "7"), "none\n") == "none\n")
    #expect(changed(.cut("", 0.5), "abcd") == "ab")
    #expect(changed(.flip("", 0.25, 1), "abcd") == "accd")
    #expect(changed(.insert("", 1, [65]), "ab") == "abA")
    #expect(changed(.append("", [10]), "ab") == "ab\n")
    #expect(changed(.dropLine("", 0), "") == "")
  }
}
