import Base
import Foundation
import Testing

@Suite("Own data from the command line")
struct DataCommandTests {
  let folder = TemporaryFolder()

  private func fedsim(_ words: String..., in place: String? = nil) throws -> Program.Outcome {
    try Program.run(words, in: place ?? folder.path)
  }

  private func ppm(_ side: Int, _ salt: Int) -> [UInt8] {
    Array("P6 \(side) \(side) 255\n".utf8) + DataSamples.noise(3 * side * side, salt)
  }

  /// Twelve images of each of three classes.
  private func photos(_ name: String) throws {
    for (place, kind) in ["cat", "cow 2", "dog"].enumerated() {
      for number in 0..<12 {
        try folder.write("\(name)/\(kind)/\(number).ppm", ppm(8, 20 * place + number))
      }
    }
  }

  // MARK: - Conversion

  @Test("a folder of images becomes a data set that can be checked, split and run")
  func convert() throws {
    try photos("my photos")
    let made = try fedsim("data", "convert", "my photos", "--out", "d", "--test", "0.25")
    #expect(made.exit == 0, "\(made.text)")
    for part in ["27 training, 9 test, 8×8×3", "cat, cow 2, dog", "\"kind\": \"npy\""] {
      #expect(made.stdout.contains(part), "\(made.text)")
    }
    #expect(folder.text("d/classes.txt") == "cat\ncow 2\ndog\n")
    let json = try fedsim("data", "check", "d", "--format", "json").json()
    #expect(json["classNames"]?.elements?.compactMap(\.text) == ["cat", "cow 2", "dog"])
    try folder.write(
      "s.json",
      ScenarioText.tiny(
        dataset: #"{ "kind": "npy", "path": "d" }"#, federation: #""clients": 3, "rounds": 1"#,
        model: #"{ "kind": "logistic" }"#))
    #expect(try fedsim("run", "s.json", "--out", "r", "--quiet").exit == 0)
    // Again: nothing is overwritten.
    let again = try fedsim("data", "convert", "my photos", "--out", "d", "--test", "0.25")
    #expect(again.exit == 9, "\(again.text)")
    let other = try fedsim(
      "data", "convert", "my photos", "-o", "e", "--test", "0.25", "--size", "4", "--format", "json"
    )
    #expect(try other.json()["shape"]?.text == "4×4×3", "\(other.text)")
  }

  @Test("folders of domains become clients: the lines that are printed make a scenario that runs")
  func domains() throws {
    for domain in ["real", "sketch"] { try photos("d/\(domain)") }
    try folder.write("d/sketch/emu/0.ppm", ppm(8, 1))
    try folder.write("d/sketch/emu/1.ppm", ppm(8, 2))
    try folder.write("d/stray.txt", "no image")
    let made = try fedsim(
      "data", "convert", "d", "--domains", "--clients-per-domain", "2", "--out", "o", "--test",
      "0.25")
    #expect(made.exit == 0, "\(made.text)")
    for part in [
      "55 training, 19 test",
      "real: 27 training, 9 test, clients 0-1; no image of 1 of the classes",
      "sketch: 28 training, 10 test, clients 2-3", "stray.txt",
    ] { #expect(made.text.contains(part), "\(made.text)") }
    let lines = made.stdout.split(separator: "\n").drop { !$0.hasPrefix("scenario") }
    let members = lines.joined(separator: "\n").dropFirst("scenario".count)
    try folder.write(
      "s.json",
      """
      { "fedsim": 1, \(members), "model": { "kind": "logistic" },
        "strategies": [ { "kind": "fedavg" } ] }
      """)
    let run = try fedsim(
      "run", "s.json", "--out", "r", "--quiet", "--set", "federation.rounds=1")
    #expect(run.exit == 0, "\(run.text)")
    let json = try fedsim(
      "data", "convert", "d", "--domains", "-o", "p", "--test", "0.25", "--format", "json"
    ).json()
    #expect(json["domains"]?["clients"]?.int == 2)
    #expect(json["ignored"]?.elements?.count == 1)
  }

  @Test("wrong calls are refused, and leave nothing")
  func refused() throws {
    try photos("p")
    try folder.write("q/train/a/1.ppm", ppm(2, 1))
    try folder.write("q/test/a/1.ppm", ppm(2, 1))
    try photos("bad")
    try folder.write("bad/dog/x.jpg", Array("none".utf8))
    for (words, exit, code, hint) in [
      ("convert p --out d", 2, "E2007", "--test 0.2"),
      ("convert p --test 0.2", 2, "E2007", "--out"),
      ("convert p --domains --out d", 2, "E2007", "--test 0.2"),
      ("convert p --domains --out d --test 0.2", 4, "E4001", "DOMAIN/CLASS/image"),
      ("convert p --clients-per-domain 2 --out d --test 0.2", 2, "E2007", "--domains"),
      ("convert p --domains --clients-per-domain 0 --out d --test 0.2", 2, "E2004", "from 1"),
      ("split p --domains", 2, "E2007", "convert"),
      ("convert q --out d --test 0.2", 2, "E2007", "leave --test out"),
      ("convert p --out d --test 1", 2, "E2004", "--test"),
      ("convert p --out d --test 0.2 --size 0x4", 2, "E2004", "--size"),
      ("convert p --out d --test 0.2 --size 4x4x4", 2, "E2004", "--size"),
      ("convert nothing --out d --test 0.2", 4, "E4001", "nothing"),
      ("convert bad --out d --test 0.2", 4, "E4006", "bad/dog/x.jpg"),
      ("convert q --out d", 4, "E4005", "classes"), ("check p --size 4x4", 2, "E2007", "convert"),
      ("convret p", 2, "E2005", "did you mean convert ?"), ("split", 2, "E2005", "SCENARIO.json"),
      ("split p --kind npy", 2, "E2007", "check"),
    ] {
      let outcome = try Program.run(
        ["data"] + words.split(separator: " ").map(String.init), in: folder.path)
      #expect(outcome.exit == Int32(exit), "\(words): \(outcome.text)")
      #expect(outcome.stderr.contains(code), "\(words): \(outcome.text)")
      #expect(outcome.stderr.contains(hint), "\(words): \(outcome.text)")
      #expect(!folder.exists("d"), "\(words)")
    }
  }

  // MARK: - Splits

  @Test("a split is shown in words, as JSON whose sums agree, and as a page or a figure")
  func split() throws {
    try folder.write(
      "s.json",
      ScenarioText.tiny(
        top: "\n\"evaluation\": { \"validation\": 0.2, \"unseen\": { \"clients\": 2 } },",
        data: #"""
          , "public": { "size": 20 }, "longTail": { "factor": 4 },
          "partition": { "kind": "dirichlet", "alpha": 0.3 }, "test": { "local": "holdout" }
          """#))
    let text = try fedsim("data", "split", "s.json", "--html", "p.html")
    #expect(text.exit == 0, "\(text.text)")
    for part in [
      "effective classes", "distance", "total variation", "validation", "unseen clients", "public",
      "clients' own tests", "test set", "not used", "Dirichlet 0.3", "seed 1",
    ] { #expect(text.stdout.contains(part), "\(part): \(text.text)") }
    #expect(folder.text("p.html").contains("Training images by client and class"))
    #expect(try fedsim("data", "split", "s.json", "--html", "p.svg").exit == 0)
    #expect(folder.text("p.svg").hasPrefix("<svg"))
    let json = try fedsim("data", "split", "s.json", "--format", "json").json()
    let sets = json["sets"]?.elements ?? []
    // All training images of the data are in exactly one set.
    let training = sets.filter { $0["set"]?.text != "test set" }
    #expect(training.reduce(0) { $0 + ($1["images"]?.int ?? 0) } == 200)
    let clients = json["clients"]?.elements ?? []
    #expect(clients.count == 4)
    let first = sets.first { $0["set"]?.text == "training" }
    #expect(clients.reduce(0) { $0 + ($1["images"]?.int ?? 0) } == first?["images"]?.int)
    for client in clients {
      let counts = (client["perClass"]?.elements ?? []).compactMap(\.int)
      #expect(counts.reduce(0, +) == client["images"]?.int)
      #expect(counts.count { $0 > 0 } == client["classes"]?.int)
      let effective = client["effectiveClasses"]?.double ?? -1
      #expect(effective <= Double(counts.count { $0 > 0 }) + 1e-9)
      #expect((0...1).contains(client["distance"]?.double ?? -1))
    }
    // It is the split of the run.
    #expect(try fedsim("run", "s.json", "--out", "r", "--quiet").exit == 0)
    let rows = folder.text("r/split/summary.csv").split(separator: "\n").dropFirst().prefix(4)
    let shown = clients.map { client in
      (client["perClass"]?.elements ?? []).compactMap(\.int).map(String.init).joined(separator: ",")
    }
    #expect(rows.map { $0.split(separator: ",").dropFirst(2).joined(separator: ",") } == shown)
    let other = try fedsim("data", "split", "s.json", "--seed", "9", "--format", "json").json()
    #expect(other["seed"]?.int == 9)
    #expect(other["clients"] != json["clients"])
  }

  @Test("many clients and classes are shown by their quantiles")
  func manyClients() throws {
    try folder.write(
      "s.json",
      ScenarioText.tiny(
        dataset:
          #"{ "kind": "synthetic", "classes": 100, "trainPerClass": 10, "testPerClass": 1 }"#,
        data: #", "partition": { "kind": "dirichlet-balanced", "alpha": 0.5 }"#,
        federation: #""clients": 300, "rounds": 1"#))
    let outcome = try fedsim("data", "split", "s.json")
    #expect(outcome.exit == 0, "\(outcome.text)")
    #expect(outcome.stdout.split(separator: "\n").count < 40, "\(outcome.text)")
    #expect(outcome.stdout.contains("median"))
    #expect(try fedsim("data", "split", "missing.json").exit == 4)
    try folder.write("w.json", ScenarioText.tiny(federation: #""clients": 0, "rounds": 1"#))
    #expect(try fedsim("data", "split", "w.json").exit == 3)
  }

  // MARK: - Relative paths

  private func scenario(_ path: String) -> String {
    ScenarioText.tiny(
      dataset: "{ \"kind\": \"npy\", \"path\": \"\(path)\" }", model: #"{ "kind": "logistic" }"#)
  }

  @Test("a path is relative to the scenario first, then to the working folder; --set the reverse")
  func order() throws {
    try DataSamples.npy(in: folder, "a/d", classes: 4)
    try DataSamples.npy(in: folder, "d", classes: 5)
    try DataSamples.npy(in: folder, "e", classes: 6)
    try folder.write("a/s.json", scenario("d"))
    func classes(_ words: String...) throws -> Int? {
      try Program.run(["data", "split"] + words + ["--format", "json"], in: folder.path).json()[
        "classes"]?.int
    }
    #expect(try classes("a/s.json") == 4)
    #expect(try classes("a/s.json", "--set", "data.dataset.path=d") == 5)
    #expect(try classes("a/s.json", "--set", "data.dataset.path=e") == 6)
    try folder.remove("a/d")
    #expect(try classes("a/s.json") == 5)
    try folder.remove("d")
    let lost = try fedsim("validate", "a/s.json")
    #expect(lost.exit == 4)
    for place in ["/a/d,", "/d;"] { #expect(lost.stderr.contains(place), "\(lost.text)") }
    #expect(lost.stderr.contains("beside the file that names it and in the working folder"))
  }

  @Test("the hash does not know where files are; a run goes on from any folder")
  func elsewhere() throws {
    try DataSamples.npy(in: folder, "a/d")
    try folder.write("a/s.json", scenario("d"))
    try folder.write("b/s.json", scenario("d"))
    try DataSamples.npy(in: folder, "b/d")
    func hash(_ file: String, in place: String) throws -> String? {
      try Program.run(["validate", file, "--no-data", "--format", "json"], in: folder.at(place))
        .json()["hash"]?.text
    }
    let first = try hash("s.json", in: "a")
    #expect(first != nil)
    #expect(try hash("a/s.json", in: ".") == first)
    #expect(try hash("s.json", in: "b") == first)
    #expect(try fedsim("run", "a/s.json", "--out", "r", "--quiet").exit == 0)
    #expect(!folder.text("r/scenario.resolved.json").contains(folder.path))
    try folder.write("far/away/x", "")
    for words in [
      ["resume", "../../r"], ["verify", "../../r"], ["audit", "../../r", "--attack", "membership"],
    ] {
      let outcome = try Program.run(words, in: folder.at("far/away"))
      #expect(outcome.exit == 0, "\(outcome.text)")
    }
    // The copy in the run folder can be run itself, and leads to the same files.
    let copy = try fedsim(
      "run", "../../r/scenario.json", "--out", "c", "--quiet", in: folder.at("far/away"))
    #expect(copy.exit == 0, "\(copy.text)")
    #expect(folder.text("far/away/c/scenario.resolved.json").contains("\"path\": \"d\""))
    // Without files nothing is kept about places.
    try folder.write("plain.json", ScenarioText.tiny())
    #expect(try fedsim("run", "plain.json", "--out", "p", "--quiet").exit == 0)
    #expect(folder.exists("r/paths.json"))
    #expect(!folder.exists("p/paths.json"))
  }

  @Test("sweeps find their base and its files, and go on from another folder")
  func sweeps() throws {
    try DataSamples.npy(in: folder, "a/d")
    try DataSamples.npy(in: folder, "a/e", classes: 4)
    try DataSamples.npy(in: folder, "w/e", classes: 5)
    try folder.write("a/s.json", scenario("d"))
    try folder.write(
      "w/sweep.json",
      #"""
      { "fedsim": 1, "kind": "sweep", "base": "a/s.json",
        "grid": { "data.dataset.path": ["d", "e"] } }
      """#
    )
    // The base is in the working folder, beside which the data are; "e" stands beside the sweep.
    let half = try fedsim("sweep", "w/sweep.json", "--out", "o", "--shard", "1/2", "--quiet")
    #expect(half.exit == 0 || half.exit == 8, "\(half.text)")
    try folder.write("far/x", "")
    let rest = try Program.run(["sweep", "../o", "--format", "json"], in: folder.at("far"))
    // "d" is a value of the sweep file, beside which there is none.
    #expect(rest.exit == 8, "\(rest.text)")
    #expect(
      rest.stdout.contains("looked beside") || folder.text("o/failed.csv").contains("looked beside")
    )
    try folder.write(
      "w/one.json",
      #"{ "fedsim": 1, "kind": "sweep", "base": "a/s.json", "grid": { "client.batch": [4, 5] } }"#)
    #expect(try fedsim("sweep", "w/one.json", "--out", "p", "--shard", "1/2", "--quiet").exit == 0)
    let done = try Program.run(["sweep", "../p", "--format", "json"], in: folder.at("far"))
    #expect(done.exit == 0, "\(done.text)")
    let lost = try fedsim("sweep", "w/sweep.json", "--print", in: folder.at("far"))
    #expect(lost.exit == 4 || lost.exit == 3, "\(lost.text)")
    let gone = try Program.run(["sweep", "../w/one.json", "--print"], in: folder.at("far"))
    #expect(gone.exit == 3, "\(gone.text)")
    #expect(
      gone.stderr.contains("w/a/s.json") && gone.stderr.contains("far/a/s.json"), "\(gone.text)")
  }
}
