/// Run and sweep folders with a file damaged, and the commands that read them.
enum FolderKind {
  static func make(seed: UInt64, number: Int, shelf: Shelf) -> FuzzCase {
    var tried = FuzzCase(.folders, seed: seed, number: number)
    var dice = tried.dice
    let sample = dice.pick([PreparedFolder.finished, .stopped, .stopped, .small, .sweep])
    tried.copies = [FuzzCase.Copy(sample, as: "d")]
    let files = shelf.files(of: sample)
    guard !files.isEmpty else { return tried }
    // Tables and checkpoints more often than pages and models.
    let weighty = files.filter { file in
      [".jsonl", ".csv", ".txt", ".json"].contains { file.hasSuffix($0) }
        || file.contains("checkpoints/")
    }
    for _ in 0..<(dice.chance(0.8) ? 1 : 2) {
      let file = dice.pick(dice.chance(0.85) ? weighty : files)
      tried.damages.append(damage("d/" + file, files.map { "d/" + $0 }, &dice))
    }
    // A few are whole: they must go on, and end with the numbers of one call.
    if dice.chance(0.04) { tried.damages = [] }
    tried.steps = steps(sample, &dice)
    return tried
  }

  private static func damage(_ path: String, _ all: [String], _ dice: inout Dice) -> Damage {
    let share = dice.share()
    let line = dice.below(60)
    switch dice.below(16) {
    case 0: return .remove(path)
    case 1: return .cut(path, dice.pick([0, share, share, 0.99]))
    case 2: return .flip(path, share, UInt8(1 << dice.below(8)))
    case 3:
      let bytes = dice.pick([
        [0], [10], [0xFF, 0xFE], Array("{\"round\":1}\n".utf8), [0x1B, 0x5B],
      ])
      return .insert(path, share, bytes)
    case 4:
      let more = dice.pick([
        "\n", "{", "{}\n", "x", "1,2,3\n", "\u{0}\u{0}", "9 0123456789abcdef\n",
      ])
      return .append(path, Array(more.utf8))
    case 5: return .dropLine(path, line)
    case 6: return .repeatLine(path, line)
    case 7: return .swapLines(path, line)
    case 8:
      // Another run's file of the same name, if there is one.
      let name = path.split(separator: "/").last ?? ""
      let like = all.filter { $0 != path && $0.hasSuffix("/" + name) }
      return .replace(path, by: dice.pick(like.isEmpty ? all : like))
    case 9:
      return dice.chance(0.5)
        ? .folder(path) : .link(path, to: dice.pick(["/dev/zero", "/dev/null", "missing", "."]))
    default:
      let number = dice.below(path.hasSuffix("rounds.jsonl") ? 80 : 12)
      return .number(path, line, number, dice.pick(Extremes.all))
    }
  }

  private static func steps(_ sample: PreparedFolder, _ dice: inout Dice) -> [Step] {
    let json = dice.chance(0.3) ? ["--format", "json"] : []
    if sample == .sweep {
      var steps = [Step(["sweep", "d", "--threads", "1"] + json)]
      if dice.chance(0.3) { steps.insert(Step(["sweep", "d", "--print"]), at: 0) }
      return steps
    }
    let report = Step(
      ["report", "d", "--csv", "t.csv", "--latex", "t.tex", "--markdown", "t.md"] + json)
    let compare = Step(["compare", "d"] + dice.pick([[], ["--budget", "bytes"]]) + json)
    let verify = Step(["verify", "d", "--threads", "1"] + json)
    // The limit that stopped it is lifted: it goes on to its end.
    let lift = ["--set", "limits.wallTime=1 h"]
    let quiet = json.isEmpty ? ["--quiet"] : json
    let resume = Step(["resume", "d", "--threads", "1"] + lift + quiet)
    var steps = dice.pick([
      [report, verify], [compare, resume, verify], [verify, resume], [resume, report],
      [report, resume, verify],
    ])
    if dice.chance(0.15), sample != .stopped {
      let words = "audit d --iterations 1 --trials 4 --clients 1 --images 1 --threads 1"
      steps.insert(Step(words.split(separator: " ").map(String.init) + json), at: 0)
    }
    return steps
  }
}
