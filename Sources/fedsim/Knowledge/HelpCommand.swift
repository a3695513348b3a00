import Base
import Records
import Report
import Scenario
import Studies

/// `fedsim help`: what the commands do, each with two examples.
enum HelpCommand {
  static func run(_ invocation: Invocation) throws -> ExitCode {
    // "help data check" asks for the page of "data".
    guard let word = invocation.operands.first else { return show(.help, invocation.format) }
    guard let command = CommandName(rawValue: word) else {
      let near = Suggestions.nearest(word, among: CommandName.allCases.map(\.rawValue))
      throw Failure(
        .wrongCommandLine, "E2001", "unknown command \"\(word)\"",
        hint: near.map { "did you mean \($0) ?" } ?? "fedsim help lists the commands")
    }
    return show(command, invocation.format)
  }

  /// Prints the page of a command; that of `help` is the overview.
  static func show(_ command: CommandName, _ format: OutputFormat) -> ExitCode {
    let text = command == .help ? overview : page(command)
    switch format {
    case .text: Console.print(text)
    case .json: Console.answer([("command", .string(command.rawValue)), ("text", .string(text))])
    }
    return .done
  }

  private static var overview: String {
    let commands = Table.terms(CommandName.allCases.map { ("  " + $0.rawValue, $0.summary) })
    return """
      fedsim \(FedsimVersion.current): federated learning on long-tailed data, simulated

      usage: fedsim COMMAND [ARGUMENTS] [OPTIONS]

      \(commands.lines(.list).joined(separator: "\n"))

      \(globalOptions)

      examples:
        fedsim run --example
        fedsim validate scenario.json
      """
  }

  static let globalOptions = """
    options of every command:
      --format text|json   text for people, or exactly one JSON object on stdout
      -q, --quiet          only errors and results
      -h, --help           this help
    """

  private static func page(_ command: CommandName) -> String {
    var blocks = ["usage: fedsim \(command.usage)", command.summary]
    if !command.optionLines.isEmpty {
      blocks.append("options:\n" + command.optionLines.map { "  \($0)" }.joined(separator: "\n"))
    }
    blocks.append(globalOptions)
    blocks.append("examples:\n" + command.examples.map { "  fedsim \($0)" }.joined(separator: "\n"))
    return blocks.joined(separator: "\n\n")
  }
}

extension CommandName {
  /// What the command does, in a line.
  package var summary: String {
    switch self {
    case .run: "train every strategy with every seed; write a folder with the results"
    case .plan: "say what a scenario will cost: bytes, operations, epsilon, memory, time"
    case .verify: "run again and compare with what a run folder says"
    case .resume: "go on from the last checkpoint of a run folder"
    case .compare: "compare the strategies of finished runs, paired by seed"
    case .report: "write one page over run folders, and its tables for papers"
    case .watch: "write a run folder's report again and again while runs go on"
    case .completion: "print a script that completes commands and options in your shell"
    case .man: "print the manual page: fedsim man | man -l -"
    case .plot: "draw any two columns of run folders against each other"
    case .sweep: "run many scenarios from one file; a front of accuracy, privacy, bytes and time"
    case .tune: "choose values for every strategy from one grid, on validation images"
    case .audit: "attack a run's models and gradients; report what they reveal of clients' images"
    case .validate: "report every problem of a scenario and its data at once; nothing is run"
    case .list: "list strategies, models, datasets, partitions, codecs, accountants or presets"
    case .explain: "explain a strategy, a word or field, a file or its column, or an error code"
    case .data: "check a data set, make one of image files, show how a scenario spreads it"
    case .privacy: "epsilon, noise or steps of differentially private training; a plan of batches"
    case .doctor: "show CPU, BLAS, threads and speed; test determinism"
    case .bench: "time the standard workloads, layer by layer too, beside the machine's limits"
    case .schema: "print the JSON Schema of the scenario, or of sweep files"
    case .version: "print the version"
    case .help: "show this help, or that of a command"
    }
  }

