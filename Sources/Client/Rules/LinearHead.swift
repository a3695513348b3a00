import Tensor

/// A classifier besides the network's own: z = h·Wᵀ + b on given features h, trained on its own
/// loss with an optimizer of its own.
///
/// It never sees where features come from, so no gradient leaves it: the stopped features of
/// FedRoD (Chen and Chao, ICLR 2022) and FedLoGe (Xiao et al., ICLR 2024).
/// Gradients add up over the parts of a batch until `step`. After the first batch of each size
/// nothing is allocated.
public struct LinearHead: Sendable {
  /// C.
  public let classes: Int
  /// d.
  public let width: Int
  /// The weight [C × d], a row per class in the order of the network's classifier, then the bias
  /// [C].
  public var values: [Float]

  /// Whether gradients of examples wait for their factors, instead of being added at once: for
  /// training that clips them (`addHeld`).
  public var holdsExamples = false

  private var optimizer: VectorOptimizer
  /// What the next step takes, [C·d + C].
  package var gradient: [Float]
  /// The product's scratch, then logits and their gradient of as many rows as were asked for.
  private var work: [Float]

  /// A head with the given parameters and a new optimizer.
  ///
  /// `values`: [C·d + C].
  public init(classes: Int, width: Int, values: [Float], optimizer: OptimizerSpec) {
    let count = classes * width + classes
    precondition(values.count == count, "LinearHead: [\(values.count)] instead of [\(count)]")
    self.classes = classes
    self.width = width
    self.values = values
    self.optimizer = VectorOptimizer(optimizer, count: count)
    gradient = [Float](repeating: 0, count: count)
    work = []
  }

  /// Adds the gradient of the mean loss over a batch, of which these examples are a part.
  ///
  /// `features`: [count × d]; `labels`: [count].
  ///
  /// `totalWeight`: Σ w_y over the whole batch; the number of its examples without class weights.
  ///
  /// `fixedLogits`: [count × C], added to the head's own and held constant: FedRoD's personal head
  /// trains on CE(stop(G(h)) + P(h), y).
  ///
  /// - Complexity: 4·count·C·d floating-point operations.
  public mutating func accumulate(
    features: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int,
    loss: SoftmaxCrossEntropy, totalWeight: Double, fixedLogits: UnsafePointer<Float>? = nil
  ) -> SoftmaxCrossEntropy.Result {
    let classes = classes
    return accumulate(features, count, fixedLogits) { logits, slopes in
      loss.evaluate(
        logits: logits, labels: labels, batch: count, classes: classes, gradient: slopes,
        totalWeight: totalWeight)
    }
  }

  /// Adds weight times the gradient of a distillation loss on these examples.
  ///
  /// `features`: [count × d]; `targets`: [count × C], probabilities at the loss's temperature.
  ///
  /// `weight`: of each example, such as λ divided by the batch's size.
  ///
  /// `fixedLogits`: [count × C], added to the head's own and held constant.
  ///
  /// - Returns: τ²·Σ KL over the examples, without the weight.
  /// - Complexity: 4·count·C·d floating-point operations.
  public mutating func accumulate(
    features: UnsafePointer<Float>, targets: UnsafePointer<Float>, count: Int, loss: Distillation,
    weight: Float, fixedLogits: UnsafePointer<Float>? = nil
  ) -> Double {
    let classes = classes
    return accumulate(features, count, fixedLogits) { logits, slopes in
      slopes.update(repeating: 0, count: count * classes)
      return loss.evaluate(
        logits: logits, targets: targets, rows: count, classes: classes, weight: weight,
        addingTo: slopes)
    }
  }

  /// One optimizer step with what was accumulated, which is then cleared.
  public mutating func step(learningRate: Double) {
    optimizer.step(&values, gradient: gradient, learningRate: learningRate)
    gradient.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
  }

