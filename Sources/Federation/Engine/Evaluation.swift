import Aggregation
import Base
import Client
import Data
import Records
import Scenario
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
  /// The client's own model on what the client keeps for validation; nil without such.
  var validation: Measurement?
}

/// The measures of one round.
package struct EvaluationResult {
  /// The generic model; nil when the method has none.
  package var generic: RoundRecord.Generic?
  /// One score per client; empty when the method has no model for clients.
  package var scores: [ClientScore] = []
  /// Whose models the scores belong to.
  var scored = RoundRecord.Personal.Model.generic
  /// Models on validation images; nil without such.
  package var validation: RoundRecord.Validation?
  /// Clients that never trained for the server; nil without such.
  package var unseen: RoundRecord.Personal?
}

extension Simulation {
  /// Measures the current models.
  package func evaluate() throws(RoundFailure) -> EvaluationResult { try evaluator.result() }

  /// The model for everybody, or its average over rounds, with its classifier changed as the
  /// scenario says; or nil.
  package func genericModel() -> [Float]? { evaluator.genericModel() }

  /// A client's own model, or the generic one; nil when the method has neither.
  func model(of client: Int, worker: Int) throws(RoundFailure) -> [Float]? {
    try evaluator.model(of: client, worker: worker)
  }

  private var evaluator: Evaluator {
    Evaluator(
      context: context, method: method, server: state.server, clients: state.clients,
      round: state.round, average: average?.model)
  }
}

/// Measures models; a value with all that it reads, so that workers share it.
struct Evaluator: Sendable {
  let context: RunContext
  let method: any Strategy
  let server: ServerState
  let clients: [Int: ClientState]
  let round: Int
  /// What takes the generic model's place; nil for itself.
  var average: [Float]?

  /// The measures of all models.
  ///
  /// Test images never meet a gradient: personal models are made from training images only.
  func result() throws(RoundFailure) -> EvaluationResult {
    let model = genericModel()
    var result = try tested(model)
    result.validation = validation(model, result.scores)
    result.unseen = try unseen(model)
    if context.stop.wasSeen { throw .diverged(Divergence(round: round)) }
    return result
  }

  /// The measures on test images, and of clients' own models on what they keep for validation.
  private func tested(_ model: [Float]?) throws(RoundFailure) -> EvaluationResult {
    var result = EvaluationResult()
    let tests = context.localTests
    if let model {
      // Images that all local tests share come first, so that one pass serves both measures.
      let shared = tests.sharesOneList ? tests.images(of: 0) : []
      let isShared = Set(shared)
      let rest = context.test.images.labels.indices.filter { !isShared.contains($0) }
      let isCommon = !method.models.contains(.personal) && tests.sharesOneList
      let own = isCommon ? masks(of: tests, context.split.clients.count) : []
      let parts = measure(model, context.test, shared, within: [nil] + own)
      var all = parts[nil] ?? Measurement(classes: context.network.classes)
      all.add(measure(model, context.test, rest))
      if context.stop.wasSeen { throw .diverged(Divergence(round: round)) }
      result.generic = Metrics.generic(
        ConfusionMatrix(all), lossSum: all.lossByClass.reduce(0, +),
        trainCounts: context.split.classCounts, ece: all.calibration.error)
      if isCommon {
        result.scores = own.indices.map { score($0, of: tests, parts[own[$0]]) }
      }
    }
    if method.models.contains(.personal) { result.scored = .own }
    if result.scores.isEmpty { result.scores = try scoreEachClient() }
    return result
  }