  var usage: String {
    switch self {
    case .run: "run SCENARIO.json | --preset NAME | --example  [OPTIONS]"
    case .plan: "plan SCENARIO.json | --preset NAME  [OPTIONS]"
    case .verify: "verify DIR [--rounds A..B] [--threads N]"
    case .resume: "resume DIR [--threads N] [--set limits.PATH=value]..."
    case .compare: "compare DIR... | SCENARIO.json  [OPTIONS]"
    case .report: "report DIR... [OPTIONS]"
    case .watch: "watch DIR [--every SECONDS] [--html FILE]"
    case .completion: "completion \(Completion.shells.joined(separator: "|"))"
    case .man: "man"
    case .sweep: "sweep SWEEP.json | SCENARIO.json --grid PATH=V,V... | DIR  [OPTIONS]"
    case .tune: "tune SCENARIO.json --grid PATH=V,V... [OPTIONS] | DIR"
    case .plot: "plot DIR... --x COLUMN --y COLUMN [OPTIONS]"
    case .audit: "audit DIR [OPTIONS]"
    case .validate: "validate SCENARIO.json | --preset NAME  [OPTIONS]"
    case .list: "list \(ListCommand.subjects.joined(separator: "|"))"
    case .explain: "explain NAME|FIELD|FILE.COLUMN|CODE [--markdown]"
    case .data: "data check PATH | convert TREE --out DIR | split SCENARIO.json  [OPTIONS]"
    case .privacy: "privacy epsilon|noise|steps|plan|local|shuffle OPTIONS"
    case .bench: "bench [limits|kernels|codecs|WORKLOAD]... [OPTIONS]"
    case .help: "help [COMMAND]"
    case .schema: "schema [scenario|sweep]"
    case .doctor, .version: rawValue
    }
  }

  var optionLines: [String] {
    let set = "--set path=value     change a field, as --set client.batch=64; null takes it away"
    let preset = "--preset NAME        a paper's scenario; fedsim list presets names them"
    let threads =
      "--threads N          workers; one per core unless given; results do not depend on it"
    switch self {
    case .run:
      return [
        "--example            a built-in scenario on built-in data, no download", preset,
        "-o, --out DIR        the run folder", set,
        "--seed N             the same as --set seeds=[N]",
        "--again              run a scenario once more that has finished; else it is shown",
        threads,
      ]
    case .plan:
      return [
        preset, set, "--seed N             the same as --set seeds=[N]",
        "--probe SECONDS      of real training per strategy, for time and memory; 2 unless given",
        threads,
      ]
    case .resume:
      return [
        "--set path=value     below limits or output, as --set limits.wallTime=2h; or",
        "                     federation.rounds=N: more rounds, the bits of those so far kept",
        threads,
      ]
    case .verify:
      return [
        "--rounds A..B        only these; from the newest checkpoint before A, if there is one",
        threads,
      ]
    case .compare:
      return compareLines + [set, "--seed N             the same as --set seeds=[N]", threads]
    case .report: return reportLines
    case .plot: return plotLines
    case .watch:
      return [
        "--every SECONDS      how often the folder is looked at; 10 unless given",
        "--html FILE          the page, which reads itself again; DIR/live.html unless given",
      ]
    case .sweep:
      return gridLines + [
        "--print              list every run with its state and cost; nothing is run or written",
        "--shard I/N          only the runs of the I-th of N parts, by hash; for several machines",
        "-o, --out DIR        the sweep's folder; runs/NAME unless given", threads,
        "DIR                  a sweep's folder: go on with the files as they were at its start",
      ]
    case .tune:
      return gridLines + [
        "--by METRIC          what trials are ranked by; unless given,",
        "                     validation.generic.balancedAccuracy, or personal without that",
        "--validation SHARE   of each client's images where the scenario has none; else 0.2",
        "--print              list every run with its state and cost; nothing is run or written",
        "--shard I/N          only the runs of the I-th of N parts, by hash; for several machines",
        "-o, --out DIR        the folder; runs/NAME-tune unless given", threads,
        "DIR                  such a folder: go on with the files as they were at its start",
      ]
    case .audit:
      return [
        "--attack LIST        any of \(attackWords); all unless given",
        "--model final|initial  the trained model, or the one that everybody started from",
        "--clients N          clients whose gradients are attacked; 2 unless given",
        "--images N           images of each; 2 unless given",
        "--iterations N       steps of the attacks that descend; 200 unless given",
        "--trials N           trials with a canary, and as many without; 300 unless given",
        "--canaries N         canaries of the one run, 10 or more; 1000 unless given",
        "--shadows K          K more runs on half of the images, for LiRA and RMIA; 0 unless given",
        "--weaken F           divide the noise of audits by F while the claims stay: a drill,",
        "                     which an audit that can see such an error fails with exit code 7",
        "--clip C             norm of the defences; the gradients' median unless given", threads,
      ]
    case .validate:
      return [
        preset, set,
        "--no-data            only what the file says: no data and no other file is read",
        threads,
      ]
    case .explain:
      return ["--markdown           the facts of a strategy's page, or of files, for a document"]
    case .data: return dataLines
    case .privacy: return privacyLines
    case .bench: return benchLines
    default: return []
    }
  }

