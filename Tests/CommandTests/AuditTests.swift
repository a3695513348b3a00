import Base
import Testing

@Suite("fedsim audit")
struct AuditTests {
  let folder = TemporaryFolder()

  private func run(_ words: String) throws -> Program.Outcome {
    try Program.run(words.split(separator: " ").map(String.init), in: folder.path)
  }

  @Test("a run is audited as a table, as JSON and as a page")
  func whole() throws {
    try folder.write("tiny.json", ScenarioText.tiny(model: #"{ "kind": "mlp", "hidden": [8] }"#))
    #expect(try run("run tiny.json --quiet --out r").exit == 0)
    let digest = folder.text("r/fedavg-s1/digest.txt")
    let outcome = try run("audit r --iterations 3 --images 1")
    #expect(outcome.exit == 0, "\(outcome.text)")
    for part in ["Membership", "analytic", "cosine", "squares", "report  r/audit/audit.html"] {
      #expect(outcome.stdout.contains(part), "\(part) in \(outcome.text)")
    }
    #expect(outcome.stderr.contains("audit of fedavg seed 1"), "\(outcome.text)")
    #expect(folder.text("r/audit/audit.html").contains("Leakage audit of tiny"))
    #expect(folder.text("r/fedavg-s1/digest.txt") == digest)
    let first = folder.bytes("r/audit/audit.json")

    let again = try run("audit r --iterations 3 --images 1 --threads 1 --format json")
    let json = try again.json()
    #expect(again.stderr.isEmpty)
    #expect(json["status"]?.text == "ok")
    #expect(json["audit"]?["runs"]?.elements?.count == 1)
    #expect(folder.bytes("r/audit/audit.json") == first, "two audits differ")
    // Attacks count once, in the program's order.
    let some = try run("audit r --attack analytic,membership,analytic --clip 2.5 --format json")
    let settings = try some.json()["audit"]?["settings"]
    #expect(settings?["attacks"] == ["membership", "analytic"])
    #expect(settings?["clip"] == 2.5)
    // An audited run can still be resumed.
    #expect(try run("resume r --quiet").exit == 0)
  }

  @Test("a contradicted claim fails the audit with exit code 7, and says so on top")
  func contradicted() throws {
    let privacy =
      #""privacy": { "unit": "client", "clip": 1, "target": "#
      + #"{ "epsilon": 1.5, "delta": 1e-5 } }"#
    try folder.write(
      "p.json",
      ScenarioText.tiny(
        model: #"{ "kind": "mlp", "hidden": [8] }"#,
        strategies: #"[ { "kind": "fedavg", \#(privacy) } ]"#))
    #expect(try run("run p.json --quiet --out p").exit == 0)
    let fine = try run("audit p --attack one-run --canaries 700")
    #expect(fine.exit == 0, "\(fine.text)")
    #expect(fine.stdout.contains("One run with canaries") && fine.stdout.contains("consistent"))
    // A quarter of the noise under the same claim.
    let drill = try run("audit p --attack one-run --canaries 700 --weaken 4")
    #expect(drill.exit == 7, "\(drill.text)")
    #expect(drill.stdout.hasPrefix("AUDIT FAILED"), "\(drill.text)")
    #expect(drill.stdout.contains("CONTRADICTED") && drill.stdout.contains("a drill"))
    #expect(drill.stderr.contains("fedsim explain E7014"), "\(drill.text)")
    #expect(folder.text("p/audit/audit.html").contains("AUDIT FAILED"))
    let outcome = try run("audit p --attack one-run --canaries 700 --weaken 4 --format json")
    let json = try outcome.json()
    #expect(outcome.exit == 7 && json["status"]?.text == "error" && json["exit"]?.int == 7)
    #expect(json["code"]?.text == "E7014" && json["audit"]?["failed"] == true)
    #expect(json["audit"]?["contradictions"]?.elements?.count == 1)
  }

  @Test(
    "wrong options are named",
    arguments: [
      ("audit", "E2005"), ("audit r --attack cosin", "E2004"), ("audit r --attack", "E2003"),
      ("audit r --attack analytic,,cosine", "E2004"), ("audit r --model best", "E2004"),
      ("audit r --clients 0", "E2004"), ("audit r --images x", "E2004"),
      ("audit r --canaries 9", "E2004"),
      ("audit r --weaken 0.5", "E2004"), ("audit r --shadows 3", "E2004"),
      ("audit r --clip -1", "E2004"), ("audit r --clip nan", "E2004"),
      ("audit r --noise 1", "E2002"),
    ])
  func wrongOptions(words: String, code: String) throws {
    let outcome = try run(words)
    #expect(outcome.exit == 2, "\(outcome.text)")
    #expect(outcome.stderr.contains("fedsim explain \(code)"), "\(outcome.text)")
  }

  @Test("what is no run folder is refused with exit code 4")
  func noFolder() throws {
    try folder.write("r/x", "")
    for name in ["r", "none"] {
      let outcome = try run("audit \(name)")
      #expect(outcome.exit == 4, "\(outcome.text)")
      #expect(outcome.stderr.contains("E4095"), "\(outcome.text)")
    }
  }
}
