/// SGD as the papers and PyTorch write it: g ← g + λw; v ← ρv + g; w ← w − ηv, or
/// w − η(g + ρv) in Nesterov's form.
package struct ReferenceSGD {
  package var rate = 0.1
  package var momentum = 0.0
  package var nesterov = false
  package var decay = 0.0

  package init(
    rate: Double = 0.1, momentum: Double = 0.0, nesterov: Bool = false, decay: Double = 0.0
  ) {
    self.rate = rate
    self.momentum = momentum
    self.nesterov = nesterov
    self.decay = decay
  }
}

/// A slow federation in double precision, straight from the papers' equations.
///
/// It shares no code with the engine. Clients visit their examples in order; the last batch of an
/// epoch is short.
package struct ReferenceFederation {
  /// The methods, with the symbols of their papers.
  package enum Method {
    /// McMahan et al. 2017, algorithm 1.
    case fedAvg
    /// Li et al. 2020, algorithm 2 with SGD as the local solver.
    case fedProx(mu: Double)
    /// Karimireddy et al. 2020, algorithm 1, option II.
    case scaffold(serverRate: Double)
    /// Arivazhagan et al. 2019: the last layer stays private.
    case fedPer
    /// Hsu et al. 2019: u ← βu + Δ, w ← w + η_g·u.
    case fedAvgM(beta: Double, serverRate: Double)
    /// No communication.
    case localOnly
    /// SGD on the union, as many steps as the cohort would take.
    case centralised
  }

  package let model: ReferenceModel
  /// Each client's examples.
  package let clients: [[ReferenceExample]]
  package let batch: Int
  package let epochs: Int
  package let sgd: ReferenceSGD
  /// η of round r is the rate times rateDecay^(r−1).
  package var rateDecay = 1.0
  /// p_k ∝ n_k; otherwise all alike.
  package var bySamples = true
  package let method: Method

  /// w, the server's model.
  package var server: [Double]
  /// What a client keeps: a model, a head or a control variate, by method.
  package var memories: [Int: [Double]] = [:]
  /// What the server keeps besides: c or u.
  package var serverMemory: [Double]
  /// Optimizer steps so far, of all clients.
  package var steps = 0
  private let initial: [Double]

  package init(
    _ model: ReferenceModel, clients: [[ReferenceExample]], batch: Int, epochs: Int,
    sgd: ReferenceSGD, method: Method, initial: [Double]
  ) {
    self.model = model
    self.clients = clients
    self.batch = batch
    self.epochs = epochs
    self.sgd = sgd
    self.method = method
    self.initial = initial
    server = initial
    serverMemory = initial.map { _ in 0 }
  }

  /// Local steps of a client in a round.
  package func stepCount(_ client: Int) -> Int {
    epochs * ((clients[client].count + batch - 1) / batch)
  }

  /// SGD on some examples from a model; `correct` changes the gradient of each step.
  package mutating func train(
    _ start: [Double], _ examples: [ReferenceExample], steps count: Int, round: Int,
    correct: (inout [Double], [Double]) -> Void = { _, _ in }
  ) -> [Double] {
    var w = start
    var v = w.map { _ in 0.0 }
    let rate = rate(round)
    var position = 0
    for _ in 0..<count {
      if position >= examples.count { position = 0 }
      let end = min(position + batch, examples.count)
      var g = model.gradient(w, Array(examples[position..<end]))
      position = end
      correct(&g, w)
      for i in w.indices {
        let gradient = g[i] + sgd.decay * w[i]
        v[i] = sgd.momentum * v[i] + gradient
        w[i] -= rate * (sgd.nesterov ? gradient + sgd.momentum * v[i] : v[i])
      }
      steps += 1
    }
    return w
  }

  /// η of a round.
  package func rate(_ round: Int) -> Double {
    (1..<max(1, round)).reduce(sgd.rate) { rate, _ in rate * rateDecay }
  }

  /// How far τ steps with unit gradients and rate 1 move a weight.
  ///
  /// τ for plain SGD, and with momentum ρ [τ − ρ(1 − ρ^τ)/(1 − ρ)]/(1 − ρ) (Wang et al. 2020).
  package func displacement(_ tau: Int) -> Double {
    let rho = sgd.momentum
    if rho == 0 { return Double(tau) }
    let power = (0..<tau).reduce(1.0) { value, _ in value * rho }
    return (Double(tau) - rho * (1 - power) / (1 - rho)) / (1 - rho)
  }

  /// One round with a given cohort.
  package mutating func run(_ round: Int, _ cohort: [Int]) {
    let shares = cohort.map { bySamples ? Double(clients[$0].count) : 1 }
    let total = shares.reduce(0, +)
    let p = shares.map { $0 / total }
    switch method {
    case .fedAvg: server = mean(cohort, p, round: round) { _, _ in }
    case .fedProx(let mu):
      let anchor = server
      server = mean(cohort, p, round: round) { g, w in
        for i in g.indices { g[i] += mu * (w[i] - anchor[i]) }
      }
    case .fedAvgM(let beta, let serverRate):
      let next = mean(cohort, p, round: round) { _, _ in }
      for i in server.indices {
        serverMemory[i] = beta * serverMemory[i] + (next[i] - server[i])
        server[i] += serverRate * serverMemory[i]
      }
    case .scaffold(let serverRate): scaffold(cohort, round, serverRate)
    case .fedPer: fedPer(cohort, p, round)
    case .localOnly:
      for k in cohort {
        memories[k] = train(memories[k] ?? initial, clients[k], steps: stepCount(k), round: round)
      }
    case .centralised:
      let count = cohort.map { stepCount($0) }.reduce(0, +)
      server = train(server, clients.flatMap { $0 }, steps: count, round: round)
    }
  }

  /// Σ p_k w_k.
  private mutating func mean(
    _ cohort: [Int], _ p: [Double], round: Int, correct: (inout [Double], [Double]) -> Void
  ) -> [Double] {
    var sum = server.map { _ in 0.0 }
    for (k, share) in zip(cohort, p) {
      let own = train(server, clients[k], steps: stepCount(k), round: round, correct: correct)
      for i in sum.indices { sum[i] += share * own[i] }
    }
    return sum
  }

  private mutating func scaffold(_ cohort: [Int], _ round: Int, _ serverRate: Double) {
    let c = serverMemory
    let m = Double(cohort.count)
    var next = server
    for k in cohort {
      let own = memories[k] ?? server.map { _ in 0 }
      let w = train(server, clients[k], steps: stepCount(k), round: round) { g, _ in
        for i in g.indices { g[i] += c[i] - own[i] }
      }
      let divisor = displacement(stepCount(k)) * rate(round)
      var updated = own
      for i in w.indices {
        updated[i] = own[i] - c[i] + (server[i] - w[i]) / divisor
        next[i] += serverRate * (w[i] - server[i]) / m
        serverMemory[i] += (updated[i] - own[i]) / Double(clients.count)
      }
      memories[k] = updated
    }
    server = next
  }

  private mutating func fedPer(_ cohort: [Int], _ p: [Double], _ round: Int) {
    let body = model.count - model.headCount
    var next = [Double](repeating: 0, count: body)
    for (k, share) in zip(cohort, p) {
      let head = memories[k] ?? Array(initial[body...])
      let w = train(Array(server[..<body]) + head, clients[k], steps: stepCount(k), round: round)
      memories[k] = Array(w[body...])
      for i in 0..<body { next[i] += share * w[i] }
    }
    server.replaceSubrange(..<body, with: next)
  }
}
