import Fixtures

/// A slow FedD2S in double precision on dense networks, from the equations of its guide.
///
/// Heads take all rows in each step of SGD with momentum, so that their order does not matter.
struct ReferenceFedD2S {
  let net: ReferenceMLP
  let clients: [[ReferenceExample]]
  let initial: [Double]
  let cuts: [Int]
  let every: Int
  var lambda = 1.0
  var tau = 3.0
  var perClass = false
  var wholeModel = true
  var sharesWeights = false
  var headEpochs = 4
  let batch = 4
  let epochs = 2
  let rate = 0.1
  let headRate = 0.05

  var models: [Int: [Double]] = [:]
  var knowledge: [Int: [[Double]]] = [:]
  var heads: [Int: [Double]] = [:]
  var server: [Double]

  init(
    _ net: ReferenceMLP, clients: [[ReferenceExample]], initial: [Double], cuts: [Int], every: Int
  ) {
    self.net = net
    self.clients = clients
    self.initial = initial
    self.cuts = cuts
    self.every = every
    server = initial
  }

  struct Row {
    var h: [Double]
    var p: [Double]
    let y: Int
    var weight = 1.0
  }

  func classes(_ k: Int) -> [Int] { Set(clients[k].map(\.label)).sorted() }

  /// q of an example, or nil.
  func target(_ k: Int, _ place: Int) -> [Double]? {
    guard let rows = knowledge[k] else { return nil }
    guard perClass else { return rows[place] }
    return classes(k).firstIndex(of: clients[k][place].label).map { rows[$0] }
  }

  func localTraining(_ k: Int, _ start: [Double], cut s: Int) -> [Double] {
    net.train(
      start, examples: clients[k].count, batch: batch, epochs: epochs, rate: rate, momentum: 0
    ) { g, w, places in
      let size = Double(places.count)
      for place in places {
        let example = clients[k][place]
        let z = net.logits(w, example.values)
        let slope = ReferenceMLP.crossEntropySlope(z, example.label).map { $0 / size }
        net.addGradient(&g, w, example.values, logits: slope)
        guard let q = target(k, place) else { continue }
        let pull = ReferenceMLP.distillationSlope(z, q, weight: lambda, temperature: tau)
        var own = g.map { _ in 0.0 }
        net.addGradient(&own, w, example.values, logits: pull.map { $0 / size })
        let end = wholeModel ? g.count : net.start(s)
        for i in 0..<end { g[i] += own[i] }
      }
    }
  }

  func rows(_ k: Int, _ w: [Double], cut s: Int) -> [Row] {
    let all = clients[k].map { example in
      let values = net.values(w, example.values)
      return Row(
        h: values[s], p: ReferenceMLP.softmax(values[net.sizes.count - 1], tau), y: example.label)
    }
    guard perClass else { return all }
    return classes(k).map { c in
      let members = all.filter { $0.y == c }
      var mean = members[0]
      for i in mean.h.indices { mean.h[i] = members.map { $0.h[i] }.reduce(0, +) }
      for i in mean.p.indices { mean.p[i] = members.map { $0.p[i] }.reduce(0, +) }
      mean.h = mean.h.map { $0 / Double(members.count) }
      mean.p = mean.p.map { $0 / Double(members.count) }
      mean.weight = Double(members.count)
      return mean
    }
  }

  mutating func run(_ round: Int, _ cohort: [Int]) {
    let s = cuts[min((round - 1) / every, cuts.count - 1)]
    let shallow = 0..<net.start(s)
    let total = cohort.map { Double(clients[$0].count) }.reduce(0, +)
    var mean = server
    var uploads: [(k: Int, rows: [Row])] = []
    for k in cohort {
      var start = models[k] ?? initial
      if sharesWeights { for i in shallow { start[i] = server[i] } }
      let w = localTraining(k, start, cut: s)
      models[k] = w
      uploads.append((k, rows(k, w, cut: s)))
      guard sharesWeights else { continue }
      for i in shallow { mean[i] += Double(clients[k].count) / total * (w[i] - server[i]) }
    }
    let tail = net.tail(from: s)
    let all = uploads.flatMap(\.rows)
    let weights = all.map(\.weight).reduce(0, +)
    let head = tail.train(
      heads[s] ?? Array(initial[net.start(s)...]), examples: all.count, batch: all.count,
      epochs: headEpochs, rate: headRate, momentum: 0.9
    ) { g, w, _ in
      for row in all {
        let z = tail.logits(w, row.h)
        let pull = ReferenceMLP.distillationSlope(z, row.p, weight: lambda, temperature: tau)
        let slope = zip(ReferenceMLP.crossEntropySlope(z, row.y), pull).map {
          ($0 + $1) * row.weight / weights
        }
        tail.addGradient(&g, w, row.h, logits: slope)
      }
    }
    heads[s] = head
    for (k, rows) in uploads {
      knowledge[k] = rows.map { ReferenceMLP.softmax(tail.logits(head, $0.h), tau) }
    }
    server = mean
  }
}
