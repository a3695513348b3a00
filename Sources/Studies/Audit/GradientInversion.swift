import Base
import Tensor

/// Images whose gradient is like one that was seen, found by descent.
///
/// The gradient of a cost J(x) = φ(g(x)) by the images needs second derivatives of the loss. With
/// v = ∂φ/∂g, mixed partials commute:
///
///     ∇ₓJ = d/dh ∇ₓL(w + h·v; x) at h = 0 ≈ (∇ₓL(w + hv; x) − ∇ₓL(w − hv; x))/(2h),
///
/// so two ordinary passes do. Networks with ReLU have no second derivative at their kinks: the
/// difference smooths them, and the attack is weaker than on smooth networks.
///
/// - Source: Geiping, Bauermeister, Dröge and Moeller, NeurIPS 2020, arXiv:2003.14053 (cosine);
///   Zhu, Liu and Han, NeurIPS 2019, arXiv:1906.08935 (squares); Pearlmutter, Neural Computation
///   6(1), 1994 (products with second derivatives).
struct GradientInversion {
  /// What an image's gradient is measured by, against g*.
  enum Cost: Equatable {
    /// 1 − ⟨g, g*⟩/(‖g‖‖g*‖) + α·TV(x); steps by the sign of the gradient.
    case cosine(totalVariation: Double)
    /// ‖g − g*‖²/‖g*‖².
    case squares
  }

  let cost: Cost
  let iterations: Int
  /// Its rate at first, in units of normalised pixels; a tenth from 3/8, 5/8 and 7/8 on.
  var rate = 0.1
  /// ‖hv‖/‖w‖: small against curvature, large against the rounding of Float.
  var step = 1e-3

  /// What the attacker knows besides the gradient.
  struct Knowledge {
    /// The model, [layout.count].
    let model: [Float]
    /// The labels, in any order.
    let labels: [Int]
    /// The smallest and largest value that a normalised pixel can have, per channel.
    let box: [ClosedRange<Float>]
  }

  /// The images of the least cost that was met, [labels.count × input.count], normalised.
  ///
  /// - Parameters:
  ///   - observed: g*, [trainedCount].
  ///   - known: what is known.
  ///   - probe: the network, with room for the batch.
  ///   - stream: draws the start, N(0, 1) per pixel.
  /// - Returns: the images, in the order of the labels.
  /// - Complexity: three passes per step.
  func images(
    from observed: [Float], _ known: Knowledge, _ probe: GradientProbe, _ stream: inout RandomStream
  ) -> [Float] {
    let count = known.labels.count * probe.network.input.count
    var x = (0..<count).map { _ in Float(stream.normal()) }
    clamp(&x, known.box)
    var best = (cost: Double.infinity, images: x)
    var first = [Double](repeating: 0, count: count)
    var second = [Double](repeating: 0, count: count)
    for iteration in 1...max(1, iterations) {
      let (value, slope) = derivative(at: x, observed, known, probe)
      if value < best.cost { best = (value, x) }
      let rate = self.rate * factor(iteration)
      let (fade1, fade2) = (1 - pow(0.9, iteration), 1 - pow(0.999, iteration))
      for i in x.indices {
        let g = direction(slope[i])
        first[i] = 0.9 * first[i] + 0.1 * g
        second[i] = 0.999 * second[i] + 0.001 * g * g
        let move = first[i] / fade1 / ((second[i] / fade2).squareRoot() + 1e-8)
        x[i] -= Float(rate * move)
      }
      clamp(&x, known.box)
    }
    return best.images
  }

  /// J and ∇ₓJ at some images.
  func derivative(at x: [Float], _ observed: [Float], _ known: Knowledge, _ probe: GradientProbe)
    -> (value: Double, slope: [Double])
  {
    let g = probe.gradient(known.model, x, known.labels)
    let outer = Outer(cost, g, observed)
    var value = outer.value
    var slope = [Double](repeating: 0, count: x.count)
    if outer.length > 0 {
      let size = Norm.length(known.model)
      let h = step * (size > 0 ? size : 1) / outer.length
      for signed in [h, -h] {
        let moved = outer.moved(known.model, by: signed, g, observed)
        let side = probe.inputGradient(moved, x, known.labels)
        for i in slope.indices { slope[i] += Double(side[i]) / (2 * signed) }
      }
    }
    if case .cosine(let weight) = cost, weight > 0 {
      value += weight * addVariation(of: x, probe.network.input, weight, to: &slope)
    }
    return (value, slope)
  }

