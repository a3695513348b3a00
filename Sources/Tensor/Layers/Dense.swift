/// y = x·Wᵀ + b, PyTorch's Linear: x [n, in], W [out, in], b [out], y [n, out]; with a ReLU after
/// it where the network has one.
package struct Dense: WeightedOperation {
  package let name: String
  package let input: Int
  package let output: Int
  package let inputs: Int
  package let outputs: Int
  package let weight: Int
  package let bias: Int?
  /// y = max(0, x·Wᵀ + b).
  package var rectified = false
  /// Whether its parameters stay as they are.
  package var frozen = false

  package var summary: String { "\(name): Linear(\(inputs), \(outputs), bias=\(bias != nil))" }
  package var forwardFLOPs: Int { 2 * inputs * outputs }
  package var hasParameters: Bool { !frozen }
  package var parameterRanges: [Range<Int>] {
    [weight..<weight + inputs * outputs] + (bias.map { [$0..<$0 + outputs] } ?? [])
  }

  /// Inputs per stretch of a transposed weight matrix: it stays in a usual L2 cache.
  private var stretch: Int { min(inputs, max(64, 65_536 / max(1, (outputs + 15) / 16 * 16))) }
  package var readsBeyondParameters: Bool { inputs % 16 != 0 }
  package var scratchCount: Int { max(DotProducts.scratchCount, stretch * outputs + 16) }

  /// The weights, which an optimizer need not look at when they were moved here.
  package var directRange: Range<Int>? {
    // OpenBLAS would round differently from an optimizer, and so would a gradient in parts.
    CPUFeatures.prefersOwnKernels && !frozen && !isWide ? weight..<weight + inputs * outputs : nil
  }

  package func forward(_ pass: borrowing Pass) {
    let x = UnsafePointer(pass.values[input])
    let y = pass.values[output]
    if let bias {
      Rows.broadcast(pass.parameters + bias, into: y, rows: pass.batch, columns: outputs)
    } else {
      y.update(repeating: 0, count: pass.batch * outputs)
    }
    if !CPUFeatures.prefersOwnKernels {
      BLAS.gemm(
        .normal, .transposed, m: pass.batch, n: outputs, k: inputs, x, pass.parameters + weight,
        beta: 1, y)
    } else if pass.batch <= DotProducts.mostRows {
      DotProducts(x: x, w: pass.parameters + weight, depth: inputs, scratch: pass.scratch).add(
        rows: pass.batch, outputs: outputs, to: y)
    } else {
      forwardTransposed(pass, x, y)
    }
    if rectified { Rows.rectify(y, count: pass.batch * outputs) }
  }

  /// Many rows: a stretch of columns of W is transposed once and used for all of them.
  private func forwardTransposed(
    _ pass: borrowing Pass, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
  ) {
    let w = UnsafePointer(pass.parameters + weight)
    var k = 0
    while k < inputs {
      let length = min(stretch, inputs - k)
      Transpose.copy(w + k, rows: outputs, columns: length, stride: inputs, to: pass.scratch)
      TileProduct(
        a: x + k, aRow: inputs, aOuter: 0, aStep: 1, b: pass.scratch, bOuter: 0, bStep: outputs,
        outer: 1, depth: length
      ).run(rows: pass.batch, columns: outputs, y, row: outputs, .add)
      k += length
    }
  }

  package var outerProducts: OuterProducts {
    OuterProducts(positions: 1, inputs: inputs, outputs: outputs, hasBias: bias != nil, window: nil)
  }

  package func gateGradient(_ pass: borrowing Pass) {
    guard rectified else { return }
    Rows.gate(pass.gradients[output], by: pass.values[output], count: pass.batch * outputs)
  }

  package func backward(_ pass: borrowing Pass, inputGradient how: GradientWrite) {
    gateGradient(pass)
    // The input gradient reads the weights, so it comes before an update in place.
    inputGradient(pass, how)
    if !frozen { weightGradient(pass) }
  }

  /// dW = dyᵀ·x, db = Σ dy; or W ← W − η·dyᵀ·x at once, when nothing else needs dW.
  package func weightGradient(_ pass: borrowing Pass) {
    let dy = pass.gradients[output]
    var finish: Finish = pass.accumulate ? .add : .overwrite
    var target = pass.gradient + weight
    if let rate = pass.directRate, let moved = pass.moved, directRange != nil {
      finish = .add
      finish.scale = -rate
      target = moved + weight
      finish.source = pass.parameters + weight - UnsafePointer(target)
    }
    if CPUFeatures.prefersOwnKernels {
      tiledWeightGradient(dy, pass.values[input], target, batch: pass.batch, finish)
    } else {
      BLAS.gemm(
        .transposed, .normal, m: outputs, n: inputs, k: pass.batch, dy, pass.values[input],
        beta: finish.kind == .overwrite ? 0 : 1, target)
    }
    guard let bias else { return }
    Rows.sum(
      dy, into: pass.gradient + bias, rows: pass.batch, columns: outputs,
      accumulate: pass.accumulate)
  }

  private func tiledWeightGradient(
    _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>,
    batch: Int, _ finish: Finish
  ) {
    let block = isWide ? Self.streams : batch
    var (first, finish) = (0, finish)
    while first < batch {
      TileProduct(
        a: dy + first * outputs, aRow: 1, aOuter: 0, aStep: outputs, b: x + first * inputs,
        bOuter: 0, bStep: inputs, outer: 1, depth: min(block, batch - first)
      ).run(rows: outputs, columns: inputs, target, row: inputs, finish, rowBlock: 12)
      first += block
      // The next rows are added to what is there by then.
      if isWide { finish = .add }
    }
  }

  /// Whether rows of the input are so long, and the gradient's so few, that it pays to go over the
  /// gradient several times: a column of a long batch touches as many pages as there are rows.
  private var isWide: Bool { inputs >= 3500 && outputs <= 16 }

  /// Rows that a processor reads ahead in at once.
  private static let streams = 16

  /// dx = dy·W.
  package func inputGradient(_ pass: borrowing Pass, _ how: GradientWrite) {
    guard how != .skip else { return }
    guard CPUFeatures.prefersOwnKernels else {
      BLAS.gemm(
        .normal, .normal, m: pass.batch, n: inputs, k: outputs, pass.gradients[output],
        pass.parameters + weight, beta: how == .add ? 1 : 0, pass.gradients[input])
      return
    }
    TileProduct(
      a: pass.gradients[output], aRow: outputs, aOuter: 0, aStep: 1, b: pass.parameters + weight,
      bOuter: 0, bStep: inputs, outer: 1, depth: outputs
    ).run(
      rows: pass.batch, columns: inputs, pass.gradients[input], row: inputs,
      how == .add ? .add : .overwrite)
  }
}
