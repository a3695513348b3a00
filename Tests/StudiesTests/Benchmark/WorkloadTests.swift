import Client
import Base
import Federation
import Fixtures
import Scenario
import Studies
import Tensor
import TestSupport
import Testing

@Suite("Workloads")
struct WorkloadTests {
  /// A workload with other sizes.
  static func small(
    _ name: String, clients: Int = 2, cohort: Int = 2, samples: Int = 4, dropout: Bool = false
  ) throws -> Workload {
    var workload = try #require(Workload.named(name))
    workload.clients = clients
    workload.cohort = cohort
    workload.samples = samples
    if !dropout { workload.model.dropout = [] }
    return workload
  }

  static func settings(threads: Int = 1, rounds: Int = 1, warmup: Int = 0) -> BenchmarkSettings {
    var settings = BenchmarkSettings()
    settings.threads = threads
    settings.rounds = rounds
    settings.warmup = warmup
    settings.keepsUpdate = true
    return settings
  }

  /// What a workload draws from the usual seed.
  static func inputs(_ workload: Workload) throws -> WorkloadInputs {
    try WorkloadInputs(
      workload, try workload.network(), files: WorkloadFiles(), rounds: 1, seed: 1,
      pool: WorkerPool(workers: 1))
  }

  @Test(
    "a round costs what the definition counts",
    arguments: [
      ("w1", 248.640, 1_626_442), ("w2", 370.62528, 78_042), ("w2r20", 1219.97184, 272_474),
      ("w2r18", 852.223328256, 11_173_962), ("w3", 8.18176, 101_770), ("w3lr", 0.6272, 7850),
    ])
  func cost(name: String, gigaflop: Double, parameters: Int) throws {
    let workload = try #require(Workload.named(name))
    let network = try workload.network()
    let flops = network.trainingFLOPs * workload.samplesPerRound
    #expect(flops == Int((gigaflop * 1e9).rounded()))
    #expect(network.layout.count == parameters)
  }

