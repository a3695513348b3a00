import Tensor
import TestSupport
import Testing

/// Forward passes, losses, gradients and running statistics against PyTorch's.
@Suite("Networks against PyTorch")
struct GoldenNetworkTests {
  @Test(
    "Each layer gives PyTorch's logits, loss and gradients", arguments: GoldenFile.names("layer"))
  func layers(name: String) throws { try check(GoldenFile(name)) }

  @Test(
    "Each model gives PyTorch's logits, loss and gradients", arguments: GoldenFile.names("model"))
  func models(name: String) throws { try check(GoldenFile(name)) }

  @Test("There is a golden file for every layer and every model")
  func filesAreThere() {
    #expect(GoldenFile.names("layer").count == 36)
    #expect(GoldenFile.names("model").count == 22)
    for kind in ModelSpec.Kind.allCases {
      #expect(!GoldenFile.names("model_" + kind.rawValue).isEmpty)
    }
  }

  @Test("Weights leave as they came, under PyTorch's names", arguments: GoldenFile.names("model"))
  func weightsRoundTrip(name: String) throws {
    let golden = try GoldenFile(name)
    let layout = try golden.network().layout
    let state = golden.tensors("param.")
    let written = layout.safetensors(try layout.parameters(from: state))
    for item in written.items { #expect(state[item.name] == item, "\(item.name)") }
    #expect(written.items.count == state.items.count)
  }

  private func check(_ golden: GoldenFile) throws {
    let network = try golden.network()
    let batch = try golden.int("batch")
    let workspace = Workspace(network, capacity: batch, training: true)
    workspace.load(try network.layout.parameters(from: golden.tensors("param.")))
    let forwardBound = Rounding.forward(network, batch: batch)

    workspace.fill(try golden.images("input"), try golden.labels())
    network.forward(workspace, batch: batch, training: true)
    expectClose(
      Array(workspace.logits), try golden.doubles("logits"), bound: forwardBound, "logits")
    let loss = workspace.takeLoss(network, batch: batch)
    // A loss moves at most twice as far as the farthest logit.
    let logitScale = try golden.doubles("logits").map(abs).max() ?? 0
    expectClose(
      [Float(loss)], try golden.doubles("loss"), bound: 2 * forwardBound, floor: logitScale, "loss")
    network.backward(workspace, batch: batch)
    try checkGradients(golden, network, workspace, batch: batch)
    try checkBatchNorm(golden, network, workspace, batch: batch)
  }

  private func checkGradients(
    _ golden: GoldenFile, _ network: Network, _ workspace: Workspace, batch: Int
  ) throws {
    let bound = Rounding.backward(network, batch: batch)
    let layout = network.layout
    let gradient =
      Array(workspace.gradient) + [Float](repeating: 0, count: layout.count - layout.trainedCount)
    let trained = layout.entries.filter(\.role.isTrained)
    let truths = try trained.map { try golden.doubles("grad." + $0.name) }
    // Errors of the layers after reach a tensor even where its own gradient is small.
    let floor = 0.05 * (truths.joined().map(abs).max() ?? 0)
    for (entry, truth) in zip(trained, truths) {
      expectClose(
        layout.exported(entry, from: gradient), truth, bound: bound, floor: floor,
        "gradient of " + entry.name)
    }
    #expect(golden.tensors("grad.").items.count == trained.count)
  }

  /// A second training step and an evaluation, with the running statistics after each.
  private func checkBatchNorm(
    _ golden: GoldenFile, _ network: Network, _ workspace: Workspace, batch: Int
  ) throws {
    let bound = Rounding.forward(network, batch: batch)
    let statistics = network.layout.entries.filter { !$0.role.isTrained }
    guard !statistics.isEmpty else { return }
    func checkStatistics(_ prefix: String) throws {
      for entry in statistics {
        expectClose(
          network.layout.exported(entry, from: workspace.currentParameters),
          try golden.doubles(prefix + entry.name), bound: bound, prefix + entry.name)
      }
    }
    try checkStatistics("after1.")
    workspace.fill(try golden.images("input2"))
    network.forward(workspace, batch: batch, training: true)
    expectClose(Array(workspace.logits), try golden.doubles("logits2"), bound: bound, "logits2")
    try checkStatistics("after2.")
    workspace.fill(try golden.images("input"))
    network.forward(workspace, batch: batch, training: false)
    expectClose(
      Array(workspace.logits), try golden.doubles("eval.logits"), bound: bound, "eval.logits")
    let loss = workspace.takeLoss(network, batch: batch)
    let scale = try golden.doubles("eval.logits").map(abs).max() ?? 0
    expectClose([Float(loss)], try golden.doubles("eval.loss"), bound: 2 * bound, floor: scale)
    try checkStatistics("after2.")
  }
}
