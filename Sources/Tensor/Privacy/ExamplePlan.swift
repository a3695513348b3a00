/// Which operation gives the gradients of single examples in which way, and where they lie.
///
/// A layer here is one operation, or several whose tensors overlap (tied weights). Its gradients
/// are either written out, one row of numbers per example, or only their norms are formed and what
/// their sum needs is kept: the gradient b of the operation's output, the input a being in the
/// workspace until the next forward pass.
///
/// The choice depends on the network and on numbers alone. Norms without gradients need a product
/// of all pairs of an example's positions; gradients need memory, and are what is added up, so that
/// their norms are exact. A layer is written out unless it has one position or few against its
/// weights (`ProductNorm.isCheap`).
/// - Source: Goodfellow 2015, arXiv:1510.01799 (one position); Li et al. 2021, arXiv:2110.05679
///   (pairs of positions); Bu et al. 2022, arXiv:2210.00038 (one sweep).
package struct ExamplePlan: Sendable {
  /// How a layer gives its examples' gradients.
  package enum Method: Sendable, Equatable {
    /// Written out.
    case rows
    /// Norms from a and b, which is kept.
    case products
  }

  package struct Layer: Sendable {
    /// Its name in the parameter layout.
    package let name: String
    /// Its parameters that move, in order.
    let moving: [Range<Int>]
    /// What is between its first and its last parameter.
    let hull: Range<Int>
    /// Its steps in the network.
    package let steps: [Int]
    /// The last of them, which a sweep reaches first.
    package let last: Int
    package let method: Method
    /// Floats per example in front of its memory; every row starts on a vector of sixteen.
    package let offset: Int
    /// Floats per example: a gradient, or b.
    package let stride: Int
  }

  /// In the order of their parameters.
  package let layers: [Layer]
  /// Per step of the network, the layer that it belongs to; nil where nothing moves.
  let layerOf: [Int?]
  /// Per step, itself where its backward pass can be taken apart.
  package let weighted: [(any WeightedOperation)?]
  /// Per step that has parameters, where they start.
  package let starts: [Int]
  /// The first step that a sweep must reach.
  package let first: Int
  /// Floats per example of all layers.
  let floatsPerExample: Int
  /// Floats of the largest gradient of an operation whose parameters do not move.
  let asideCount: Int

  /// `ranges`: trained parameters that move.
  ///
  /// `rows`: rows of a batch that are one example.
  init(_ network: Network, ranges: [Range<Int>], rows: Int) {
    let moving = Self.merged(ranges)
    var found: [(hull: Range<Int>, steps: [Int])] = []
    var aside = 0
    var starts = [Int](repeating: 0, count: network.steps.count)
    for index in network.backwardSteps where network.steps[index].hasParameters {
      let own = Self.merged(network.steps[index].parameterRanges)
      guard let first = own.first, let last = own.last else {
        preconditionFailure("ExamplePlan: \(network.steps[index].summary) hides its parameters")
      }
      let hull = first.lowerBound..<last.upperBound
      starts[index] = hull.lowerBound
      if own.contains(where: { range in moving.contains { $0.overlaps(range) } }) {
        found.append((hull, [index]))
      } else {
        aside = max(aside, hull.count)
      }
    }
    found.sort { ($0.hull.lowerBound, $0.steps[0]) < ($1.hull.lowerBound, $1.steps[0]) }
    var groups: [(hull: Range<Int>, steps: [Int])] = []
    for item in found {
      if let last = groups.last, last.hull.overlaps(item.hull) {
        let end = max(last.hull.upperBound, item.hull.upperBound)
        groups[groups.count - 1] = (last.hull.lowerBound..<end, last.steps + item.steps)
      } else {
        groups.append(item)
      }
    }
    weighted = network.steps.map { $0 as? any WeightedOperation }
    var layerOf = [Int?](repeating: nil, count: network.steps.count)
    var layers: [Layer] = []
    var offset = 0
    for (number, group) in groups.enumerated() {
      let own = Self.merged(group.steps.flatMap { network.steps[$0].parameterRanges })
      let parts = own.flatMap { range in moving.map { $0.clamped(to: range) } }.filter {
        !$0.isEmpty
      }
      let method = Self.method(network, group.steps, isWhole: parts == own, rows: rows)
      let floats = method == .rows ? group.hull.count : Self.kept(network, group.steps[0], rows)
      let stride = (floats + 15) / 16 * 16
      for step in group.steps { layerOf[step] = number }
      layers.append(
        Layer(
          name: Self.name(of: parts[0].lowerBound, network.layout), moving: parts, hull: group.hull,
          steps: group.steps, last: group.steps.max() ?? 0, method: method, offset: offset,
          stride: stride))
      offset += stride
    }
    self.layers = layers
    self.layerOf = layerOf
    self.starts = starts
    first = groups.flatMap(\.steps).min() ?? network.steps.count
    floatsPerExample = offset
    asideCount = aside
  }

  /// The norm of a step's weight gradient from its products, where that is how it is taken.
  package func norm(_ layer: Layer, _ network: Network, rows: Int) -> ProductNorm? {
    guard layer.method == .products, let step = weighted[layer.steps[0]] else { return nil }
    return ProductNorm(step.outerProducts, rows: rows)
  }

  private static func method(_ network: Network, _ steps: [Int], isWhole: Bool, rows: Int) -> Method
  {
    // What is shared or moves in part has to be added up or cut: written out, it can be.
    guard steps.count == 1, isWhole, let step = network.steps[steps[0]] as? any WeightedOperation
    else { return .rows }
    let norm = ProductNorm(step.outerProducts, rows: rows)
    return norm.isCheap ? .products : .rows
  }

  /// Floats of b per example.
  private static func kept(_ network: Network, _ step: Int, _ rows: Int) -> Int {
    rows * network.slots[network.steps[step].output].perExample
  }

  private static func name(of place: Int, _ layout: ParameterLayout) -> String {
    layout.entries.first { $0.range.contains(place) }?.layer ?? ""
  }

  /// The same places, in order, without overlaps; neighbours become one.
  static func merged(_ ranges: [Range<Int>]) -> [Range<Int>] {
    var merged: [Range<Int>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
      if let last = merged.last, range.lowerBound <= last.upperBound {
        merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    return merged
  }
}