  /// z = h·Wᵀ + b of `count` rows of features [count × d], into [count × C].
  ///
  /// - Complexity: 2·count·C·d floating-point operations.
  public func logits(
    features: UnsafePointer<Float>, count: Int, into result: UnsafeMutablePointer<Float>
  ) {
    let product = LinearProduct(inputs: width, outputs: classes)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: product.scratchCount) { scratch in
      values.withUnsafeBufferPointer { values in
        guard let weight = values.baseAddress, let scratch = scratch.baseAddress else { return }
        for r in 0..<count {
          (result + r * classes).update(from: weight + classes * width, count: classes)
        }
        product.add(features, rows: count, weight: weight, to: result, scratch: scratch)
      }
    }
  }

  /// ‖w_c‖₂ of each class's row of the weight.
  public var rowNorms: [Double] {
    (0..<classes).map {
      VectorArithmetic.norm(values.span.extracting($0 * width..<($0 + 1) * width))
    }
  }

  /// ∂L/∂z of the rows of the last `accumulate`, [count × C].
  private func heldSlopes(_ count: Int) -> Int {
    LinearProduct(inputs: width, outputs: classes).scratchCount + count * classes
  }

  /// ‖g_i‖² of one held example, weight and bias together: Σ_{k,l} (s_k·s_l)(h_k·h_l + 1) over its
  /// rows, with s = ∂ℓ/∂z.
  ///
  /// `features`: those of the last `accumulate`, [count × d]; `rows`: the example's.
  ///
  /// - Complexity: O(rows² · (C + d)).
  /// - Source: Goodfellow 2015, arXiv:1510.01799; Li et al., ICLR 2022, arXiv:2110.05679.
  func heldSquaredNorm(_ rows: Range<Int>, features: UnsafePointer<Float>, count: Int) -> Double {
    work.withUnsafeBufferPointer { work in
      guard let start = work.baseAddress else { return 0 }
      let slopes = start + heldSlopes(count)
      func dot(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ n: Int) -> Double {
        var sum = 0.0
        for i in 0..<n { sum += Double(x[i]) * Double(y[i]) }
        return sum
      }
      var total = 0.0
      for k in rows {
        for l in rows {
          total +=
            dot(slopes + k * classes, slopes + l * classes, classes)
            * (dot(features + k * width, features + l * width, width) + 1)
        }
      }
      return total
    }
  }

  /// target += Σ_rows f_row · s_row ⊗ (h_row, 1), of the rows of the last `accumulate`.
  ///
  /// `factors`: [count]; a row with factor 0 is not read.
  ///
  /// `target`: [C·d + C], such as `gradient`.
  ///
  /// - Complexity: 2·count·C·d.
  func addHeld(_ factors: [Float], features: UnsafePointer<Float>, to target: inout [Float]) {
    let count = factors.count
    work.withUnsafeBufferPointer { work in
      guard let start = work.baseAddress else { return }
      let slopes = start + heldSlopes(count)
      for row in 0..<count where factors[row] != 0 {
        for c in 0..<classes {
          let slope = factors[row] * slopes[row * classes + c]
          if slope == 0 { continue }
          let weights = c * width
          for j in 0..<width { target[weights + j] += slope * features[row * width + j] }
          target[classes * width + c] += slope
        }
      }
    }
  }

  /// Runs a loss on the logits and adds the gradient of the parameters.
  private mutating func accumulate<Outcome>(
    _ features: UnsafePointer<Float>, _ count: Int, _ fixedLogits: UnsafePointer<Float>?,
    _ loss: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Outcome
  ) -> Outcome {
    let (classes, width, holdsExamples) = (classes, width, holdsExamples)
    let product = LinearProduct(inputs: width, outputs: classes)
    let needed = product.scratchCount + 2 * count * classes
    if work.count < needed { work = [Float](repeating: 0, count: needed) }
    return work.withUnsafeMutableBufferPointer { work in
      gradient.withUnsafeMutableBufferPointer { gradient in
        values.withUnsafeBufferPointer { values in
          guard let scratch = work.baseAddress, let weight = values.baseAddress,
            let slope = gradient.baseAddress
          else { preconditionFailure("LinearHead: no memory") }
          let logits = scratch + product.scratchCount
          let bias = weight + classes * width
          for r in 0..<count { (logits + r * classes).update(from: bias, count: classes) }
          product.add(features, rows: count, weight: weight, to: logits, scratch: scratch)
          if let fixedLogits { for i in 0..<count * classes { logits[i] += fixedLogits[i] } }
          let logitSlopes = logits + count * classes
          let outcome = loss(logits, logitSlopes)
          if holdsExamples { return outcome }
          product.addWeightGradient(logitSlopes, features, rows: count, to: slope)
          let biasSlope = slope + classes * width
          for r in 0..<count {
            for c in 0..<classes { biasSlope[c] += logitSlopes[r * classes + c] }
          }
          return outcome
        }
      }
    }
  }
}
