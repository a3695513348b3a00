import Base
import Client
import Tensor

/// The public set in the messages of methods that exchange predictions on it.
package struct PublicSet: Sendable {
  package let count: Int
  package let classes: Int
  private let image: FeatureShape
  private let isBytes: Bool

  package init(_ problem: LearningProblem) {
    count = problem.publicCount
    classes = problem.network.classes
    image = problem.network.input
    isBytes = problem.imageBytes == image.count
  }

  /// The images as every client is sent them once: T·H·W·ch bytes, or floats where the data are
  /// floats.
  ///
  /// Only the size is real: clients look their images up where they lie.
  package var broadcast: Payload {
    var payload = Payload.empty
    let shape = [count, image.height, image.width, image.channels]
    payload.append(
      "public", [NamedShape("images", shape, isBytes ? .uint8 : .float32)],
      values: [Float](repeating: 0, count: count * image.count))
    return payload
  }

  /// A message with a row of C numbers for each of some images, [rows × C].
  package func message(_ block: String, _ tensor: String, _ values: [Float]) -> Payload {
    var payload = Payload.empty
    let shape = [values.count / classes, classes]
    payload.append(block, [NamedShape(tensor, shape)], values: values)
    return payload
  }
}

extension Device {
  /// The same client and model on public images, in batches of a size of their own; they are
  /// never augmented.
  ///
  /// `part`: which stretch of training in a round this is, from 0.
  package func visitingPublic(_ examples: [Int], batch: Int, part: Int = 0) -> Device {
    var settings = settings
    settings.batch = batch
    settings.augmentation = AugmentationPlan()
    settings.loss = .crossEntropy
    return visiting(examples, settings: settings, phase: .publicSet(part: part)).unprotected
  }

  /// The logits of public images, [n × C], by the model in the workspace.
  ///
  /// - Throws: ``Divergence`` when one is not finite: it would reach everybody.
  package func publicLogits(_ examples: [Int]) throws(Divergence) -> [Float] {
    let logits = logits(of: examples)
    guard VectorArithmetic.isFinite(logits.span) else {
      throw Divergence(round: round, client: client)
    }
    return logits
  }

  /// softmax of the logits, [n × C].
  package func publicProbabilities(_ examples: [Int]) throws(Divergence) -> [Float] {
    let logits = try publicLogits(examples)
    return DistillationRule(logits: logits, classes: network.classes, temperature: 1).targets
  }
}

extension LocalReport {
  /// The same work without its loss, where that is not one on labels: a round's training loss is
  /// then that of private images.
  package var withoutLoss: LocalReport {
    var report = self
    (report.lossSum, report.squareSum, report.exampleWeight) = (0, 0, 0)
    return report
  }
}