  /// The options of `compare` that are its own.
  private var compareLines: [String] {
    [
      "--metric PATH        as generic.shots.tail, bytes.up, target.generic.0.4.round; unless",
      "                     given generic.accuracy, or personal.accuracy where it is missing",
      "--baseline LABEL     the strategy that others are compared with; the first unless given",
      "--budget KIND        \(RunBudget.allCases.map(\.rawValue).joined(separator: ", ")): read "
        + "every run", "                     where it has spent the smallest total of all runs",
      "--tie-margin M       differences up to M are ties, as 0.005: half a point; 0 unless given",
      "--only-changed       show the settings that differ, and nothing else", allow,
      "--columns A,B        columns of the table: n, mean, difference, seeds, clients, t-holm,",
      "                     sign-flip, least, wilcoxon, d_z", spreadLine,
      "-o, --out DIR        write DIR/compare.csv, DIR/report.html and DIR/tables; a scenario is",
      "                     run into DIR", "for a scenario, which is run first:",
    ]
  }

  /// The options of `report`.
  private var reportLines: [String] {
    [
      "--html FILE          where the page goes; DIR/report.html unless given; needed for several",
      "--latex FILE         the headline table as a LaTeX tabular with the rules of booktabs",
      "--markdown FILE      the headline table as Markdown",
      "--csv FILE           its numbers, one a row, at full precision",
      "--figures DIR        every figure as SVG and PDF of its own, with its numbers as CSV",
      widthLine,
      "--columns A,B        columns of the headline table, as generic.shots.tail,bytes.up: metrics",
      "                     of summary.json by their paths, and privacy.delta",
      "--shots head|many    head, middle and tail by share of images unless given, or many, medium",
      "                     and few by number of images", spreadLine,
      "--metric PATH        what is compared; generic and personal accuracy unless given",
      "--baseline LABEL     the strategy that others are compared with; the first unless given",
      allow,
    ]
  }

  /// What makes a sweep of a scenario.
  private var gridLines: [String] {
    [
      "--grid PATH=V,V...   values of a scenario, as client.optimizer.learningRate=0.01,0.1; again",
      "                     for another path: all combinations, the same for every strategy",
      "--seeds N,N...       seeds of the trials; the scenario's unless given",
      "--set path=value     change a field of the scenario, as --set client.batch=64",
    ]
  }

  private var allow: String {
    "--allow PATH         a setting that may differ between folders, as client.batch; it is shown"
  }

  /// The options of `plot`.
  private var plotLines: [String] {
    [
      "--x COLUMN           as bytes.up: a path of rounds.jsonl (what adds up is a total so far),",
      "--y COLUMN           a metric of summary.json, or a column of clients.csv",
      "--by strategy|seed   what has a line or colour of its own; strategies unless given",
      "--table KIND         rounds, summary or clients; the first that has both unless given",
      "-o, --out FILE       FILE.svg, FILE.pdf or FILE.csv, or a folder for all three; the numbers",
      "                     are printed unless given", widthLine, spreadLine,
    ]
  }

  private var widthLine: String {
    "--width single|double  for print with text of 8 pt: a column of 3.35 inches, or two of 6.9"
  }

  private var spreadLine: String {
    "--spread ci95|std|range  beside means over seeds; 95 % interval unless given, range of two"
  }

