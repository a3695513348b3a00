import Tensor

/// A linear classifier on plain vectors: z = W·h + b.
package struct PlainClassifier: Sendable {
  /// W, [C × d].
  package let weight: [Float]
  /// b, [C].
  package let bias: [Float]
  package var classes: Int { bias.count }
  package var width: Int { weight.count / max(1, bias.count) }

  package init(weight: [Float], bias: [Float]) {
    self.weight = weight
    self.bias = bias
  }

  /// z of some rows [rows × d], into [rows × C].
  package func logits(_ h: UnsafePointer<Float>, rows: Int, into z: UnsafeMutablePointer<Float>) {
    let product = LinearProduct(inputs: width, outputs: classes)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: product.scratchCount) { scratch in
      weight.withUnsafeBufferPointer { weight in
        guard let weight = weight.baseAddress, let scratch = scratch.baseAddress else { return }
        for r in 0..<rows { for c in 0..<classes { z[r * classes + c] = bias[c] } }
        product.add(h, rows: rows, weight: weight, to: z, scratch: scratch)
      }
    }
  }
}

extension PlainClassifier {
  /// The mean cross-entropy of some rows [labels × d], and its gradient: of W [C × d], then of b.
  package func crossEntropy(_ h: [Float], _ labels: [Int]) -> (loss: Double, gradient: [Float]) {
    let rows = labels.count
    var z = [Float](repeating: 0, count: rows * classes)
    var dz = z
    var gradient = [Float](repeating: 0, count: weight.count + bias.count)
    var loss = 0.0
    let classOf = labels.map { Int32($0) }
    h.withUnsafeBufferPointer { h in
      classOf.withUnsafeBufferPointer { classOf in
        z.withUnsafeMutableBufferPointer { z in
          dz.withUnsafeMutableBufferPointer { dz in
            gradient.withUnsafeMutableBufferPointer { gradient in
              guard let h = h.baseAddress, let classOf = classOf.baseAddress, let z = z.baseAddress,
                let dz = dz.baseAddress, let gradient = gradient.baseAddress
              else { return }
              logits(h, rows: rows, into: z)
              loss =
                SoftmaxCrossEntropy().evaluate(
                  logits: z, labels: classOf, batch: rows, classes: classes, gradient: dz
                ).lossSum / Double(rows)
              LinearProduct(inputs: width, outputs: classes).addWeightGradient(
                dz, h, rows: rows, to: gradient)
              for r in 0..<rows {
                for c in 0..<classes { gradient[weight.count + c] += dz[r * classes + c] }
              }
            }
          }
        }
      }
    }
    return (loss, gradient)
  }
}
