import Base
import Client
import Tensor
import TestSupport
import Testing

/// A classifier of one's own against the network's, which PyTorch confirms.
@Suite("Linear head")
struct LinearHeadTests {
  static let optimizers = [
    OptimizerSpec(learningRate: 0.1), OptimizerSpec(learningRate: 0.1, weightDecay: 0.05),
    OptimizerSpec(learningRate: 0.05, momentum: 0.9, weightDecay: 0.01),
    OptimizerSpec(learningRate: 0.05, momentum: 0.8, nesterov: true, weightDecay: 0.02),
    OptimizerSpec(kind: .adam, learningRate: 0.01),
    OptimizerSpec(kind: .adamw, learningRate: 0.01, weightDecay: 0.1),
  ]

  /// Features, labels and initial values of a head.
  private struct Case {
    let classes: Int
    let width: Int
    let count: Int
    let features: [Float]
    let labels: [Int32]
    let values: [Float]

    init(classes: Int, width: Int, count: Int, seed: UInt64 = 1) {
      var stream = RandomStream(seed: seed, .test)
      self.classes = classes
      self.width = width
      self.count = count
      features = (0..<count * width).map { _ in Float(stream.gaussian()) }
      labels = (0..<count).map { _ in Int32(stream.below(classes)) }
      let bound = 1 / Double(width).squareRoot()
      values = (0..<classes * width + classes).map { _ in Float(bound * (2 * stream.uniform() - 1))
      }
    }

    func head(_ optimizer: OptimizerSpec = OptimizerSpec(learningRate: 1)) -> LinearHead {
      LinearHead(classes: classes, width: width, values: values, optimizer: optimizer)
    }

    /// z = h·Wᵀ + b in Double.
    var logits: [Double] {
      var logits: [Double] = []
      for r in 0..<count {
        for c in 0..<classes {
          var sum = Double(values[classes * width + c])
          for k in 0..<width {
            sum += Double(features[r * width + k]) * Double(values[c * width + k])
          }
          logits.append(sum)
        }
      }
      return logits
    }
  }

  /// What two orders of the same sums may differ by, relative to the largest.
  private func bound(_ problem: Case) -> Double {
    let (forward, backward) = (Double(problem.width), Double(problem.count))
    return 8 * Rounding.unit * (forward.squareRoot() + backward.squareRoot())
  }

  @Test("Trained as the network's own classifier, by every optimizer", arguments: optimizers)
  func network(optimizer spec: OptimizerSpec) throws {
    for problem in [
      Case(classes: 10, width: 64, count: 8), Case(classes: 7, width: 21, count: 30),
      Case(classes: 3, width: 5, count: 1),
    ] {
      let (classes, width, count) = (problem.classes, problem.width, problem.count)
      let network = try NetworkRecipe.build(
        "dense fc \(classes) 1", input: FeatureShape(features: width))
      let workspace = Workspace(
        network, capacity: count, training: true, moments: Optimizer.momentCount(spec))
      workspace.load(problem.values)
      workspace.fill(problem.features, problem.labels.map(Int.init))
      var optimizer = Optimizer(spec, workspace)
      var head = problem.head(spec)
      let loss = SoftmaxCrossEntropy(weights: (0..<classes).map { 1 + Float($0 % 3) })
      let total = problem.labels.map(loss.weight).reduce(0, +)
      for step in 1...6 {
        network.forward(workspace, batch: count, training: true)
        let mean = workspace.takeLoss(network, batch: count, loss: loss)
        network.backward(workspace, batch: count)
        // In two parts, as micro-batches come.
        var sum = 0.0
        for part in [0..<count / 3, count / 3..<count] where !part.isEmpty {
          let result = problem.features.withUnsafeBufferPointer { features in
            problem.labels.withUnsafeBufferPointer { labels in
              guard let h = features.baseAddress, let y = labels.baseAddress else {
                return SoftmaxCrossEntropy.Result(lossSum: .nan, weight: 0, correct: 0)
              }
              return head.accumulate(
                features: h + part.lowerBound * width, labels: y + part.lowerBound,
                count: part.count, loss: loss, totalWeight: total)
            }
          }
          sum += result.lossSum
        }
        #expect(abs(sum / total - mean) <= bound(problem) * Double(step) * max(1, mean))
        let rate = spec.learningRate / Double(step)
        optimizer.step(workspace, learningRate: rate, ranges: [0..<network.layout.trainedCount])
        head.step(learningRate: rate)
        expectClose(
          head.values, workspace.currentParameters.map(Double.init),
          bound: bound(problem) * Double(step), "step \(step) of \(classes)×\(width)")
      }
      #expect(head.values != problem.values)
    }
  }

  @Test("Logits and row norms are those of the definition")
  func logits() {
    for problem in [Case(classes: 10, width: 64, count: 100), Case(classes: 3, width: 5, count: 2)]
    {
      var z = [Float](repeating: .nan, count: problem.count * problem.classes)
      problem.head().logits(features: problem.features, count: problem.count, into: &z)
      expectClose(z, problem.logits, bound: bound(problem))
    }
    let head = LinearHead(
      classes: 2, width: 2, values: [3, 4, 0, -2, 100, 100],
      optimizer: OptimizerSpec(learningRate: 1))
    #expect(head.rowNorms == [5, 2])
  }