  @Test("the networks are those of the definition")
  func networks() throws {
    let cnn = try #require(Workload.named("w1")).network().summary
    for part in [
      "Conv2d(3, 32, 3, stride=1, padding=0, bias=true)", "Conv2d(32, 64, 3, stride=1, padding=0",
      "Dropout(p=0.25)", "Linear(12544, 128, bias=true)", "Dropout(p=0.5)", "Linear(128, 10",
    ] { #expect(cnn.contains { $0.contains(part) }, "\(part) in \(cnn)") }
    for name in ["w2", "w2r20", "w2r18"] {
      let network = try #require(Workload.named(name)).network()
      let norms = network.operations.compactMap { $0 as? GroupNorm }
      let convolutions = network.operations.compactMap { $0 as? Convolution }
      #expect(norms.count == convolutions.count && norms.allSatisfy { $0.groups == 8 })
      #expect(convolutions.allSatisfy { $0.bias == nil })
    }
  }

  @Test("dense workloads move the model as a loop in double precision", arguments: ["w3", "w3lr"])
  func denseUpdate(name: String) throws {
    // Three steps per client, the last one short.
    let workload = try Self.small(name, clients: 3, cohort: 3, samples: 24)
    let inputs = try Self.inputs(workload)
    let layout = try workload.network().layout
    let examples = ReferenceExample.all(inputs.images)
    let initial = layout.torchOrder(inputs.initial).map(Double.init)
    var reference = ReferenceFederation(
      ReferenceModel(inputs: 784, hidden: name == "w3" ? 128 : 0, classes: 10),
      clients: (0..<3).map { Array(examples[$0 * 24..<($0 + 1) * 24]) }, batch: 10, epochs: 1,
      sgd: ReferenceSGD(), method: .fedAvg, initial: initial)
    reference.run(1, [0, 1, 2])
    let expected = zip(reference.server, initial).map { $0 - $1 }
    let result = try WorkloadResult(workload, Self.settings())
    // Each step rounds like a backward pass; an update is a difference of weights, whose own
    // rounding is a unit of the weights, which are below 1.
    let bound = 3 * Rounding.backward(try workload.network(), batch: 10)
    expectClose(layout.torchOrder(result.firstUpdate), expected, bound: bound, floor: 0.1)
    let norm = expected.map { $0 * $0 }.reduce(0, +).squareRoot()
    #expect(abs(result.updateNorm - norm) < 1e-4 * norm)
  }

  @Test("convolutional workloads step down the loss's slope", arguments: ["w1", "w2"])
  func convolutionalUpdate(name: String) throws {
    // One client, one step: Δ = −η·∇L, so the slope of L along Δ/‖Δ‖ is −‖Δ‖/η.
    let workload = try Self.small(name, clients: 1, cohort: 1, samples: 2)
    let inputs = try Self.inputs(workload)
    let network = try workload.network()
    let result = try WorkloadResult(workload, Self.settings())
    guard case .floats(let pixels) = inputs.images.pixels else { return }
    let step = 1e-6 / result.updateNorm
    func loss(_ sign: Double) -> Double {
      var reference = ReferenceNetwork(network, inputs.initial)
      for i in result.firstUpdate.indices {
        reference.parameters[i] += sign * step * Double(result.firstUpdate[i])
      }
      return reference.loss(
        pixels.map(Double.init), labels: inputs.images.labels.map { Int($0) }, batch: 2
      ).loss
    }
    let slope = (loss(1) - loss(-1)) / 2e-6
    #expect(abs(-slope * Workload.learningRate - result.updateNorm) < 1e-3 * result.updateNorm)
  }

  @Test("the same update for any number of threads", arguments: ["w1", "w3"])
  func threads(
    name: String
  ) throws {
    let workload = try Self.small(name, clients: 5, cohort: 3, samples: 12, dropout: true)
    let one = try WorkloadResult(workload, Self.settings(threads: 1))
    let two = try WorkloadResult(workload, Self.settings(threads: 2))
    #expect(one.firstUpdate == two.firstUpdate)
    #expect(one.updateNorm > 0)
  }

  @Test("dropout changes the update, and only where it is on")
  func dropout() throws {
    let with = try WorkloadResult(try Self.small("w1", dropout: true), Self.settings())
    let without = try WorkloadResult(try Self.small("w1"), Self.settings())
    #expect(with.firstUpdate != without.firstUpdate)
    #expect(without.variant == "threads=1,dropout=0")
  }

  @Test("rounds are timed after the warm-up, and the line has every field")
  func fields() throws {
    let result = try WorkloadResult(
      try Self.small("w3"), Self.settings(threads: 2, rounds: 3, warmup: 2))
    #expect(result.laps.count == 3)
    let limits = SpeedLimits.measure(threads: 2, count: 1024, runs: 1)
    let json = result.json(limits: limits)
    let names = json.members?.map(\.key) ?? []
    #expect(
      names == [
        "peer", "variant", "workload", "rounds", "sec_per_round", "sec_min", "sec_max",
        "samples_per_s", "gflop_per_round", "gflop_s", "us_per_client", "cpus_used", "noise",
        "first_round_s", "since_start_s", "peak_rss_mb", "update_l2_round0", "versions", "round_s",
        "round_noise", "threads", "fma_limit_gflop_s", "share_of_limit",
      ])
    #expect(json["round_s"]?.elements?.count == 3)
    #expect(json["samples_per_s"]?.double ?? 0 > 0)
    #expect(json["share_of_limit"]?.double ?? 0 > 0)
    // A limit of another number of threads says nothing.
    let other = SpeedLimits.measure(threads: 1, count: 1024, runs: 1)
    #expect(result.json(limits: other)["share_of_limit"] == nil)
  }

