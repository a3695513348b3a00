/// Convolution, ReLU and 2×2 max-pooling of stride 2 in one: y = maxpool(max(0, x * w + b)).
///
/// Image by image, so that the large map between convolution and pooling lives in the cache only;
/// what the backward pass needs of it is which of four positions won. The same values, winners and
/// gradients as the three layers one after the other: the first largest value of a window wins,
/// and a window without a positive value passes no gradient.
package struct PooledConvolution: Operation {
  package let convolution: Convolution
  package let pooling: Pooling

  package var input: Int { convolution.input }
  package var output: Int { pooling.output }
  package var summary: String { convolution.summary + ", ReLU, " + pooling.summary }
  package var forwardFLOPs: Int { convolution.forwardFLOPs }
  package var hasParameters: Bool { convolution.hasParameters }
  package var parameterRanges: [Range<Int>] { convolution.parameterRanges }
  package var readsBeyondParameters: Bool { convolution.readsBeyondParameters }
  package var scratchCount: Int { convolution.scratchCount + map.count + 16 }

  private var map: FeatureShape { convolution.geometry.output }
  private var pooled: FeatureShape { pooling.geometry.output }
  private var kernel: ConvolutionKernel { convolution.kernel }

  /// Whether the two belong together: windows that tile an even map, channels in full vectors.
  static func joins(_ convolution: Convolution, _ pooling: Pooling) -> Bool {
    let window = pooling.geometry
    return pooling.kind == .max && convolution.rectified && convolution.bias != nil
      && pooling.input == convolution.output && window.kernel == 2 && window.stride == 2
      && window.padding == 0 && window.input.height % 2 == 0 && window.input.width % 2 == 0
      && window.input.channels % 16 == 0
  }

  package func forward(_ pass: borrowing Pass) {
    let scratch = pass.scratch
    let full = scratch + convolution.scratchCount
    let w = pass.parameters + convolution.weight
    let bias = convolution.bias.map { [parameters = pass.parameters] in
      UnsafePointer(parameters + $0)
    }
    kernel.prepare(w, scratch: scratch)
    for image in 0..<pass.batch {
      kernel.forwardPrepared(
        pass.values[input] + image * convolution.geometry.input.count, w, bias: bias,
        rectified: true, full, batch: 1, scratch: scratch)
      pool(
        full, pass.values[output] + image * pooled.count,
        winners: pass.values[pooling.winners] + image * pooled.count)
    }
  }

  package func backward(_ pass: borrowing Pass, inputGradient how: GradientWrite) {
    let scratch = pass.scratch
    let full = scratch + convolution.scratchCount
    let w = pass.parameters + convolution.weight
    let dy = pass.gradients[output]
    Rows.gate(dy, by: pass.values[output], count: pass.batch * pooled.count)
    if let bias = convolution.bias, !convolution.frozen {
      ChannelSums.sum(
        dy, into: pass.gradient + bias, positions: pass.batch * pooled.positions,
        channels: pooled.channels, accumulate: pass.accumulate)
    }
    for image in 0..<pass.batch {
      let x = pass.values[input] + image * convolution.geometry.input.count
      spread(
        dy + image * pooled.count, winners: pass.values[pooling.winners] + image * pooled.count,
        full)
      if !convolution.frozen {
        kernel.weightGradient(
          x, full, pass.gradient + convolution.weight, batch: 1,
          accumulate: pass.accumulate || image > 0, scratch: scratch)
      }
      guard how != .skip else { continue }
      kernel.inputGradient(
        full, w, pass.gradients[input] + image * convolution.geometry.input.count, batch: 1,
        add: how == .add, scratch: scratch)
    }
  }

  /// Offsets of a window's four positions from its first.
  private var places: (Int, Int, Int) {
    let row = map.width * map.channels
    return (map.channels, row, row + map.channels)
  }

  /// y ← the largest of each window, winners ← 0…3, which position it was.
  private func pool(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
    winners: UnsafeMutablePointer<Float>
  ) {
    let (right, below, diagonal) = places
    var place = 0
    for row in 0..<pooled.height {
      var from = x + 2 &* row &* below
      for _ in 0..<pooled.width {
        var c = 0
        while c < map.channels {
          var best = (from + c).vector
          var winner = Vector()
          PooledConvolution.compare((from + (right &+ c)).vector, 1, &best, &winner)
          PooledConvolution.compare((from + (below &+ c)).vector, 2, &best, &winner)
          PooledConvolution.compare((from + (diagonal &+ c)).vector, 3, &best, &winner)
          (y + place).vector = best
          (winners + place).vector = winner
          place &+= 16
          c &+= 16
        }
        from += 2 &* map.channels
      }
    }
  }

  /// A later value wins only if it is larger, or not a number.
  @inline(__always) private static func compare(
    _ value: Vector, _ number: Float, _ best: inout Vector, _ winner: inout Vector
  ) {
    let wins = (value .> best) .| (value .!= value)
    best = best.replacing(with: value, where: wins)
    winner = winner.replacing(with: Vector(repeating: number), where: wins)
  }

  /// dx ← dy at each window's winner, 0 at its other positions.
  private func spread(
    _ dy: UnsafePointer<Float>, winners: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>
  ) {
    let (right, below, diagonal) = places
    var place = 0
    for row in 0..<pooled.height {
      var to = dx + 2 &* row &* below
      for _ in 0..<pooled.width {
        var c = 0
        while c < map.channels {
          let gradient = (dy + place).vector
          let winner = (winners + place).vector
          (to + c).vector = gradient.replacing(with: 0, where: winner .!= 0)
          (to + (right &+ c)).vector = gradient.replacing(with: 0, where: winner .!= 1)
          (to + (below &+ c)).vector = gradient.replacing(with: 0, where: winner .!= 2)
          (to + (diagonal &+ c)).vector = gradient.replacing(with: 0, where: winner .!= 3)
          place &+= 16
          c &+= 16
        }
        to += 2 &* map.channels
      }
    }
  }
}
