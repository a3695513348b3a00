import Tensor
import TestSupport
import Testing

/// Losses, optimizers and schedules against PyTorch's.
@Suite("Training against PyTorch")
struct GoldenTrainingTests {
  @Test("Five steps of every optimizer", arguments: GoldenFile.names("optimizer"))
  func optimizers(
    name: String
  ) throws {
    let golden = try GoldenFile(name)
    let spec = OptimizerSpec(
      kind: try #require(OptimizerSpec.Kind(rawValue: golden.text("kind"))),
      learningRate: try golden.number("lr"), momentum: try golden.number("momentum"),
      nesterov: try golden.int("nesterov") == 1, weightDecay: try golden.number("weight_decay"),
      beta1: try golden.number("beta1"), beta2: try golden.number("beta2"),
      epsilon: try golden.number("eps"))
    let network = try NetworkRecipe.build("dense fc 3 1", input: FeatureShape(features: 5))
    let batch = try golden.labels().count
    let workspace = Workspace(
      network, capacity: batch, training: true, moments: Optimizer.momentCount(spec))
    workspace.load(try network.layout.parameters(from: golden.tensors("param.")))
    workspace.fill(try golden.images("input"), try golden.labels())
    var optimizer = Optimizer(spec, workspace)
    for step in 1...5 {
      network.forward(workspace, batch: batch, training: true)
      workspace.takeLoss(network, batch: batch)
      network.backward(workspace, batch: batch)
      optimizer.step(
        workspace, learningRate: spec.learningRate, ranges: [0..<network.layout.trainedCount])
      for entry in network.layout.entries {
        // Each step moves a weight by gradients that are off by some roundings, and Adam divides
        // by a root: sixteen roundings a step cover both.
        expectClose(
          network.layout.exported(entry, from: workspace.currentParameters),
          try golden.doubles("step\(step)." + entry.name), bound: 16 * Double(step) * Rounding.unit,
          "step \(step): \(entry.name)")
      }
    }
    #expect(optimizer.steps == 5)
  }

  @Test("A new optimizer on a used workspace starts afresh")
  func restart() throws {
    let network = try NetworkRecipe.build("dense fc 3 1", input: FeatureShape(features: 5))
    let spec = OptimizerSpec(kind: .adam, learningRate: 0.1)
    let workspace = Workspace(network, capacity: 1, training: true, moments: 2)
    let all = [0..<network.layout.trainedCount]
    var results: [[Float]] = []
    for _ in 0..<2 {
      workspace.load([Float](repeating: 0.5, count: network.layout.count))
      for i in workspace.gradient.indices { workspace.gradient[i] = Float(i) - 7.5 }
      var optimizer = Optimizer(spec, workspace)
      for _ in 0..<3 { optimizer.step(workspace, learningRate: 0.1, ranges: all) }
      results.append(workspace.currentParameters)
    }
    #expect(results[0] == results[1])
  }

  @Test("A step leaves parameters outside its ranges alone", arguments: OptimizerSpec.Kind.allCases)
  func ranges(kind: OptimizerSpec.Kind) throws {
    let network = try NetworkRecipe.build("dense fc 3 1", input: FeatureShape(features: 5))
    let spec = OptimizerSpec(kind: kind, learningRate: 0.1, momentum: 0.9, weightDecay: 0.1)
    let workspace = Workspace(network, capacity: 1, training: true, moments: 2)
    workspace.load([Float](repeating: 0.5, count: network.layout.count))
    workspace.gradient.update(repeating: 1)
    var optimizer = Optimizer(spec, workspace)
    optimizer.step(workspace, learningRate: 0.1, ranges: [2..<5, 9..<9, 12..<18])
    for (index, value) in workspace.currentParameters.enumerated() {
      #expect((value != 0.5) == ((2..<5).contains(index) || index >= 12), "\(index)")
    }
  }

  @Test("Cross-entropy with weights and offsets", arguments: GoldenFile.names("loss"))
  func losses(
    name: String
  ) throws {
    let golden = try GoldenFile(name)
    let logits = try golden.floats("logits")
    let labels = try golden.labels().map(Int32.init)
    let loss = SoftmaxCrossEntropy(
      offsets: golden.file["offsets"]?.values, weights: golden.file["weights"]?.values)
    var gradient = [Float](repeating: .nan, count: logits.count)
    let result = loss.evaluate(
      logits: logits, labels: labels, batch: labels.count, classes: 5, gradient: &gradient)
    // Sixteen roundings: the offset, the exponential (two ulps), the sum, the logarithm, weights.
    let bound = 16 * Rounding.unit
    expectClose(
      [Float(result.lossSum / result.weight)], try golden.doubles("loss"), bound: bound, floor: 10,
      "loss")
    expectClose(gradient, try golden.doubles("grad"), bound: bound, "gradient")
    var correct = 0
    for (example, label) in labels.enumerated() {
      let row = (0..<5).map { logits[example * 5 + $0] + (loss.offsets?[$0] ?? 0) }
      if row.max() == row[Int(label)] { correct += 1 }
    }
    #expect(result.correct == correct)
    let weight = labels.map { Double(loss.weights?[Int($0)] ?? 1) }.reduce(0, +)
    #expect(abs(result.weight - weight) < 1e-12)
  }

  @Test("Step and cosine schedules are PyTorch's, one epoch earlier: rounds start at 1")
  func schedules() throws {
    let golden = try GoldenFile("schedules")
    let shapes: [(String, LearningRateSchedule.Shape)] = [
      ("step", .step(every: 7, factor: 0.3)), ("cosine", .cosine(floor: 0.05)),
    ]
    for (key, shape) in shapes {
      for (epoch, rate) in try golden.doubles(key).enumerated() {
        let factor = LearningRateSchedule(shape).factor(round: epoch + 1, rounds: 40)
        // The file has Floats; PyTorch's recursions round a few times in Double besides.
        expectClose(Float(factor), rate, ulps: 2, "\(key) \(epoch)")
      }
    }
  }

  @Test("Warm-up rises linearly and then the shape starts at 1")
  func warmUp() {
    for shape in [
      LearningRateSchedule.Shape.constant, .step(every: 1, factor: 0.5), .cosine(floor: 0),
    ] {
      let schedule = LearningRateSchedule(shape, warmupRounds: 4)
      let factors = (1...5).map { schedule.factor(round: $0, rounds: 10) }
      #expect(factors == [0.2, 0.4, 0.6, 0.8, 1])
    }
    let cosine = LearningRateSchedule(.cosine(floor: 0), warmupRounds: 4)
    #expect(abs(cosine.factor(round: 8, rounds: 10) - 0.5) < 1e-15)  // half of six rounds
    #expect(LearningRateSchedule().factor(round: 17, rounds: 20) == 1)
  }
}
