import Base
import Client
import Tensor

/// Training of one model at the server towards the predictions of several, on public images whose
/// labels nobody looks at: τ²·KL(softmax(Z̄/τ) ‖ softmax(z/τ)) with Z̄ the teachers' mean logits.
///
/// Lin et al., NeurIPS 2020, arXiv:2006.07242, algorithm 1: Adam, its rate falling by a cosine over
/// the steps.
package struct EnsembleDistillation: Sendable {
  /// Steps at most, N.
  package var steps: Int
  package var batch: Int
  /// Adam's η.
  package var learningRate: Double
  /// η at step s of N is η·(1 + cos(π·s/N))/2, or η throughout.
  package var isCosine: Bool
  /// τ.
  package var temperature: Float
  /// Share of the public images kept aside to see whether the student still improves.
  package var validationShare: Double
  /// Steps between two looks at them.
  package var checkEvery: Int
  /// Steps without improvement after which training ends.
  package var patience: Int

  /// A rule with every entry given.
  package init(
    steps: Int, batch: Int, learningRate: Double, isCosine: Bool, temperature: Float,
    validationShare: Double, checkEvery: Int, patience: Int
  ) {
    self.steps = steps
    self.batch = batch
    self.learningRate = learningRate
    self.isCosine = isCosine
    self.temperature = temperature
    self.validationShare = validationShare
    self.checkEvery = checkEvery
    self.patience = patience
  }

  /// Trains a student.
  ///
  /// - Parameters:
  ///   - device: the server's own; its examples are the public set.
  ///   - start: where the student starts, [layout.count].
  ///   - teachers: Z̄, [T × C].
  /// - Returns: the best model looked at, or the last one when no image is kept aside.
  /// - Throws: ``Divergence`` of the server at the first loss that is not finite.
  /// - Complexity: `steps` training steps, and steps/checkEvery passes over the images kept aside.
  package func train(_ device: Device, from start: [Float], towards teachers: [Float])
    throws(Divergence) -> [Float]
  {
    guard steps > 0 else { return start }
    do throws(Divergence) { return try descend(device, start, teachers) } catch {
      throw Divergence(round: device.round)  // the server's, not a client's
    }
  }

  private func descend(_ device: Device, _ start: [Float], _ teachers: [Float]) throws(Divergence)
    -> [Float]
  {
    let (network, workspace) = (device.network, device.workspace)
    let (kept, taught) = split(device)
    func rule(_ places: [Int]) -> DistillationRule {
      let classes = network.classes
      let rows = places.flatMap { teachers[$0 * classes..<($0 + 1) * classes] }
      return DistillationRule(logits: rows, classes: classes, temperature: temperature)
    }
    var training = rule(taught)
    let validation = rule(kept)
    var student = device.visitingPublic(taught.map { device.examples[$0] }, batch: batch)

    workspace.load(start)
    let trained = network.layout.trainedCount
    var model = Array(start[..<trained])
    var adam = VectorOptimizer(
      OptimizerSpec(kind: .adam, learningRate: learningRate), count: trained)
    var best: (loss: Double, step: Int, model: [Float])?
    for step in 0..<steps {
      _ = student.nextBatch()
      _ = try student.computeGradient(&training)
      adam.step(&model, gradient: Array(workspace.gradient), learningRate: rate(step))
      write(model, workspace)
      let isLast = step + 1 == steps
      guard !kept.isEmpty, (step + 1) % checkEvery == 0 || isLast else { continue }
      let loss = loss(student, kept.map { device.examples[$0] }, validation)
      guard loss.isFinite else { throw Divergence(round: device.round) }
      if loss < best?.loss ?? .infinity {
        best = (loss, step, workspace.currentParameters)
      } else if let best, step - best.step >= patience {
        break
      }
    }
    return best?.model ?? workspace.currentParameters
  }

  /// η of a step, from 0.
  package func rate(_ step: Int) -> Double {
    isCosine ? learningRate * (1 + cos(Double.pi * Double(step) / Double(steps))) / 2 : learningRate
  }

  /// Places of the images kept aside, and of those to learn from; the same in every round.
  private func split(_ device: Device) -> (kept: [Int], taught: [Int]) {
    let count = device.examples.count
    let aside = min(Int(clamping: validationShare * Double(count)), count - 1)
    var stream = RandomStream(seed: device.seed, .server)
    let order = stream.permutation(count)
    return (order.prefix(aside).sorted(), order.dropFirst(aside).sorted())
  }

  private func write(_ model: [Float], _ workspace: Workspace) {
    model.withUnsafeBufferPointer { source in
      guard let from = source.baseAddress, let to = workspace.mutableParameters.baseAddress else {
        return
      }
      to.update(from: from, count: model.count)
    }
  }

  /// The mean loss of the student on some images, in evaluation mode.
  private func loss(_ student: Device, _ images: [Int], _ rule: DistillationRule) -> Double {
    let logits = student.logits(of: images)
    let sum = logits.withUnsafeBufferPointer { z in
      rule.targets.withUnsafeBufferPointer { q in
        guard let z = z.baseAddress, let q = q.baseAddress else { return 0.0 }
        return rule.distillation.evaluate(
          logits: z, targets: q, rows: images.count, classes: student.network.classes)
      }
    }
    return sum / Double(images.count)
  }
}
