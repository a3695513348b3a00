import Base
import Aggregation
import Client
import Data
import Fixtures
import Tensor
import Testing

/// FedIns without an engine: one server, two devices, and what their pools do.
@Suite("A pool in training")
struct PoolTrainingTests {
  private let data = SmallImages.floats(train: 60).train
  private let settings: StrategySettings
  private let problem: LearningProblem
  private let poolSize = 6

  /// λ of 0 keeps the keys, and so every image's entries.
  private func settings(_ weight: Double, matched: Int = 2) -> StrategySettings {
    StrategySettings(
      FedIns.info,
      [
        "poolSize": .integer(poolSize), "matched": .integer(matched),
        "matchingWeight": .number(weight),
      ])
  }

  init() throws {
    let base = BaseModel(
      spec: ModelSpec(kind: .mlp, width: 1, hidden: [8]), input: data.shape, classes: 3)
    settings = StrategySettings(FedIns.info, ["poolSize": .integer(6), "matched": .integer(2)])
    let adapted = try #require(try FedIns.adapt(settings, base))
    let scenario = try Network(base.spec, input: base.input, classes: base.classes)
    problem = LearningProblem(
      network: adapted.network, clients: 2,
      settings: LocalSettings(
        work: .epochs(2), batch: 5, optimizer: OptimizerSpec(learningRate: 0.05, momentum: 0)),
      initial: adapted.initial(scenario, scenario.layout.initialParameters(.pytorch, seed: 3), 3),
      seed: 3)
  }

  private func device(_ client: Int) -> Device {
    Device(
      client: client, round: 1, rounds: 1, seed: 3,
      examples: Array(30 * client..<30 * (client + 1)), network: problem.network,
      workspace: Workspace(problem.network, capacity: 16, training: true),
      loader: BatchLoader(data, PixelTransform(channels: data.shape.channels)),
      settings: problem.settings)
  }

  /// One round from a model; `change` alters what a client receives, and takes back what it sends.
  private func round(
    from model: [Float], _ settings: StrategySettings? = nil, clients: [Int] = [0, 1],
    _ change: (Int, [Float], Bool) -> [Float] = { _, values, _ in values }
  ) throws -> [Float] {
    let method = FedIns(settings ?? self.settings, problem)
    var server = ServerState(model: model)
    var fold = WeightedMean()
    for client in clients {
      var device = device(client)
      var memory = ClientMemory()
      let download = method.download(server, to: client)
      let block = download.block(ModelExchange.block)
      var received = Payload.empty
      received.append(
        ModelExchange.block, block.tensors, values: change(client, block.values, true))
      let update = try method.train(&device, received: received, memory: &memory)
      var upload = Payload.empty
      upload.append(
        ModelExchange.block, block.tensors,
        values: change(client, update.upload[ModelExchange.block], false))
      fold.add(WeightedUpload(upload, weight: 1 / Double(clients.count), client: client))
    }
    let facts = RoundFacts(round: 1, uploads: clients.count, clients: 2)
    try method.step(&server, fold, facts)
    return server.model
  }

  /// A vector of the pool's tensors with renumbered entries: new entry i is old entry order[i].
  private func renumbered(_ values: [Float], _ order: [Int]) -> [Float] {
    var result = values
    for entry in problem.layout.entries where entry.role.isTrained {
      let size = entry.range.count / poolSize
      for i in 0..<entry.range.count {
        let old = order[i / size] * size + i % size
        result[entry.range.lowerBound + i] = values[entry.range.lowerBound + old]
      }
    }
    return result
  }

  private let order = [2, 5, 0, 1, 4, 3]

  @Test("a round of a renumbered pool is the renumbered round, bit for bit")
  func commutes() throws {
    let model = problem.initial
    let (plain, other) = (try round(from: model), try round(from: renumbered(model, order)))
    #expect(plain != model)
    #expect(bits(other) == bits(renumbered(plain, order)))
  }

