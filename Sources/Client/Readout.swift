import Tensor

/// What a model makes of images, without training: logits and features.
extension Device {
  /// Runs the model in the workspace on some images in evaluation mode, batch by batch in order.
  ///
  /// `indices`: images of the loader; they are not augmented.
  ///
  /// `body`: takes the range of `indices` whose activations are in the workspace's first places.
  public func forEachBatch(
    of indices: some RandomAccessCollection<Int>, _ body: (Range<Int>) -> Void
  ) {
    let size = min(network.evaluationBatch, workspace.capacity)
    var first = 0
    var rest = indices[...]
    while !rest.isEmpty {
      let batch = rest.prefix(size)
      rest = rest.dropFirst(size)
      loader.fill(workspace, batch)
      network.forward(workspace, batch: batch.count, training: false)
      body(first..<first + batch.count)
      first += batch.count
    }
  }

  /// The logits of some images, [n × C].
  public func logits(of indices: some RandomAccessCollection<Int>) -> [Float] {
    var all = [Float]()
    all.reserveCapacity(indices.count * network.classes)
    forEachBatch(of: indices) { range in
      all.append(contentsOf: workspace.logits.prefix(range.count * network.classes))
    }
    return all
  }

  /// The features of some images, [n × d]: what the classifier reads.
  public func features(of indices: some RandomAccessCollection<Int>) -> [Float] {
    var all = [Float]()
    all.reserveCapacity(indices.count * network.featureWidth)
    forEachBatch(of: indices) { range in
      all.append(contentsOf: workspace.features.prefix(range.count * network.featureWidth))
    }
    return all
  }
}
