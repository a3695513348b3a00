import Aggregation
import Client
import Tensor
import TestSupport
import Testing

/// A network of two layers with batch norm between, so that all kinds of tensors are there.
enum SmallNetwork {
  static func build() throws -> Network {
    try NetworkRecipe.build(
      "conv c 4 3 1 1 1; batch n; relu; dense d 3 1",
      input: FeatureShape(height: 2, width: 2, channels: 1))
  }
}

@Suite("Messages")
struct PayloadTests {
  @Test("a message costs four bytes a float, and nothing when it is empty")
  func bytes() {
    #expect(Payload.empty.byteCount == 0)
    var payload = Payload.empty
    payload.append(
      "a", [.init("x", [2, 3]), .init("y", [])], values: Array(repeating: 1, count: 7))
    payload.append("b", [.init("z", [0, 5])], values: [])
    #expect(payload.byteCount == 28)
    #expect(payload.blocks.map(\.byteCount) == [28, 0])
    #expect(payload["b"].isEmpty)
  }

  @Test("a block of parameters names the selected tensors and carries their values in order")
  func selection() throws {
    let layout = try SmallNetwork.build().layout
    let vector = (0..<layout.count).map { Float($0) }
    let chosen = ParameterSelection(layout) { $0.layer == "n" }
    let payload = Payload("m", chosen, of: vector)
    let names = payload.blocks[0].tensors.map(\.name)
    #expect(names == ["n.weight", "n.bias", "n.running_mean", "n.running_var"])
    let expected = names.compactMap { layout[$0]?.range }.flatMap { $0.map { Float($0) } }
    #expect(payload["m"] == expected)
  }
}

@Suite("Folds")
struct FoldTests {
  private func upload(_ values: [Float], _ block: String = "model") -> Payload {
    var payload = Payload.empty
    payload.append(block, [.init("w", [values.count])], values: values)
    return payload
  }

  @Test("the weighted mean is Σ p·x, block by block, in the order of arrival")
  func mean() {
    var fold = WeightedMean()
    #expect(fold["model"] == nil)
    fold.add(WeightedUpload(upload([1, 2]), weight: 0.25, client: 3))
    fold.add(WeightedUpload(upload([5, -2]), weight: 0.75, client: 1))
    fold.add(WeightedUpload(upload([8], "other"), weight: 0.5, client: 2))
    // Quarters of small integers are exact.
    #expect(fold["model"] == [4, -1])
    #expect(fold["other"] == [4])
    #expect(fold.uploads == 3)
  }

  @Test("a fold of everything keeps every upload with its share and sender")
  func all() {
    var fold = AllUploads()
    fold.add(WeightedUpload(upload([1]), weight: 0.25, client: 3))
    fold.add(WeightedUpload(upload([2]), weight: 0.75, client: 1))
    #expect(fold.uploads.map(\.client) == [3, 1])
    #expect(fold.uploads.map(\.weight) == [0.25, 0.75])
    #expect(fold.uploads.map { $0.payload["model"] } == [[1], [2]])
  }
}

@Suite("The exchange of models")
struct ModelExchangeTests {
  @Test("a difference added to what was sent is the client's model; other tensors stay")
  func roundTrip() throws {
    let network = try SmallNetwork.build()
    let layout = network.layout
    let exchange = ModelExchange(problem(network)) { $0.layer != "d" }
    // Integers: differences and sums are exact.
    var server = ServerState(model: (0..<layout.count).map { Float($0) })
    let before = server.model
    let received = exchange.download(server)
    let workspace = Workspace(network, capacity: 2, training: true)
    workspace.load(before.map { 3 * $0 + 1 })
    let device = device(network, workspace)
    let upload = exchange.difference(device, from: received)
    #expect(upload.byteCount == received.byteCount)
    exchange.apply(upload[ModelExchange.block], scaledBy: 1, to: &server.model)
    for entry in layout.entries {
      for i in entry.range {
        #expect(server.model[i] == (entry.layer == "d" ? before[i] : 3 * before[i] + 1))
      }
    }
    exchange.apply(nil, to: &server.model)
    var copy = [Float](repeating: -1, count: layout.count)
    exchange.receive(received, into: &copy)
    for entry in layout.entries {
      for i in entry.range { #expect(copy[i] == (entry.layer == "d" ? -1 : before[i])) }
    }
  }

  @Test("running statistics take the mean itself: no server step, no momentum")
  func runningStatistics() throws {
    let network = try SmallNetwork.build()
    let layout = network.layout
    let exchange = ModelExchange(problem(network))
    var model = [Float](repeating: 1, count: layout.count)
    exchange.apply(
      [Float](repeating: 2, count: layout.count), scaledBy: 0.5,
      step: [Float](repeating: 8, count: layout.count), to: &model)
    for entry in layout.entries {
      // 1 + 0.5·8, or 1 + 2.
      let expected: Float = entry.role.isTrained ? 5 : 3
      for i in entry.range { #expect(model[i] == expected) }
    }
  }

  private var settings: LocalSettings {
    LocalSettings(work: .epochs(1), batch: 2, optimizer: OptimizerSpec(learningRate: 1))
  }

  private func problem(_ network: Network) -> LearningProblem {
    LearningProblem(
      network: network, clients: 1, settings: settings,
      initial: [Float](repeating: 0, count: network.layout.count), seed: 1)
  }

  private func device(_ network: Network, _ workspace: Workspace) -> Device {
    let images = ImageSet(shape: network.input, pixels: .bytes([]), labels: [], classes: 3)
    return Device(
      client: 0, round: 1, rounds: 1, seed: 1, examples: [], network: network, workspace: workspace,
      loader: BatchLoader(images, PixelTransform(channels: 1)), settings: settings)
  }
}

@Suite("State between rounds")
struct StateTensorsTests {
  @Test("tensors are found by name, listed sorted, counted, and removed by nil")
  func tensors() {
    var state = StateTensors()
    #expect(state.isEmpty)
    state["b"] = [1, 2]
    state["a", default: [0, 0, 0]][1] = 5
    #expect(state.names == ["a", "b"])
    #expect(state["a"] == [0, 5, 0])
    #expect(state["c", default: [9]] == [9])
    #expect(state["c"] == nil)
    #expect(state.count == 5)
    state["a"] = nil
    #expect(state.names == ["b"])
  }
}
