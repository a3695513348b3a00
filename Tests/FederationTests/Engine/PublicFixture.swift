import Client
import Data
import Federation
import Fixtures
import Scenario
import Tensor
import Testing

/// Four unequal clients and nine public images, for methods that exchange predictions.
struct PublicFixture {
  static let sizes = [6, 5, 7, 4]
  static let publicCount = 9
  /// Two clients with a hidden layer, two without.
  static let twoNetworks = """
    [{ "share": 0.5, "model": { "kind": "mlp", "hidden": [6] } },
     { "share": 0.5, "model": { "kind": "logistic" } }]
    """

  let file: PartitionFile
  let data: LabelledData
  let experiment: Experiment

  init(
    _ strategies: [String], clients: [[Int]]? = nil, bytes: Bool = false,
    _ change: (inout ScenarioText) -> Void = { _ in }
  ) throws {
    file = try clients.map { try PartitionFile(clients: $0) } ?? PartitionFile(sizes: Self.sizes)
    let images = Self.sizes.reduce(0, +) + 24
    data = bytes ? SmallImages.bytes(train: images) : SmallImages.floats(train: images)
    var text = ScenarioText(partition: file.json)
    text.publicSet = #"{ "size": \#(Self.publicCount) }"#
    text.federation = #"{ "clients": \#(file.clients.count), "rounds": 2 }"#
    text.strategies = strategies
    change(&text)
    experiment = try text.experiment(data)
  }

  /// One trial of each strategy.
  func trials() throws -> [Trial] {
    try experiment.scenario.strategies.indices.map { try experiment.trial(strategy: $0) }
  }

  /// The public images, in their order.
  var publicImages: [Int] { experiment.splits[0].publicIndices }

  /// A client's network and what it starts from.
  func start(_ client: Int) throws -> (network: Network, initial: [Float]) {
    let scenario = experiment.scenario
    let spec = scenario.model(of: client)
    let network = try Network(spec, input: data.train.shape, classes: data.train.classes)
    return (network, network.layout.initialParameters(spec.initialisation, seed: 1))
  }

  /// Every client's reference.
  func peers() throws -> [ReferencePeer] {
    try file.clients.indices.map { client in
      let start = try start(client)
      return ReferencePeer(start.network, start.initial)
    }
  }

  /// Expects a trial's models to be the references', to rounding.
  func expectEqual(
    _ trial: Trial, _ peers: [ReferencePeer], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for (client, peer) in peers.enumerated() {
      let initial = try start(client).initial
      let found = try #require(trial.clientModels[client], sourceLocation: sourceLocation)
      let error = norm(found.map(Double.init), minus: peer.parameters)
      let allowed = allowedError(peer, from: initial, terms: 24)
      #expect(
        error <= allowed, "client \(client) is \(error) away; allowed are \(allowed)",
        sourceLocation: sourceLocation)
      #expect(norm(peer.parameters, minus: initial.map(Double.init)) > 1e3 * allowed)
    }
  }
}