  @Test("a client that numbers entries in its own way spoils the mean: indices mean the same")
  func ownNumbers() throws {
    let plain = try round(from: problem.initial)
    // It learns the same, and sends it under its own numbers.
    let spoilt = try round(from: problem.initial) { client, values, isReceived in
      client == 1 && !isReceived ? renumbered(values, order) : values
    }
    #expect(spoilt != plain)
    // With its own numbers on both ways nothing changes.
    let inverse = order.indices.map { i in order.firstIndex(of: i) ?? 0 }
    let both = try round(from: problem.initial) { client, values, isReceived in
      client == 1 ? renumbered(values, isReceived ? order : inverse) : values
    }
    for (a, b) in zip(both, plain) { #expect(abs(a - b) <= 1e-6) }
  }

  @Test("entries that nobody takes stay as they are; without λ no key moves")
  func untaken() throws {
    let weightless = settings(0, matched: 1)
    let model = problem.initial
    let probe = device(0)
    probe.workspace.load(model)
    // k = 1 has its own network; the best match is the first of two.
    var best = PoolUsage(poolSize: poolSize)
    probe.forEachBatch(of: probe.examples) { range in
      for example in range.indices {
        best.add([probe.workspace.matchedEntries[2 * (example - range.lowerBound)]])
      }
    }
    #expect(best.counts.contains(0) && best.counts.count { $0 > 0 } > 1, "\(best.counts)")

    let base = BaseModel(
      spec: ModelSpec(kind: .mlp, width: 1, hidden: [8]), input: data.shape, classes: 3)
    let single = try #require(try FedIns.adapt(weightless, base)).network
    #expect(single.layout == problem.layout)
    var other = problem
    other.network = single
    let method = FedIns(weightless, other)
    var device = Device(
      client: 0, round: 1, rounds: 1, seed: 3, examples: probe.examples, network: single,
      workspace: Workspace(single, capacity: 16, training: true), loader: probe.loader,
      settings: problem.settings)
    var memory = ClientMemory()
    let received = method.download(ServerState(model: model), to: 0)
    _ = try method.train(&device, received: received, memory: &memory)
    let after = device.workspace.currentParameters
    for entry in problem.layout.entries where entry.role.isTrained {
      let size = entry.range.count / poolSize
      for p in 0..<poolSize {
        let part = entry.range.lowerBound + p * size..<entry.range.lowerBound + (p + 1) * size
        let rests = entry.role == .poolKey || best.counts[p] == 0
        #expect((after[part] == model[part]) == rests, "\(entry.name)[\(p)]")
      }
    }
  }

  /// Mean r of a device's images under a model, and the use of the pool.
  private func look(_ model: [Float]) -> (match: Double, usage: PoolUsage) {
    let device = self.device(0)
    device.workspace.load(model)
    var sum = 0.0
    device.forEachBatch(of: device.examples) { range in
      for r in device.workspace.matches.prefix(range.count) { sum += Double(r) }
    }
    return (sum / 30, FedIns.usage(device, of: device.examples))
  }

  @Test("with λ > 0 training raises the mean matched cosine, within its bounds; without it not")
  func keysLearn() throws {
    let before = look(problem.initial).match
    let after = look(try round(from: problem.initial)).match
    let without = look(try round(from: problem.initial, settings(0))).match
    #expect(after > before + 0.05)
    #expect(without == before)
    for r in [before, after] { #expect(r >= -2 && r <= 2) }
  }

  @Test("the use of the pool counts every match; its entropy lies between ln k and ln P")
  func usage() throws {
    let usage = look(problem.initial).usage
    #expect(usage.counts.reduce(0, +) == 30 * 2)
    #expect(usage.counts.allSatisfy { $0 <= 30 })
    #expect(usage.counts.count { $0 > 0 } > 2, "different images take different entries")
    // No entry has more than half of the matches.
    #expect(usage.entropy >= 0.693 && usage.entropy <= 1.792)
  }

  @Test("the reported loss is (1 − λ)·CE + λ·(1 − r), mean over the examples seen")
  func reportedLoss() throws {
    func loss(_ weight: Double) throws -> Double {
      var first = self.device(0)
      let method = FedIns(settings(weight), problem)
      var memory = ClientMemory()
      let received = method.download(ServerState(model: problem.initial), to: 0)
      first = first.visiting(
        Array(0..<5),
        settings: LocalSettings(
          work: .steps(1), batch: 5, optimizer: OptimizerSpec(learningRate: 0.05, momentum: 0)),
        phase: .training)
      let report = try method.train(&first, received: received, memory: &memory).report
      return report.lossSum / report.exampleWeight
    }
    let device = self.device(0)
    device.workspace.load(problem.initial)
    var sum = 0.0
    device.forEachBatch(of: 0..<5) { range in
      for r in device.workspace.matches.prefix(range.count) { sum += Double(r) }
    }
    let (crossEntropy, mixed) = (try loss(0), try loss(0.3))
    #expect(abs(mixed - (0.7 * crossEntropy + 0.3 * (1 - sum / 5))) < 1e-6)
  }
}
