import Aggregation
import Base
import Client
import Tensor
import Testing

/// Clients that take turns on one workspace, as on a worker.
private struct Turns {
  let network: Network
  let exchange: ModelExchange
  let workspace: Workspace
  let server: ServerState
  let pool: ParameterPool

  init(where included: (ParameterLayout.Entry) -> Bool = { _ in true }) throws {
    network = try SmallNetwork.build()
    let count = network.layout.count
    server = ServerState(model: Self.vector(count, 0))
    exchange = ModelExchange(
      LearningProblem(
        network: network, clients: 9, settings: Self.settings, initial: server.model, seed: 1),
      where: included)
    pool = ParameterPool(count: count, limit: 8)
    workspace = Workspace(network, capacity: 2, training: true, pool: pool)
  }

  static let settings = LocalSettings(
    work: .epochs(1), batch: 2, optimizer: OptimizerSpec(learningRate: 1))

  static func vector(_ count: Int, _ client: Int) -> [Float] {
    var stream = RandomStream(seed: 3, .test, client: client)
    return (0..<count).map { _ in Float(stream.normal()) }
  }

  func model(_ client: Int) -> [Float] { Self.vector(network.layout.count, client) }

  /// The upload of a client whose training ends at `model(client)`.
  func upload(_ client: Int, from received: Payload) -> Payload {
    workspace.load(model(client))
    let images = ImageSet(shape: network.input, pixels: .bytes([]), labels: [], classes: 3)
    let device = Device(
      client: client, round: 1, rounds: 1, seed: 1, examples: [], network: network,
      workspace: workspace, loader: BatchLoader(images, PixelTransform(channels: 1)),
      settings: Self.settings)
    return exchange.difference(device, from: received)
  }

  /// What the upload stands for, element by element.
  func difference(_ client: Int) -> [Float] {
    let model = model(client)
    return exchange.shared.ranges.flatMap { $0.map { model[$0] - server.model[$0] } }
  }

  /// A download whose block is a buffer of its own.
  var gathered: Payload {
    var payload = Payload.empty
    payload.append(
      ModelExchange.block, exchange.shared, gathered: exchange.shared.gather(server.model))
    return payload
  }
}

@Suite("Uploads without a copy")
struct UploadTests {
  /// Everything, a body with a gap after it, a head alone, nothing.
  static let selections: [(String, @Sendable (ParameterLayout.Entry) -> Bool)] = [
    ("all", { _ in true }), ("no norm", { $0.layer != "n" }), ("head", { $0.layer == "d" }),
    ("none", { _ in false }),
  ]

  @Test("a block is the difference when somebody reads it", arguments: 0..<4)
  func values(
    _ index: Int
  ) throws {
    let turns = try Turns(where: Self.selections[index].1)
    for received in [turns.exchange.download(turns.server), turns.gathered] {
      #expect(received[ModelExchange.block] == turns.exchange.shared.gather(turns.server.model))
      let upload = turns.upload(4, from: received)
      let block = upload.block(ModelExchange.block)
      #expect(upload.byteCount == 4 * turns.exchange.shared.count)
      #expect(block.tensors.map(\.name) == turns.exchange.shared.items.map(\.name))
      #expect(block.values.map(\.bitPattern) == turns.difference(4).map(\.bitPattern))
      #expect(upload.materialised == upload)
    }
  }

  @Test("uploads folded together give the bits of one by one", arguments: 0..<4)
  func batches(
    _ index: Int
  ) throws {
    let turns = try Turns(where: Self.selections[index].1)
    for received in [turns.exchange.download(turns.server), turns.gathered] {
      let uploads = (0..<9).map { client in
        WeightedUpload(
          turns.upload(client, from: received), weight: Double(client + 1) / 45, client: client)
      }
      var expected = [Float](repeating: 0, count: turns.exchange.shared.count)
      for (client, upload) in uploads.enumerated() {
        VectorArithmetic.addScaled(&expected, Float(upload.weight), turns.difference(client))
      }
      var fold = WeightedMean()
      for size in 1...9 {
        fold.restart()
        #expect(fold[ModelExchange.block] == nil)
        for first in stride(from: 0, to: 9, by: size) {
          fold.add(Array(uploads[first..<min(first + size, 9)]))
        }
        #expect(fold.uploads == 9)
        let mean = try #require(fold[ModelExchange.block])
        #expect(mean.map(\.bitPattern) == expected.map(\.bitPattern), "\(size) at a time")
      }
    }
  }

  @Test("clients that select different tensors of one size are summed place by place")
  func mixedSelections() throws {
    let body = try Turns(where: { $0.name == "n.weight" })
    let shift = try Turns(where: { $0.name == "n.bias" })
    let uploads = [body, shift].map { turns in
      WeightedUpload(
        turns.upload(1, from: turns.exchange.download(turns.server)), weight: 0.5, client: 1)
    }
    var fold = WeightedMean()
    fold.add(uploads)
    let expected = zip(body.difference(1), shift.difference(1)).map { 0.5 * $0 + 0.5 * $1 }
    #expect(fold[ModelExchange.block] == expected)
  }

  @Test("an upload that waits never changes, however many clients train after it")
  func noAlias()
    throws
  {
    let turns = try Turns()
    let received = turns.exchange.download(turns.server)
    var waiting: [Payload] = []
    for client in 0..<9 {
      waiting.append(turns.upload(client, from: received))
      if client % 3 == 2 { waiting[client / 3] = .empty }
    }
    for client in 3..<9 {
      #expect(waiting[client][ModelExchange.block] == turns.difference(client))
    }
    // Six wait, and the last of them is still in the workspace.
    #expect(turns.pool.peak <= 9)
  }

  @Test("a fold that keeps every upload keeps values, and the vectors go on to other clients")
  func keepsAll() throws {
    let turns = try Turns()
    let received = turns.exchange.download(turns.server)
    var fold = AllUploads()
    for client in 0..<9 {
      let upload = turns.upload(client, from: received)
      fold.add([WeightedUpload(upload, weight: 1, client: client)])
    }
    for (client, upload) in fold.uploads.enumerated() {
      #expect(upload.client == client)
      #expect(upload.payload[ModelExchange.block] == turns.difference(client))
    }
    #expect(turns.pool.peak <= 2)
  }
}
