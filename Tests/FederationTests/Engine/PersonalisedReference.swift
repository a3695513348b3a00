import Fixtures

/// A client's batches in a round: in the order of the partition, with a short last batch, and on
/// from the beginning when an epoch is used up.
struct ReferenceBatches {
  let examples: [ReferenceExample]
  let batch: Int
  private var position = 0

  init(_ examples: [ReferenceExample], batch: Int) {
    self.examples = examples
    self.batch = batch
  }

  mutating func next() -> [ReferenceExample] {
    if position >= examples.count { position = 0 }
    let end = min(position + batch, examples.count)
    defer { position = end }
    return Array(examples[position..<end])
  }

  /// Steps of e epochs: e·⌈n/B⌉, halves away from zero, at least one.
  func steps(_ epochs: Double) -> Int {
    max(1, Int((epochs * Double((examples.count + batch - 1) / batch)).rounded()))
  }
}

/// g ← g + λw; v ← ρv + g; w ← w − ηv, on some places of a vector.
struct ReferenceDescent {
  let sgd: ReferenceSGD
  let rate: Double
  private var v: [Double]

  init(_ sgd: ReferenceSGD, rate: Double, count: Int) {
    self.sgd = sgd
    self.rate = rate
    v = [Double](repeating: 0, count: count)
  }

  mutating func step(_ w: inout [Double], _ g: [Double], moving places: Range<Int>) {
    for i in places {
      v[i] = sgd.momentum * v[i] + g[i] + sgd.decay * w[i]
      w[i] -= rate * v[i]
    }
  }
}

/// The personalised methods in double precision, straight from their papers' equations.
///
/// It shares no code with the engine. The head is the last layer of `model`.
struct PersonalisedReference {
  /// The methods, with the symbols of their papers.
  enum Method {
    /// Collins et al. 2021, algorithm 1.
    case fedRep(headEpochs: Double, bodyEpochs: Double)
    /// Oh et al. 2022, algorithm 1; `tuned`: body, head.
    case fedBABU(epochs: Double, tuned: (Bool, Bool))
    /// Liang et al. 2020: the last layer is shared.
    case lgFedAvg
    /// Li et al. 2021, algorithm 1.
    case ditto(lambda: Double, epochs: Double, rateFactor: Double)
    /// Dinh et al. 2020, algorithm 1.
    case pFedMe(lambda: Double, innerSteps: Int, innerRate: Double, warm: Bool, beta: Double)
    /// Fallah et al. 2020, algorithm 1; `delta` nil: first order.
    case perFedAvg(alpha: Double, delta: Double?, steps: Int)
    /// Deng et al. 2020, algorithm 1; the share moves at the first batch or at every one.
    case apfl(alpha: Double, adaptive: Bool, everyStep: Bool)
  }

  let model: ReferenceModel
  let clients: [[ReferenceExample]]
  let batch: Int
  let epochs: Double
  let sgd: ReferenceSGD
  let method: Method
  let initial: [Double]
  /// η of round r is the rate times rateDecay^(r−1).
  var rateDecay = 1.0
  var bySamples = true

  /// w, the server's model.
  var server: [Double]
  /// What a client keeps: a head, a body or a model.
  var memories: [Int: [Double]] = [:]
  /// α_k.
  var shares: [Int: Double] = [:]
  /// Gradients so far, of all clients.
  var gradients = 0

  init(
    _ model: ReferenceModel, clients: [[ReferenceExample]], batch: Int, epochs: Double,
    sgd: ReferenceSGD, method: Method, initial: [Double]
  ) {
    (self.model, self.clients, self.batch, self.epochs) = (model, clients, batch, epochs)
    (self.sgd, self.method, self.initial) = (sgd, method, initial)
    server = initial
  }

  var all: Range<Int> { 0..<model.count }
  var body: Range<Int> { 0..<model.count - model.headCount }
  var head: Range<Int> { model.count - model.headCount..<model.count }

  func batches(_ client: Int) -> ReferenceBatches {
    ReferenceBatches(clients[client], batch: batch)
  }

  func descent(_ round: Int, factor: Double = 1) -> ReferenceDescent {
    ReferenceDescent(sgd, rate: factor * rate(round), count: model.count)
  }

  func rate(_ round: Int) -> Double {
    (1..<max(1, round)).reduce(sgd.rate) { rate, _ in rate * rateDecay }
  }

  mutating func gradient(_ w: [Double], _ examples: [ReferenceExample]) -> [Double] {
    gradients += 1
    return model.gradient(w, examples)
  }

  /// Epochs of SGD on some places of a model.
  mutating func train(
    _ w: inout [Double], _ batches: inout ReferenceBatches, _ round: Int, epochs: Double,
    moving places: Range<Int>, pull: (lambda: Double, to: [Double])? = nil, rateFactor: Double = 1
  ) {
    var descent = descent(round, factor: rateFactor)
    for _ in 0..<batches.steps(epochs) {
      var g = gradient(w, batches.next())
      if let pull { for i in g.indices { g[i] += pull.lambda * (w[i] - pull.to[i]) } }
      descent.step(&w, g, moving: places)
    }
  }

  /// One round with a given cohort.
  mutating func run(_ round: Int, _ cohort: [Int]) {
    var sizes = cohort.map { Double(clients[$0].count) }
    switch method {
    case .pFedMe, .perFedAvg, .apfl: sizes = sizes.map { _ in 1 }
    default: if !bySamples { sizes = sizes.map { _ in 1 } }
    }
    let total = sizes.reduce(0, +)
    var next = server.map { _ in 0.0 }
    for (k, size) in zip(cohort, sizes) {
      let own = update(k, round)
      for i in next.indices { next[i] += size / total * own[i] }
    }
    switch method {
    case .fedRep, .fedBABU: server.replaceSubrange(body, with: next[body])
    case .lgFedAvg: server.replaceSubrange(head, with: next[head])
    case .pFedMe(_, _, _, _, let beta):
      for i in all { server[i] = (1 - beta) * server[i] + beta * next[i] }
    default: server = next
    }
  }

