import Base
import Foundation
import Testing

@testable import fedsim

@Suite("fedsim privacy")
struct PrivacyTests {
  let folder = TemporaryFolder()

  private func run(_ words: String) throws -> Program.Outcome {
    try Program.run(["privacy"] + words.split(separator: " ").map(String.init), in: folder.path)
  }

  @Test("epsilon: both accountants, and everything that it means nothing without")
  func epsilon()
    throws
  {
    let words = "epsilon --rate 0.01 --noise 1 --steps 1000 --delta 1e-5"
    let json = try run(words + " --format json").json()
    #expect(abs((json["pld"]?["epsilon"]?.double ?? 0) - 1.82824) < 1e-3)
    #expect(json["pld"]?["isFinite"] == true)
    #expect(abs((json["rdp"]?["epsilon"]?.double ?? 0) - 2.10136527165) < 1e-8)
    #expect(json["rdp"]?["order"]?.double == 7.8)
    #expect(json["rdp"]?["isOrderAtEdge"] == false)
    #expect(json["inputs"]?["rate"]?.double == 0.01)
    #expect(json["inputs"]?["noiseMultiplier"]?.double == 1)
    #expect(json["inputs"]?["steps"]?.int == 1000)
    #expect(json["inputs"]?["delta"]?.double == 1e-5)
    #expect(json["unit"]?.text == "example")
    #expect(json["neighbours"]?.text == "add-remove")
    #expect(json["sampling"]?.text == "poisson")
    #expect((json["assumptions"]?.elements?.count ?? 0) >= 3)
    let text = try run(words)
    #expect(text.exit == 0 && text.stderr.isEmpty, "\(text.text)")
    for part in [
      "1.828", "2.1014", "order 7.8", "PLD", "RDP", "delta", "1e-05", "one example", "Poisson",
      "neighbours",
    ] { #expect(text.stdout.contains(part), "\(part) in \(text.text)") }
  }

  @Test("an epsilon without bound is null, and says so")
  func infinite() throws {
    let words = "epsilon --rate 0.01 --noise 0 --steps 1 --delta 1e-5"
    let json = try run(words + " --format json").json()
    for name in ["pld", "rdp"] {
      #expect(json[name]?["epsilon"] == .null)
      #expect(json[name]?["isFinite"] == false)
    }
    #expect(try run(words).stdout.contains("infinite"))
  }

  @Test("beside epsilon: the Gaussian of the same strength, and what attackers find")
  func attack() throws {
    let words = "epsilon --rate 0.01 --noise 1 --steps 1000 --delta 1e-5"
    let json = try run(words + " --format json").json()["pld"]
    #expect(json?["gaussian"]?["isExact"] == false)
    // The shift with epsilon 1.82824 at 1e-5: between those of 1 and 2, by scipy 1.17.1.
    let mu = json?["gaussian"]?["mu"]?.double ?? 0
    #expect(mu > 0.268 && mu < 0.502)
    let found = json?["attack"]?.elements ?? []
    #expect(found.map { $0["falsePositiveRate"]?.double } == [0.001, 0.01])
    #expect(abs((found.last?["truePositiveRateAtMost"]?.double ?? 0) - 0.02914) < 2e-5)
    let text = try run(words).stdout
    for part in [
      "about mu-GDP", "finds at most 2.92 % of members at 1 % false positives",
      "0.41 % at 0.1 % false positives",
    ] { #expect(text.contains(part), "\(part) in \(text)") }

    // Everybody in four steps with noise 2: one Gaussian with shift 1.
    let exact = "epsilon --rate 1 --noise 2 --steps 4 --delta 1e-5"
    let closed = try run(exact + " --format json").json()["pld"]
    #expect(closed?["gaussian"]?["isExact"] == true && closed?["gaussian"]?["mu"]?.double == 1)
    #expect(try run(exact).stdout.contains("mu-GDP with mu = 1.0000, exact"))
    #expect(try run(exact).stdout.contains("9.24 % of members at 1 %"))
    // Without noise everybody is found.
    let open = "epsilon --rate 1 --noise 0 --steps 4 --delta 1e-5"
    #expect(try run(open).stdout.contains("100.00 % of members"))
    let nothing = try run(open + " --format json").json()["pld"]
    #expect(nothing?["gaussian"]?["mu"] == .null)
    // What was asked for meets the target, and so does what attackers find.
    let noise = try run("noise --rate 1 --steps 4 --epsilon 4.3772 --delta 1e-5").stdout
    #expect(noise.contains("9.24 % of members at 1 %"), "\(noise)")
  }

  @Test("noise and steps undo epsilon")
  func inverse() throws {
    let noise = try run("noise --rate 0.02 --steps 150 --epsilon 2 --delta 1e-5 --format json")
      .json()
    #expect(abs((noise["pld"]?["noiseMultiplier"]?.double ?? 0) - 0.9268) < 1e-4)
    #expect(abs((noise["rdp"]?["noiseMultiplier"]?.double ?? 0) - 1.00933) < 1e-4)
    #expect(noise["pld"]?["epsilon"] == nil)
    let steps = try run(
      "steps --rate 0.02 --noise 0.9269 --epsilon 2 --delta 1e-5 --unit client --format json"
    ).json()
    #expect(steps["pld"]?["steps"]?.int == 150)
    #expect((steps["rdp"]?["steps"]?.int ?? 999) < 150)
    #expect(steps["unit"]?.text == "client")
  }

  @Test("a plan shows that its approximation is none of the guarantees")
  func plan() throws {
    let words = "plan --examples 5000 --steps 100 --epsilon 8 --delta 1e-5 --batches 256,2048"
    let json = try run(words + " --format json").json()
    let rows = json["rows"]?.elements ?? []
    #expect(rows.map { $0["batch"]?.int } == [256, 2048])
    for row in rows {
      #expect(row["tan"]?["isGuarantee"] == false)
      #expect(row["surrogate"]?["isPrivate"] == false)
      #expect((row["pld"]?["epsilon"]?.double ?? 9) <= 8)
    }
    let text = try run(words).stdout
    #expect(text.contains("not a guarantee") && text.contains("not private"))
  }

  @Test("without replacement the neighbours are others")
  func fixedSize() throws {
    let words = "epsilon --rate 0.1 --noise 4 --steps 10 --delta 1e-5 --sampling"
    let json = try run(words + " without-replacement --format json").json()
    #expect(json["neighbours"]?.text == "replace-one")
    let poisson = try run(words + " poisson --format json").json()
    let pair = (json["pld"]?["epsilon"]?.double, poisson["pld"]?["epsilon"]?.double)
    #expect((pair.0 ?? 0) > (pair.1 ?? 9))
  }

  @Test(
    "what cannot be asked has exit code 2 and a reason",
    arguments: [
      ("", "E2005", "epsilon, noise, steps, plan"), ("epsilom", "E2005", "did you mean epsilon ?"),
      ("epsilon extra", "E2005", "extra"), ("epsilon --rate 0.1", "E2007", "--noise is missing"),
      ("epsilon --rate 2 --noise 1 --steps 1 --delta 0.1", "E2004", "--rate \"2\""),
      ("epsilon --rate -1 --noise 1 --steps 1 --delta 0.1", "E2004", "from 0 to 1"),
      ("epsilon --rate nan --noise 1 --steps 1 --delta 0.1", "E2004", "--rate"),
      ("epsilon --rate x --noise 1 --steps 1 --delta 0.1", "E2004", "--rate"),
      ("epsilon --rate 0.1 --noise -1 --steps 1 --delta 0.1", "E2004", "--noise"),
      ("epsilon --rate 0.1 --noise inf --steps 1 --delta 0.1", "E2004", "--noise"),
      ("epsilon --rate 0.1 --noise 1 --steps 0 --delta 0.1", "E2004", "--steps"),
      ("epsilon --rate 0.1 --noise 1 --steps 1e3 --delta 0.1", "E2004", "whole number"),
      ("epsilon --rate 0.1 --noise 1 --steps 99999999999 --delta 0.1", "E2004", "1000000000"),
      ("epsilon --rate 0.1 --noise 1 --steps 1 --delta 0", "E2004", "--delta"),
      ("epsilon --rate 0.1 --noise 1 --steps 1 --delta 1", "E2004", "--delta"),
      ("epsilon --rate 0.1 --noise 1 --steps 1 --delta 0.1 --epsilon 1", "E2007", "--epsilon"),
      (
        "epsilon --rate 0.1 --noise 1 --steps 1 --delta 0.1 --sampling poison", "E2004",
        "did you mean poisson ?"
      ), ("epsilon --rate 0.1 --noise 1 --steps 1 --delta 0.1 --unit x", "E2004", "client"),
      ("noise --rate 0.1 --steps 1 --epsilon 0 --delta 0.1", "E2004", "--epsilon"),
      ("noise --rate 1 --steps 1000000000 --epsilon 1e-9 --delta 1e-9", "E2010", "1000000"),
      ("steps --rate 0.5 --noise 0.5 --epsilon 1e-3 --delta 1e-9", "E2010", "single step"),
      ("plan --examples 0 --steps 1 --epsilon 1 --delta 0.1", "E2004", "--examples"),
      ("plan --examples 9 --steps 1 --epsilon 1 --delta 0.1 --batches 3,x", "E2004", "--batches"),
      ("plan --examples 9 --steps 1 --epsilon 1 --delta 0.1 --batches 10", "E2004", "--batches"),
      ("plan --examples 9 --steps 1 --epsilon 1 --delta 0.1 --rate 1", "E2007", "--rate"),
    ] as [(String, String, String)])
  func wrong(words: String, code: String, says: String) throws {
    let outcome = try run(words)
    #expect(outcome.exit == 2, "\(outcome.text)")
    #expect(outcome.stdout.isEmpty, "\(outcome.text)")
    #expect(outcome.stderr.contains("more: fedsim explain \(code)"), "\(outcome.text)")
    #expect(outcome.stderr.contains(says), "\(outcome.text)")
    #expect(MessageCatalogue.entry(code) != nil)
    let json = try run(words + " --format json")
    #expect(json.stderr.isEmpty)
    #expect(try json.json()["exit"]?.int == 2)
  }

  @Test("the accountants are listed")
  func list() throws {
    let outcome = try Program.run(["list", "accountants"], in: folder.path)
    #expect(outcome.stdout.contains("pld") && outcome.stdout.contains("rdp"))
    #expect(outcome.stderr.isEmpty)
  }
}
