/// Passes over a channels-last map with one accumulator or coefficient per channel: sixteen
/// channels are the lanes of a vector, positions are added up in order.
///
/// Channels that fill no vector are taken one by one.
enum ChannelSums {
  /// Calls `body` for each group of sixteen channels, then `rest` for each that is left.
  @inline(__always) private static func forEachGroup(
    _ channels: Int, _ body: (Int) -> Void, rest: (Int) -> Void
  ) {
    var c = 0
    while c &+ 16 <= channels {
      body(c)
      c &+= 16
    }
    while c < channels {
      rest(c)
      c &+= 1
    }
  }

  /// sums[c] (+)= Σ_p x[p, c]: positions p mod 4 are summed apart, then together.
  static func sum(
    _ x: UnsafePointer<Float>, into sums: UnsafeMutablePointer<Float>, positions: Int,
    channels: Int, accumulate: Bool = false
  ) {
    forEachGroup(channels) { c in
      var (s0, s1, s2, s3) = (Vector(), Vector(), Vector(), Vector())
      var at = x + c
      var p = 0
      while p &+ 4 <= positions {
        s0 += at.vector
        s1 += (at + channels).vector
        s2 += (at + 2 &* channels).vector
        s3 += (at + 3 &* channels).vector
        at += 4 &* channels
        p &+= 4
      }
      while p < positions {
        s0 += at.vector
        at += channels
        p &+= 1
      }
      let total = (s0 + s1) + (s2 + s3)
      (sums + c).vector = accumulate ? (sums + c).vector + total : total
    } rest: { c in
      var total: Float = 0
      for p in 0..<positions { total += x[p &* channels &+ c] }
      sums[c] = accumulate ? sums[c] + total : total
    }
  }

  /// sums[c] = Σ_p (x[p, c] − centre[c])².
  static func squaredDeviations(
    _ x: UnsafePointer<Float>, around centre: UnsafePointer<Float>,
    into sums: UnsafeMutablePointer<Float>, positions: Int, channels: Int
  ) {
    forEachGroup(channels) { c in
      let middle = (centre + c).vector
      var (s0, s1, s2, s3) = (Vector(), Vector(), Vector(), Vector())
      var at = x + c
      var p = 0
      while p &+ 4 <= positions {
        let d0 = at.vector - middle
        let d1 = (at + channels).vector - middle
        let d2 = (at + 2 &* channels).vector - middle
        let d3 = (at + 3 &* channels).vector - middle
        s0.accumulate(d0, d0)
        s1.accumulate(d1, d1)
        s2.accumulate(d2, d2)
        s3.accumulate(d3, d3)
        at += 4 &* channels
        p &+= 4
      }
      while p < positions {
        let d = at.vector - middle
        s0.accumulate(d, d)
        at += channels
        p &+= 1
      }
      (sums + c).vector = (s0 + s1) + (s2 + s3)
    } rest: { c in
      var total: Float = 0
      for p in 0..<positions {
        let d = x[p &* channels &+ c] - centre[c]
        total += d * d
      }
      sums[c] = total
    }
  }

  /// y = x·factor + constant per channel, plus `shortcut` if there is one, and max(0, ·) when
  /// `rectified`.
  static func affine(
    _ x: UnsafePointer<Float>, _ factor: UnsafePointer<Float>, _ constant: UnsafePointer<Float>,
    shortcut: UnsafePointer<Float>? = nil, rectified: Bool = false,
    into y: UnsafeMutablePointer<Float>, positions: Int, channels: Int
  ) {
    forEachGroup(channels) { c in
      let a = (factor + c).vector
      let k = (constant + c).vector
      var at = c
      for _ in 0..<positions {
        var value = k
        value.accumulate((x + at).vector, a)
        if let shortcut { value += (shortcut + at).vector }
        (y + at).vector = rectified ? value.gate(value) : value
        at &+= channels
      }
    } rest: { c in
      var at = c
      for _ in 0..<positions {
        var value = x[at] * factor[c] + constant[c]
        if let shortcut { value += shortcut[at] }
        y[at] = rectified && value <= 0 ? 0 : value
        at &+= channels
      }
    }
  }

  /// sumDy[c] = Σ_p dy, sumDyX[c] = Σ_p dy·x.
  ///
  /// `gate`: y of a ReLU that follows; dy is first set to 0 where y ≤ 0, in place.
  ///
  /// `shortcut`: takes dy too, overwritten or added as `how` says.
  static func gradientSums(
    _ dy: UnsafeMutablePointer<Float>, gate: UnsafePointer<Float>? = nil,
    shortcut: UnsafeMutablePointer<Float>? = nil, as how: GradientWrite = .skip,
    _ x: UnsafePointer<Float>, _ sumDy: UnsafeMutablePointer<Float>,
    _ sumDyX: UnsafeMutablePointer<Float>, positions: Int, channels: Int
  ) {
    // The gradient at one place, delivered to whoever else takes it.
    @inline(__always) func gradient(_ at: Int) -> Vector {
      var g = (dy + at).vector
      if let gate {
        g = (gate + at).vector.gate(g)
        (dy + at).vector = g
      }
      if let shortcut, how != .skip {
        (shortcut + at).vector = how == .add ? (shortcut + at).vector + g : g
      }
      return g
    }
    forEachGroup(channels) { c in
      var (s0, s1) = (Vector(), Vector())
      var (t0, t1) = (Vector(), Vector())
      var at = c
      var p = 0
      while p &+ 2 <= positions {
        let g0 = gradient(at)
        let g1 = gradient(at &+ channels)
        s0 += g0
        s1 += g1
        t0.accumulate(g0, (x + at).vector)
        t1.accumulate(g1, (x + (at &+ channels)).vector)
        at &+= 2 &* channels
        p &+= 2
      }
      if p < positions {
        let g = gradient(at)
        s0 += g
        t0.accumulate(g, (x + at).vector)
      }
      (sumDy + c).vector = s0 + s1
      (sumDyX + c).vector = t0 + t1
    } rest: { c in
      var (first, second): (Float, Float) = (0, 0)
      for p in 0..<positions {
        let at = p &* channels &+ c
        if let gate, gate[at] <= 0 { dy[at] = 0 }
        let g = dy[at]
        if let shortcut, how != .skip { shortcut[at] = how == .add ? shortcut[at] + g : g }
        first += g
        second += g * x[at]
      }
      sumDy[c] = first
      sumDyX[c] = second
    }
  }

  /// dx = a·dy + b·x + k per channel, with a, b, k one after the other in `coefficients`.
  static func combine(
    _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ coefficients: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>, positions: Int, channels: Int, _ how: GradientWrite
  ) {
    guard how != .skip else { return }
    forEachGroup(channels) { c in
      let a = (coefficients + c).vector
      let b = (coefficients + (channels &+ c)).vector
      let k = (coefficients + (2 &* channels &+ c)).vector
      var at = c
      for _ in 0..<positions {
        var value = how == .add ? (dx + at).vector + k : k
        value.accumulate((x + at).vector, b)
        value.accumulate((dy + at).vector, a)
        (dx + at).vector = value
        at &+= channels
      }
    } rest: { c in
      var at = c
      for _ in 0..<positions {
        let value =
          coefficients[c] * dy[at] + coefficients[channels &+ c] * x[at]
          + coefficients[2 &* channels &+ c]
        dx[at] = how == .add ? dx[at] + value : value
        at &+= channels
      }
    }
  }
}