  /// w_k at the end of a round; what the client keeps goes to its memory.
  private mutating func update(_ k: Int, _ round: Int) -> [Double] {
    var batches = batches(k)
    var w = server
    switch method {
    case .fedRep(let headEpochs, let bodyEpochs):
      w = joined(k)
      if headEpochs > 0 { train(&w, &batches, round, epochs: headEpochs, moving: head) }
      train(&w, &batches, round, epochs: bodyEpochs, moving: body)
      memories[k] = Array(w[head])
    case .fedBABU:
      w = joined(k)
      train(&w, &batches, round, epochs: epochs, moving: body)
    case .lgFedAvg:
      w = joined(k)
      train(&w, &batches, round, epochs: epochs, moving: all)
      memories[k] = Array(w[body])
    case .ditto(let lambda, let personalEpochs, let factor):
      train(&w, &batches, round, epochs: epochs, moving: all)
      var own = memories[k] ?? initial
      var again = self.batches(k)
      train(
        &own, &again, round, epochs: personalEpochs, moving: all, pull: (lambda, server),
        rateFactor: factor)
      memories[k] = own
    case .pFedMe: w = proximal(k, round)
    case .perFedAvg(let alpha, let delta, _): w = meta(k, round, alpha, delta)
    case .apfl(let alpha, let adaptive, let everyStep):
      w = mixed(k, round, alpha, adaptive, everyStep)
    }
    return w
  }

  /// The server's model with what the client has in its place, or with the initial values.
  func joined(_ k: Int) -> [Double] {
    switch method {
    case .fedRep: Array(server[body]) + (memories[k] ?? Array(initial[head]))
    case .fedBABU: Array(server[body]) + Array(initial[head])
    case .lgFedAvg: (memories[k] ?? Array(initial[body])) + Array(server[head])
    default: server
    }
  }

  private mutating func proximal(_ k: Int, _ round: Int) -> [Double] {
    guard case .pFedMe(let lambda, let count, let innerRate, let warm, _) = method else {
      return server
    }
    var batches = batches(k)
    var descent = descent(round)
    var w = server
    var theta = server
    let step = innerRate * rate(round) / sgd.rate
    for _ in 0..<batches.steps(epochs) {
      let examples = batches.next()
      if !warm { theta = w }
      for _ in 0..<count {
        let g = gradient(theta, examples)
        for i in all { theta[i] -= step * (g[i] + lambda * (theta[i] - w[i])) }
      }
      descent.step(&w, all.map { lambda * (w[$0] - theta[$0]) }, moving: all)
    }
    memories[k] = theta
    return w
  }

  private mutating func meta(_ k: Int, _ round: Int, _ alpha: Double, _ delta: Double?) -> [Double]
  {
    var batches = batches(k)
    var descent = descent(round)
    var w = server
    for _ in 0..<batches.steps(epochs) {
      let first = gradient(w, batches.next())
      let adapted = all.map { w[$0] - alpha * first[$0] }
      var g = gradient(adapted, batches.next())
      if let delta {
        let third = batches.next()
        let ahead = gradient(all.map { w[$0] + delta * g[$0] }, third)
        let behind = gradient(all.map { w[$0] - delta * g[$0] }, third)
        for i in all { g[i] -= alpha * (ahead[i] - behind[i]) / (2 * delta) }
      }
      descent.step(&w, g, moving: all)
    }
    return w
  }

  private mutating func mixed(
    _ k: Int, _ round: Int, _ start: Double, _ adaptive: Bool, _ everyStep: Bool
  ) -> [Double] {
    var batches = batches(k)
    var (ofW, ofV) = (descent(round), descent(round))
    var w = server
    var v = memories[k] ?? initial
    var alpha = shares[k] ?? start
    for step in 0..<batches.steps(epochs) {
      let examples = batches.next()
      let old = alpha
      let ofMixture = gradient(all.map { old * v[$0] + (1 - old) * w[$0] }, examples)
      let own = gradient(w, examples)
      if adaptive, everyStep || step == 0 {
        let slope = all.reduce(0) { $0 + (v[$1] - w[$1]) * ofMixture[$1] }
        alpha = min(1, max(0, alpha - rate(round) * slope))
      }
      ofW.step(&w, own, moving: all)
      ofV.step(&v, ofMixture.map { old * $0 }, moving: all)
    }
    memories[k] = v
    shares[k] = alpha
    return w
  }

  /// The model that a client is measured with after some rounds.
  mutating func personal(_ k: Int, after rounds: Int) -> [Double] {
    var w = joined(k)
    var batches = batches(k)
    switch method {
    case .fedRep, .lgFedAvg: return w
    case .fedBABU(let epochs, let tuned):
      let start = tuned.0 ? 0 : body.upperBound
      let end = tuned.1 ? model.count : body.upperBound
      train(&w, &batches, rounds, epochs: epochs, moving: start..<end)
      return w
    case .ditto: return memories[k] ?? initial
    case .pFedMe: return memories[k] ?? server
    case .perFedAvg(let alpha, _, let steps):
      for _ in 0..<steps {
        let g = gradient(w, batches.next())
        for i in all { w[i] -= alpha * g[i] }
      }
      return w
    case .apfl(let start, _, _):
      let alpha = shares[k] ?? start
      let v = memories[k] ?? initial
      return all.map { alpha * v[$0] + (1 - alpha) * server[$0] }
    }
  }
}
