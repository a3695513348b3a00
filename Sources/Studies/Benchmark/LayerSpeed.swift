import Base
import Records
import Tensor

/// Speed of one layer's three passes on one thread, apart from the network around it.
package struct LayerSpeed: Sendable {
  /// The model that the layer was first met in, such as "resnet8".
  package let model: String
  /// Sizes, such as "conv3x3 16->32 32x32 s2 p1".
  package let layer: String
  /// Samples per call.
  package let batch: Int
  /// Floating-point operations of a forward pass.
  package let flops: Int
  /// Median seconds of a forward pass.
  package let forward: Double
  /// Median seconds of the weights' gradient.
  package let weightGradient: Double
  /// Median seconds of the input's gradient; nil for a layer that sees the data.
  package let inputGradient: Double?

  /// Seconds of a training step of this layer.
  package var seconds: Double { forward + weightGradient + (inputGradient ?? 0) }
  /// Floating-point operations of a training step of this layer.
  package var trainingFLOPs: Int { flops * (inputGradient == nil ? 2 : 3) }

  /// The batches that are measured unless others are asked for.
  package static let batches = [10, 32, 256]

  /// Every shape of the workloads' layers once, in the order met; `report` gets each when it is
  /// measured.
  ///
  /// `seconds`: time spent on each pass.
  package static func measure(
    workloads: [Workload] = Workload.all, batches: [Int] = batches, seconds: Double = 0.15,
    _ report: (LayerSpeed) -> Void
  ) throws(Failure) {
    var seen: Set<String> = []
    for workload in workloads {
      let network = try workload.network()
      for (operation, write) in zip(network.operations, network.gradientWrites) {
        let seesData = write == .skip
        guard let title = LayerBench.title(operation), seen.insert("\(title) \(seesData)").inserted
        else { continue }
        for batch in batches {
          guard let bench = LayerBench(operation, title, seesData: seesData, batch: batch) else {
            continue
          }
          report(bench.measure(model: workload.model.kind.rawValue, seconds: seconds))
        }
      }
    }
  }
}

/// One layer in a network of its own, with random values wherever it reads.
private struct LayerBench {
  let title: String
  let batch: Int
  let seesData: Bool
  private let operation: any Operation
  private let workspace: Workspace

  /// Sizes of a layer; nil for operations without products.
  static func title(_ operation: any Operation) -> String? {
    switch operation {
    case let layer as Convolution:
      let g = layer.geometry
      return "conv\(g.kernel)x\(g.kernel) \(g.input.channels)->\(g.output.channels) "
        + "\(g.input.height)x\(g.input.width) s\(g.stride) p\(g.padding)"
    case let layer as Dense: return "dense \(layer.inputs)->\(layer.outputs)"
    default: return nil
    }
  }

  /// Nil for operations without products.
  init?(_ original: any Operation, _ title: String, seesData: Bool, batch: Int) {
    let input: FeatureShape
    switch original {
    case let layer as Convolution: input = layer.geometry.input
    case let layer as Dense: input = FeatureShape(features: layer.inputs)
    default: return nil
    }
    self.title = title
    self.batch = batch
    self.seesData = seesData
    var builder = NetworkBuilder(input: input)
    // The network's own input has no gradient: a pooling that is never run stands in between.
    var map = builder.input
    if !seesData { map = builder.pool(.average, map, kernel: 1) }
    switch original {
    case let layer as Convolution:
      map = builder.convolution(
        "layer", map, layer.geometry.output.channels, kernel: layer.geometry.kernel,
        stride: layer.geometry.stride, padding: layer.geometry.padding, bias: layer.bias != nil)
    case let layer as Dense:
      map = builder.dense("layer", map, layer.outputs, bias: layer.bias != nil)
    default: return nil
    }
    let network = builder.build(logits: map)
    guard let operation = network.operations.last else { return nil }
    self.operation = operation
    workspace = Workspace(network, capacity: batch, training: true)
    workspace.load(network.layout.initialParameters(.pytorch, seed: 1))
    fill(network)
  }

  /// Ordinary numbers: zeros or denormal ones may take another time.
  private func fill(_ network: Network) {
    var stream = RandomStream(seed: 1, .syntheticData)
    func fill(_ target: UnsafeMutablePointer<Float>, _ count: Int) {
      for i in 0..<count { target[i] = Float(stream.uniform()) - 0.5 }
    }
    workspace.withPass(batch: batch, training: true, accumulate: false) { pass in
      fill(pass.values[operation.input], batch * network.slots[operation.input].perExample)
      fill(pass.gradients[operation.output], batch * network.slots[operation.output].perExample)
    }
  }

  func measure(model: String, seconds: Double) -> LayerSpeed {
    workspace.withPass(batch: batch, training: true, accumulate: false) { pass in
      measure(pass, model: model, seconds: seconds)
    }
  }

  private func measure(_ pass: borrowing Pass, model: String, seconds: Double) -> LayerSpeed {
    let forward = Self.median(seconds) { operation.forward(pass) }
    let weightGradient: Double
    var inputGradient: Double?
    switch operation {
    case let layer as Convolution:
      weightGradient = Self.median(seconds) { layer.weightGradient(pass) }
      if !seesData {
        inputGradient = Self.median(seconds) { layer.inputGradient(pass, .overwrite) }
      }
    case let layer as Dense:
      weightGradient = Self.median(seconds) { layer.weightGradient(pass) }
      if !seesData {
        inputGradient = Self.median(seconds) { layer.inputGradient(pass, .overwrite) }
      }
    default: preconditionFailure("LayerBench: \(operation.summary) has no products")
    }
    return LayerSpeed(
      model: model, layer: title, batch: batch, flops: batch * operation.forwardFLOPs,
      forward: forward, weightGradient: weightGradient, inputGradient: inputGradient)
  }

  /// Median seconds of a call, after three that do not count; at least three calls.
  private static func median(_ seconds: Double, _ body: () -> Void) -> Double {
    for _ in 0..<3 { body() }
    var times: [Double] = []
    let end = LoadMeter.now + seconds
    while times.count < 3 || LoadMeter.now < end {
      let start = LoadMeter.now
      body()
      times.append(LoadMeter.now - start)
    }
    return Metrics.median(times)
  }
}