  /// The verbs and options of `data`.
  private var dataLines: [String] {
    [
      "check PATH           whether the files of a data set, or of a scenario, are whole",
      "--kind KIND          the data set's kind, as cifar10; else told from its files",
      "convert TREE         an .npy data set of images in folders by class: TREE/train/CLASS/ and",
      "                     TREE/test/CLASS/, or TREE/CLASS/; PNG and JPEG through ImageMagick or",
      "                     netpbm, PPM, PGM and PBM without",
      "-o, --out DIR        its folder, which is new or empty",
      "--size HxW           the size of all images, as 32x32; unless given, all have one already",
      "--test SHARE         of each class's images, where TREE has no train/ and test/",
      "--domains            TREE/DOMAIN/CLASS/, as DomainNet: each domain's images are a client's",
      "--clients-per-domain N  so many clients for each domain, with its classes alike; 1",
      "split SCENARIO.json  how the images are spread over clients: counts, classes, distances",
      "--seed N             of the split; the scenario's first unless given",
      "--set path=value     change a field, as --set data.partition.alpha=0.1",
      "--html FILE          a page with a heat map of clients and classes; FILE.svg: the map alone",
    ]
  }

  private var attackWords: String {
    AuditSettings.Attack.allCases.map(\.rawValue).joined(separator: ",")
  }

  /// The questions and options of `privacy`.
  private var privacyLines: [String] {
    [
      "epsilon --rate Q --noise SIGMA --steps T --delta D    what a run costs",
      "noise --rate Q --steps T --epsilon E --delta D        the least noise for a budget",
      "steps --rate Q --noise SIGMA --epsilon E --delta D    the most steps for a budget",
      "plan --examples N --steps S --epsilon E --delta D [--batches B1,B2,...]",
      "                     noise for several batch sizes, and cheap runs that imitate them",
      "--rate Q             probability that a unit is in a step: batch / examples; 0 to 1",
      "--noise SIGMA        standard deviation of the noise on the sum / clip norm; >= 0",
      "--steps T            noisy steps, 1 to 1000000000",
      "--epsilon E          the budget, above 0",
      "--delta D            between 0 and 1; below 1 / number of units, to mean something",
      "--sampling KIND      poisson (neighbours: one unit more or less) unless given, or",
      "                     without-replacement (neighbours: one unit replaced)",
      "--unit UNIT          example unless given, or client; only a word in the answer",
      "noise --mechanism M --rounds T --separation B --epsilon E --delta D",
      "                     correlated noise, beside independent noise of the same epsilon; also",
      "                     epsilon, with --noise in place of --epsilon",
      "--mechanism M        banded or banded-inverse: square root of the prefix sums' matrix",
      "--bands B            bands with the diagonal; the best unless given",
      "--separation B       two rounds of one unit are at least so far apart",
      "--participations K   rounds of one unit at most; as many as fit unless given",
      "--sampling cyclic    groups in turn, Poisson sampling within each; --separation is their",
      "                     number, as many as bands unless given; banded alone",
      "local --epsilon E --delta D --dimension N --cohort M",
      "                     reports that are private by themselves: the error of their mean",
      "shuffle --epsilon E --delta D --population N",
      "                     what a shuffler makes of N reports of epsilon E each",
      "--dimension N        numbers in a report",
      "--population N       units in all, for --sampling cyclic; reports, for shuffle",
      "--cohort M           units in a round on average, for --sampling cyclic; reports, for local",
    ]
  }

  /// The workloads and the options of `bench`.
  private var benchLines: [String] {
    let workloads = Workload.all.map { workload in
      (
        workload.name,
        "\(workload.title): \(workload.clients) clients of \(workload.samples) samples, "
          + "\(workload.cohort) a round, batch \(workload.batch)"
      )
    }
    // As wide as the options' names.
    return Table.terms(workloads, room: 19).lines(.list) + [
      "w5                   weighted mean of 1000 updates of 1,000,000 values",
      "kernels              each layer's passes on one thread, batches 10, 32 and 256",
      "codecs               payload codecs on an update of ResNet-18, beside a training step",
      "limits               multiply-adds and memory bandwidth of this machine",
      "                     (no name: limits and all workloads, not kernels and codecs)",
      "--rounds N           timed rounds; 5 unless given",
      "--warmup N           rounds before them; 1 unless given",
      "--threads N          workers; one per core unless given",
      "--dropout 0|1        without or with the dropout of w1",
      "--noise SIGMA        noise multiplier of w4, 0 for clipping alone",
      "--clients N          clients in memory; for w5, updates",
      "--cohort N           clients in a round", "--samples N          samples per client",
      "--parameters N       for w5, values per update",
      "--seed N             of what is drawn; 1 unless given",
      "--inputs X.npy       float32 [clients, samples, 32, 32, 3] or [clients, samples, 784]",
      "--labels Y.npy       whole numbers [clients, samples]; goes with --inputs",
      "--weights FILE       initial weights: safetensors, or a flat .npy in call order",
      "--cohorts C.npy      whole numbers [rounds, cohort]",
      "--data DIR           x.npy, y.npy, weights.safetensors and cohorts.npy of a folder",
      "--format json        here: an object per line, a line for each measurement",
    ]
  }