  /// The model for everybody, with its classifier changed as the scenario says; or nil.
  package func genericModel() -> [Float]? {
    guard var model = average ?? method.genericModel(server) else { return nil }
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

  /// The generic model on test images.
  private func measure(_ model: [Float], _ loader: BatchLoader, _ indices: [Int]) -> Measurement {
    measure(model, loader, indices, within: [nil])[nil]
      ?? Measurement(classes: context.network.classes)
  }

  /// The generic model on test images, cut into pieces for the workers, under each mask.
  private func measure(
    _ model: [Float], _ loader: BatchLoader, _ indices: [Int], within masks: [ClassMask?]
  ) -> [ClassMask?: Measurement] {
    let network = context.network
    let size = 4 * network.evaluationBatch
    let pieces = (indices.count + size - 1) / size
    let masks = Array(Set(masks))
    let none = [Measurement](
      repeating: Measurement(classes: network.classes), count: masks.count)
    var totals = none
    context.pool.run(pieces) { [context] worker, piece in
      // What is left unmeasured is never used.
      if context.stop.isUp { return none }
      let space = context.spaces[worker]
      space.load(model)
      return network.measure(
        space, loader, indices[piece * size..<min((piece + 1) * size, indices.count)],
        within: masks)
    } fold: { _, parts in
      for place in parts.indices { totals[place].add(parts[place]) }
    }
    return Dictionary(uniqueKeysWithValues: zip(masks, totals))
  }

  /// What each client of some local tests may be predicted.
  private func masks(of tests: LocalTests, _ clients: Int) -> [ClassMask?] {
    let labels = loader(tests).images.labels
    return (0..<clients).map { tests.mask(of: $0, labels: labels) }
  }

  /// One client's score in a measurement that all share.
  private func score(_ client: Int, of tests: LocalTests, _ measurement: Measurement?)
    -> ClientScore
  {
    guard let measurement, !tests.excludes(client) else { return ClientScore() }
    let weights = tests.classWeights(of: client, labels: loader(tests).images.labels)
    return score(weights, measurement, measurement.classCounts)
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
    let hasOwn = method.models.contains(.personal)
    var scores: [ClientScore] = []
    scores.reserveCapacity(clients.count)
    var loaded = false
    for client in clients {
      let held = hasOwn ? context.split.validation?[client] ?? [] : []
      if tests.excludes(client), held.isEmpty {
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
      let network = context.problem.network(of: client)
      if tests.excludes(client) {
        scores.append(ClientScore(validation: network.measure(space, context.train, held)))
        continue
      }
      // A model of one's own is measured on all classes, to see what it knows beyond the client's.
      let seesAll = hasOwn && tests.sharesOneList
      var (score, measurement) = score(client, of: tests, network, space, seesAll: seesAll)
      if !held.isEmpty { score.validation = network.measure(space, context.train, held) }
      if seesAll { score.global = ConfusionMatrix(measurement).balancedAccuracy }
      scores.append(score)
    }
    return scores
  }

  /// Where the images of local tests are.
  private func loader(_ tests: LocalTests) -> BatchLoader {
    tests.source == .testSet ? context.test : context.train
  }

  /// The model in a workspace on a client's local test, and what it did there without a mask;
  /// images of classes that count nothing need no forward pass, unless `seesAll`.
  private func score(
    _ client: Int, of tests: LocalTests, _ network: Network, _ space: Workspace, seesAll: Bool
  ) -> (ClientScore, Measurement) {
    let loader = loader(tests)
    let labels = loader.images.labels
    let weights = tests.classWeights(of: client, labels: labels)
    let images = tests.images(of: client).filter { seesAll || weights[Int(labels[$0])] > 0 }
    let mask = tests.mask(of: client, labels: labels)
    let parts = network.measure(space, loader, images, within: mask == nil ? [nil] : [nil, mask])
    let own = parts[parts.count - 1]
    return (score(weights, own, own.classCounts), parts[0])
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

/// Images that nobody trains on, and clients that never train for the server.
extension Evaluator {
  /// The generic model on all clients' validation images, their own models each on theirs.
  private func validation(_ model: [Float]?, _ scores: [ClientScore]) -> RoundRecord.Validation? {
    guard let lists = context.split.validation else { return nil }
    var validation = RoundRecord.Validation()
    let images = lists.flatMap(\.self)
    if let model, !images.isEmpty {
      let all = measure(model, context.train, images)
      let confusion = ConfusionMatrix(all)
      validation.generic = RoundRecord.Validation.Generic(
        accuracy: confusion.accuracy, balancedAccuracy: confusion.balancedAccuracy,
        loss: all.lossByClass.reduce(0, +) / Double(images.count))
    }
    let own = scores.compactMap { $0.validation.map { ConfusionMatrix($0).accuracy } }
    if !own.isEmpty { validation.personal = Metrics.mean(own) }
    validation.rank(by: context.scenario.evaluation.selectBy)
    return validation
  }

  /// Each unseen client's model, made of what the client has, on the client's own images.
  private func unseen(_ model: [Float]?) throws(RoundFailure) -> RoundRecord.Personal? {
    guard let tests = context.unseenTests, let clients = context.split.unseen?.clients else {
      return nil
    }
    let hasOwn = method.models.contains(.personal)
    if !hasOwn, tests.sharesOneList {
      // One pass of the model that all have, on the images that all have.
      guard let model else { return nil }
      let own = masks(of: tests, clients.count)
      let parts = measure(model, loader(tests), tests.images(of: 0), within: own)
      return Metrics.personal(
        own.indices.map { score($0, of: tests, parts[own[$0]]).accuracy }, model: .generic)
    }
    let results = context.pool.map(clients.count) {
      worker, place -> Result<Double, RoundFailure> in
      if context.stop.isUp { return .failure(.diverged(Divergence(round: round))) }
      guard !tests.excludes(place) else { return .success(.nan) }
      do throws(RoundFailure) {
        guard let own = try newcomer(place, clients[place], worker) ?? model else {
          return .success(.nan)
        }
        let space = context.spaces[worker]
        space.load(own)
        return .success(
          score(place, of: tests, context.network, space, seesAll: false).0.accuracy)
      } catch { return .failure(error) }
    }
    var accuracies: [Double] = []
    for result in results { accuracies.append(try result.get()) }
    return Metrics.personal(accuracies, model: hasOwn ? .own : .generic)
  }

  /// A client's own model after some rounds of local training that the server never hears of; nil
  /// where the generic one serves.
  ///
  /// Messages come to it as they are: no codec, no noise.
  private func newcomer(_ place: Int, _ examples: [Int], _ worker: Int) throws(RoundFailure)
    -> [Float]?
  {
    guard method.models.contains(.personal) else { return nil }
    // The number after those of the clients is the server's.
    let client = context.problem.clients + 1 + place
    func device(_ phase: StreamAddress.Phase) -> Device {
      context.device(
        client: client, round: max(1, round), examples: examples, worker: worker, phase: phase)
    }
    var memory = ClientMemory()
    return try RoundFailure.diverging { () throws(Divergence) in
      let rounds = examples.isEmpty ? 0 : context.scenario.evaluation.unseen?.rounds ?? 0
      for number in 0..<rounds {
        // Later exchanges answer uploads of a round that is over.
        var (server, device) = (server, device(.start(number)))
        server.exchange = 0
        let received = method.download(server, to: client)
        _ = try method.train(&device, received: received, memory: &memory)
      }
      var last = device(.evaluation)
      return try method.personalModel(&last, server, memory)
    }
  }
}

extension ConfusionMatrix {
  /// The counts of a measurement.
  init(_ measurement: Measurement) {
    let c = measurement.classes
    self.init(rows: (0..<c).map { Array(measurement.confusion[$0 * c..<($0 + 1) * c]) })
  }
}
