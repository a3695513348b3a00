import Tensor
import Testing

/// How far single precision may stray from the truth, counted instead of tuned.
///
/// A sum of n products has n roundings of at most u = 2⁻²⁴ relative to its terms; with signs at
/// random they grow like √n·u (Higham, Accuracy and Stability, 2nd edition, section 2.8). Layers in
/// series add up; later layers pass earlier errors on at about the size of the values.
package enum Rounding {
  /// Half the distance from 1 to the next Float.
  package static let unit = 0x1p-24

  /// √n summed over the layers of a network, n the longest sum of each, one at least.
  package static func depth(_ network: Network, batch: Int) -> Double {
    network.operations.map { operation in
      switch operation {
      case let layer as Dense: Double(layer.inputs).squareRoot()
      case let layer as CosineClassifier: Double(layer.inputs).squareRoot()
      case let layer as Convolution: Double(layer.geometry.patch).squareRoot()
      case let layer as StandardisedConvolution: 3 * Double(layer.geometry.patch).squareRoot()
      case let layer as PositionLinear: Double(layer.inputs).squareRoot()
      case let layer as PoolHead: Double(layer.inputs).squareRoot()
      case let layer as Attention:
        Double(layer.width / layer.heads).squareRoot() + Double(layer.tokens).squareRoot()
      case let layer as GroupNorm: Double(layer.shape.count / layer.groups).squareRoot()
      case let layer as BatchNorm: Double(layer.shape.positions).squareRoot()
      case let layer as LayerNorm: Double(layer.shape.channels).squareRoot()
      case let layer as GlobalAveragePool: Double(layer.shape.positions).squareRoot()
      case let layer as Pooling: Double(layer.geometry.kernel)
      default: 1
      }
    }.reduce(0, +)
  }

  /// Bound on a forward value relative to the largest of its tensor: four standard deviations.
  package static func forward(_ network: Network, batch: Int) -> Double {
    4 * unit * depth(network, batch: batch)
  }

  /// Bound on a gradient relative to the largest of its tensor: values go forward and back, and
  /// a weight's gradient sums over all positions of the batch.
  package static func backward(_ network: Network, batch: Int) -> Double {
    let positions = network.operations.map { operation in
      switch operation {
      case let layer as Convolution: batch * layer.geometry.output.positions
      case let layer as StandardisedConvolution: batch * layer.geometry.output.positions
      case let layer as PositionLinear: batch * layer.positions
      case let layer as PoolScale: batch * layer.shape.positions
      default: batch
      }
    }.max()
    return 4 * unit * (2 * depth(network, batch: batch) + Double(positions ?? batch).squareRoot())
  }
}

/// Expects each value within `bound`·scale of the truth, scale being the largest true magnitude
/// of the tensor (at least `floor`).
///
/// - Returns: the largest error relative to scale, for looking at.
@discardableResult
package func expectClose(
  _ observed: [Float], _ expected: [Double], bound: Double, floor: Double = 0,
  _ what: @autoclosure () -> String = "", sourceLocation: SourceLocation = #_sourceLocation
) -> Double {
  guard observed.count == expected.count else {
    Issue.record(
      "\(what()): [\(observed.count)] instead of [\(expected.count)]",
      sourceLocation: sourceLocation)
    return .infinity
  }
  let scale = max(expected.map(abs).max() ?? 0, floor)
  var worst = 0.0
  var place = 0
  for (index, (a, b)) in zip(observed, expected).enumerated() {
    let error = abs(Double(a) - b)
    // NaN is never close.
    if !(error <= worst) { (worst, place) = (error, index) }
  }
  if !(worst <= bound * scale) {
    let values = "\(observed[place]) instead of \(expected[place])"
    Issue.record(
      "\(what())[\(place)] is \(values); allowed are ±\(bound * scale)",
      sourceLocation: sourceLocation)
  }
  return scale > 0 ? worst / scale : worst
}

/// Expects a Float within some units in the last place of the truth.
package func expectClose(
  _ observed: Float, _ expected: Double, ulps: Double, _ what: @autoclosure () -> String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let allowed = ulps * Double(Float(expected).ulp)
  #expect(
    abs(Double(observed) - expected) <= allowed, "\(what()): \(observed) for \(expected)",
    sourceLocation: sourceLocation)
}