  package var examples: [String] {
    switch self {
    case .run: ["run --example", "run scenario.json --out runs/first --set federation.rounds=20"]
    case .plan: ["plan scenario.json", "plan scenario.json --threads 8 --format json"]
    case .verify: ["verify runs/first", "verify runs/first --rounds 10..20"]
    case .resume: ["resume runs/first", "resume runs/first --threads 4"]
    case .compare:
      [
        "compare runs/first runs/second --baseline fedavg",
        "compare runs/first --metric generic.shots.tail --budget bytes --format json",
        "compare scenario.json --out runs/third",
      ]
    case .report:
      [
        "report runs/first --latex table.tex",
        "report runs/first runs/second --html both.html --baseline fedavg",
      ]
    case .watch: ["watch runs/first", "watch runs/first --every 60 --html live.html"]
    case .completion:
      [
        "completion bash > ~/.local/share/bash-completion/completions/fedsim",
        "completion fish > ~/.config/fish/completions/fedsim.fish",
      ]
    case .man: ["man > fedsim.1", "man | man -l -"]
    case .plot:
      [
        "plot runs/first --x bytes.up --y generic.shots.tail --out tail.pdf --width single",
        "plot runs/first --x train_count --y accuracy --table clients --by seed",
      ]
    case .sweep:
      [
        "sweep sweep.json --print", "sweep sweep.json --out runs/rates --shard 2/4",
        "sweep scenario.json --grid client.batch=16,32 --grid federation.participation=0.1,1",
      ]
    case .tune:
      [
        "tune scenario.json --grid client.optimizer.learningRate=0.01,0.03,0.1 --seeds 11,12",
        "run runs/scenario-tune/tuned.json",
      ]
    case .audit: ["audit runs/first", "audit runs/first --attack membership,analytic --images 8"]
    case .validate: ["validate scenario.json", "validate scenario.json --no-data --format json"]
    case .list: ["list strategies", "list datasets --format json"]
    case .explain:
      [
        "explain fedprox", "explain client.optimizer.learningRate",
        "explain clients.csv.accuracy", "explain helped", "explain fedprox --markdown",
      ]
    case .data:
      [
        "data check data/cifar-10-batches-bin", "data check data/mnist --kind mnist",
        "data convert photos --out data/photos --size 32x32 --test 0.2",
        "data convert domainnet --domains --out data/domains --size 224x224 --test 0.2",
        "data split scenario.json --seed 2 --html split.html",
      ]
    case .privacy:
      [
        "privacy epsilon --rate 0.01 --noise 1.1 --steps 2000 --delta 1e-5",
        "privacy noise --rate 0.02 --steps 500 --epsilon 8 --delta 1e-5 --format json",
        "privacy noise --mechanism banded --rounds 1000 --separation 100 --epsilon 2 --delta 1e-6",
        "privacy shuffle --epsilon 1 --delta 1e-6 --population 10000",
        "privacy plan --examples 50000 --steps 2500 --epsilon 8 --delta 1e-5",
      ]
    case .doctor: ["doctor", "doctor --format json"]
    case .bench:
      [
        "bench limits w1 --rounds 10", "bench w3 --threads 1 --format json", "bench kernels",
        "bench codecs",
      ]
    case .schema: ["schema", "schema sweep > sweep-1.schema.json"]
    case .version: ["version", "version --format json"]
    case .help: ["help run", "help explain"]
    }
  }
}
