import Base
import Tensor
import TestSupport
import Testing

/// Networks of which only the classifier is trained.
@Suite("Frozen bodies")
struct ProbeTests {
  private struct Probe {
    let base: Network
    let network: Network
    /// The base's parameters, and the same in the order of the probing network.
    let trained: [Float]
    let parameters: [Float]

    init(_ spec: ModelSpec) throws {
      base = try Network(spec, input: PoolFixture.image, classes: 5)
      network = try Network(probing: spec, input: PoolFixture.image, classes: 5)
      var stream = RandomStream(seed: 11, .test)
      trained = GradientCheck.parameters(base, &stream, seed: 11)
      parameters = try network.parameters(from: base.layout, trained)
    }

    /// Values of a pass over some examples.
    func run(_ network: Network, _ parameters: [Float], training: Bool) -> Workspace {
      let workspace = Workspace(network, capacity: 4, training: training)
      var stream = RandomStream(seed: 2, .test)
      workspace.load(parameters)
      workspace.fill(
        (0..<4 * network.input.count).map { _ in Float(stream.gaussian()) }, [0, 3, 4, 1])
      network.forward(workspace, batch: 4, training: training, dropoutKey: 9)
      return workspace
    }
  }

  @Test("the body is as in an evaluation, in training too", arguments: PoolFixture.specs)
  func features(spec: ModelSpec) throws {
    let probe = try Probe(spec)
    let expected = probe.run(probe.base, probe.trained, training: false)
    for training in [false, true] {
      let observed = probe.run(probe.network, probe.parameters, training: training)
      let bound = Rounding.forward(probe.base, batch: 4)
      expectClose(Array(observed.features), expected.features.map(Double.init), bound: bound)
      expectClose(Array(observed.logits), expected.logits.map(Double.init), bound: bound)
      // Running statistics are frozen too.
      #expect(observed.currentParameters == probe.parameters)
    }
  }

  @Test("only the classifier has a gradient: that of its own layer", arguments: PoolFixture.specs)
  func gradient(spec: ModelSpec) throws {
    let probe = try Probe(spec)
    let layout = probe.network.layout
    let trained = layout.entries.filter { $0.role.isTrained }
    #expect(trained.allSatisfy { $0.layer == probe.base.classifier } && trained.count == 2)
    #expect(layout.entries.count == probe.base.layout.entries.count)
    #expect(layout.count == probe.base.layout.count)
    #expect(layout.trainedCount == layout.movingCount && probe.network.examplesAreIndependent)
    // A forward pass, and a weight gradient of the classifier alone.
    #expect(
      probe.network.trainingFLOPs == probe.base.forwardFLOPs + 2 * probe.base.featureWidth * 5)
    let workspace = probe.run(probe.network, probe.parameters, training: true)
    workspace.takeLoss(probe.network, batch: 4)
    probe.network.backward(workspace, batch: 4)
    let d = probe.network.featureWidth
    for c in 0..<5 {
      for i in [0, d - 1] {
        let entry = try #require(layout[probe.base.classifier + ".weight"])
        // One position per column: after a feature map columns lie as the map does.
        let expected = (0..<4).reduce(0.0) {
          $0 + Double(workspace.logitsGradient[$1 * 5 + c]) * Double(workspace.features[$1 * d + i])
        }
        let observed = Double(workspace.gradient[entry.range.lowerBound + c * d + i])
        #expect(abs(observed - expected) <= 1e-6 * max(1, abs(expected)))
      }
    }
  }

  @Test("a network without one of the tensors is refused in words")
  func refused() throws {
    let probe = try Probe(PoolFixture.specs[1])
    let other = try Network(
      ModelSpec(kind: .mlp, width: 1, hidden: [11, 8]), input: PoolFixture.image, classes: 5)
    let error = #expect(throws: ModelError.self) {
      try probe.network.parameters(
        from: other.layout, [Float](repeating: 0, count: other.layout.count))
    }
    #expect(error?.message.contains("fc2.weight of shape [9, 11]") == true)
  }
}
