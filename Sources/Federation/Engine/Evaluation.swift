import Aggregation
import Client
import Tensor

/// What one client's model scored on the client's local test.
struct ClientScore: Sendable {
  /// Σ_c w_kc · accuracy on class c; NaN when the client cannot be measured.
  var accuracy = Double.nan
  /// Σ_c w_kc · mean cross-entropy on class c; NaN likewise.
  var loss = Double.nan
}

/// The measures of one round.
struct EvaluationResult {
  /// The generic model; nil when the method has none.
  var generic: RoundRecord.Generic?
  /// One score per client; empty when the method has no model for clients.
  var scores: [ClientScore] = []
  /// Whose models the scores belong to.
  var scored = RoundRecord.Personal.Model.generic
}

extension Simulation {
  /// Measures the current models.
  ///
  /// Test images never meet a gradient: personal models are made from training images only.
  func evaluate() throws(Divergence) -> EvaluationResult {
    var result = EvaluationResult()
    let tests = arena.localTests
    if let model = method.genericModel(server) {
      // Images that all local tests share come first, so that one pass serves both measures.
      let shared = tests.sharesOneList ? tests.images(of: 0) : []
      let isShared = Set(shared)
      let rest = arena.test.images.labels.indices.filter { !isShared.contains($0) }
      let first = measure(model, shared)
      var all = first
      all.add(measure(model, rest))
      result.generic = Metrics.generic(
        ConfusionMatrix(all),
        lossSum: all.lossByClass.reduce(0, +),
        trainCounts: arena.split.classCounts
      )
      if !Method.models.contains(.personal), tests.sharesOneList {
        result.scores = arena.split.clients.indices.map { score(of: $0, first) }
      }
    }
    if Method.models.contains(.personal) { result.scored = .own }
    if result.scores.isEmpty { result.scores = try scoreEachClient() }
    return result
  }

  /// A client's own model, or the generic one; nil when the method has neither.
  func model(of client: Int, worker: Int) throws(Divergence) -> [Float]? {
    // Fine-tuning draws from counters that the round's training never reaches.
    var device = arena.device(
      client: client,
      round: max(1, round),
      examples: arena.split.clients[client],
      worker: worker,
      firstStep: 1 << 32
    )
    let own = try method.personalModel(
      &device,
      server,
      memories[client] ?? ClientMemory()
    )
    return own ?? method.genericModel(server)
  }

  /// The generic model on test images, cut into pieces for the workers.
  private func measure(_ model: [Float], _ indices: [Int]) -> Measurement {
    let network = arena.network
    let size = 4 * network.evaluationBatch
    let pieces = (indices.count + size - 1) / size
    var total = Measurement(classes: network.classes)
    arena.pool.run(pieces) { worker, piece in
      let space = arena.spaces[worker]
      space.load(model)
      return network.measure(
        space,
        arena.test,
        indices[piece * size..<min((piece + 1) * size, indices.count)]
      )
    } fold: { _, part in
      total.add(part)
    }
    return total
  }

  /// Each client's model on the client's own images.
  private func scoreEachClient() throws(Divergence) -> [ClientScore] {
    let tests = arena.localTests
    let loader = tests.source == .testSet ? arena.test : arena.train
    let labels = loader.images.labels
    let results = arena.pool.map(arena.split.clients.count) {
      worker,
      client -> Result<ClientScore, Divergence> in
      if tests.excludes(client) { return .success(ClientScore()) }
      let weights = tests.classWeights(of: client, labels: labels)
      // Images of classes that count nothing need no forward pass.
      let images = tests.images(of: client).filter { weights[Int(labels[$0])] > 0 }
      do throws(Divergence) {
        guard let model = try model(of: client, worker: worker) else {
          return .success(ClientScore())
        }
        let space = arena.spaces[worker]
        space.load(model)
        return .success(score(of: client, arena.network.measure(space, loader, images)))
      } catch {
        return .failure(error)
      }
    }
    var scores: [ClientScore] = []
    for result in results { scores.append(try result.get()) }
    return scores
  }

  private func score(of client: Int, _ measurement: Measurement) -> ClientScore {
    let tests = arena.localTests
    if tests.excludes(client) { return ClientScore() }
    let labels = tests.source == .testSet ? arena.test.images.labels : arena.train.images.labels
    let weights = tests.classWeights(of: client, labels: labels)
    let counts = measurement.classCounts
    var score = ClientScore(accuracy: 0, loss: 0)
    for c in weights.indices where weights[c] > 0 && counts[c] > 0 {
      let right = measurement.confusion[c * measurement.classes + c]
      score.accuracy += weights[c] * Double(right) / Double(counts[c])
      score.loss += weights[c] * measurement.lossByClass[c] / Double(counts[c])
    }
    return score
  }
}

extension ConfusionMatrix {
  /// The counts of a measurement.
  init(_ measurement: Measurement) {
    let c = measurement.classes
    self.init(rows: (0..<c).map { Array(measurement.confusion[$0 * c..<($0 + 1) * c]) })
  }
}
