import Tensor

/// What follows from a gradient by arithmetic alone.
///
/// For a dense layer y = Wx + b and one example, ∂L/∂W_i = δ_i·x and ∂L/∂b_i = δ_i: any row with
/// δ_i ≠ 0 gives x = (∂L/∂W_i)/(∂L/∂b_i), and all rows together give it best. Where that layer is
/// the network's first, x is the image.
///
/// - Source: Phong, Aono, Hayashi, Wang and Moriai, IEEE TIFS 13(5), 2018 (the rows); Zhao, Mopuri
///   and Bilen, "iDLG", 2020, arXiv:2001.02610 (the label).
struct AnalyticInversion {
  /// The first trained dense layer with a bias.
  let layer: Dense
  /// Whether that layer reads the image itself.
  let readsInput: Bool
  private let bias: Int

  /// Nil when the network has no trained dense layer with a bias.
  init?(_ network: Network) {
    let dense = network.operations.lazy.compactMap { $0 as? Dense }
    guard let first = dense.first(where: { !$0.frozen && $0.bias != nil }), let bias = first.bias
    else { return nil }
    layer = first
    self.bias = bias
    readsInput = first.input == network.inputSlot
  }

  /// x from all rows, Σ_i δ_i·∂L/∂W_i / Σ_i δ_i², [layer.inputs]; nil when all δ are 0.
  ///
  /// Exact like a single row, and the least-squares answer where noise was added to them. In a
  /// batch it is a mixture of the examples.
  func input(from gradient: [Float]) -> [Float]? {
    var sums = [Double](repeating: 0, count: layer.inputs)
    var squares = 0.0
    for row in 0..<layer.outputs {
      let delta = Double(gradient[bias + row])
      guard delta != 0 else { continue }
      squares += delta * delta
      let start = layer.weight + row * layer.inputs
      for column in sums.indices { sums[column] += delta * Double(gradient[start + column]) }
    }
    return squares > 0 ? sums.map { Float($0 / squares) } : nil
  }

  /// x from each row with δ_i ≠ 0: in a batch, exact where only one example had an effect on it.
  func candidates(from gradient: [Float]) -> [[Float]] {
    (0..<layer.outputs).compactMap { row($0, of: gradient) }
  }

  private func row(_ index: Int, of gradient: [Float]) -> [Float]? {
    let delta = Double(gradient[bias + index])
    guard delta != 0 else { return nil }
    let start = layer.weight + index * layer.inputs
    return gradient[start..<start + layer.inputs].map { Float(Double($0) / delta) }
  }

  /// The labels of a batch, as many as it has images, ascending.
  ///
  /// The gradient of the classifier's bias is p̄_c − n_c/B: negative only for labels of the batch.
  /// The most negative class is taken, 1/B is added to it, and so on; that is exact for one
  /// example, and for batches whose mean prediction is even. Without a bias the row sums of the
  /// weights' gradient stand in for it, which needs features that are not negative.
  static func labels(from gradient: [Float], network: Network, batch: Int) -> [Int] {
    var signals = [Double](repeating: 0, count: network.classes)
    if let entry = network.layout[network.classifier + ".bias"] {
      for (label, value) in gradient[entry.range].enumerated() { signals[label] = Double(value) }
    } else if let entry = network.layout[network.classifier + ".weight"] {
      let width = entry.range.count / network.classes
      for (place, value) in gradient[entry.range].enumerated() {
        signals[place / width] += Double(value)
      }
      // One example's share of the sums is not 1/B but that of its features.
      let total = signals.reduce(0) { $0 + max(0, -$1) }
      if total > 0 { signals = signals.map { $0 / total } }
    }
    var found: [Int] = []
    for _ in 0..<batch {
      guard let least = signals.indices.min(by: { signals[$0] < signals[$1] }) else { break }
      found.append(least)
      signals[least] += 1 / Double(batch)
    }
    return found.sorted()
  }
}
