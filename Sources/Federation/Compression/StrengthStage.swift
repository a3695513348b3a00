import Aggregation
import Client
import Codecs
import Tensor

/// Chooses every R rounds how strongly each tensor is encoded from then on, by what the server's
/// model moved in the round: nothing but released aggregates (L-GreCo, arXiv:2210.17357).
final class StrengthStage: MessageStage {
  private let compression: RunCompression
  private let memory: CompressionMemory
  private let run: StageContext
  /// What an update looks like, in a round that ends with a choice.
  private var sample: Payload?
  /// The server's model before its step, in such a round.
  private var before: [Float] = []

  init(_ compression: RunCompression, _ memory: CompressionMemory, _ run: StageContext) {
    self.compression = compression
    self.memory = memory
    self.run = run
  }

  /// Whether this round ends with a new choice.
  private var isDue: Bool {
    guard let layerwise = compression.settings.uplink?.layerwise else { return false }
    return run.state.round % layerwise.every == 0
  }

  func prepare(_ exchange: Exchange) throws(RoundFailure) -> (any ClientStage)? {
    sample = nil
    return nil
  }

  func arrive(_ arrival: inout Arrival, _ exchange: Exchange) {
    if arrival.fate == .dropped || arrival.fate == .lost { return }
    // Only where it is asked for: an upload that is kept keeps the model that it came from.
    if sample == nil, isDue { sample = arrival.message.shape }
  }

  func willStep(_ exchange: Exchange) { before = isDue ? run.state.server.model : [] }

  func didStep(_ exchange: Exchange) {
    if !before.isEmpty, let block = sample?.blocks.first { choose(block.tensors, of: block.name) }
    before = []
  }

  private func choose(_ tensors: [NamedShape], of block: String) {
    guard let planner = compression.uplink?.planner, let layerwise = planner.settings.layerwise
    else { return }
    let streams = CodecStreams(seed: run.context.seed, server: run.context.problem.clients)
    var stream = streams.upload(
      nil, round: run.state.round, number: run.state.server.exchange, block: 1 << 19)
    var layers: [[LayerwiseChoice.Option]] = []
    for tensor in tensors {
      guard let entry = run.context.problem.layout.entries.first(where: { $0.name == tensor.name })
      else { return }
      let change = entry.range.map { run.state.server.model[$0] - before[$0] }
      layers.append(
        LayerwiseChoice.options(
          change, shape: BlockPlanner.matrix(tensor.shape), specs: planner.options(of: tensor),
          measure: layerwise.measure, stream: &stream))
    }
    let defaults = layers.map { _ in planner.settings.standard }
    guard
      let solved = try? LayerwiseChoice.solve(layers, defaults: defaults, slack: layerwise.slack)
    else { return }
    memory.choose(solved.choice, of: block, round: run.state.round)
  }
}
