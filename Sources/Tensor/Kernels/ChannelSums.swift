/// Passes over a channels-last map with one accumulator or coefficient per channel; channels are
/// the inner loop and the vector lanes, positions are added up in order.
enum ChannelSums {
  /// sums[c] = Σ_p (x[p, c] − centre[c])².
  static func squaredDeviations(
    _ x: UnsafePointer<Float>,
    around centre: UnsafePointer<Float>,
    into sums: UnsafeMutablePointer<Float>,
    positions: Int,
    channels: Int
  ) {
    sums.update(repeating: 0, count: channels)
    for p in 0..<positions {
      let row = x + p * channels
      for c in 0..<channels {
        let d = row[c] - centre[c]
        sums[c] += d * d
      }
    }
  }

  /// y = x·factor + constant, per channel.
  static func affine(
    _ x: UnsafePointer<Float>,
    _ factor: UnsafePointer<Float>,
    _ constant: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>,
    positions: Int,
    channels: Int
  ) {
    for p in 0..<positions {
      let from = x + p * channels
      let to = y + p * channels
      for c in 0..<channels { to[c] = from[c] * factor[c] + constant[c] }
    }
  }

  /// sumDy[c] = Σ_p dy, sumDyX[c] = Σ_p dy·x.
  static func gradientSums(
    _ dy: UnsafePointer<Float>,
    _ x: UnsafePointer<Float>,
    _ sumDy: UnsafeMutablePointer<Float>,
    _ sumDyX: UnsafeMutablePointer<Float>,
    positions: Int,
    channels: Int
  ) {
    sumDy.update(repeating: 0, count: channels)
    sumDyX.update(repeating: 0, count: channels)
    for p in 0..<positions {
      let g = dy + p * channels
      let v = x + p * channels
      for c in 0..<channels {
        sumDy[c] += g[c]
        sumDyX[c] += g[c] * v[c]
      }
    }
  }

  /// dx = a·dy + b·x + k per channel, with a, b, k one after the other in `coefficients`.
  static func combine(
    _ dy: UnsafePointer<Float>,
    _ x: UnsafePointer<Float>,
    _ coefficients: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>,
    positions: Int,
    channels: Int,
    _ how: GradientWrite
  ) {
    guard how != .skip else { return }
    let a = coefficients
    let b = coefficients + channels
    let k = coefficients + 2 * channels
    for p in 0..<positions {
      let g = dy + p * channels
      let v = x + p * channels
      let to = dx + p * channels
      if how == .add {
        for c in 0..<channels { to[c] += a[c] * g[c] + b[c] * v[c] + k[c] }
      } else {
        for c in 0..<channels { to[c] = a[c] * g[c] + b[c] * v[c] + k[c] }
      }
    }
  }
}
