import Base
import Testing

@testable import fedsim

@Suite("fedsim privacy --mechanism")
struct CorrelatedPrivacyTests {
  let folder = TemporaryFolder()

  private func run(_ words: String) throws -> Program.Outcome {
    try Program.run(["privacy"] + words.split(separator: " ").map(String.init), in: folder.path)
  }

  private func json(_ words: String) throws -> JSON { try run(words + " --format json").json() }

  @Test("a thousand rounds with ten participations: five times less noise at any epsilon")
  func claim() throws {
    for epsilon in ["0.5", "8"] {
      let found = try json(
        "noise --mechanism banded --rounds 1000 --separation 100 --epsilon \(epsilon) --delta 1e-5")
      #expect(found["bands"]?.int == 100 && found["bandsAreBest"] == true)
      #expect(found["participations"]?.int == 10)
      #expect(abs((found["sensitivity"]?.double ?? 0) - 5.031254) < 1e-6)
      #expect(abs((found["factor"]?.double ?? 0) - 70.74602 / 12.10319) < 1e-4)
      #expect(abs((found["pld"]?["epsilon"]?.double ?? 99) / (Double(epsilon) ?? 0) - 1) < 1e-6)
      #expect((found["rdp"]?["epsilon"]?.double ?? 0) > (found["pld"]?["epsilon"]?.double ?? 9))
    }
  }

  @Test("epsilon undoes noise, in words and in numbers")
  func inverse() throws {
    let options = "--mechanism banded-inverse --bands 4 --rounds 60 --separation 10 --delta 1e-5"
    let noise = try json("noise \(options) --participations 3 --epsilon 3")
    let multiplier = try #require(noise["noiseMultiplier"]?.double)
    let back = try json("epsilon \(options) --participations 3 --noise \(multiplier)")
    #expect(abs((back["pld"]?["epsilon"]?.double ?? 0) - 3) < 1e-9)
    #expect(back["participations"]?.int == 3)
    #expect(back["prefixError"] == noise["prefixError"])
    let text = try run("epsilon \(options) --noise \(multiplier)").stdout
    for part in ["banded-inverse, bands 4", "at most 6 of 60 rounds, at least 10 apart", "PLD"] {
      #expect(text.contains(part), "\(part) in \(text)")
    }
  }

  @Test("cyclic sampling counts the rate within a group")
  func cyclic() throws {
    let found = try json(
      """
      noise --mechanism banded --bands 4 --rounds 200 --sampling cyclic --population 1000 \
      --cohort 50 --epsilon 4 --delta 1e-5
      """)
    #expect(found["rate"]?.double == 0.2 && found["steps"]?.int == 50)
    #expect(abs((found["sigma"]?.double ?? 0) - 1.8117) < 1e-3)
    #expect(abs((found["prefixError"]?.double ?? 0) - 10.309) < 1e-2)
    #expect(abs((found["independent"]?["prefixError"]?.double ?? 0) - 10.972) < 1e-2)
  }

  @Test("no noise: an epsilon without bound; no factor to tell")
  func none() throws {
    let found = try json(
      "epsilon --mechanism banded --bands 2 --rounds 8 --separation 2 --noise 0 --delta 1e-5")
    #expect(found["pld"]?["isFinite"] == false && found["factor"] == .null)
  }

  @Test(
    "what has no theorem, and what does not apply",
    arguments: [
      ("--mechanism banded-inverse --sampling cyclic --population 9 --cohort 3", "E2011"),
      (
        "--mechanism banded --bands 4 --separation 2 --sampling cyclic --population 9 --cohort 1",
        "E2011"
      ),
      (
        "--mechanism banded --bands 4 --separation 4 --sampling cyclic --population 9 --cohort 3",
        "E2004"
      ), ("--mechanism banded", "E2007"), ("--mechanism tree --separation 2", "E2004"),
      ("--mechanism banded --separation 2 --rate 0.1", "E2007"),
      ("--mechanism banded --separation 2 --bands 17", "E2004"),
      ("--mechanism banded --separation 2 --sampling poisson", "E2004"),
    ])
  func refused(words: String, code: String) throws {
    let outcome = try run("noise --rounds 16 --epsilon 2 --delta 1e-5 \(words)")
    #expect(outcome.exit == 2)
    #expect(outcome.text.contains(code), "\(outcome.text)")
  }
}
