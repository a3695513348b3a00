import Aggregation
import Client
import Tensor

StrategyRegistry.register(FedMedian.self)

// Nine points on a line per client: class 1 is right of 0. One client has all labels the wrong way
// round, which a mean follows and a median does not.
let (clients, perClient) = (5, 9)
var pixels: [Float] = []
var labels: [Int32] = []
for client in 0..<clients {
  for place in 0..<perClient {
    let x = Float(place) - 4.1
    pixels.append(client == 0 ? 10 * x : x)
    labels.append((x > 0) == (client == 0) ? 0 : 1)
  }
}
let images = ImageSet(
  shape: FeatureShape(height: 1, width: 1, channels: 1), pixels: .floats(pixels), labels: labels,
  classes: 2)
let network = try Network(ModelSpec(kind: .logistic, width: 1), input: images.shape, classes: 2)
let problem = LearningProblem(
  network: network, clients: clients,
  settings: LocalSettings(
    work: .steps(4), batch: perClient, optimizer: OptimizerSpec(learningRate: 0.5)),
  initial: [Float](repeating: 0, count: network.layout.count), seed: 1)

/// Images of the honest clients that the method's model gets right after a few rounds.
func right<Method: Strategy>(_ type: Method.Type) throws -> Int {
  let method = Method(problem)
  var server = method.start(problem)
  let workspace = Workspace(network, capacity: images.count, training: true)
  let loader = BatchLoader(images, PixelTransform(channels: 1))
  for round in 1...5 {
    server.round = round
    var fold = Method.Combination()
    for client in 0..<clients {
      var memory = ClientMemory()
      var device = Device(
        client: client, round: round, rounds: 5, seed: problem.seed,
        examples: Array(client * perClient..<(client + 1) * perClient), network: network,
        workspace: workspace, loader: loader, settings: problem.settings)
      let received = method.download(server, to: client)
      let update = try method.train(&device, received: received, memory: &memory)
      let weight = 1 / Double(clients)
      fold.add(WeightedUpload(update.upload.materialised, weight: weight, client: client))
    }
    let facts = RoundFacts(round: round, rounds: 5, uploads: clients, clients: clients)
    try method.step(&server, fold, facts)
  }
  workspace.load(server.model)
  let honest = perClient..<clients * perClient
  let measurement = network.measure(workspace, loader, honest)
  return (0..<2).reduce(0) { $0 + measurement.confusion[$1 * 2 + $1] }
}

func opened(_ type: any Strategy.Type) throws -> Int { try right(type) }

for kind in ["fedavg", "fed-median"] {
  guard let type = StrategyRegistry[kind] else { fatalError("\(kind) is not on the shelf") }
  print("\(kind): \(try opened(type)) of \((clients - 1) * perClient) right")
}
guard let median = StrategyRegistry["fed-median"], let mean = StrategyRegistry["fedavg"],
  try opened(median) == (clients - 1) * perClient, try opened(mean) < (clients - 1) * perClient
else { fatalError("the median should withstand a client that the mean follows") }
