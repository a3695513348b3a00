import Base
import Foundation
import Records
import Testing

@Suite("fedsim report")
struct ReportTests {
  /// Runs that all tests read: one scenario under two pairs of seeds, and one of another batch.
  private static let finished: TemporaryFolder = {
    let folder = TemporaryFolder()
    let strategies = #"""
      [ { "kind": "fedavg" }, { "kind": "fedprox", "label": "prox_1", "proximalWeight": 1 },
        { "kind": "local-only" } ]
      """#
    let model = #"{ "kind": "mlp", "hidden": [8] }"#
    try? folder.write("s.json", ScenarioText.tiny(model: model, strategies: strategies))
    for words in [
      "run s.json --out a --set seeds=[1,2]", "run s.json --out b --set seeds=[2,3]",
      "run s.json --out batch --seed 1 --set client.batch=20",
    ] {
      _ = try? Program.run(
        (words + " --quiet").split(separator: " ").map(String.init), in: folder.path)
    }
    return folder
  }()

  private func run(_ words: String, in folder: TemporaryFolder = finished) throws -> Program.Outcome
  { try Program.run(words.split(separator: " ").map(String.init), in: folder.path) }

  @Test("the page from the files is the page that the run wrote")
  func samePage() throws {
    let outcome = try run("report a --html out.html")
    #expect(outcome.exit == 0, "\(outcome.text)")
    #expect(outcome.stdout == "report  out.html\n")
    let page = try #require(Self.finished.bytes("out.html"))
    #expect(page == Self.finished.bytes("a/report.html"))
    let text = Self.finished.text("out.html")
    for part in [
      "<h2>Which is better</h2>", "<h2>Diagnostics</h2>", "Clients that fare worst",
      "Benefit over training alone", "arXiv:1602.05629", "fedsim run", "prox_1",
      "2 seeds cannot reach p &lt; 0.5",
    ] { #expect(text.contains(part), "\(part)") }
  }

  @Test("without --html the page of one folder lies in it; several need a place")
  func places()
    throws
  {
    let folder = TemporaryFolder()
    try FileManager.default.copyItem(atPath: Self.finished.at("a"), toPath: folder.at("a"))
    try folder.remove("a/report.html")
    let one = try run("report a --format json", in: folder)
    #expect(one.exit == 0, "\(one.text)")
    #expect(try one.json()["report"]?.text == "a/report.html")
    #expect(folder.bytes("a/report.html") == Self.finished.bytes("a/report.html"))
    let several = try run("report a b")
    #expect(several.exit == 2, "\(several.text)")
    #expect(several.stderr.contains("E2013"), "\(several.text)")
    #expect(several.stderr.contains("--html FILE"))
    #expect(try run("report").exit == 2)
    let nothing = try run("report nowhere")
    #expect(nothing.exit == 4, "\(nothing.text)")
    #expect(nothing.stderr.contains("E4095"))
  }

  @Test("every figure of the page is a file that stands alone, with its numbers beside it")
  func figures() throws {
    let outcome = try run("report a --html f.html --figures figures")
    #expect(outcome.exit == 0, "\(outcome.text)")
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.finished.at("figures"))
    let images = names.filter { $0.hasSuffix(".svg") }.sorted()
    #expect(images.count >= 5)
    #expect(names.count == 3 * images.count)
    let page = Self.finished.text("f.html")
    #expect(page.components(separatedBy: "<svg").count - 1 == images.count)
    for image in images {
      let text = Self.finished.text("figures/" + image)
      #expect(text.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\""))
      // A paper has the methods' names.
      #expect(!text.contains(">fedavg</text>"), "\(image)")
      let paper = try #require(Self.finished.bytes("figures/" + image.dropLast(3) + "pdf"))
      #expect(String(decoding: paper.prefix(8), as: UTF8.self) == "%PDF-1.4")
      let numbers = Self.finished.text("figures/" + image.dropLast(3) + "csv")
      let lines = numbers.split(separator: "\n")
      #expect(lines[0] == "mark,series,x,y,low,high,words")
      #expect(lines.count > 1, "\(image) shows nothing")
    }
    #expect(images[0].hasPrefix("01-"))
    #expect(try run("report a --html f.html --figures /dev/null/x").exit == 2)
  }

  @Test("columns, groups of classes, spreads and widths: what is asked for, or a word on it")
  func style() throws {
    let outcome = try run(
      "report a --html c.html --latex c.tex --columns generic.accuracy,privacy.delta,bytes.up "
        + "--shots many --spread std")
    #expect(outcome.exit == 0, "\(outcome.text)")
    let latex = Self.finished.text("c.tex")
    #expect(latex.contains("\\begin{tabular}{lrrr}\n\\toprule\n"), "\(latex)")
    #expect(latex.contains("FedAvg & ") && latex.contains("prox\\_1 & "))
    #expect(latex.contains("2 seeds; mean ± standard deviation over seeds"))
    for (words, code, hint) in [
      ("report a --columns generic.acuracy", "E2012", "generic.accuracy"),
      ("report a --columns ,", "E2004", "--columns"),
      ("report a --columns bytes.up,bytes.up", "E2004", "each once"),
      ("report a --shots some", "E2004", "head, many"),
      ("report a --spread sd", "E2004", "did you mean std"),
      ("report a --width single", "E2007", "--figures DIR"),
      ("report a --figures f --width tripel", "E2004", "single, double"),
      ("compare a --columns t-hom", "E2012", "t-holm"),
    ] {
      let outcome = try run(words)
      #expect(outcome.exit == 2, "\(words): \(outcome.text)")
      #expect(outcome.stderr.contains(code) && outcome.stderr.contains(hint), "\(outcome.text)")
    }
    let compared = try run("compare a --columns n,mean --spread range")
    #expect(compared.stdout.contains("mean [least, largest] over seeds"), "\(compared.text)")
    #expect(!compared.stdout.contains("Wilcoxon"))
  }

  @Test("runs that differ in privacy alone share a page, with a line per method over ε")
  func privacy() throws {
    let folder = TemporaryFolder()
    let strategies = #"[ { "kind": "fedavg" }, { "kind": "fedprox" } ]"#
    try folder.write(
      "s.json", ScenarioText.tiny(model: #"{ "kind": "logistic" }"#, strategies: strategies))
    let clip = #"privacy={"unit":"client","clip":1,"target":{"epsilon":BUDGET,"delta":1e-5}}"#
    for (name, set) in [
      ("a", clip.replacingOccurrences(of: "BUDGET", with: "2")),
      ("b", clip.replacingOccurrences(of: "BUDGET", with: "8")), ("c", "privacy=null"),
    ] {
      let words = ["run", "s.json", "--out", name, "--quiet", "--set", "seeds=[1,2]", "--set", set]
      let outcome = try Program.run(words, in: folder.path)
      #expect(outcome.exit == 0, "\(outcome.text)")
    }
    #expect(try run("compare a b", in: folder).exit == 7)
    let outcome = try run("report a b c --html p.html --figures f", in: folder)
    #expect(outcome.exit == 0, "\(outcome.text)")
    let page = folder.text("p.html")
    for part in [
      "generic.accuracy over epsilon", "Difference from fedavg at the same epsilon",
      "Difference from no privacy", "unit client, ", "clip 1, delta ",
    ] { #expect(page.contains(part), "\(part)") }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.at("f"))
    #expect(names.contains { $0.hasSuffix("generic-accuracy-over-epsilon.pdf") })
  }

  @Test("any two columns are a figure; wrong ones are answered")
  func plot() throws {
    let folder = Self.finished
    let printed = try run("plot a --x bytes.up --y generic.accuracy")
    #expect(printed.exit == 0, "\(printed.text)")
    #expect(printed.stdout.hasPrefix("mark,series,x,y,low,high,words\n"))
    #expect(printed.stdout.contains("line,FedAvg,") && printed.stdout.contains("line,prox_1,"))
    #expect(!printed.stdout.contains("Local only"))
    // Bytes are totals: the last is what the summary says, in megabytes.
    let last = printed.stdout.split(separator: "\n").last { $0.hasPrefix("line,FedAvg,") } ?? ""
    let total = folder.text("a/summary.json").components(separatedBy: "\"bytes.up\"")
    #expect(total.count > 1 && !last.isEmpty)
    for (words, files) in [
      ("plot a --x round --y train.loss --by seed --out l.svg --width single", ["l.svg"]),
      ("plot a --x train_count --y accuracy --out l.pdf", ["l.pdf"]),
      (
        "plot a --x generic.accuracy --y personal.accuracy --table summary --out d",
        ["svg", "pdf", "csv"].map { "d/personal.accuracy-over-generic.accuracy." + $0 }
      ),
      ("plot a --x round --y round --spread range --out same.csv", ["same.csv"]),
    ] {
      let outcome = try run(words)
      #expect(outcome.exit == 0, "\(words): \(outcome.text)")
      for file in files { #expect(folder.exists(file), "\(file)") }
    }
    #expect(folder.text("l.svg").contains("width=\"3.35"))
    for (words, part) in [
      ("plot a --x bytes.ip --y generic.accuracy", "did you mean bytes.up"),
      ("plot a --x train_count --y generic.accuracy", "no table has both"),
      ("plot a --x round", "--y says which column"), ("plot", "expected run folders"),
      ("plot a --x round --y round --by method", "strategy, seed"),
      ("plot a --x round --y round --out /dev/null/x/y.svg", "fedsim: "),
    ] {
      let outcome = try run(words)
      #expect(outcome.exit == 2, "\(words): \(outcome.text)")
      #expect(outcome.stderr.contains(part), "\(words): \(outcome.text)")
    }
  }

  @Test("several folders: seeds add up, what differs is shown, no link leaves the page")
  func several() throws {
    let outcome = try run("report a b --html both.html --baseline local-only")
    #expect(outcome.exit == 0, "\(outcome.text)")
    let text = Self.finished.text("both.html")
    for part in [
      "3 seeds; mean", "What differs between the folders",
      "<th scope=\"row\" class=\"name\">seeds</th>",
      "from a, b", "fedavg - local-only", "difference from local-only",
    ] { #expect(text.contains(part), "\(part)") }
    // The baseline has no generic model: only what it has is compared.
    #expect(!text.contains("<h3>generic.accuracy, %</h3>"))
    // A name of the SVG format, which nobody fetches.
    let page = text.replacingOccurrences(of: "xmlns=\"http://www.w3.org/2000/svg\"", with: "")
    for forbidden in ["http://", "https://", "src=", "url(", "@import", "<link"] {
      #expect(!page.contains(forbidden), "\(forbidden)")
    }
  }

  @Test("unlike runs are refused as by compare")
  func unlike() throws {
    let outcome = try run("report a batch --html x.html")
    let compared = try run("compare a batch")
    #expect(outcome.exit == 7, "\(outcome.text)")
    #expect(outcome.stderr == compared.stderr)
    #expect(!Self.finished.exists("x.html"))
    let json = try run("report a batch --html x.html --format json").json()
    #expect(json["code"]?.text == "E7001")
  }

  @Test("tables have the numbers of summary.json, and special characters are escaped")
  func tables()
    throws
  {
    let outcome = try run(
      "report a --html t.html --latex t.tex --markdown t.md --csv t.csv --spread ci95 --format json"
    )
    #expect(outcome.exit == 0, "\(outcome.text)")
    let json = try outcome.json()
    #expect(json["latex"]?.text == "t.tex")
    #expect(json["csv"]?.text == "t.csv")
    let summary = try JSON(parsing: Self.finished.text("a/summary.json"))
    let fedavg = try #require(summary["strategies"]?.elements?.first)
    let metric = try #require(fedavg["metrics"]?["generic.accuracy"])
    let mean = try #require(metric["mean"]?.double)
    let half = try #require(metric["halfWidth"]?.double)
    let lines = Self.finished.text("t.csv").split(separator: "\n").map(String.init)
    #expect(lines[0] == "strategy,metric,statistic,seed,value")
    for (statistic, value) in [("mean", mean), ("halfWidth", half)] {
      let line = "fedavg,generic.accuracy,\(statistic),,\(CSV.number(value))"
      #expect(lines.contains(line), "\(line)")
    }
    let cell = "\(NumberText.percent(mean)) ± \(NumberText.percent(half))"
    #expect(Self.finished.text("t.md").contains("| FedAvg | \(cell) |"))
    let latex = Self.finished.text("t.tex")
    let row = latex.split(separator: "\n").first { $0.hasPrefix("FedAvg & ") } ?? ""
    // The mean may be bold or underlined.
    #expect(row.contains(NumberText.percent(mean)))
    #expect(row.contains(" $\\pm$ \(NumberText.percent(half)) & "), "\(row)")
    #expect(latex.contains("prox\\_1 & "))
    #expect(latex.contains("generic accuracy \\%"))
    #expect(latex.contains("% s\n"))
  }

  @Test("a metric of one's own, and names that there are not")
  func metric() throws {
    let outcome = try run("report a --html m.html --metric generic.ece --baseline prox_1")
    #expect(outcome.exit == 0, "\(outcome.text)")
    #expect(Self.finished.text("m.html").contains("<h3>generic.ece, %</h3>"))
    for words in ["--metric generic.accurcy", "--baseline nobody"] {
      let wrong = try run("report a --html n.html " + words)
      #expect(wrong.exit == 2, "\(wrong.text)")
      #expect(wrong.stderr.contains("E2012"), "\(wrong.text)")
      #expect(!Self.finished.exists("n.html"))
    }
  }

  @Test("compare --out writes the page and the tables beside compare.csv")
  func compare() throws {
    let outcome = try run("compare a b --out both")
    #expect(outcome.exit == 0, "\(outcome.text)")
    #expect(outcome.stdout.contains("report  both/report.html"))
    let page = try run("report a b --html again.html --latex again.tex --markdown again.md")
    #expect(page.exit == 0, "\(page.text)")
    for (first, second) in [
      ("both/report.html", "again.html"), ("both/tables/headline.tex", "again.tex"),
      ("both/tables/headline.md", "again.md"),
    ] { #expect(Self.finished.bytes(first) == Self.finished.bytes(second), "\(first)") }
    #expect(Self.finished.exists("both/compare.csv"))
  }

  @Test("damaged and missing files are named, never a trap")
  func damaged() throws {
    let folder = TemporaryFolder()
    try FileManager.default.copyItem(atPath: Self.finished.at("a"), toPath: folder.at("a"))
    try folder.forgetPromises("a")
    try folder.write("a/fedavg-s1/diagnostics.json", "{ \"round\": 1 }")
    let damaged = try run("report a", in: folder)
    #expect(damaged.exit == 4, "\(damaged.text)")
    #expect(damaged.stderr.contains("E4101"))
    // Everything beside the trace may be missing: its part of the page then is.
    for name in [
      "fedavg-s1/diagnostics.json", "split", "environment.json", "summary.json",
      "fedavg-s1/clients.csv", "prox_1-s1",
    ] { try folder.remove("a/" + name) }
    let less = try run("report a", in: folder)
    #expect(less.exit == 0, "\(less.text)")
    #expect(!folder.text("a/report.html").contains("Images per client and class"))
    for name in ["fedavg-s1", "fedavg-s2", "local-only-s1", "local-only-s2", "prox_1-s2"] {
      try folder.remove("a/" + name)
    }
    let nothing = try run("report a", in: folder)
    #expect(nothing.exit == 4, "\(nothing.text)")
    #expect(nothing.stderr.contains("E4102"))
  }
}
