import Client
import Fixtures
import Tensor
import Testing

@testable import Base
@testable import Data
@testable import Federation

/// Memory is checked before it is taken, against whatever limits this process.
@Suite("Memory")
struct MemoryTests {
  @Test("the least limit of all control groups on the way up, in both versions")
  func controlGroups() throws {
    let folder = try ScratchFolder()
    func limit(_ groups: String) -> Int? {
      MemoryLimit.controlGroupBytes(root: folder.path, groups: groups)
    }
    #expect(limit("0::/a/b\n") == nil)
    try folder.write("a/memory.max", text: "3000\n")
    try folder.write("a/b/memory.max", text: "max\n")
    #expect(limit("0::/a/b\n") == 3000)
    try folder.write("a/b/memory.max", text: "2000\n")
    #expect(limit("0::/a/b\n") == 2000)
    // A container sees its own group as the root, whatever its path is called.
    try folder.write("memory.max", text: "1000\n")
    #expect(limit("0::/elsewhere\n") == 1000)
    try folder.write("memory/job/memory.limit_in_bytes", text: "700\n")
    try folder.write("memory/memory.limit_in_bytes", text: "9223372036854771712\n")
    #expect(limit("9:cpu:/job\n4:memory:/job\n") == 700)
    #expect(limit("4:cpu,memory:/job/below\n") == 700)
    #expect(limit("4:memory:/\n") == nil)
    #expect(limit("nonsense\n:\n") == nil)
  }

  @Test("the smallest limit counts, and says who set it")
  func least() {
    let limits = [MemoryLimit(bytes: 5 << 30, words: "a"), MemoryLimit(bytes: 3 << 20, words: "b")]
    #expect(MemoryLimit.least(of: limits) == limits[1])
    #expect(MemoryLimit.gibibytes(3 << 20) == "3.0 MiB")
    #expect(MemoryLimit.gibibytes(5 << 30) == "5.0 GiB")
    #expect(MemoryLimit.current.bytes > 0)
  }

  @Test("needs are sums of products that cannot overflow, the largest are named")
  func need() {
    var need = MemoryNeed()
    need.add("wide", 4, 7e10, 4e5, 1e9)
    need.add("small", 1)
    #expect(need.total > 1e26)
    #expect(need.words.hasSuffix("GiB for wide"))
    #expect(need.exceeds(MemoryLimit(bytes: .max, words: "")))
    var held = MemoryNeed()
    held.add("held", 100, isTaken: true)
    held.add("more", 10)
    #expect(held.exceeds(MemoryLimit(bytes: 50, words: "")))
    #expect(!held.exceeds(MemoryLimit(bytes: 50, words: "", isRest: true)))
  }

  private func experiment(_ strategy: String, clients: Int = 40) throws -> Experiment {
    var text = ScenarioText()
    text.federation = "{ \"clients\": \(clients), \"rounds\": 50 }"
    text.model = #"{ "kind": "mlp", "hidden": [2000] }"#
    text.strategies = [strategy]
    return try text.experiment(SmallImages.floats(train: 400))
  }

