import Base
import Federation
import Scenario
import Studies
import Tensor

/// The options of `fedsim bench`.
package struct BenchOptions: Equatable {
  /// What can be measured.
  package enum Target: Equatable {
    /// The machine's own limits.
    case limits
    /// Layer by layer.
    case kernels
    /// Codecs of payloads.
    case codecs
    case training(Workload)
    /// w5: a mean of `updates` updates of `parameters` values.
    case aggregation(updates: Int, parameters: Int)

    /// The word that names it.
    var name: String {
      switch self {
      case .limits: "limits"
      case .kernels: "kernels"
      case .codecs: "codecs"
      case .training(let workload): workload.name
      case .aggregation: "w5"
      }
    }
  }

  package let targets: [Target]
  package let settings: BenchmarkSettings
  /// Whether no target was named.
  package let isEverything: Bool
  package let format: OutputFormat
  package let isQuiet: Bool

  /// The words that name a target, in the order in which all run.
  static var names: [String] {
    ["limits", "kernels", "codecs"] + Workload.all.map(\.name) + ["w5"]
  }

  package init(_ invocation: Invocation) throws(Failure) {
    format = invocation.format
    isQuiet = invocation.isQuiet
    var settings = BenchmarkSettings()
    settings.rounds = try invocation.integer("rounds", in: 1...100_000) ?? settings.rounds
    settings.warmup = try invocation.integer("warmup", in: 0...100_000) ?? settings.warmup
    settings.threads = try invocation.threads() ?? Machine.coreCount
    settings.seed = UInt64(try invocation.integer("seed", in: 0...(1 << 53)) ?? 1)
    settings.files = try Self.files(invocation)
    let named = invocation.operands
    let words = named.isEmpty ? ["limits"] + Workload.all.map(\.name) + ["w5"] : named
    var targets: [Target] = []
    for word in words { targets.append(try Self.target(word, invocation, isNamed: !named.isEmpty)) }
    let trainings = targets.count { if case .training = $0 { true } else { false } }
    guard settings.files.isEmpty || (trainings == 1 && !named.isEmpty) else {
      throw Failure(
        .wrongCommandLine, "E2007", "given files fit one workload; found \(trainings)",
        hint: "name it, as fedsim bench w1 --data DIR")
    }
    self.settings = settings
    isEverything = named.isEmpty
    self.targets = targets
  }

  private static func files(_ invocation: Invocation) throws(Failure) -> WorkloadFiles {
    for name in ["data", "inputs", "labels", "weights", "cohorts"] {
      if let path = invocation.last(name), path.isEmpty {
        throw Failure(.wrongCommandLine, "E2004", "--\(name) \"\": expected a path")
      }
    }
    var files = invocation.last("data").map { WorkloadFiles(folder: $0) } ?? WorkloadFiles()
    files.inputs = invocation.last("inputs") ?? files.inputs
    files.labels = invocation.last("labels") ?? files.labels
    files.weights = invocation.last("weights") ?? files.weights
    files.cohorts = invocation.last("cohorts") ?? files.cohorts
    guard (files.inputs == nil) == (files.labels == nil) else {
      throw Failure(
        .wrongCommandLine, "E2007", "--inputs and --labels belong together; only one is given",
        hint: "give both, or neither and let both be drawn")
    }
    return files
  }

  private static func target(_ word: String, _ invocation: Invocation, isNamed: Bool)
    throws(Failure) -> Target
  {
    switch word {
    case "limits": return .limits
    case "kernels": return .kernels
    case "codecs": return .codecs
    case "w5":
      return .aggregation(
        updates: try invocation.integer("clients", in: 1...1_000_000) ?? MeanSpeed.usual.updates,
        parameters: try invocation.integer("parameters", in: 1...1_000_000_000)
          ?? MeanSpeed.usual.parameters)
    default: break
    }
    guard let workload = Workload.named(word) else {
      let near = Suggestions.nearest(word, among: names)
      throw Failure(
        .wrongCommandLine, "E2006", "no workload is called \"\(word)\"",
        hint: near.map { "did you mean \($0) ?" } ?? "one of \(names.joined(separator: ", "))")
    }
    return .training(try sized(workload, invocation, isNamed: isNamed))
  }

  /// The workload with the sizes that the options ask for.
  private static func sized(_ original: Workload, _ invocation: Invocation, isNamed: Bool)
    throws(Failure) -> Workload
  {
    var workload = original
    workload.clients = try invocation.integer("clients", in: 1...10_000_000) ?? workload.clients
    workload.samples = try invocation.integer("samples", in: 1...1_000_000) ?? workload.samples
    workload.cohort = min(workload.cohort, workload.clients)
    workload.cohort = try invocation.integer("cohort", in: 1...workload.clients) ?? workload.cohort
    if let text = invocation.last("noise") {
      guard let sigma = Double(text), sigma >= 0, sigma.isFinite else {
        throw Failure(.wrongCommandLine, "E2004", "--noise \(text): expected a number >= 0")
      }
      if workload.noiseMultiplier != nil {
        workload.noiseMultiplier = sigma
      } else if isNamed {
        throw Failure(
          .wrongCommandLine, "E2004", "--noise: \(workload.name) has no noise", hint: "w4 has")
      }
    }
    switch try invocation.integer("dropout", in: 0...1) {
    case 0: workload.model.dropout = []
    case 1 where !workload.hasDropout && isNamed:
      throw Failure(
        .wrongCommandLine, "E2004", "--dropout 1: \(workload.name) has no dropout", hint: "w1 has")
    default: break
    }
    return workload
  }
}

/// `fedsim bench`: the standard workloads, timed.
package enum BenchCommand {
  package static func run(_ options: BenchOptions) throws -> ExitCode {
    if let failure = MachineFacts.current.blas.failure {
      throw Failure(
        .dataMissingOrCorrupt, "E1020", failure,
        hint: "install OpenBLAS (Debian: apt-get install libopenblas-dev)")
    }
    var printer = BenchPrinter(format: options.format)
    // The first measurement's clock starts with the program.
    var started = LoadMeter.now
    for target in options.targets {
      do throws(Failure) { try measure(target, options.settings, started: started, &printer) } catch
      {
        // What nobody asked for by name may be left out; what was named must be done.
        guard error.code == "E2008", options.isEverything else { throw error }
        printer.skip(target.name, error)
      }
      started = LoadMeter.now
    }
    return .done
  }

  private static func measure(
    _ target: BenchOptions.Target, _ settings: BenchmarkSettings, started: Double,
    _ printer: inout BenchPrinter
  ) throws(Failure) {
    switch target {
    case .limits:
      for threads in settings.threads == 1 ? [1] : [1, settings.threads] {
        printer.show(SpeedLimits.measure(threads: threads))
      }
    case .codecs: try CodecSpeed.measure(settings) { printer.show($0) }
    case .kernels: try LayerSpeed.measure { printer.show($0) }
    case .training(let workload):
      guard workload.noiseMultiplier != nil else {
        return printer.show(try WorkloadResult(workload, settings, started: started))
      }
      // What privacy costs is a ratio of two measurements in one run.
      let plain = try WorkloadResult(workload.plain, settings, started: started)
      printer.show(plain)
      let protected = try WorkloadResult(workload, settings, started: LoadMeter.now)
      printer.show(protected)
      printer.showRatio(protected, plain)
    case .aggregation(let updates, let parameters):
      printer.show(
        try MeanSpeed(
          updates: updates, parameters: parameters, threads: settings.threads,
          repetitions: settings.rounds, warmup: settings.warmup, seed: settings.seed))
    }
  }
}
