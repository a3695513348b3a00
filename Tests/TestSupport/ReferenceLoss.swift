import Base

/// Scalar functions in double precision, from their definitions.
package enum ReferenceLoss {
  /// Mean over the batch of log Σ exp(z) − z_y.
  package static func crossEntropy(_ logits: [Double], labels: [Int], classes: Int) -> Double {
    var total = 0.0
    for (example, label) in labels.enumerated() {
      let z = logits[example * classes..<(example + 1) * classes]
      let largest = z.max() ?? 0
      let sum = z.map { exp($0 - largest) }.reduce(0, +)
      total += log(sum) + largest - z[z.startIndex + label]
    }
    return total / Double(labels.count)
  }

  /// x·Φ(x).
  package static func gelu(_ x: Double) -> Double { x * 0.5 * (1 + erf(x / 2.0.squareRoot())) }

  /// s/(1 + exp(−T·x)) − o.
  package static func temperedSigmoid(
    _ x: Double, _ scale: Double, _ inverseTemperature: Double, _ offset: Double
  ) -> Double { scale / (1 + exp(-inverseTemperature * x)) - offset }
}