  @Test(
    "what clients remember counts, by one client that is rehearsed",
    arguments: [
      (#"{ "kind": "fedavg" }"#, 0.0), (#"{ "kind": "scaffold" }"#, 1),
      (#"{ "kind": "feddyn" }"#, 1), (#"{ "kind": "ditto" }"#, 1),
      (
        #"""
        { "kind": "fedavg", "compression":
          { "uplink": { "kind": "topk", "ratio": 0.1, "feedback": "ef-sgd" } } }
        """#, 1
      ),
    ])
  func states(strategy: String, vectors: Double) throws {
    let experiment = try experiment(strategy)
    // (24 + 1)·2000 + 2001·3 parameters of 4 bytes for 40 clients, in memory and in a checkpoint.
    let state = vectors * 2 * 40 * 4 * Double(25 * 2000 + 2001 * 3)
    let enough = 1 << 40
    try experiment.requireMemory(threads: 1, limit: MemoryLimit(bytes: enough, words: "none"))
    // What is needed beside states is found by halving.
    var (low, high) = (0, 1 << 32)
    while high - low > 1 << 10 {
      let middle = (low + high) / 2
      do throws(Failure) {
        try experiment.requireMemory(threads: 1, limit: MemoryLimit(bytes: middle, words: "x"))
        high = middle
      } catch {
        #expect(error.code == "E3305" && error.exit == .scenarioInvalid)
        low = middle
      }
    }
    let other = try self.experiment(#"{ "kind": "fedavg" }"#)
    try other.requireMemory(threads: 1, limit: MemoryLimit(bytes: high - Int(state), words: "x"))
    if vectors > 0 {
      expectFailure(.scenarioInvalid, "E3305", ["40 clients of", "remember", "the limit"]) {
        try experiment.requireMemory(
          threads: 1, limit: MemoryLimit(bytes: high - Int(state) / 4, words: "the limit"))
      }
    }
  }

  @Test("many clients and a wide model are refused and not multiplied past the end of integers")
  func overflow() throws {
    var text = ScenarioText()
    text.classes = 1000  // for validation: images for everybody
    text.federation = #"{ "clients": 400000, "rounds": 1000000 }"#
    text.model = #"{ "kind": "mlp", "hidden": [65536, 65536, 65536] }"#
    text.strategies = [
      """
      { "kind": "fedavg", "compression":
        { "uplink": { "kind": "topk", "ratio": 0.1, "feedback": "ef-sgd" } } }
      """
    ]
    let shape = FeatureShape(features: 1)
    let experiment = try text.experiment(SmallImages.floats(train: 400_000, shape: shape))
    expectFailure(.scenarioInvalid, "E3305", ["GiB", "copies of the model"]) {
      try experiment.requireMemory(
        threads: 2, limit: MemoryLimit(bytes: 1 << 37, words: "this machine has 128 GiB"))
    }
  }

  @Test("synthetic images beyond the memory are refused before they are made")
  func synthetic() {
    let images = Double(MemoryLimit.current.bytes) / 3080
    // Only where the machine is smaller than the largest problem that may be asked for.
    guard images < Double(SyntheticImages.maximumBytes / 3072) else { return }
    let each = Int(images / 1000) + 1
    expectFailure(.scenarioInvalid, "E3117", ["synthetic images"]) {
      _ = try DatasetReader.load(
        .synthetic(classes: 1000, trainPerClass: each, testPerClass: 1, seed: 0))
    }
  }

  @Test("labels of many classes need the square of their number")
  func classes() throws {
    let labels = (0..<3000).map { Int32($0) }
    let pixels = [UInt8](repeating: 0, count: 3000)
    let images = ImageSet(
      shape: FeatureShape(features: 1), pixels: .bytes(pixels), labels: labels, classes: 3000)
    let data = LabelledData(title: "", train: images, test: images)
    let experiment = try ScenarioText().experiment(data)
    expectFailure(.scenarioInvalid, "E3305", ["counts of predictions"]) {
      try experiment.requireMemory(
        threads: 1, limit: MemoryLimit(bytes: 8 * 3000 * 3000, words: ""))
    }
  }

  @Test("a worker has room for every batch that a client can have, short last ones too")
  func roomForEveryBatch() throws {
    let shape = FeatureShape(height: 32, width: 32, channels: 3)
    for spec in [
      ModelSpec(kind: .cnn, width: 16), ModelSpec(kind: .resnet8, width: 8),
      ModelSpec(kind: .resnet8, width: 8, norm: .batch),
    ] {
      let network = try Network(spec, input: shape, classes: 10)
      for batch in [1, 32, 256] {
        let settings = LocalSettings(
          work: .epochs(1), batch: batch, optimizer: OptimizerSpec(kind: .sgd, learningRate: 0.1))
        let room = WorkerSpaces.capacity(network, settings, images: 50_000)
        for count in 1...batch { #expect(network.microBatch(of: count) <= room, "\(count)") }
      }
    }
  }
}