  /// φ and v = ∂φ/∂g = a·g + b·g*, as both costs have it.
  private struct Outer {
    /// φ.
    let value: Double
    private let a: Double
    private let b: Double
    /// ‖v‖; 0 also where there is no direction.
    let length: Double

    init(_ cost: Cost, _ g: [Float], _ observed: [Float]) {
      var (dot, squares, target, apart) = (0.0, 0.0, 0.0, 0.0)
      for (x, y) in zip(g, observed) {
        let (p, q) = (Double(x), Double(y))
        dot += p * q
        squares += p * p
        target += q * q
        apart += (p - q) * (p - q)
      }
      guard target > 0, squares > 0 || cost == .squares, (dot + squares + target).isFinite else {
        (value, a, b, length) = (1, 0, 0, 0)
        return
      }
      switch cost {
      case .squares:
        value = apart / target
        (a, b) = (2 / target, -2 / target)
        length = 2 * apart.squareRoot() / target
      case .cosine:
        let product = (squares * target).squareRoot()
        let cosine = dot / product
        value = 1 - cosine
        (a, b) = (cosine / squares, -1 / product)
        length = (max(0, 1 - cosine * cosine) / squares).squareRoot()
      }
    }

    /// w + h·v; running statistics stay.
    func moved(_ model: [Float], by h: Double, _ g: [Float], _ observed: [Float]) -> [Float] {
      var moved = model
      moved.withUnsafeMutableBufferPointer { w in
        for i in g.indices {
          w[i] = Float(Double(w[i]) + h * (a * Double(g[i]) + b * Double(observed[i])))
        }
      }
      return moved
    }
  }

  /// TV = mean |x(i, j+1) − x(i, j)| + mean |x(i+1, j) − x(i, j)| over images, places and channels.
  ///
  /// Adds `weight` times its subgradient to `slope`.
  private func addVariation(
    of x: [Float], _ shape: FeatureShape, _ weight: Double, to slope: inout [Double]
  ) -> Double {
    var total = 0.0
    let images = x.count / shape.count
    let row = shape.width * shape.channels
    let acrossPairs = images * shape.height * (shape.width - 1) * shape.channels
    let downPairs = images * (shape.height - 1) * row
    func add(_ i: Int, _ j: Int, _ pairs: Int) {
      let difference = Double(x[j]) - Double(x[i])
      total += abs(difference) / Double(pairs)
      guard difference != 0 else { return }
      let part = weight / Double(pairs) * (difference > 0 ? 1 : -1)
      slope[j] += part
      slope[i] -= part
    }
    for i in x.indices {
      let place = i % shape.count
      if place % row + shape.channels < row { add(i, i + shape.channels, acrossPairs) }
      if place + row < shape.count { add(i, i + row, downPairs) }
    }
    return total
  }

  private func direction(_ slope: Double) -> Double {
    guard case .cosine = cost else { return slope }
    return slope > 0 ? 1 : slope < 0 ? -1 : 0
  }

  private func factor(_ iteration: Int) -> Double {
    let eighths = 8 * iteration / max(1, iterations)
    return eighths >= 7 ? 1e-3 : eighths >= 5 ? 1e-2 : eighths >= 3 ? 0.1 : 1
  }

  private func clamp(_ x: inout [Float], _ box: [ClosedRange<Float>]) {
    for i in x.indices {
      let range = box[i % box.count]
      x[i] = min(max(x[i], range.lowerBound), range.upperBound)
    }
  }

  private func pow(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0
    for _ in 0..<exponent { result *= base }
    return result
  }
}
