import Base
import Client
import Data
import Federation
import Records
import Scenario
import Tensor

/// What a scenario will cost, before anything is trained or written.
package struct Plan: Sendable {
  /// How much effort a plan may take.
  package struct Settings: Sendable, Equatable {
    /// Workers that the run will have, ≥ 1.
    package var threads: Int
    /// Seconds of real training per strategy to measure speed and memory with; 0 for none.
    package var probe = 2.0
    /// Seconds that all dry runs together may take; what is left then is extrapolated.
    package var dryRunSeconds = 60.0

    /// The usual effort.
    package init(threads: Int) { self.threads = threads }
  }

  /// A limit of the scenario beside what is predicted, in the limit's unit.
  package struct LimitCheck: Sendable, Equatable {
    /// Such as "wallTime".
    package let name: String
    /// Seconds or bytes.
    package let limit: Double
    /// The same of the run; nil when not known.
    package let predicted: Double?
    /// Whether the run will be stopped by it.
    package var isExceeded: Bool { predicted.map { $0 > limit } ?? false }
  }

  package let name: String
  package let conditions: [String]
  /// What the user should know before believing a number.
  package let warnings: [String]
  /// Labels in the order of the scenario.
  package let labels: [String]
  package let seeds: Int
  /// Workers that times are for.
  package let threads: Int
  /// All runs, strategy by strategy.
  package let runs: [DryRun]
  /// Seconds of pre-training, once; 0 without, nil when speed was not measured.
  package let pretrainSeconds: Double?
  /// Bytes of memory at the largest; nil without a probe.
  package let memory: Double?
  package private(set) var limits: [LimitCheck] = []

  /// Plans an experiment.
  ///
  /// Every strategy under every seed is probed and run dry, one after the other, in the run's
  /// order. Takes about (probe · strategies + dryRunSeconds) seconds at most.
  ///
  /// - Throws: exit 3 when a method cannot have its network or noise, 6 when `limits.memory` is
  ///   certainly too small.
  package init(_ experiment: Experiment, _ settings: Settings) throws(Failure) {
    let scenario = experiment.scenario
    try experiment.requireMemory(threads: settings.threads)
    name = scenario.name
    conditions = experiment.conditions
    labels = scenario.strategies.map(\.label)
    seeds = scenario.seeds.count
    threads = settings.threads
    var found: [[DryRun]] = Array(repeating: [], count: labels.count)
    var speeds: [Int: SpeedProbe] = [:]
    var left = settings.dryRunSeconds
    var waiting = labels.count * seeds
    for seed in scenario.seeds.indices {
      // Strategies share what they share in a run, memory too.
      let context = experiment.context(seed, threads: settings.threads)
      for index in scenario.runPlaces {
        let start = SystemClock.steady()
        let one = try experiment.dryRun(
          strategy: index, context, probe: seed == 0 ? settings.probe : 0,
          most: max(0.05, left / Double(waiting)), speed: &speeds[index])
        found[index].append(one)
        left -= max(0, SystemClock.steady() - start - (seed == 0 ? settings.probe : 0))
        waiting -= 1
      }
    }
    runs = found.flatMap { $0 }
    warnings = experiment.warnings
    pretrainSeconds = experiment.pretrainSeconds(speeds.values.compactMap(\.training).min())
    let missing = runs.map(\.missingMemory).max() ?? 0
    memory =
      settings.probe > 0 && ProcessMemory.peakBytes > 0
      ? Double(ProcessMemory.peakBytes) + 2 * missing : nil
    let asked = scenario.limits
    for (name, limit, predicted) in [
      ("wallTime", asked.wallTime, seconds), ("memory", asked.memory, memory),
      ("disk", asked.disk, diskBytes),
    ] {
      guard let limit else { continue }
      limits.append(LimitCheck(name: name, limit: limit, predicted: predicted))
    }
  }

  package func runs(of label: String) -> [DryRun] { runs.filter { $0.label == label } }

  /// Seconds of all runs, one after the other; nil when one is not known.
  package var seconds: Double? {
    var total = pretrainSeconds ?? 0
    for run in runs {
      guard let seconds = run.seconds else { return nil }
      total += seconds
    }
    return total
  }

  /// Bytes of the run folder at the end.
  package var diskBytes: Double { runs.reduce(100_000) { $0 + $1.diskBytes } }

  /// Whether a limit will stop the run.
  package var exceedsLimit: Bool { limits.contains(where: \.isExceeded) }

  /// What so many seeds can show, in a sentence.
  package var seedSentence: String {
    let tests = max(0, labels.count - 1)
    guard seeds >= 2 else {
      return "1 seed: no interval and no test; three seeds or more show how sure a difference is"
    }
    if tests == 0 { return "\(seeds) seeds: an interval; there is nothing to compare with" }
    let least = SignFlipTest.attainable(pairs: seeds)
    let needed = HolmCorrection.seedsNeeded(tests: tests)
    let family = tests == 1 ? "" : " after Holm over \(tests) comparisons"
    let head = "\(seeds) seeds: the exact sign-flip test cannot go below p = "
    let value = Comparison.probability(min(1, least))
    return least * Double(tests) <= 0.05
      ? head + value + ", enough for 0.05" + family
      : head + value + "; 0.05\(family) needs \(needed) seeds"
  }
}

extension Experiment {
  /// Seconds of pre-training on one worker at a rate in FLOP/s; 0 without, nil when not known.
  fileprivate func pretrainSeconds(_ rate: Double?) -> Double? {
    guard let settings = scenario.pretrain, let pretraining,
      scenario.usesPretraining
    else { return 0 }
    guard let rate, rate > 0 else { return nil }
    let network = try? Network(
      scenario.model, input: pretraining.images.shape, classes: pretraining.images.classes)
    return network.map { network in
      Double(settings.epochs * pretraining.indices.count) * Double(network.trainingFLOPs) / rate
    }
  }
}
