import Base
import Client
import Tensor

extension FedGen {
  /// Equation 5 with the terms of the authors' code: generated features train the classifier, and
  /// its answers to them guide the answers to the client's own images of the same label.
  package struct Rule: LocalRule {
    package let loss: SoftmaxCrossEntropy?
    /// α and β of this round.
    let alpha: Double
    let beta: Double
    let generator: Generator
    /// p̂.
    package let distribution: [Float]
    /// Features generated per step.
    let generatedBatch: Int
    /// Where the classifier lies in the parameters.
    package let classifier: (weight: Range<Int>, bias: Range<Int>)
    /// The random stream of a step.
    let address: (Int) -> RandomStream

    /// c_k: labels seen, [C].
    private(set) var labelCounts: [Int]
    private var step = 0
    private var stream: RandomStream
    /// α times the gradient of the classifier on generated features; empty when α is 0.
    private var slopes: [Float] = []

    package init(
      loss: SoftmaxCrossEntropy?, alpha: Double, beta: Double, generator: Generator,
      distribution: [Float], generatedBatch: Int,
      classifier: (weight: Range<Int>, bias: Range<Int>), address: @escaping (Int) -> RandomStream
    ) {
      self.loss = loss
      self.alpha = alpha
      self.beta = beta
      self.generator = generator
      self.distribution = distribution
      self.generatedBatch = generatedBatch
      self.classifier = classifier
      self.address = address
      labelCounts = [Int](repeating: 0, count: distribution.count)
      stream = address(0)
    }

    package mutating func addTerms(_ part: BatchPart) -> Double {
      let isFirst = part.examples.lowerBound == 0
      if isFirst { stream = address(step) }
      let labels = (0..<part.count).map { Int(part.workspace.labels[$0]) }
      for label in labels { labelCounts[label] += 1 }
      guard alpha > 0 || beta > 0 else { return 0 }
      let head = PlainClassifier(
        weight: Array(part.workspace.parameters[classifier.weight]),
        bias: Array(part.workspace.parameters[classifier.bias]))
      var sum = 0.0
      if alpha > 0, isFirst { sum += Double(part.batch) * train(head) }
      if beta > 0 { sum += guide(part, labels, head) }
      return sum
    }

    /// α·mean CE(h(G(ŷ, ε)), ŷ), ŷ ~ p̂; keeps its gradient.
    private mutating func train(_ head: PlainClassifier) -> Double {
      let labels = Generator.labels(generatedBatch, from: distribution, &stream)
      let features = generator.features(of: labels, &stream)
      let (loss, gradient) = head.crossEntropy(features, labels)
      slopes = gradient.map { Float(alpha) * $0 }
      return alpha * loss
    }

    /// β·KL(h(G(y, ε)) ‖ h(φ(x))) of the examples; the first is held constant.
    private mutating func guide(_ part: BatchPart, _ labels: [Int], _ head: PlainClassifier)
      -> Double
    {
      let features = generator.features(of: labels, &stream)
      var targets = [Float](repeating: 0, count: part.count * head.classes)
      return features.withUnsafeBufferPointer { features in
        targets.withUnsafeMutableBufferPointer { targets in
          guard let features = features.baseAddress, let targets = targets.baseAddress,
            let logits = part.workspace.logits.baseAddress,
            let gradient = part.workspace.logitsGradient.baseAddress
          else { return 0 }
          head.logits(features, rows: part.count, into: targets)
          Distillation.softmax(
            targets, rows: part.count, classes: head.classes, temperature: 1, into: targets)
          return beta
            * Distillation().evaluate(
              logits: logits, targets: targets, rows: part.count, classes: head.classes,
              weight: Float(beta / Double(part.batch)), addingTo: gradient)
        }
      }
    }

    package mutating func adjust(_ gradient: inout MutableSpan<Float>, at parameters: Span<Float>) {
      var next = 0
      for range in [classifier.weight, classifier.bias] where !slopes.isEmpty {
        for i in range {
          gradient[i] += slopes[next]
          next += 1
        }
      }
    }

    package mutating func endBatch(learningRate: Double) { step += 1 }
  }
}