  @Test("The gradient is that of the mean loss, by differences in Double")
  func differences() {
    let problem = Case(classes: 4, width: 6, count: 5)
    var head = problem.head()
    let result = head.accumulate(
      features: problem.features, labels: problem.labels, count: 5, loss: SoftmaxCrossEntropy(),
      totalWeight: 5)
    head.step(learningRate: 1)  // plain SGD: what was subtracted is the gradient
    func mean(_ values: [Double]) -> Double {
      var logits: [Double] = []
      for r in 0..<5 {
        for c in 0..<4 {
          var sum = values[24 + c]
          for k in 0..<6 { sum += Double(problem.features[r * 6 + k]) * values[c * 6 + k] }
          logits.append(sum)
        }
      }
      return ReferenceLoss.crossEntropy(logits, labels: problem.labels.map(Int.init), classes: 4)
    }
    let exact = problem.values.map(Double.init)
    #expect(abs(result.lossSum / 5 - mean(exact)) <= bound(problem) * mean(exact))
    let slopes = exact.indices.map { i in
      var moved = exact
      moved[i] += 1e-5
      let above = mean(moved)
      moved[i] -= 2e-5
      return (above - mean(moved)) / 2e-5
    }
    let moved = zip(problem.values, head.values).map { Float(Double($0) - Double($1)) }
    expectClose(moved, slopes, bound: 2 * bound(problem), floor: 1)
  }

  @Test("Fixed logits are added before the loss and stay out of the gradient")
  func fixedLogits() {
    let problem = Case(classes: 5, width: 20, count: 9)
    let offsets: [Float] = [0.5, -2, 1, 0, 3]
    func train(_ loss: SoftmaxCrossEntropy, fixed: [Float]?) -> [Float] {
      var head = problem.head()
      let result = head.accumulate(
        features: problem.features, labels: problem.labels, count: 9, loss: loss, totalWeight: 9,
        fixedLogits: fixed)
      head.step(learningRate: 1)
      return head.values + [Float(result.lossSum)]
    }
    let plain = train(SoftmaxCrossEntropy(), fixed: nil)
    #expect(train(SoftmaxCrossEntropy(), fixed: [Float](repeating: 0, count: 45)) == plain)
    // The same on all rows: an offset of the loss.
    let rows = Array((0..<9).map { _ in offsets }.joined())
    let shifted = train(SoftmaxCrossEntropy(), fixed: rows)
    expectClose(
      shifted, train(SoftmaxCrossEntropy(offsets: offsets), fixed: nil).map(Double.init),
      bound: bound(problem))
    #expect(shifted != plain)
    // Different in every row: each example on its own, with its own offsets.
    let mixed = Case(classes: 5, width: 9, count: 5, seed: 6).features
    var head = problem.head()
    for r in 0..<9 {
      let loss = SoftmaxCrossEntropy(offsets: Array(mixed[r * 5..<(r + 1) * 5]))
      _ = head.accumulate(
        features: Array(problem.features[r * 20..<(r + 1) * 20]), labels: [problem.labels[r]],
        count: 1, loss: loss, totalWeight: 9)
    }
    head.step(learningRate: 1)
    expectClose(
      train(SoftmaxCrossEntropy(), fixed: mixed).dropLast(), head.values.map(Double.init),
      bound: bound(problem))
  }

  @Test("Soft targets: one class is cross-entropy, one's own softmax moves nothing")
  func softTargets() {
    let problem = Case(classes: 4, width: 12, count: 6)
    var hard = [Float](repeating: 0, count: 24)
    for (r, label) in problem.labels.enumerated() { hard[r * 4 + Int(label)] = 1 }
    var soft = problem.head()
    let value = soft.accumulate(
      features: problem.features, targets: hard, count: 6, loss: Distillation(temperature: 1),
      weight: 1.0 / 6)
    soft.step(learningRate: 1)
    var plain = problem.head()
    let result = plain.accumulate(
      features: problem.features, labels: problem.labels, count: 6, loss: SoftmaxCrossEntropy(),
      totalWeight: 6)
    plain.step(learningRate: 1)
    #expect(abs(value - result.lossSum) <= bound(problem) * value)
    expectClose(soft.values, plain.values.map(Double.init), bound: bound(problem))

    var own = [Float](repeating: 0, count: 24)
    var logits = own
    soft.logits(features: problem.features, count: 6, into: &logits)
    Distillation.softmax(logits, rows: 6, classes: 4, temperature: 3, into: &own)
    let before = soft.values
    let nothing = soft.accumulate(
      features: problem.features, targets: own, count: 6, loss: Distillation(temperature: 3),
      weight: 1.0 / 6)
    soft.step(learningRate: 1)
    #expect(nothing == 0 && soft.values == before)
  }

  @Test("A step uses up what was accumulated; a copy goes on by itself")
  func clears() {
    let problem = Case(classes: 4, width: 12, count: 6)
    var head = problem.head()
    _ = head.accumulate(
      features: problem.features, labels: problem.labels, count: 6, loss: SoftmaxCrossEntropy(),
      totalWeight: 6)
    let before = head
    head.step(learningRate: 0.5)
    let once = head.values
    head.step(learningRate: 0.5)
    #expect(head.values == once && once != problem.values)
    var copy = before
    #expect(copy.values == problem.values)
    copy.step(learningRate: 0.5)
    #expect(copy.values == once)
  }
}
