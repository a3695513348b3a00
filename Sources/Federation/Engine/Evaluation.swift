import Aggregation
import Base
import Client
import Data
import Records
import Tensor

/// What one client's model scored on the client's local test.
package struct ClientScore: Sendable {
  /// Σ_c w_kc · accuracy on class c; NaN when the client cannot be measured.
  package var accuracy = Double.nan
  /// Σ_c w_kc · mean cross-entropy on class c; NaN likewise.
  package var loss = Double.nan
  /// Accuracy on each class that the client holds; NaN for others.
  package var perClass: [Double] = []
  /// Accuracy of the client's own model with all classes counting alike, whether the client holds
  /// them or not; nil where it was not measured on all of them.
  var global: Double?
}

/// The measures of one round.
package struct EvaluationResult {
  /// The generic model; nil when the method has none.
  package var generic: RoundRecord.Generic?
  /// One score per client; empty when the method has no model for clients.
  package var scores: [ClientScore] = []
  /// Whose models the scores belong to.
  var scored = RoundRecord.Personal.Model.generic
}

extension Simulation {
  /// Measures the current models.
  package func evaluate() throws(RoundFailure) -> EvaluationResult { try evaluator.result() }

  /// The model for everybody, with its classifier changed as the scenario says; or nil.
  package func genericModel() -> [Float]? { evaluator.genericModel() }

  /// A client's own model, or the generic one; nil when the method has neither.
  func model(of client: Int, worker: Int) throws(RoundFailure) -> [Float]? {
    try evaluator.model(of: client, worker: worker)
  }

  private var evaluator: Evaluator {
    Evaluator(
      context: context, method: method, server: state.server, clients: state.clients,
      round: state.round
    )
  }
}

/// Measures models; a value with all that it reads, so that workers share it.
struct Evaluator: Sendable {
  let context: RunContext
  let method: any Strategy
  let server: ServerState
  let clients: [Int: ClientState]
  let round: Int

  /// The measures of all models.
  ///
  /// Test images never meet a gradient: personal models are made from training images only.
  func result() throws(RoundFailure) -> EvaluationResult {
    var result = EvaluationResult()
    let tests = context.localTests
    if let model = genericModel() {
      // Images that all local tests share come first, so that one pass serves both measures.
      let shared = tests.sharesOneList ? tests.images(of: 0) : []
      let isShared = Set(shared)
      let rest = context.test.images.labels.indices.filter { !isShared.contains($0) }
      let first = measure(model, shared)
      var all = first
      all.add(measure(model, rest))
      if context.stop.wasSeen { throw .diverged(Divergence(round: round)) }
      result.generic = Metrics.generic(
        ConfusionMatrix(all), lossSum: all.lossByClass.reduce(0, +),
        trainCounts: context.split.classCounts, ece: all.calibration.error)
      if !method.models.contains(.personal), tests.sharesOneList {
        let labels = context.test.images.labels
        let counts = first.classCounts
        result.scores = context.split.clients.indices.map { client in
          tests.excludes(client)
            ? ClientScore() : score(tests.classWeights(of: client, labels: labels), first, counts)
        }
      }
    }
    if method.models.contains(.personal) { result.scored = .own }
    if result.scores.isEmpty { result.scores = try scoreEachClient() }
    return result
  }

  /// The model for everybody, with its classifier changed as the scenario says; or nil.
  package func genericModel() -> [Float]? {
    guard var model = method.genericModel(server) else { return nil }
    context.postHoc.change(&model, of: context.network, context.split.classCounts)
    return model
  }

  /// A client's own model, or the generic one; nil when the method has neither.
  package func model(of client: Int, worker: Int) throws(RoundFailure) -> [Float]? {
    // Fine-tuning draws from counters that the round's training never reaches.
    var device = context.device(
      client: client, round: max(1, round), examples: context.split.clients[client], worker: worker,
      phase: .evaluation)
    let own = try RoundFailure.diverging { () throws(Divergence) in
      try method.personalModel(&device, server, clients[client]?.method ?? ClientMemory())
    }
    return own ?? genericModel()
  }

  /// The generic model on test images, cut into pieces for the workers.
  private func measure(_ model: [Float], _ indices: [Int]) -> Measurement {
    let network = context.network
    let size = 4 * network.evaluationBatch
    let pieces = (indices.count + size - 1) / size
    var total = Measurement(classes: network.classes)
    context.pool.run(pieces) { [context] worker, piece in
      // What is left unmeasured is never used.
      if context.stop.isUp { return Measurement(classes: network.classes) }
      let space = context.spaces[worker]
      space.load(model)
      return network.measure(
        space, context.test, indices[piece * size..<min((piece + 1) * size, indices.count)])
    } fold: { _, part in
      total.add(part)
    }
    return total
  }

  /// Clients measured in one go: few enough to keep all workers busy, enough to load the generic
  /// model seldom.
  private static var clientsAtOnce: Int { 16 }

  /// Each client's model on the client's own images.
  private func scoreEachClient() throws(RoundFailure) -> [ClientScore] {
    let count = context.split.clients.count
    let size = Self.clientsAtOnce
    let pieces = context.pool.map((count + size - 1) / size) {
      worker, piece -> Result<[ClientScore], RoundFailure> in
      if context.stop.isUp { return .failure(.diverged(Divergence(round: round))) }
      do throws(RoundFailure) {
        return .success(try score(piece * size..<min((piece + 1) * size, count), worker: worker))
      } catch { return .failure(error) }
    }
    var scores: [ClientScore] = []
    scores.reserveCapacity(count)
    for piece in pieces { scores += try piece.get() }
    return scores
  }

  /// Neighbouring clients on one worker.
  private func score(_ clients: Range<Int>, worker: Int) throws(RoundFailure) -> [ClientScore] {
    let tests = context.localTests
    let loader = tests.source == .testSet ? context.test : context.train
    let hasOwn = method.models.contains(.personal)
    var scores: [ClientScore] = []
    scores.reserveCapacity(clients.count)
    var loaded = false
    for client in clients {
      if tests.excludes(client) {
        scores.append(ClientScore())
        continue
      }
      let space = context.spaces(of: client)[worker]
      if hasOwn || !loaded {
        guard let model = try model(of: client, worker: worker) else {
          scores.append(ClientScore())
          continue
        }
        space.load(model)
        loaded = true
      }
      let weights = tests.classWeights(of: client, labels: loader.images.labels)
      // A model of one's own is measured on all classes, to see what it knows beyond the client's;
      // else images of classes that count nothing need no forward pass.
      let seesAll = hasOwn && tests.sharesOneList
      let images = tests.images(of: client).filter {
        seesAll || weights[Int(loader.images.labels[$0])] > 0
      }
      let measurement = context.problem.network(of: client).measure(space, loader, images)
      var score = score(weights, measurement, measurement.classCounts)
      if seesAll { score.global = ConfusionMatrix(measurement).balancedAccuracy }
      scores.append(score)
    }
    return scores
  }

  /// What a measurement is under a client's weights of the classes.
  private func score(_ weights: [Double], _ measurement: Measurement, _ counts: [Int])
    -> ClientScore
  {
    var score = ClientScore(accuracy: 0, loss: 0)
    score.perClass = [Double](repeating: .nan, count: weights.count)
    for c in weights.indices where weights[c] > 0 && counts[c] > 0 {
      let right = measurement.confusion[c * measurement.classes + c]
      score.perClass[c] = Double(right) / Double(counts[c])
      score.accuracy += weights[c] * score.perClass[c]
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
