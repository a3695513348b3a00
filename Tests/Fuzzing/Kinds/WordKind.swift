import Base

/// Command lines: right ones, changed in one to four places.
package enum WordKind {
  /// Every command with its options that take a value and those that take none.
  ///
  /// A test holds this against the program's own table.
  package static let options: [String: (valued: [String], bare: [String])] = [
    "run": (["out", "set", "threads", "seed", "preset"], ["example", "again"]),
    "plan": (["set", "threads", "seed", "probe", "preset"], []),
    "resume": (["threads", "set"], []),
    "verify": (["threads", "rounds"], []),
    "compare": (
      [
        "metric", "baseline", "budget", "tie-margin", "out", "set", "seed", "threads", "columns",
        "spread", "allow",
      ],
      ["only-changed"]
    ),
    "report": (
      [
        "html", "latex", "markdown", "csv", "figures", "metric", "baseline", "columns", "shots",
        "spread", "width", "allow",
      ], []
    ), "plot": (["x", "y", "by", "table", "spread", "width", "out"], []),
    "sweep": (["grid", "seeds", "set", "shard", "out", "threads"], ["print"]),
    "watch": (["html", "every"], []),
    "completion": ([], []), "man": ([], []),
    "tune": (
      ["grid", "by", "validation", "seeds", "set", "shard", "out", "threads"], ["print"]
    ),
    "audit": (
      [
        "attack", "model", "clients", "images", "iterations", "clip", "trials", "canaries",
        "weaken", "shadows", "threads",
      ], []
    ), "validate": (["set", "threads", "preset"], ["no-data"]),
    "data": (
      ["kind", "out", "size", "test", "clients-per-domain", "set", "seed", "html"], ["domains"]
    ),
    "privacy": (
      [
        "rate", "noise", "steps", "epsilon", "delta", "sampling", "unit", "examples", "batches",
        "mechanism", "bands", "rounds", "separation", "participations", "population", "cohort",
        "dimension",
      ], []
    ),
    "bench": (
      [
        "rounds", "warmup", "threads", "seed", "dropout", "noise", "clients", "cohort", "samples",
        "parameters", "data", "inputs", "labels", "weights", "cohorts",
      ], []
    ), "list": ([], []), "explain": ([], ["markdown"]), "doctor": ([], []), "schema": ([], []),
    "version": ([], []), "help": ([], []),
  ]

  /// Lines that work, in a folder with `s.json`, `w.json`, `d`, `i`, `o` and `q`.
  private static let lines = [
    "run s.json --out n --threads 1 --quiet", "validate s.json", "plan s.json --probe 0",
    "run s.json --set client.batch=4 --set federation.rounds=1 --seed 3 --out n --threads 2",
    "resume q --threads 1 --set limits.wallTime=1h", "verify o --threads 1 --rounds 1..2",
    "compare o --metric generic.accuracy --budget bytes --tie-margin 0.005", "compare o q --out n",
    "report o --html r.html --latex t.tex --markdown t.md --csv t.csv --baseline fedavg",
    "report o --latex t.tex --columns generic.accuracy,bytes.up --shots many --spread range",
    "plot o --x bytes.up --y generic.accuracy --out p.pdf --width single",
    "plot o --x round --y train.loss --by seed --spread range",
    "report o q --html both.html --metric personal.accuracy", "sweep w.json --print",
    "sweep w.json --out n --shard 1/2 --threads 1", "audit o --attack membership --trials 4",
    "audit o --attack one-run --canaries 20 --weaken 2 --threads 1",
    "audit o --model initial --clients 1 --images 1 --iterations 1 --clip 1 --trials 2",
    "data check d --kind npy", "data check s.json", "data split s.json --seed 2 --html p.html",
    "data convert i --out n --size 4x4 --test 0.5", "list strategies", "list codecs",
    "data convert i --domains --clients-per-domain 2 --out n --size 4x4 --test 0.5",
    "list presets", "validate --preset fedloge-authors --no-data", "explain knfu-mnist-small",
    "explain fedavg", "explain E3103", "explain client.optimizer.learningRate", "explain topk",
    "schema sweep", "version", "help run",
    "privacy epsilon --rate 0.01 --noise 1.1 --steps 20 " + "--delta 1e-5",
    "compare s.json --out n --seed 2 --threads 1", "compare o --only-changed", "bench nothing",
    "bench w3 --rounds 0",
  ]

  private static let settings = [
    "client.batch=4", "client.batch=", "client.batch", "=4", "=", "", ".=1", "client..batch=4",
    "seeds=[1,2]", "seeds[0]=2", "seeds[9223372036854775807]=1", "seeds[-1]=1", "seeds[]=1",
    "strategies[0].kind=fedper", "strategies[1]={\"kind\":\"fedper\"}", "strategies=[]",
    "privacy=null", "data=null", "fedsim=null", "limits.wallTime=1us", "limits.memory=1 B",
    "limits.disk=1B", "limits=null", "output.checkpointEvery=0", "a.b.c.d=1", "//=x",
    "client.batch={\"a\":", "client.batch=\"4\"", "client.batch=1e999", "model=vit",
    "strategies[0].label=\u{1B}[31m", "name=../x", "name=a b", "federation.rounds=1",
  ]

  private static let values =
    Extremes.all + [
      "s.json", "w.json", "d", "o", "q", "missing", ".", "..", "zero", "full", "null", "loop",
      "./o", "o/", "o/scenario.json", "s.json/x", "missing/x/y", "\u{1B}[31mred", "a\nb", "\u{7}",
      " ", "\u{E0FF}\u{E0FE}", "ä/ö", "-", "--", "---", "-x", "--=", "=", "a=b", "1..2", "2..1",
      "..", "0..0", "1..99999999999999999999", "1/2", "0/2", "3/2", "1/0", "-1/2", "1/1/1", "json",
      "text", "fedavg", "E1000", "W3001", "generic.perClass.0", "generic.perClass.-1",
      "target.generic.0.4", "target.generic.NaN.round", "bytes", "epsilon", "rounds",
      "canary,membership", ",", "final", "%s%n", "o\u{0301}", "$HOME", "*",
    ] + [String(repeating: "a", count: 5000), String(repeating: "x/", count: 2100)]

  static func make(seed: UInt64, number: Int) -> FuzzCase {
    var tried = FuzzCase(.words, seed: seed, number: number)
    var dice = tried.dice
    var words = dice.pick(lines).split(separator: " ").map(String.init)
    for _ in 0..<(1 + dice.below(4)) { change(&words, &dice) }
    // Too slow for a try: the example, benchmarks, a test of the machine.
    words = words.map { $0 == "--example" || $0 == "doctor" ? "--exampl" : $0 }
    if words.contains("bench") { words.append("nothing") }
    if dice.chance(0.3) { words += ["--format", "json"] }
    let isFull = dice.chance(0.06)
    tried.steps = [Step(words, isStdoutFull: isFull)]
    tried.files = [
      InputFile("s.json", RunKind.plain(RunKind.synthetic).pretty),
      InputFile("w.json", Samples.sweep), InputFile("small.json", Samples.small),
    ]
    for name in ["a/0", "a/1", "b/0", "b/1"] {
      tried.files.append(InputFile("i/\(name).ppm", "P3 2 2 9 1 2 3 4 5 6 7 8 9 0 1 2\n"))
    }
    tried.copies = [
      FuzzCase.Copy(.small, as: "o"), FuzzCase.Copy(.stopped, as: "q"),
      FuzzCase.Copy(.arrays, as: "d"),
    ]
    // Devices by links: a program that renames over its output cannot harm them.
    tried.links = [
      FuzzCase.Link("zero", to: "/dev/zero"), FuzzCase.Link("full", to: "/dev/full"),
      FuzzCase.Link("null", to: "/dev/null"), FuzzCase.Link("loop", to: "loop"),
    ]
    return tried
  }

  private static func change(_ words: inout [String], _ dice: inout Dice) {
    guard !words.isEmpty else { return }
    let place = dice.below(words.count)
    let command = words.first { !$0.hasPrefix("-") } ?? ""
    let known = options[command] ?? (["format"], ["quiet"])
    switch dice.below(12) {
    case 0: words.remove(at: place)
    case 1: words.insert(words[place], at: place)
    case 2: words.swapAt(place, dice.below(words.count))
    case 3: words[place] = dice.pick(values)
    case 4: words.insert(dice.pick(values), at: place)
    case 5, 6:
      // A value for a known option.
      let option = dice.pick(known.valued + ["format"])
      let value = option == "set" ? dice.pick(settings) : dice.pick(values)
      words += dice.chance(0.3) ? ["--\(option)=\(value)"] : ["--\(option)", value]
    case 7:
      let all = options.values.flatMap { $0.valued + $0.bare }.sorted()
      words.insert("--" + dice.pick(all + known.bare + ["help", "quiet"]), at: place)
    case 8:
      let options = words.indices.filter { words[$0].hasPrefix("--") && $0 + 1 < words.count }
      if !options.isEmpty { words[dice.pick(options) + 1] = dice.pick(values) }
    case 9: words[place] = String(words[place].dropLast())
    case 10: words[0] = dice.pick(options.keys.sorted().filter { $0 != "bench" && $0 != "doctor" })
    default: words += ["--set", dice.pick(settings)]
    }
  }
}
