import Base
import Foundation
import Testing

@Suite("fedsim bench")
struct BenchTests {
  let folder = TemporaryFolder()

  private func run(_ words: String) throws -> Program.Outcome {
    try Program.run(words.split(separator: " ").map(String.init), in: folder.path)
  }

  @Test(
    "a wrong command line has exit code 2 and a code",
    arguments: [
      ("bench w9", "E2006", "w1"), ("bench w2r2", "E2006", "did you mean w2r20|did you mean w2 "),
      ("bench kernel", "E2006", "did you mean kernels ?"),
      ("bench w4 --noise x", "E2004", "number"), ("bench w1 --noise 1", "E2004", "w4"),
      ("bench w1 --rounds 0", "E2004", "1 to"), ("bench w1 --warmup -1", "E2004", "0 to"),
      ("bench w1 --threads x", "E2004", "--threads"), ("bench w1 --dropout 2", "E2004", "0 to 1"),
      ("bench w2 --dropout 1", "E2004", "w2"), ("bench w1 --clients 0", "E2004", "--clients"),
      ("bench w1 --clients 3 --cohort 4", "E2004", "1 to 3"),
      ("bench w1 --samples 99999999999", "E2004", "--samples"),
      ("bench w1 --seed 1.5", "E2004", "--seed"), ("bench w1 --inputs x.npy", "E2007", "--labels"),
      ("bench w1 --labels y.npy", "E2007", "--inputs"), ("bench w1 w2 --data d", "E2007", "one"),
      ("bench --weights w", "E2007", "name it"), ("bench limits --data d", "E2007", "found 0"),
      ("bench w1 --inputs= --labels=y", "E2004", "path"), ("bench w1 --round 2", "E2002", "rounds"),
      ("bench w1 --clients 10000000 --samples 1000000 --rounds 1", "E2008", "GiB"),
      ("bench w5 --clients 1000000 --parameters 1000000000", "E2008", "GiB"),
    ])
  func wrong(words: String, code: String, says: String) throws {
    let outcome = try run(words)
    #expect(outcome.exit == 2, "\(outcome.text)")
    #expect(outcome.stdout.isEmpty, "\(outcome.text)")
    #expect(outcome.stderr.contains("more: fedsim explain \(code)"), "\(outcome.text)")
    let isSaid = says.split(separator: "|").contains { outcome.stderr.contains($0) }
    #expect(isSaid, "\(says) in \(outcome.text)")
    #expect(try run("explain \(code)").exit == 0)
  }

  @Test(
    "a file that cannot be used has exit code 4 and a code, as text and as JSON",
    arguments: [
      ("--data nothing", "E4001"), ("--weights nothing", "E4001"), ("--cohorts .", "E4002"),
      ("--weights text", "E4080"), ("--cohorts text", "E4006"),
      ("--inputs text --labels text", "E4006"), ("--cohorts c.npy", "E4005"),
      ("--inputs x.npy --labels y.npy", "E4005"), ("--weights /dev/null", "E4002"),
      ("--inputs /dev/zero --labels y.npy", "E4002|E4005"),
    ])
  func files(words: String, code: String) throws {
    try folder.write("text", "this is no array")
    try folder.write("c.npy", DataSamples.npy("|u1", [3, 1], [0, 1, 0]))
    try folder.write("x.npy", DataSamples.npy("<f4", [1, 1, 784], DataSamples.noise(4 * 784)))
    try folder.write("y.npy", DataSamples.npy("|u1", [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]))
    let small = "bench w3 --clients 2 --cohort 2 --samples 4 --rounds 1 " + words
    let text = try run(small)
    #expect(text.exit == 4, "\(text.text)")
    let isSaid = code.split(separator: "|").contains { text.stderr.contains("explain \($0)") }
    #expect(isSaid, "\(text.text)")
    #expect(text.stdout.isEmpty)
    let json = try run(small + " --format json")
    #expect(json.exit == 4)
    #expect(json.stderr.isEmpty)
    #expect(try json.json()["exit"]?.int == 4)
  }

  @Test("one workload as JSON is one object of one line, the same for any number of threads")
  func json() throws {
    let small = "bench w1 --clients 3 --cohort 2 --samples 4 --rounds 2 --format json --threads "
    let one = try run(small + "1")
    #expect(one.exit == 0, "\(one.text)")
    #expect(one.stderr.isEmpty)
    #expect(one.stdout.split(separator: "\n").count == 1)
    let json = try one.json()
    #expect(json["peer"]?.text == "fedsim")
    #expect(json["workload"]?.text == "w1")
    #expect(json["rounds"]?.int == 2)
    #expect(json["threads"]?.int == 1)
    for name in ["sec_per_round", "sec_min", "sec_max", "gflop_s", "us_per_client", "cpus_used"] {
      #expect(json[name]?.double ?? 0 > 0, "\(name) in \(one.text)")
    }
    #expect(json["gflop_per_round"]?.double == 0.7956)  // 8 samples of 99.456 MFLOP
    let moved = try #require(json["update_l2_round0"]?.double)
    #expect(moved > 0)
    let two = try run(small + "2").json()
    #expect(two["update_l2_round0"]?.double == moved)
    let other = try run(small + "2 --seed 2").json()
    #expect(other["update_l2_round0"]?.double != moved)
  }

  @Test("several workloads are a line each, as JSON and as a table")
  func several() throws {
    let words = "bench w3 w3lr w5 --clients 4 --samples 2 --parameters 1000 --rounds 1 --cohort 3"
    let json = try run(words + " --format json")
    #expect(json.exit == 0, "\(json.text)")
    let lines = try json.stdout.split(separator: "\n").map { try JSON(parsing: String($0)) }
    #expect(lines.map { $0["workload"]?.text } == ["w3", "w3lr", "w5"])
    #expect(lines.last?["correct"]?.truth == true)
    #expect(lines.last?["updates"]?.int == 4)
    let text = try run(words)
    #expect(text.exit == 0, "\(text.text)")
    #expect(text.stderr.isEmpty)
    let rows = text.stdout.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(rows.prefix(4).map { $0.prefix(4) } == ["work", "----", "w3  ", "w3lr"])
    #expect(Set(rows.prefix(4).map(\.count)).count == 1, "aligned: \(text.text)")
    #expect(text.stdout.contains("right"))
  }

  @Test("limits named before a workload give its share of them")
  func share() throws {
    let words = "bench limits w3 --clients 2 --cohort 2 --samples 4 --rounds 1 --threads 1"
    let lines = try run(words + " --format json").stdout.split(separator: "\n").map {
      try JSON(parsing: String($0))
    }
    #expect(lines.count == 2)
    #expect(lines.first?["fma_gflop_s"]?.double ?? 0 > 0)
    #expect(lines.last?["share_of_limit"]?.double ?? 0 > 0)
  }
}