  @Test("given cohorts are those of the rounds")
  func cohorts() {
    let settings = FederationSettings(
      clients: 9, rounds: 2, participation: 0.3, sampling: .uniform, weighting: .uniform)
    let sampler = CohortSampler(settings: settings, seed: 1, given: [[0, 4, 8], [1, 2, 3]])
    #expect(sampler.cohort(round: 1) == [0, 4, 8])
    #expect(sampler.cohort(round: 2) == [1, 2, 3])
  }

  @Test("what memory cannot hold is refused before it is allocated")
  func memory() throws {
    let huge = try Self.small("w1", clients: 10_000_000, samples: 1_000_000)
    expectFailure(.wrongCommandLine, "E2008", ["w1", "GiB"]) {
      _ = try WorkloadResult(huge, Self.settings())
    }
    expectFailure(.wrongCommandLine, "E2008", ["w5", "GiB"]) {
      _ = try MeanSpeed(threads: 1, repetitions: 1, seed: 1, available: 1 << 30)
    }
  }

  @Test("the mean of many updates is that of a plain loop", arguments: [1, 2, 3])
  func mean(
    threads: Int
  ) throws {
    for (updates, parameters) in [(1, 1), (9, 100), (50, 4099)] {
      let result = try MeanSpeed(
        updates: updates, parameters: parameters, threads: threads, repetitions: 2, seed: 3,
        readCount: 1024)
      #expect(result.isRight, "\(updates) × \(parameters): \(result.error)")
      #expect(result.laps.count == 2 && result.gigabytesPerSecond > 0)
      #expect(result.json["correct"]?.truth == true)
      let plain = Self.plainMean(updates, parameters, seed: 3)
      let largest = plain.map { abs($0) }.max() ?? 0
      // Each of the m additions and products rounds once.
      let bound = 2 * Double(updates + 2) * Rounding.unit * largest
      #expect(zip(result.mean, plain).allSatisfy { abs(Double($0) - $1) <= bound })
    }
  }

  /// Σ wᵢ·xᵢ from the definitions, in double precision.
  private static func plainMean(_ updates: Int, _ parameters: Int, seed: UInt64) -> [Double] {
    var stream = RandomStream(seed: seed, .syntheticData)
    let base = (0..<parameters).map { _ in Double(Float(stream.normal())) }
    let counts = (0..<updates).map { _ in Double(10 + stream.below(90)) }
    let total = counts.reduce(0, +)
    var factor = 0.0
    for i in 0..<updates { factor += counts[i] / total * (1 + Double(i) / Double(updates)) }
    return base.map { $0 * factor }
  }

  @Test("each layer shape is measured once per batch")
  func layers() throws {
    var rows: [LayerSpeed] = []
    let workloads = Workload.all.filter { ["w2", "w3"].contains($0.name) }
    try LayerSpeed.measure(workloads: workloads, batches: [2], seconds: 0) { rows.append($0) }
    let first = try #require(rows.first)
    #expect(first.layer == "conv3x3 3->16 32x32 s1 p1")
    #expect(first.inputGradient == nil)
    #expect(first.flops == 2 * 2 * 1024 * 16 * 27)
    #expect(Set(rows.map(\.layer)).count == rows.count)
    #expect(rows.contains { $0.layer == "conv1x1 16->32 32x32 s2 p0" && $0.inputGradient != nil })
    #expect(rows.contains { $0.layer == "dense 784->128" && $0.inputGradient == nil })
    for row in rows {
      #expect(row.speed > 0 && row.speed.isFinite)
      #expect(row.json(limits: nil)["all"]?.double != nil)
    }
  }

  @Test("limits are positive numbers")
  func limits() {
    let limits = SpeedLimits.measure(threads: 2, count: 1000, runs: 2)
    #expect(limits.arrayCount == 896)
    for value in [limits.multiplyAdd, limits.read, limits.copy, limits.triad] {
      #expect(value > 0 && value.isFinite)
    }
    #expect(limits.json["fma_gflop_s"]?.double ?? 0 > 0)
  }
}
